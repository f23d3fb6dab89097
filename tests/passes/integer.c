// SPDX-License-Identifier: MIT
/* A step of 255 either way: sums are exact where the reference rounds floats. */
#include "../unit/test.h"
#include "case.h"
#include "ir/access.h"

#define STEP 0.01

static struct joule_tensor *pair(struct joule_graph *g, struct joule_tensor *x, double scale)
{
	struct joule_tensor *s = test_scalar(g, scale), *z = const_byte(g, JOULE_I8, 3), *q;

	q = test_op(g, "QuantizeLinear", IN(x, s, z));
	return test_op(g, "DequantizeLinear", IN(q, s, z));
}

static struct joule_tensor *weights(struct joule_graph *g, int64_t channels)
{
	struct joule_tensor *w = test_const(g, JOULE_I8, DIMS(4, channels, 1, 1));

	for (int64_t i = 0; i < joule_tensor_count(w); i++)
		joule_set_i64(JOULE_I8, w->data, i, (int64_t)test_rnd(255) - 127);
	return test_op(g, "DequantizeLinear", IN(w, test_scalar(g, 0.004)));
}

static struct joule_graph *convolution(struct joule_graph *g, int64_t channels, bool given)
{
	struct joule_tensor *x = pair(g, in_f32(g, "x", DIMS(1, channels, 5, 5)), STEP), *w;

	w = given ? in_f32(g, "w", DIMS(4, channels, 1, 1)) : weights(g, channels);
	test_output(g, pair(g, test_op(g, "Conv", IN(x, w)), 0.02));
	return g;
}

static struct joule_graph *conv(void)
{
	return convolution(test_graph(), 8, false);
}

static struct joule_graph *add(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = pair(g, in_f32(g, "x", DIMS(3, 40)), STEP);
	struct joule_tensor *y = pair(g, in_f32(g, "y", DIMS(3, 40)), 0.007);

	test_output(g, pair(g, test_op(g, "Add", IN(x, y)), 0.02));
	return g;
}

/* Sums that a float need not hold. */
static struct joule_graph *deep(void)
{
	return convolution(test_graph(), 2000, false);
}

static struct joule_graph *weights_given(void)
{
	return convolution(test_graph(), 8, true);
}

/* The sum is an output before it is quantized. */
static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = pair(g, in_f32(g, "x", DIMS(3, 40)), STEP);
	struct joule_tensor *y = pair(g, in_f32(g, "y", DIMS(3, 40)), 0.007);

	x = test_op(g, "Add", IN(x, y));
	test_output(g, x);
	test_output(g, pair(g, x, 0.02));
	return g;
}

/* One side is not quantized. */
static struct joule_graph *half(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = pair(g, in_f32(g, "x", DIMS(3, 40)), STEP);

	test_output(g, pair(g, test_op(g, "Add", IN(x, in_f32(g, "y", DIMS(3, 40)))), 0.02));
	return g;
}

PASS_CASES(integer) = {
	{ "convolution", conv, 6, 4, 0.02 },
	{ "addition", add, 7, 6, 0.02 },
	KEEPS("sums too large", deep),
	KEEPS("weights given at run time", weights_given),
	KEEPS("sum is an output", seen),
	KEEPS("one side is not quantized", half),
	PASS_CASES_END,
};
