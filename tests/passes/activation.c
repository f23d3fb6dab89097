// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_graph *swish(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_op(g, "Neg", IN(in_f32(g, "x", DIMS(3, 40))));

	test_output(g, test_op(g, "Mul", IN(x, test_op(g, "Sigmoid", IN(x)))));
	return g;
}

/* 0.5 * x * (1 + erf(x / sqrt(2))) */
static struct joule_graph *gelu(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40)), *y;

	y = test_op(g, "Erf", IN(test_op(g, "Div", IN(x, test_scalar(g, 1.41421356237)))));
	y = test_op(g, "Mul", IN(x, test_op(g, "Add", IN(y, test_scalar(g, 1)))));
	test_output(g, test_op(g, "Mul", IN(y, test_scalar(g, 0.5))));
	return g;
}

/* x * clip(x + 3, 0, 6) / 6 */
static struct joule_graph *hard_swish(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40)), *y;

	y = test_op(g, "Add", IN(x, test_scalar(g, 3)));
	y = test_op(g, "Clip", IN(y, test_scalar(g, 0), test_scalar(g, 6)));
	y = test_op(g, "Div", IN(test_op(g, "Mul", IN(x, y)), test_scalar(g, 6)));
	test_output(g, y);
	return g;
}

static struct joule_graph *wrong_constant(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40)), *y;

	y = test_op(g, "Erf", IN(test_op(g, "Div", IN(x, test_scalar(g, 1.5)))));
	y = test_op(g, "Mul", IN(x, test_op(g, "Add", IN(y, test_scalar(g, 1)))));
	test_output(g, test_op(g, "Mul", IN(y, test_scalar(g, 0.5))));
	return g;
}

/* x * sigmoid(other) */
static struct joule_graph *gated(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40)), *y = in_f32(g, "y", DIMS(3, 40));

	test_output(g, test_op(g, "Mul", IN(x, test_op(g, "Sigmoid", IN(y)))));
	return g;
}

/* What lies on the way is read elsewhere, or an output. */
static struct joule_graph *shared(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40)), *y = test_op(g, "Sigmoid", IN(x));

	test_output(g, test_op(g, "Mul", IN(x, y)));
	test_output(g, test_op(g, "Neg", IN(mean(g, y, 1))));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40)), *y = test_op(g, "Sigmoid", IN(x));

	test_output(g, y);
	test_output(g, test_op(g, "Mul", IN(x, y)));
	return g;
}

PASS_CASES(activation) = {
	CHANGES("swish", swish, 3, 2),
	CHANGES("gelu", gelu, 5, 1),
	CHANGES("hard swish", hard_swish, 4, 1),
	KEEPS("wrong constant", wrong_constant),
	KEEPS("gated", gated),
	KEEPS("shared", shared),
	KEEPS("an output", seen),
	PASS_CASES_END,
};
