// SPDX-License-Identifier: MIT
#include "../unit/test.h"
#include "case.h"

/* The weights are the same everywhere, so that it is known how large sums may be. */
static struct joule_tensor *weights(struct joule_graph *g, const int64_t *dims, int v)
{
	struct joule_tensor *w = test_const(g, JOULE_U8, dims);

	for (int64_t i = 0; i < joule_tensor_count(w); i++)
		((uint8_t *)w->data)[i] = (uint8_t)(v - i % 2);
	return w;
}

static struct joule_tensor *cast(struct joule_graph *g, struct joule_tensor *x, int to)
{
	struct joule_node *node = test_node(g, "Cast", 1, IN(x));

	test_attr_int(node, "to", to);
	return node->out[0];
}

/* From random floats to the sums. */
static struct joule_tensor *product(struct joule_graph *g, int64_t depth, struct joule_tensor *w)
{
	struct joule_node *q = test_node(g, "DynamicQuantizeLinear", 3,
					 IN(in_f32(g, "x", DIMS(5, depth))));

	return test_op(g, "MatMulInteger", IN(q->out[0], w, q->out[2]));
}

static struct joule_graph *matmul(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, cast(g, product(g, 16, weights(g, DIMS(16, 7), 255)), 1));
	return g;
}

static struct joule_graph *conv(void)
{
	struct joule_graph *g = test_graph();
	struct joule_node *q = test_node(g, "DynamicQuantizeLinear", 3,
					 IN(in_f32(g, "x", DIMS(1, 4, 6, 6)))), *node;

	node = test_node(g, "ConvInteger", 1, IN(q->out[0], weights(g, DIMS(8, 2, 3, 3), 200),
						 q->out[2]));
	test_attr_ints(node, "pads", LIST(1, 0, 0, 1));
	test_attr_int(node, "group", 2);
	test_output(g, cast(g, node->out[0], 1));
	return g;
}

/* 255 * 255 * 300 is beyond what a float holds exactly. */
static struct joule_graph *deep(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, cast(g, product(g, 300, weights(g, DIMS(300, 2), 255)), 1));
	return g;
}

static struct joule_graph *to_integers(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, cast(g, product(g, 16, weights(g, DIMS(16, 7), 255)), 7));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *y = product(g, 16, weights(g, DIMS(16, 7), 255));

	test_output(g, y);
	test_output(g, cast(g, y, 1));
	return g;
}

static struct joule_graph *weights_given(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *w = test_input(g, "w", JOULE_U8, DIMS(16, 7));

	test_output(g, cast(g, product(g, 16, w), 1));
	return g;
}

PASS_CASES(integer_product) = {
	{ "MatMulInteger", matmul, 3, 3, 1e-12 },
	{ "ConvInteger", conv, 3, 3, 1e-12 },
	KEEPS("sums too large", deep),
	KEEPS("cast to integers", to_integers),
	KEEPS("sums are an output", seen),
	KEEPS("weights given at run time", weights_given),
	PASS_CASES_END,
};
