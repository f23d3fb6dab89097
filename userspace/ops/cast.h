/* SPDX-License-Identifier: MIT */
/* The cast kernel for operators that want an operand in another type. */
#ifndef JOULE_OPS_CAST_H
#define JOULE_OPS_CAST_H

#include <joule/types.h>

#include "hal/binder.h"

/*
 * A launch that writes x's n elements to y in another type. Neither may be f64.
 * y needs room for whole 32-bit words.
 */
void joule_cast_launch(struct joule_binder *b, struct joule_operand x, enum joule_dtype from,
		       struct joule_operand y, enum joule_dtype to, int64_t n);

#endif
