/* SPDX-License-Identifier: MIT */
/* Attributes of "Requantize" (domain "joule"), which the integer pass makes. */
#ifndef JOULE_OPS_REQUANTIZE_H
#define JOULE_OPS_REQUANTIZE_H

#include <stdint.h>

struct joule_requantize {
	float scale;  /* what x is multiplied with, or divided by; not used with a second input */
	float low;    /* the least result; the highest is 255 more */
	int64_t divide; /* 1: divided */
};

#endif
