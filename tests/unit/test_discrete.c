// SPDX-License-Identifier: MIT
/*
 * A device whose memory the host cannot reach, acted out: sessions then have
 * two arenas, and whatever host steps, inputs and outputs touch must lie in
 * the one that both reach.
 */
#include "graphs.h"
#include "hal/device.h"
#include "runtime/objects.h"
#include "test.h"

static struct joule_hal_ops ops;
static const struct joule_hal_ops *real;
static int hidden;

static int alloc(struct joule_hal_device *device, size_t bytes, enum joule_memory_use use,
		 struct joule_hal_memory **out)
{
	int ret = real->memory_alloc(device, bytes, use, out);

	if (!ret && use == JOULE_MEMORY_DEVICE) {
		(*out)->host = NULL;
		hidden++;
	}
	return ret;
}

/* Kernels and host steps by turns; a shape that depends on values at the end. */
static struct joule_graph *mixed(bool late)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 3, 8, 8)), *y;
	struct joule_node *n;

	y = test_op(g, "Relu", IN(test_op(g, "Conv", IN(x, test_const(g, JOULE_F32, DIMS(4, 3, 3, 3))))));
	y = test_op(g, "Reshape", IN(y, test_ints(g, 2, (const int64_t[]){ 4, 36 })));
	n = test_node(g, "TopK", 2, IN(y, test_ints(g, 1, (const int64_t[]){ 5 })));
	test_output(g, n->out[1]);
	y = test_op(g, "MatMul", IN(test_op(g, "Tanh", IN(n->out[0])),
				    test_const(g, JOULE_F32, DIMS(5, 6))));
	test_output(g, y);
	if (late) {
		n = test_node(g, "Transpose", 1, IN(test_op(g, "NonZero", IN(y))));
		test_output(g, test_op(g, "Neg", IN(test_op(g, "GatherND", IN(y, n->out[0])))));
	}
	return g;
}

int main(void)
{
	struct joule_context *context = test_context();
	struct joule_device *cpu = test_device(context, "cpu"), *vulkan;
	const struct joule_session_params params[] = { { 0 }, { .profile = true }, { .keep_all = true } };

	test_log_quiet = true;
	vulkan = test_device(context, "vulkan");
	test_log_quiet = false;
	if (!vulkan)
		return TEST_SKIP;
	real = vulkan->hal->ops;
	ops = *real;
	ops.memory_alloc = alloc;
	vulkan->hal->ops = &ops;
	vulkan->hal->caps.kind = JOULE_DEVICE_VULKAN_DISCRETE;
	for (int i = 0; i < 6; i++) {
		struct joule_model *model;

		CHECK_EQ(joule_model_from_graph(context, mixed(i % 2), &model), 0);
		test_same(model, vulkan, cpu, &params[i / 2], 1e-5);
		joule_model_destroy(model);
	}
	CHECK(hidden > 0);
	vulkan->hal->ops = real;
	joule_device_close(vulkan);
	joule_device_close(cpu);
	joule_context_destroy(context);
	return 0;
}
