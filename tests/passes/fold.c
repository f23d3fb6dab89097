// SPDX-License-Identifier: MIT
/* What is small is folded by shape inference already: these are weights. */
#include "case.h"

static struct joule_graph *weights(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 200));
	struct joule_tensor *w = transpose(g, test_const(g, JOULE_F32, DIMS(150, 200)), LIST(1, 0));

	test_output(g, test_op(g, "MatMul", IN(x, test_op(g, "Neg", IN(w)))));
	return g;
}

/* The size of a tensor whose values are not known. */
static struct joule_graph *filled(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(200, 200));

	test_output(g, test_op(g, "Sub", IN(x, test_op(g, "ConstantOfShape",
						       IN(test_op(g, "Shape", IN(x)))))));
	return g;
}

/* A few bytes that would become many. */
static struct joule_graph *growing(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(300, 100));
	struct joule_tensor *row = test_const(g, JOULE_F32, DIMS(1, 100));

	test_output(g, test_op(g, "Add", IN(x, test_op(g, "Expand",
						       IN(row, test_ints(g, LIST(300, 100)))))));
	return g;
}

static struct joule_graph *not_constant(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *w = in_f32(g, "w", DIMS(150, 200));

	test_output(g, test_op(g, "Neg", IN(transpose(g, w, LIST(1, 0)))));
	return g;
}

PASS_CASES(fold) = {
	CHANGES("weights", weights, 3, 1),
	CHANGES("filled", filled, 2, 1),
	KEEPS("growing", growing),
	KEEPS("not constant", not_constant),
	PASS_CASES_END,
};
