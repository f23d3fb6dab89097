// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_tensor *matmul(struct joule_graph *g)
{
	return test_op(g, "MatMul", IN(in_f32(g, "x", DIMS(6, 8)),
				       test_const(g, JOULE_F32, DIMS(8, 10))));
}

static struct joule_graph *several(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = matmul(g), *r = in_f32(g, "r", DIMS(6, 10));

	x = test_op(g, "Add", IN(x, test_const(g, JOULE_F32, DIMS(10))));
	x = test_op(g, "Relu", IN(test_op(g, "Sub", IN(r, x))));
	test_output(g, x);
	return g;
}

/* Two products added: the later one takes the sum in. */
static struct joule_graph *two(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *a = matmul(g);
	struct joule_tensor *b = test_op(g, "MatMul", IN(g->inputs[0],
							 test_const(g, JOULE_F32, DIMS(8, 10))));

	test_output(g, test_op(g, "Add", IN(a, b)));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = matmul(g);

	test_output(g, x);
	test_output(g, test_op(g, "Relu", IN(x)));
	return g;
}

static struct joule_graph *shared(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = matmul(g);

	test_output(g, test_op(g, "Neg", IN(x)));
	test_output(g, test_op(g, "Relu", IN(x)));
	return g;
}

/* The result is larger than what the kernel makes. */
static struct joule_graph *widened(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, test_op(g, "Add", IN(matmul(g), in_f32(g, "r", DIMS(3, 6, 10)))));
	return g;
}

static struct joule_graph *with_itself(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = matmul(g);

	test_output(g, test_op(g, "Mul", IN(x, x)));
	return g;
}

PASS_CASES(epilogue) = {
	CHANGES("several", several, 4, 1),
	CHANGES("two products", two, 3, 2),
	KEEPS("an output", seen),
	KEEPS("shared", shared),
	KEEPS("widened", widened),
	KEEPS("with itself", with_itself),
	PASS_CASES_END,
};
