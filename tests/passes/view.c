// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_tensor *matmul(struct joule_graph *g)
{
	return test_op(g, "MatMul", IN(in_f32(g, "x", DIMS(6, 8)),
				       test_const(g, JOULE_F32, DIMS(8, 10))));
}

/* A bias and an activation behind a reshape: that comes last. */
static struct joule_graph *bias(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = reshape(g, matmul(g), LIST(2, 3, 10));

	x = test_op(g, "Add", IN(x, test_const(g, JOULE_F32, DIMS(10))));
	test_output(g, test_op(g, "Relu", IN(x)));
	return g;
}

/* The residual is reshaped too. */
static struct joule_graph *residual(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = reshape(g, matmul(g), LIST(2, 3, 10));

	test_output(g, test_op(g, "Add", IN(x, in_f32(g, "r", DIMS(2, 3, 10)))));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = reshape(g, matmul(g), LIST(2, 3, 10));

	test_output(g, x);
	test_output(g, test_op(g, "Relu", IN(x)));
	return g;
}

static struct joule_graph *shared(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *y = matmul(g), *x = reshape(g, y, LIST(2, 3, 10));

	test_output(g, test_op(g, "Relu", IN(x)));
	test_output(g, test_op(g, "Neg", IN(y)));
	return g;
}

/* A constant along an axis that the reshape breaks up. */
static struct joule_graph *other_axis(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = reshape(g, matmul(g), LIST(2, 3, 10));

	test_output(g, test_op(g, "Mul", IN(x, test_const(g, JOULE_F32, DIMS(3, 1)))));
	return g;
}

static struct joule_graph *of_an_input(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, test_op(g, "Relu", IN(reshape(g, in_f32(g, "x", DIMS(6)), LIST(2, 3)))));
	return g;
}

PASS_CASES(view) = {
	CHANGES("bias", bias, 4, 4),
	CHANGES("residual", residual, 3, 4),
	KEEPS("an output", seen),
	KEEPS("shared", shared),
	KEEPS("constant along another axis", other_axis),
	KEEPS("of an input", of_an_input),
	PASS_CASES_END,
};
