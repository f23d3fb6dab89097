// SPDX-License-Identifier: MIT
#include "../unit/test.h"
#include "case.h"

/* Neg(x) or Relu(x) + w. */
static struct joule_node *choice(struct joule_graph *g, struct joule_tensor *c,
				 struct joule_tensor *x)
{
	struct joule_node *node = test_node(g, "If", 1, IN(c));
	struct joule_graph *yes = test_body(node, "then_branch"), *no = test_body(node, "else_branch");
	struct joule_tensor *t;

	test_output(yes, test_op(yes, "Neg", IN(test_capture(yes, x))));
	t = test_op(no, "Relu", IN(test_capture(no, x)));
	test_output(no, test_op(no, "Add", IN(t, test_const(no, JOULE_F32, DIMS(3, 4)))));
	return node;
}

static struct joule_tensor *truth(struct joule_graph *g, int v)
{
	return const_byte(g, JOULE_BOOL, v);
}

static struct joule_graph *then_branch(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_op(g, "Abs", IN(in_f32(g, "x", DIMS(3, 4))));

	test_output(g, test_op(g, "Exp", IN(choice(g, truth(g, 1), x)->out[0])));
	return g;
}

static struct joule_graph *else_branch(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, choice(g, truth(g, 0), in_f32(g, "x", DIMS(3, 4)))->out[0]);
	return g;
}

/* The branch hands a value from outside through, and that is an output. */
static struct joule_graph *through(void)
{
	struct joule_graph *g = test_graph(), *yes, *no;
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 4)), *y = test_op(g, "Abs", IN(x));
	struct joule_node *node = test_node(g, "If", 1, IN(truth(g, 1)));

	yes = test_body(node, "then_branch");
	no = test_body(node, "else_branch");
	test_output(yes, test_op(yes, "Identity", IN(test_capture(yes, y))));
	test_output(no, test_op(no, "Neg", IN(test_capture(no, y))));
	test_output(g, y);
	test_output(g, node->out[0]);
	return g;
}

/* An If in the branch taken. */
static struct joule_graph *nested(void)
{
	struct joule_graph *g = test_graph(), *yes, *no;
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 4));
	struct joule_node *node = test_node(g, "If", 1, IN(truth(g, 1)));

	yes = test_body(node, "then_branch");
	no = test_body(node, "else_branch");
	test_output(yes, choice(yes, truth(yes, 0), test_capture(yes, x))->out[0]);
	test_output(no, test_op(no, "Neg", IN(test_capture(no, x))));
	test_output(g, node->out[0]);
	return g;
}

static struct joule_graph *computed(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *c = test_input(g, "c", JOULE_BOOL, SCALAR);

	test_output(g, choice(g, c, in_f32(g, "x", DIMS(3, 4)))->out[0]);
	return g;
}

PASS_CASES(if_inline) = {
	CHANGES("then", then_branch, 3, 3),
	CHANGES("else", else_branch, 1, 2),
	CHANGES("through", through, 2, 2),
	CHANGES("nested", nested, 1, 2),
	KEEPS("computed condition", computed),
	PASS_CASES_END,
};
