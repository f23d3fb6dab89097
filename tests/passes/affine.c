// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_tensor *conv(struct joule_graph *g)
{
	return test_op(g, "Conv", IN(in_f32(g, "x", DIMS(1, 3, 6, 7)),
				     test_const(g, JOULE_F32, DIMS(4, 3, 3, 3)),
				     test_const(g, JOULE_F32, DIMS(4))));
}

static struct joule_tensor *batch_norm(struct joule_graph *g, struct joule_tensor *x)
{
	struct joule_tensor *variance = const_all(g, DIMS(4), 1.5);

	return test_op(g, "BatchNormalization",
		       IN(x, test_const(g, JOULE_F32, DIMS(4)), test_const(g, JOULE_F32, DIMS(4)),
			  test_const(g, JOULE_F32, DIMS(4)), variance));
}

/* Everything that may follow, one after the other. */
static struct joule_graph *all(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = batch_norm(g, conv(g));

	x = test_op(g, "Mul", IN(x, test_const(g, JOULE_F32, DIMS(1, 4, 1, 1))));
	x = test_op(g, "Sub", IN(test_const(g, JOULE_F32, DIMS(4, 1, 1)), x));
	x = test_op(g, "Div", IN(x, test_scalar(g, 3)));
	test_output(g, x);
	return g;
}

static struct joule_graph *transposed(void)
{
	struct joule_graph *g = test_graph();
	struct joule_node *node = test_node(g, "ConvTranspose", 1,
					    IN(in_f32(g, "x", DIMS(1, 6, 5, 5)),
					       test_const(g, JOULE_F32, DIMS(6, 2, 3, 3))));

	test_attr_int(node, "group", 2);
	test_output(g, batch_norm(g, node->out[0]));
	return g;
}

static struct joule_graph *gemm(void)
{
	struct joule_graph *g = test_graph();
	struct joule_node *node = test_node(g, "Gemm", 1, IN(in_f32(g, "x", DIMS(5, 8)),
							     test_const(g, JOULE_F32, DIMS(4, 8)),
							     test_const(g, JOULE_F32, DIMS(4))));

	test_attr_int(node, "transB", 1);
	test_output(g, batch_norm(g, node->out[0]));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = conv(g);

	test_output(g, x);
	test_output(g, batch_norm(g, x));
	return g;
}

static struct joule_graph *shared(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = conv(g);

	test_output(g, test_op(g, "Neg", IN(x)));
	test_output(g, batch_norm(g, x));
	return g;
}

static struct joule_graph *by_column(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, test_op(g, "Mul", IN(conv(g), test_const(g, JOULE_F32, DIMS(1, 1, 1, 5)))));
	return g;
}

static struct joule_graph *by_zero(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, test_op(g, "Div", IN(conv(g), test_scalar(g, 0))));
	return g;
}

static struct joule_graph *weights_given(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(1, 3, 6, 7)), *w = in_f32(g, "w", DIMS(4, 3, 3, 3));

	test_output(g, batch_norm(g, test_op(g, "Conv", IN(x, w))));
	return g;
}

PASS_CASES(affine) = {
	CHANGES("all in a row", all, 5, 1),
	CHANGES("ConvTranspose in groups", transposed, 2, 1),
	CHANGES("Gemm", gemm, 2, 1),
	KEEPS("an output", seen),
	KEEPS("shared", shared),
	KEEPS("constant by column", by_column),
	KEEPS("division by zero", by_zero),
	KEEPS("weights given at run time", weights_given),
	PASS_CASES_END,
};
