// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_graph *in_a_row(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(2, 3, 4));

	x = transpose(g, x, LIST(1, 0, 2));
	test_output(g, test_op(g, "Neg", IN(transpose(g, x, LIST(2, 0, 1)))));
	return g;
}

static struct joule_graph *there_and_back(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_op(g, "Abs", IN(in_f32(g, "x", DIMS(2, 3, 4))));

	x = transpose(g, x, LIST(2, 0, 1));
	test_output(g, test_op(g, "Neg", IN(transpose(g, x, LIST(1, 2, 0)))));
	return g;
}

static struct joule_graph *unit_dimensions(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, transpose(g, in_f32(g, "x", DIMS(1, 5, 1, 7)), LIST(2, 1, 0, 3)));
	return g;
}

/* The first is an output: it stays, and the second reads what it read. */
static struct joule_graph *first_seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(2, 3, 4)), *t;

	t = transpose(g, x, LIST(1, 0, 2));
	test_output(g, t);
	test_output(g, transpose(g, t, LIST(2, 1, 0)));
	return g;
}

static struct joule_graph *alone(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = transpose(g, in_f32(g, "x", DIMS(2, 3, 4)), LIST(1, 0, 2));

	test_output(g, transpose(g, test_op(g, "Neg", IN(x)), LIST(2, 0, 1)));
	return g;
}

static struct joule_graph *late_shape(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, transpose(g, late(g, in_f32(g, "x", DIMS(3, 4))), LIST(1, 0)));
	return g;
}

PASS_CASES(transpose) = {
	CHANGES("in a row", in_a_row, 3, 2),
	CHANGES("there and back", there_and_back, 4, 2),
	CHANGES("unit dimensions", unit_dimensions, 1, 1),
	CHANGES("first is seen", first_seen, 2, 2),
	KEEPS("alone", alone),
	KEEPS("late shape", late_shape),
	PASS_CASES_END,
};
