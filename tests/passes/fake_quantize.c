// SPDX-License-Identifier: MIT
#include "case.h"

static struct joule_tensor *quantize(struct joule_graph *g, struct joule_tensor *x,
				     struct joule_tensor *scale, struct joule_tensor *zero)
{
	return test_op(g, "QuantizeLinear", IN(x, scale, zero));
}

static struct joule_tensor *dequantize(struct joule_graph *g, struct joule_tensor *x,
				       struct joule_tensor *scale, struct joule_tensor *zero)
{
	return test_op(g, "DequantizeLinear", IN(x, scale, zero));
}

static struct joule_graph *pair(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *s = test_scalar(g, 0.01), *z = const_byte(g, JOULE_I8, 5);
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40));

	test_output(g, test_op(g, "Neg", IN(dequantize(g, quantize(g, x, s, z), s, z))));
	return g;
}

static struct joule_graph *scales_differ(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *s = test_scalar(g, 0.01), *z = const_byte(g, JOULE_I8, 5);
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40));

	test_output(g, dequantize(g, quantize(g, x, s, z), test_scalar(g, 0.02), z));
	return g;
}

static struct joule_graph *zeros_differ(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *s = test_scalar(g, 0.01), *z = const_byte(g, JOULE_I8, 5);
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40));

	test_output(g, dequantize(g, quantize(g, x, s, z), s, const_byte(g, JOULE_I8, 6)));
	return g;
}

static struct joule_graph *seen(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *s = test_scalar(g, 0.01), *z = const_byte(g, JOULE_I8, 5), *q;

	q = quantize(g, in_f32(g, "x", DIMS(3, 40)), s, z);
	test_output(g, q);
	test_output(g, dequantize(g, q, s, z));
	return g;
}

static struct joule_graph *given(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *s = test_op(g, "Exp", IN(in_f32(g, "s", SCALAR)));
	struct joule_tensor *z = const_byte(g, JOULE_I8, 5);
	struct joule_tensor *x = in_f32(g, "x", DIMS(3, 40));

	test_output(g, dequantize(g, quantize(g, x, s, z), s, z));
	return g;
}

PASS_CASES(fake_quantize) = {
	{ "pair", pair, 3, 2, 1e-12 },
	KEEPS("scales differ", scales_differ),
	KEEPS("zero points differ", zeros_differ),
	KEEPS("integers are an output", seen),
	KEEPS("scale given at run time", given),
	PASS_CASES_END,
};
