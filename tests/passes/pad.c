// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_tensor *pad(struct joule_graph *g, struct joule_tensor *x, double value)
{
	return test_op(g, "Pad", IN(x, test_ints(g, LIST(0, 0, 1, 2, 0, 0, 0, 1)),
				    test_scalar(g, value)));
}

static struct joule_node *conv(struct joule_graph *g, struct joule_tensor *x)
{
	return test_node(g, "Conv", 1, IN(x, test_const(g, JOULE_F32, DIMS(4, 3, 3, 3))));
}

static struct joule_graph *zeros(void)
{
	struct joule_graph *g = test_graph();
	struct joule_node *node = conv(g, pad(g, in_f32(g, "x", DIMS(1, 3, 6, 7)), 0));

	test_attr_ints(node, "pads", LIST(1, 0, 0, 1));
	test_output(g, node->out[0]);
	return g;
}

static struct joule_graph *ones(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, conv(g, pad(g, in_f32(g, "x", DIMS(1, 3, 6, 7)), 1))->out[0]);
	return g;
}

static struct joule_graph *reflected(void)
{
	struct joule_graph *g = test_graph();
	struct joule_node *node;

	node = test_node(g, "Pad", 1, IN(in_f32(g, "x", DIMS(1, 3, 6, 7)),
					 test_ints(g, LIST(0, 0, 1, 1, 0, 0, 1, 1))));
	*(int *)joule_node_attr(node, "mode") = 1;
	test_output(g, conv(g, node->out[0])->out[0]);
	return g;
}

static struct joule_graph *channels(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_op(g, "Pad", IN(in_f32(g, "x", DIMS(1, 2, 6, 7)),
						      test_ints(g, LIST(0, 1, 0, 0, 0, 0, 0, 0))));

	test_output(g, conv(g, x)->out[0]);
	return g;
}

static struct joule_graph *shared(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = pad(g, in_f32(g, "x", DIMS(1, 3, 6, 7)), 0);

	test_output(g, conv(g, x)->out[0]);
	test_output(g, test_op(g, "Neg", IN(x)));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = pad(g, in_f32(g, "x", DIMS(1, 3, 6, 7)), 0);

	test_output(g, x);
	test_output(g, conv(g, x)->out[0]);
	return g;
}

/* The value comes with each run. */
static struct joule_graph *given(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *v = in_f32(g, "v", SCALAR);
	struct joule_tensor *x = test_op(g, "Pad", IN(in_f32(g, "x", DIMS(1, 3, 6, 7)),
						      test_ints(g, LIST(0, 0, 1, 1, 0, 0, 1, 1)), v));

	test_output(g, conv(g, x)->out[0]);
	return g;
}

PASS_CASES(pad) = {
	CHANGES("zeros", zeros, 2, 1),
	KEEPS("ones", ones),
	KEEPS("reflected", reflected),
	KEEPS("channels", channels),
	KEEPS("shared", shared),
	KEEPS("an output", seen),
	KEEPS("value given at run time", given),
	PASS_CASES_END,
};
