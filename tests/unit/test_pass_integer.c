// SPDX-License-Identifier: MIT
/* Quantized convolutions and additions in exact integers. */
#include <string.h>

#include "passes.h"
#include "runtime/objects.h"
#include "test.h"

static struct joule_context *context;

/* 8-bit weights of those dimensions with one scale, or one for each of `channels`. */
static struct joule_tensor *weights(struct joule_graph *g, const int64_t *dims, int channels)
{
	struct joule_tensor *w = test_const(g, JOULE_I8, dims), *scale;
	struct joule_node *node;

	for (int64_t i = 0; i < joule_tensor_count(w); i++)
		((int8_t *)w->data)[i] = (int8_t)(int)(test_rnd(255) - 127);
	if (!channels)
		return test_op(g, "DequantizeLinear", IN(w, test_scalar(g, 0.004)));
	scale = test_const(g, JOULE_F32, DIMS(channels));
	for (int i = 0; i < channels; i++)
		((float *)scale->data)[i] = 0.001f * (float)(1 + i);
	node = test_node(g, "DequantizeLinear", 1, IN(w, scale));
	test_attr_int(node, "axis", 0);
	return node->out[0];
}

/* Of a convolution with weights(), the input's scale and one or n scales of weights. */
static struct joule_tensor *bias(struct joule_graph *g, int n, double x, bool by_channel)
{
	struct joule_tensor *b = test_const(g, JOULE_I32, DIMS(n));
	struct joule_tensor *scale = test_const(g, JOULE_F32, DIMS(n));
	struct joule_node *node;

	for (int i = 0; i < n; i++)
		((int32_t *)b->data)[i] = (int32_t)test_rnd(4000) - 2000;
	for (int i = 0; i < n; i++)
		((float *)scale->data)[i] = (float)(x * (by_channel ? 0.001 * (1 + i) : 0.004));
	node = test_node(g, "DequantizeLinear", 1, IN(b, scale));
	test_attr_int(node, "axis", 0);
	return node->out[0];
}

/* Pointwise with scales by channel, depthwise, residual addition. */
static void block(struct joule_device *device)
{
	static const int64_t pads[] = { 1, 1, 1, 1 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 8, 12, 12)), *y;
	struct joule_tensor *u8 = test_byte(g, JOULE_U8, 0), *i8 = test_byte(g, JOULE_I8, 3);
	struct joule_node *deep;
	struct joule_model *model;

	x = test_quantize(g, x, 0.07, i8);
	y = test_op(g, "Conv", IN(x, weights(g, DIMS(16, 8, 1, 1), 16), bias(g, 16, 0.07, true)));
	y = test_op(g, "Clip", IN(y, test_scalar(g, 0), test_scalar(g, 6)));
	y = test_quantize(g, y, 6 / 255.0, u8);
	deep = test_node(g, "Conv", 1, IN(y, weights(g, DIMS(16, 1, 3, 3), 0),
					  bias(g, 16, 6 / 255.0, false)));
	test_attr_ints(deep, "pads", 4, pads);
	test_attr_int(deep, "group", 16);
	y = test_quantize(g, test_op(g, "Relu", IN(deep->out[0])), 0.03, u8);
	y = test_op(g, "Conv", IN(y, weights(g, DIMS(8, 16, 1, 1), 0)));
	y = test_quantize(g, y, 0.11, i8);
	y = test_op(g, "Add", IN(y, x));
	test_output(g, test_quantize(g, y, 0.13, i8));
	model = test_model(context, g);
	/* The input's; the others are at the end of convolutions. */
	CHECK_EQ(test_count(model, device, "Requantize", NULL), 1);
	CHECK_EQ(test_count(model, device, "Requantize", "integer"), 0);
	CHECK_EQ(test_count(model, device, "FakeQuantize", NULL), 0);
	CHECK_EQ(test_count(model, device, "QuantizeLinear", NULL), 0);
	CHECK_EQ(test_count(model, device, "Clip", "epilogue"), 0);
	for (int i = 0; i < 8; i++) {
		/* Two steps of 255 against floats; no bit against another order of the work. */
		test_pass(model, device, "integer", 9, 0.01);
		test_pass(model, device, "epilogue", 9, 0);
	}
	joule_model_destroy(model);
}

/* Sums that a float may not hold, a clip of its own, weights that change: left alone. */
static void kept(struct joule_device *device)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 1200, 3, 3)), *y, *few;
	struct joule_tensor *w = test_input(g, "w", JOULE_F32, DIMS(2, 1200, 1, 1));
	struct joule_tensor *u8 = test_byte(g, JOULE_U8, 0);
	struct joule_model *model;

	x = test_quantize(g, x, 0.01, u8);
	y = test_op(g, "Conv", IN(x, weights(g, DIMS(2, 1200, 1, 1), 0)));
	test_output(g, test_quantize(g, y, 0.2, u8));
	y = test_op(g, "Conv", IN(x, test_quantize(g, w, 0.1, u8)));
	test_output(g, test_quantize(g, y, 0.2, u8));
	/* A bias in other steps than the sums. */
	y = test_op(g, "Conv", IN(x, weights(g, DIMS(2, 1200, 1, 1), 0), bias(g, 2, 1, false)));
	test_output(g, test_quantize(g, y, 0.2, u8));
	few = test_quantize(g, test_input(g, "few", JOULE_F32, DIMS(1, 3, 5, 5)), 0.01, u8);
	y = test_op(g, "Conv", IN(few, weights(g, DIMS(2, 3, 1, 1), 0)));
	y = test_op(g, "Clip", IN(y, test_scalar(g, 0), test_scalar(g, 1)));
	test_output(g, test_quantize(g, y, 0.2, u8));
	model = test_model(context, g);
	/* Not even the inputs are wanted as integers. */
	CHECK_EQ(test_count(model, device, "Requantize", NULL), 0);
	joule_model_destroy(model);
}

/* The integers themselves are an output, and read by others in two ways. */
static void shared(struct joule_device *device)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 4, 9, 9)), *q, *y;
	struct joule_tensor *u8 = test_byte(g, JOULE_U8, 9);
	struct joule_model *model;

	x = test_quantize(g, x, 0.01, u8);
	y = test_op(g, "Conv", IN(x, weights(g, DIMS(6, 4, 3, 3), 0)));
	q = test_op(g, "QuantizeLinear", IN(y, test_scalar(g, 0.02), u8));
	test_output(g, q);
	y = test_op(g, "DequantizeLinear", IN(q, test_scalar(g, 0.02), u8));
	test_output(g, test_op(g, "Sigmoid", IN(y)));
	y = test_op(g, "Conv", IN(y, weights(g, DIMS(3, 6, 1, 1), 0)));
	test_output(g, test_quantize(g, y, 0.05, u8));
	model = test_model(context, g);
	CHECK_EQ(test_count(model, device, "Requantize", NULL), 1);
	test_pass(model, device, "integer", 2, 0.01);
	test_pass(model, device, "epilogue", 2, 0);
	joule_model_destroy(model);
}

/* The sums of a dynamically quantized operator in floats: the same bits. */
static void dynamic(struct joule_device *device)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 6, 9, 9)), *y;
	struct joule_tensor *rows = test_input(g, "rows", JOULE_F32, DIMS(5, 40));
	struct joule_tensor *w = test_const(g, JOULE_I8, DIMS(10, 6, 3, 3)), *wide;
	struct joule_node *q, *cast;
	struct joule_model *model;

	for (int64_t i = 0; i < joule_tensor_count(w); i++)
		((int8_t *)w->data)[i] = (int8_t)(int)(test_rnd(255) - 127);
	q = test_node(g, "DynamicQuantizeLinear", 3, IN(x));
	y = test_op(g, "ConvInteger", IN(q->out[0], w, q->out[2], test_byte(g, JOULE_I8, 5)));
	cast = test_node(g, "Cast", 1, IN(y));
	test_attr_int(cast, "to", 1);
	test_output(g, test_op(g, "Mul", IN(cast->out[0], q->out[1])));
	q = test_node(g, "DynamicQuantizeLinear", 3, IN(rows));
	y = test_op(g, "MatMulInteger",
		    IN(q->out[0], test_const(g, JOULE_U8, DIMS(40, 21)), q->out[2]));
	cast = test_node(g, "Cast", 1, IN(y));
	test_attr_int(cast, "to", 1);
	test_output(g, test_op(g, "Mul", IN(cast->out[0], q->out[1])));
	/* Sums of up to 300 x 255 x 255 stay integers. */
	wide = test_const(g, JOULE_U8, DIMS(300, 3));
	memset(wide->data, 255, 900);
	q = test_node(g, "DynamicQuantizeLinear", 3,
		      IN(test_input(g, "wide", JOULE_F32, DIMS(2, 300))));
	y = test_op(g, "MatMulInteger", IN(q->out[0], wide, q->out[2]));
	cast = test_node(g, "Cast", 1, IN(y));
	test_attr_int(cast, "to", 1);
	test_output(g, cast->out[0]);
	model = test_model(context, g);
	CHECK_EQ(test_count(model, device, "ConvInteger", NULL), 0);
	CHECK_EQ(test_count(model, device, "MatMulInteger", NULL), 1);
	for (int i = 0; i < 4; i++)
		test_pass(model, device, "integer-product", 3, 0);
	joule_model_destroy(model);
}

int main(void)
{
	struct joule_device *device;

	context = test_context();
	test_log_quiet = true;
	device = test_device(context, "vulkan");
	test_log_quiet = false;
	if (device) {
		block(device);
		kept(device);
		shared(device);
		dynamic(device);
		joule_device_close(device);
	}
	joule_context_destroy(context);
	return device ? 0 : TEST_SKIP;
}
