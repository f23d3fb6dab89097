// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_tensor *softmax(struct joule_graph *g, struct joule_tensor *x, int axis)
{
	struct joule_node *node = test_node(g, "Softmax", 1, IN(x));

	test_attr_int(node, "axis", axis);
	return node->out[0];
}

/* softmax(q k^T / 2) v by heads; *p is the softmax. */
static struct joule_tensor *attend(struct joule_graph *g, struct joule_tensor *scale, int axis,
				   struct joule_tensor **p)
{
	struct joule_tensor *q = in_f32(g, "q", DIMS(2, 3, 8, 8)), *y;
	struct joule_tensor *k = in_f32(g, "k", DIMS(2, 3, 8, 8));
	struct joule_tensor *v = in_f32(g, "v", DIMS(2, 3, 8, 8));

	y = test_op(g, "MatMul", IN(q, transpose(g, k, LIST(0, 1, 3, 2))));
	*p = softmax(g, test_op(g, "Div", IN(y, scale)), axis);
	return test_op(g, "MatMul", IN(*p, v));
}

static struct joule_graph *by_heads(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *p;

	test_output(g, attend(g, test_scalar(g, 2), -1, &p));
	return g;
}

static struct joule_graph *other_axis(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *p;

	test_output(g, attend(g, test_scalar(g, 2), 2, &p));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *p;

	test_output(g, attend(g, test_scalar(g, 2), -1, &p));
	test_output(g, p);
	return g;
}

static struct joule_graph *shared(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *p;

	test_output(g, attend(g, test_scalar(g, 2), -1, &p));
	test_output(g, test_op(g, "Neg", IN(p)));
	return g;
}

static struct joule_graph *given(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *p, *s = test_op(g, "Exp", IN(in_f32(g, "s", DIMS(1))));

	test_output(g, attend(g, s, -1, &p));
	return g;
}

PASS_CASES(attention) = {
	CHANGES("by heads", by_heads, 5, 2),
	KEEPS("another axis", other_axis),
	KEEPS("weights are an output", seen),
	KEEPS("weights are shared", shared),
	KEEPS("scale given at run time", given),
	PASS_CASES_END,
};
