// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_graph *run_of_four(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40)), *y = in_f32(g, "y", DIMS(40));

	x = test_op(g, "Mul", IN(test_op(g, "Abs", IN(x)), y));
	test_output(g, test_op(g, "Neg", IN(test_op(g, "Sqrt", IN(test_op(g, "Abs", IN(x)))))));
	return g;
}

/* The chain's own input once more, at its end. */
static struct joule_graph *back_to_input(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40));

	test_output(g, test_op(g, "Add", IN(test_op(g, "Exp", IN(test_op(g, "Neg", IN(x)))), x)));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_op(g, "Abs", IN(in_f32(g, "x", DIMS(3, 40))));

	test_output(g, x);
	test_output(g, test_op(g, "Sqrt", IN(x)));
	return g;
}

static struct joule_graph *shared(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_op(g, "Abs", IN(in_f32(g, "x", DIMS(3, 40))));

	test_output(g, test_op(g, "Sqrt", IN(x)));
	test_output(g, test_op(g, "Neg", IN(x)));
	return g;
}

static struct joule_graph *alone(void)
{
	struct joule_graph *g = test_graph();

	test_output(g, test_op(g, "Exp", IN(mean(g, in_f32(g, "x", DIMS(3, 40)), 1))));
	return g;
}

static struct joule_graph *late_shape(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = late(g, in_f32(g, "x", DIMS(3, 4)));

	test_output(g, test_op(g, "Exp", IN(test_op(g, "Neg", IN(x)))));
	return g;
}

PASS_CASES(chain) = {
	CHANGES("a run", run_of_four, 5, 1),
	CHANGES("back to the input", back_to_input, 3, 1),
	KEEPS("an output", seen),
	KEEPS("shared", shared),
	KEEPS("alone", alone),
	KEEPS("late shape", late_shape),
	PASS_CASES_END,
};
