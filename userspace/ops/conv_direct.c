// SPDX-License-Identifier: MIT
/*
 * The convolution kernel for every case: an invocation computes a tile of
 * output channels times some output positions straight from the image.
 */
#include "ops/common.h"
#include "ops/conv.h"
#include "ops/epilogue.h"

#define LOCAL 32

static bool usable(const struct joule_node *node, const struct joule_conv *c,
		   const struct joule_binder *b)
{
	return true;
}

/* Channels an invocation computes; shader variants exist for each. */
static int channel_tile(const struct joule_conv *c)
{
	return c->out_group >= 8 ? 8 : c->out_group >= 3 ? 4 : 1;
}

static int bind(const struct joule_node *node, const struct joule_conv *c, const char *dtype,
		struct joule_binder *b)
{
	const struct joule_tensor *bias = joule_node_own_in(node, 2);
	bool packed = joule_tensor_is_const(node->in[1]);
	int tile = channel_tile(c);
	int64_t panels = JOULE_DIV_UP(c->out_group, tile), out = joule_window_out(&c->w);
	struct joule_operand weight = packed ? joule_conv_pack(node->in[1], c, tile, b) : JOULE_IN(1);
	struct joule_dispatch *d = joule_bind(b, "conv_direct%d_%s", tile, dtype);
	bool padded = false;

	for (int i = 0; i < 3; i++)
		padded |= (c->w.out[i] - 1) * c->w.stride[i] +
				  (c->w.kernel[i] - 1) * c->w.dilation[i] >= c->w.in[i] ||
			  c->w.begin[i];
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, weight);
	joule_bind_read(d, bias ? JOULE_IN(2) : JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	for (int i = 0; i < 3; i++)
		joule_bind_u32(d, (uint32_t)c->w.in[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_u32(d, (uint32_t)c->w.out[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_i32(d, (int32_t)c->w.begin[i]);
	joule_bind_u32(d, (uint32_t)c->in_group);
	joule_bind_u32(d, (uint32_t)c->out_group);
	joule_bind_u32(d, (uint32_t)c->group);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)c->w.kernel[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)c->w.stride[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)c->w.dilation[i]);
	joule_bind_spec(d, packed);
	joule_bind_spec(d, bias != NULL);
	joule_bind_spec(d, padded);
	joule_epilogue_bind(b, d, node, 1);
	joule_bind_local(d, LOCAL, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(out, LOCAL * 4), (uint64_t)(panels * c->group),
			  (uint64_t)c->batch);
	return joule_bind_end(b);
}

const struct joule_conv_kernel joule_conv_direct = {
	.name = "direct", .usable = usable, .bind = bind,
};
