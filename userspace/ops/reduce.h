/* SPDX-License-Identifier: MIT */
/* Reductions over any set of axes, for the operators that are or contain one. */
#ifndef JOULE_OPS_REDUCE_H
#define JOULE_OPS_REDUCE_H

#include "hal/binder.h"
#include "ir/graph.h"

enum joule_reduce_code {
	JOULE_REDUCE_SUM,
	JOULE_REDUCE_MEAN,
	JOULE_REDUCE_MAX,
	JOULE_REDUCE_MIN,
	JOULE_REDUCE_PROD,
	JOULE_REDUCE_L1,
	JOULE_REDUCE_L2,
	JOULE_REDUCE_LOG_SUM,
	JOULE_REDUCE_LOG_SUM_EXP,
	JOULE_REDUCE_SUM_SQUARE,
	JOULE_REDUCE_LP, /* (sum |x|^p)^(1/p) */
};

struct joule_reduce {
	enum joule_reduce_code code;
	float p;           /* LP alone */
	unsigned int axes; /* bit i: axis i is reduced */
};

/*
 * The reference: y's elements, in row-major order of the axes that stay, from
 * x. Exact for integers: sums wrap, means truncate. An empty set gives the
 * neutral element (0, 1, the type's lowest or highest value, -inf, NaN for a
 * mean).
 */
void joule_reduce_ref(const struct joule_reduce *r, const struct joule_tensor *x,
		      struct joule_tensor *y);

/*
 * Launches from f32 or f16 to f32 or f16, both of which the device must have;
 * call joule_bind_end() after it. Arithmetic is fp32 in an order that shapes
 * alone decide. Refuses shapes whose axes alternate too often.
 */
int joule_reduce_bind(struct joule_binder *b, const struct joule_reduce *r,
		      struct joule_operand in, enum joule_dtype in_dtype,
		      const struct joule_shape *shape, struct joule_operand out,
		      enum joule_dtype out_dtype);

#endif
