// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_graph *branch(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(4)), *t = test_op(g, "Abs", IN(x));

	test_op(g, "Neg", IN(test_op(g, "Sqrt", IN(t))));
	test_output(g, test_op(g, "Exp", IN(t)));
	return g;
}

/* Indices that nobody asks for: the node stays, its second output goes. */
static struct joule_graph *optional_output(void)
{
	struct joule_graph *g = test_graph();
	struct joule_node *pool = test_node(g, "MaxPool", 2, IN(in_f32(g, "x", DIMS(1, 2, 6, 6))));

	test_attr_ints(pool, "kernel_shape", LIST(2, 2));
	test_output(g, pool->out[0]);
	return g;
}

static struct joule_graph *all_used(void)
{
	struct joule_graph *g = test_graph();
	struct joule_node *pool = test_node(g, "MaxPool", 2, IN(in_f32(g, "x", DIMS(1, 2, 6, 6))));

	test_attr_ints(pool, "kernel_shape", LIST(2, 2));
	test_output(g, pool->out[0]);
	test_output(g, pool->out[1]);
	return g;
}

/* Read by a body alone. */
static struct joule_graph *captured(void)
{
	struct joule_graph *g = test_graph(), *yes, *no;
	struct joule_tensor *x = test_op(g, "Abs", IN(in_f32(g, "x", DIMS(4))));
	struct joule_node *node = test_node(g, "If", 1, IN(test_input(g, "c", JOULE_BOOL, SCALAR)));

	yes = test_body(node, "then_branch");
	no = test_body(node, "else_branch");
	test_output(yes, test_op(yes, "Neg", IN(test_capture(yes, x))));
	test_output(no, test_op(no, "Sqrt", IN(test_capture(no, x))));
	test_output(g, node->out[0]);
	return g;
}

PASS_CASES(dead_code) = {
	CHANGES("branch", branch, 4, 2),
	CHANGES("optional output", optional_output, 1, 1),
	KEEPS("all used", all_used),
	KEEPS("captured", captured),
	PASS_CASES_END,
};
