/* SPDX-License-Identifier: MIT */
/* The softmax kernel for operators that have it as a part. */
#ifndef JOULE_OPS_SOFTMAX_H
#define JOULE_OPS_SOFTMAX_H

#include "hal/binder.h"

/*
 * Adds a launch: y = softmax of each of rows rows of n elements, dense, of the
 * storage type dtype ("f32", "f16"). y may be x. The binder's error.
 */
int joule_softmax_launch(struct joule_binder *b, const char *dtype, int64_t rows, int64_t n,
			 struct joule_operand x, struct joule_operand y);

#endif
