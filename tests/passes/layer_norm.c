// SPDX-License-Identifier: MIT
#include "case.h"

/* What the cases change of it. */
struct form {
	int64_t axis, variance_axis;
	double power;
	struct joule_tensor *gamma, *epsilon;
};

/* d / sqrt(mean(d ^ power) + epsilon) * gamma + beta; *d as an extra result */
static struct joule_tensor *norm(struct joule_graph *g, struct joule_tensor *x,
				 const struct form *f, struct joule_tensor **d)
{
	struct joule_tensor *y;

	*d = test_op(g, "Sub", IN(x, mean(g, x, f->axis)));
	y = test_op(g, "Pow", IN(*d, test_scalar(g, f->power)));
	y = test_op(g, "Add", IN(mean(g, y, f->variance_axis), f->epsilon));
	y = test_op(g, "Div", IN(*d, test_op(g, "Sqrt", IN(y))));
	y = test_op(g, "Mul", IN(y, f->gamma));
	return test_op(g, "Add", IN(y, test_const(g, JOULE_F32, DIMS(16))));
}

static struct joule_graph *build(struct form f, bool d_seen, bool given)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = in_f32(g, "x", DIMS(2, 16, 16)), *d;

	f.gamma = test_const(g, JOULE_F32, DIMS(16));
	f.epsilon = given ? in_f32(g, "epsilon", DIMS(1)) : test_scalar(g, 1e-3);
	if (given)
		f.epsilon = test_op(g, "Abs", IN(f.epsilon));
	test_output(g, norm(g, x, &f, &d));
	if (d_seen)
		test_output(g, d);
	return g;
}

static struct joule_graph *spelled(void)
{
	return build((struct form){ -1, -1, 2, NULL, NULL }, false, false);
}

static struct joule_graph *first_axis(void)
{
	return build((struct form){ 1, 1, 2, NULL, NULL }, false, false);
}

static struct joule_graph *two_axes(void)
{
	return build((struct form){ 2, 1, 2, NULL, NULL }, false, false);
}

static struct joule_graph *fourth_power(void)
{
	return build((struct form){ -1, -1, 4, NULL, NULL }, false, false);
}

static struct joule_graph *seen(void)
{
	return build((struct form){ -1, -1, 2, NULL, NULL }, true, false);
}

static struct joule_graph *given(void)
{
	return build((struct form){ -1, -1, 2, NULL, NULL }, false, true);
}

PASS_CASES(layer_norm) = {
	CHANGES("spelled", spelled, 9, 1),
	KEEPS("not the last axis", first_axis),
	KEEPS("two axes", two_axes),
	KEEPS("fourth power", fourth_power),
	KEEPS("deviation is an output", seen),
	KEEPS("epsilon given at run time", given),
	PASS_CASES_END,
};
