// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_graph *several(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(2, 6));
	struct joule_node *cast;

	x = test_op(g, "Identity", IN(test_op(g, "Neg", IN(x))));
	cast = test_node(g, "Cast", 1, IN(x));
	test_attr_int(cast, "to", 1);
	x = test_op(g, "Expand", IN(cast->out[0], test_ints(g, LIST(2, 6))));
	x = reshape(g, x, LIST(2, 6));
	test_output(g, test_op(g, "Abs", IN(x)));
	return g;
}

static struct joule_graph *reshapes(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(2, 6));

	test_output(g, reshape(g, reshape(g, x, LIST(12)), LIST(4, 3)));
	return g;
}

/* The name goes from the output of the Identity to the Neg's. */
static struct joule_graph *at_the_end(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, test_op(g, "Identity", IN(test_op(g, "Neg", IN(in_f32(g, "x", DIMS(5)))))));
	return g;
}

static struct joule_graph *input_to_output(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, test_op(g, "Identity", IN(in_f32(g, "x", DIMS(5)))));
	return g;
}

static struct joule_graph *two_outputs(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_op(g, "Neg", IN(in_f32(g, "x", DIMS(5))));

	test_output(g, x);
	test_output(g, test_op(g, "Identity", IN(x)));
	return g;
}

/* They look alike, but widen, convert, and copy a dimension of what lies between. */
static struct joule_graph *not_quite(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(1, 6));
	struct joule_node *cast;

	test_output(g, test_op(g, "Expand", IN(x, test_ints(g, LIST(2, 6)))));
	cast = test_node(g, "Cast", 1, IN(x));
	test_attr_int(cast, "to", 6);
	test_output(g, cast->out[0]);
	test_output(g, reshape(g, reshape(g, x, LIST(2, 3)), LIST(0, 3, 1)));
	return g;
}

PASS_CASES(identity) = {
	CHANGES("several", several, 6, 2),
	CHANGES("reshapes", reshapes, 2, 1),
	CHANGES("at the end", at_the_end, 2, 1),
	KEEPS("input to output", input_to_output),
	KEEPS("two outputs", two_outputs),
	KEEPS("not quite", not_quite),
	PASS_CASES_END,
};
