// SPDX-License-Identifier: MIT
/* QuantizeLinear and DequantizeLinear as one step: the same bits, fewer nodes. */
#include "passes.h"
#include "runtime/objects.h"
#include "test.h"

static struct joule_context *context;

/* A residual block: two steps in the epilogue, one at the input, the clip is the step's own. */
static void block(struct joule_device *device)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 8, 12, 12)), *y;
	struct joule_tensor *u8 = test_byte(g, JOULE_U8, 0), *i8 = test_byte(g, JOULE_I8, 3);
	struct joule_model *model;

	x = test_quantize(g, x, 0.07, i8);
	y = test_op(g, "Conv", IN(x, test_const(g, JOULE_F32, DIMS(16, 8, 1, 1))));
	y = test_op(g, "Clip", IN(y, test_scalar(g, 0), test_scalar(g, 6)));
	y = test_quantize(g, y, 6 / 255.0, u8);
	y = test_op(g, "Conv", IN(y, test_const(g, JOULE_F32, DIMS(8, 16, 1, 1))));
	y = test_quantize(g, y, 0.11, i8);
	y = test_op(g, "Sub", IN(y, x));
	test_output(g, test_quantize(g, y, 0.13, i8));
	model = test_model(context, g);
	CHECK_EQ(test_count(model, device, "QuantizeLinear", NULL), 0);
	CHECK_EQ(test_count(model, device, "QuantizeLinear", "fake-quantize"), 4);
	CHECK_EQ(test_count(model, device, "FakeQuantize", NULL), 1);
	CHECK_EQ(test_count(model, device, "Clip", "epilogue"), 0);
	for (int i = 0; i < 8; i++)
		test_pass(model, device, "fake-quantize", 9, 0);
	joule_model_destroy(model);
}

/* A clip tighter than the step stays; the same step behind a Transpose goes. */
static void simplified(struct joule_device *device)
{
	static const int64_t perm[] = { 1, 0 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(40, 50));
	struct joule_tensor *u8 = test_byte(g, JOULE_U8, 10);
	struct joule_node *turn;
	struct joule_model *model;

	x = test_op(g, "Clip", IN(x, test_scalar(g, -0.5), test_scalar(g, 2)));
	turn = test_node(g, "Transpose", 1, IN(test_quantize(g, x, 0.1, u8)));
	test_attr_ints(turn, "perm", 2, perm);
	test_output(g, test_quantize(g, turn->out[0], 0.1, u8));
	model = test_model(context, g);
	CHECK_EQ(test_count(model, device, "Clip", "chain"), 1);
	CHECK_EQ(test_count(model, device, "FakeQuantize", "chain"), 1);
	test_pass(model, device, "fake-quantize", 30, 0);
	joule_model_destroy(model);
}

/* Where somebody wants the integers, or scales differ, nothing is joined. */
static void kept(struct joule_device *device)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(64)), *q;
	struct joule_tensor *u8 = test_byte(g, JOULE_U8, 128);
	struct joule_model *model;

	q = test_op(g, "QuantizeLinear", IN(x, test_scalar(g, 0.1), u8));
	test_output(g, q);
	test_output(g, test_op(g, "DequantizeLinear", IN(q, test_scalar(g, 0.1), u8)));
	q = test_op(g, "QuantizeLinear", IN(x, test_scalar(g, 0.2), u8));
	test_output(g, test_op(g, "DequantizeLinear", IN(q, test_scalar(g, 0.3), u8)));
	model = test_model(context, g);
	CHECK_EQ(test_count(model, device, "FakeQuantize", NULL), 0);
	joule_model_destroy(model);
}

/* Two readers, each with a DequantizeLinear of its own, share one step. */
static void shared(struct joule_device *device)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(500)), *q, *a, *b;
	struct joule_tensor *i8 = test_byte(g, JOULE_I8, -7);
	struct joule_model *model;

	q = test_op(g, "QuantizeLinear", IN(x, test_scalar(g, 0.03), i8));
	a = test_op(g, "DequantizeLinear", IN(q, test_scalar(g, 0.03), i8));
	b = test_op(g, "DequantizeLinear", IN(q, test_scalar(g, 0.03), i8));
	test_output(g, test_op(g, "Sqrt", IN(test_op(g, "Abs", IN(a)))));
	test_output(g, test_op(g, "Sigmoid", IN(b)));
	model = test_model(context, g);
	CHECK_EQ(test_count(model, device, "FakeQuantize", NULL), 1);
	test_pass(model, device, "fake-quantize", 5, 0);
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
		simplified(device);
		kept(device);
		shared(device);
		joule_device_close(device);
	}
	joule_context_destroy(context);
	return device ? 0 : TEST_SKIP;
}
