// SPDX-License-Identifier: MIT
/*
 * DynamicQuantizeLinear: u8 with the scale and zero point that the tensor's
 * own range asks for. Two launches: ranges of parts, then every group joins
 * those and quantizes.
 */
#include <errno.h>
#include <math.h>

#include "ops/common.h"
#include "ops/walk.h"

enum { Y, SCALE, ZERO };

static int dynamic_infer(struct joule_node *node)
{
	const struct joule_shape scalar = { .rank = 0 };

	if (node->in[0]->dtype != JOULE_F32)
		return joule_err_dtype(node, node->in[0]);
	joule_set_out(node, Y, JOULE_U8, &node->in[0]->shape);
	joule_set_out(node, SCALE, JOULE_F32, &scalar);
	joule_set_out(node, ZERO, JOULE_U8, &scalar);
	return 0;
}

/* All in float, as the standard's function body has it. */
static int dynamic_ref(struct joule_node *node)
{
	const float *x = node->in[0]->data;
	struct joule_tensor *y = joule_node_out(node, Y), *scale_out = joule_node_out(node, SCALE),
			    *zero_out = joule_node_out(node, ZERO);
	int64_t n = joule_tensor_count(node->in[0]);
	float lo = 0, hi = 0, scale, zero;

	for (int64_t i = 0; i < n; i++) {
		lo = x[i] < lo ? x[i] : lo;
		hi = x[i] > hi ? x[i] : hi;
	}
	scale = lo == hi ? 1 : (hi - lo) / 255.0f;
	zero = rintf(fminf(fmaxf((0 - lo) / scale, 0), 255));
	for (int64_t i = 0; y && i < n; i++) {
		float q = rintf(x[i] / scale) + zero;

		((uint8_t *)y->data)[i] = q > 0 ? (uint8_t)fminf(q, 255) : 0;
	}
	if (scale_out)
		*(float *)scale_out->data = scale;
	if (zero_out)
		*(uint8_t *)zero_out->data = (uint8_t)zero;
	return 0;
}

static int dynamic_bind(const struct joule_node *node, struct joule_binder *b)
{
	bool cpu = b->caps->kind == JOULE_DEVICE_VULKAN_CPU;
	int64_t n = joule_tensor_count(node->in[0]), parts, most, part;
	struct joule_operand ranges;
	struct joule_dispatch *d;
	uint32_t per;

	if (!joule_bind_float(b, node->in[0]))
		return b->err;
	if (!b->caps->storage_8bit)
		return joule_bind_refuse(b, "the device has no 8-bit storage");
	for (int i = 0; i < 3; i++)
		if (!joule_node_out(node, i))
			return joule_bind_refuse(b, "an output is omitted");
	/* A CPU reads 16 ranges faster than a group there joins any number. */
	most = cpu ? 16 : 1024;
	part = JOULE_ALIGN_UP(JOULE_MAX(JOULE_DIV_UP(n, most), cpu ? 8 : 256), 8);
	parts = cpu ? 16 : JOULE_MAX(JOULE_DIV_UP(n, part), 1);
	ranges = joule_bind_scratch(b, (uint64_t)parts * 2 * sizeof(float));

	d = joule_bind(b, "dynamic_quantize_range%s", joule_bind_wide(b));
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, ranges);
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)part);
	joule_bind_u32(d, (uint32_t)parts);
	joule_bind_lanes(b, d, (uint64_t)parts);

	per = joule_bind_share(b, (uint64_t)JOULE_DIV_UP(n, 4), 8);
	d = joule_bind(b, "dynamic_quantize%s", joule_bind_wide(b));
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, ranges);
	joule_bind_write(d, JOULE_OUT(Y));
	joule_bind_write(d, JOULE_OUT(SCALE));
	joule_bind_write(d, JOULE_OUT(ZERO));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)parts);
	joule_bind_spec(d, per);
	joule_bind_spec(d, cpu);
	joule_bind_grid(b, d, 64, (uint64_t)JOULE_MAX(JOULE_DIV_UP(n, 4 * per), 1));
	return joule_bind_end(b);
}

JOULE_OPS(dynamic_quantize) = {
	{
		.name = "DynamicQuantizeLinear", .since = 11, .min_in = 1, .max_in = 1,
		.min_out = 3, .max_out = 3, .infer = dynamic_infer, .ref = dynamic_ref,
		.bind = dynamic_bind,
	},
	JOULE_OPS_END,
};
