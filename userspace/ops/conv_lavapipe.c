// SPDX-License-Identifier: MIT
/*
 * Convolutions on lavapipe with constant weights. Three forms: the implicit
 * GEMM of conv_lvp.comp, the same with the roles of image and weights
 * exchanged (1x1 on images of fewer than 8 pixels), and depthwise.
 */
#include "ops/common.h"
#include "ops/conv.h"
#include "ops/epilogue.h"
#include "ops/lavapipe.h"

#define LANES JOULE_LVP_LANES

static bool planar(const struct joule_conv *c)
{
	return c->w.in[0] == 1 && c->w.out[0] == 1 && c->w.kernel[0] == 1 && !c->w.begin[0];
}

/* Some output position has a tap outside of the image. */
static bool padded(const struct joule_conv *c)
{
	for (int i = 1; i < 3; i++)
		if (c->w.begin[i] || (c->w.out[i] - 1) * c->w.stride[i] +
				     (c->w.kernel[i] - 1) * c->w.dilation[i] >= c->w.in[i])
			return true;
	return false;
}

/* y's pixel p stands at x's pixel p. */
static bool aligned(const struct joule_conv *c)
{
	return c->w.stride[1] == 1 && c->w.stride[2] == 1 && c->w.out[2] == c->w.in[2] &&
	       c->w.out[1] <= c->w.in[1];
}

/* Bytes that the form without gathers reads around x. */
static uint64_t margin_of(const struct joule_conv *c, const struct joule_tensor *x)
{
	int64_t rows = JOULE_MAX(c->w.begin[1], (c->w.kernel[1] - 1) * c->w.dilation[1]);
	int64_t columns = JOULE_MAX(c->w.begin[2], (c->w.kernel[2] - 1) * c->w.dilation[2]);

	return (uint64_t)(rows * c->w.in[2] + columns) * joule_dtype_bits(x->dtype) / 8;
}

/* Whether lanes must gather: geometry, or nothing may be read around x. */
static bool gathers(const struct joule_node *node, const struct joule_conv *c,
		    const struct joule_binder *b)
{
	return !aligned(c) || joule_window_out(&c->w) < LANES ||
	       (padded(c) && (!joule_bind_margin(b, 0) || margin_of(c, node->in[0]) > 1 << 20));
}

static bool constant(const struct joule_node *node)
{
	const struct joule_tensor *bias = joule_node_own_in(node, 2);

	return joule_tensor_is_const(node->in[1]) && (!bias || joule_tensor_is_const(bias));
}

/* ---- implicit GEMM ---- */

static bool exchanged(const struct joule_conv *c)
{
	return joule_window_out(&c->w) < LANES && joule_window_in(&c->w) == joule_window_out(&c->w) &&
	       joule_window_kernel(&c->w) == 1 && c->group == 1 && !padded(c);
}

/* x: the weights [in_ch][out_ch], w: the image. */
static void describe_exchanged(const struct joule_conv *c, struct joule_lvp *l)
{
	int64_t pixels = joule_window_out(&c->w), n = JOULE_MAX(c->out_ch, LANES);

	*l = (struct joule_lvp){
		.m = pixels, .p = n, .used = JOULE_MIN(c->out_ch, LANES), .channels = c->in_ch,
		.kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 },
		.in = { 1, n }, .out_width = n, .plane = n,
		.groups = c->batch, .z = c->batch,
		.wz = c->in_ch * pixels, .yz = c->out_ch * pixels,
		.w_row = 1, .w_step = pixels, .y_row = 1, .y_step = pixels,
		.by_lane = true, .alpha = 1,
	};
	if (pixels != 1)
		return;
	/* One pixel: the batch's images are rows of one product. */
	l->m = c->batch;
	l->groups = l->z = 1;
	l->w_row = c->in_ch;
	l->w_step = 1;
	l->y_row = c->out_ch;
	l->y_step = 1;
}

static void describe(const struct joule_node *node, const struct joule_conv *c,
		     const struct joule_binder *b, struct joule_lvp *l)
{
	const struct joule_window *w = &c->w;
	int64_t out = joule_window_out(w), in = joule_window_in(w);

	if (exchanged(c)) {
		describe_exchanged(c, l);
		return;
	}
	*l = (struct joule_lvp){
		.m = c->out_group, .p = JOULE_MAX(out, LANES), .used = JOULE_MIN(out, LANES),
		.channels = c->in_group,
		.kernel = { w->kernel[1], w->kernel[2] }, .stride = { w->stride[1], w->stride[2] },
		.dilation = { w->dilation[1], w->dilation[2] },
		.begin = { w->begin[1], w->begin[2] },
		.in = { w->in[1], w->in[2] }, .out_width = w->out[2], .plane = in,
		.gather = gathers(node, c, b), .mask = padded(c) || out < LANES,
		.groups = c->group, .z = c->batch * c->group,
		.xz = c->in_group * in, .yz = c->out_group * out,
		.packed = true, .y_row = out < LANES ? out : 0, .y_step = 1, .alpha = 1,
	};
}

static bool usable(const struct joule_node *node, const struct joule_conv *c,
		   const struct joule_binder *b)
{
	struct joule_lvp l;

	if (!joule_lvp_device(b) || !planar(c) || !constant(node) || !c->in_ch ||
	    joule_tensor_is_const(node->in[0]))
		return false;
	describe(node, c, b, &l);
	return joule_lvp_choose(&l);
}

/* [group][tile][channel][tap][tm]; the last tile overlaps the one before. */
static struct joule_operand pack(const struct joule_tensor *t, const struct joule_conv *c,
				 const struct joule_lvp *l, struct joule_binder *b)
{
	int64_t depth = c->in_group * joule_window_kernel(&c->w);
	int64_t tiles = JOULE_DIV_UP(c->out_group, l->tm), count;
	struct joule_operand operand;
	void *data;
	float *out;

	if (!joule_mul_i64(c->group * l->wz, (int64_t)sizeof(*out), &count))
		count = INT64_MAX;
	operand = joule_bind_const(b, (size_t)count, &data);
	out = data;
	for (int64_t i = 0; out && i < c->group * tiles; i++) {
		int64_t row = JOULE_MIN(i % tiles * l->tm, c->out_group - l->tm);

		row += i / tiles * c->out_group;
		for (int64_t k = 0; k < depth; k++)
			for (uint32_t m = 0; m < l->tm; m++)
				*out++ = (float)joule_get_f64(t->dtype, t->data,
							      (row + m) * depth + k);
	}
	return operand;
}

/* [in_ch][p] of the weights of a 1x1 convolution, zeros behind the last channel. */
static struct joule_operand pack_exchanged(const struct joule_tensor *t,
					   const struct joule_conv *c, const struct joule_lvp *l,
					   struct joule_binder *b)
{
	struct joule_operand operand;
	void *data;
	float *out;

	operand = joule_bind_const(b, (size_t)(c->in_ch * l->p) * sizeof(*out), &data);
	out = data;
	for (int64_t k = 0; out && k < c->in_ch; k++)
		for (int64_t m = 0; m < c->out_ch; m++)
			out[k * l->p + m] = (float)joule_get_f64(t->dtype, t->data,
								 m * c->in_ch + k);
	return operand;
}

static int bind(const struct joule_node *node, const struct joule_conv *c, const char *dtype,
		struct joule_binder *b)
{
	const struct joule_tensor *bias = joule_node_own_in(node, 2);
	bool half = node->in[0]->dtype == JOULE_F16, swap = exchanged(c);
	struct joule_operand weight, offset;
	struct joule_lvp l;

	describe(node, c, b, &l);
	if (!joule_lvp_choose(&l))
		return joule_bind_refuse(b, "no convolution kernel for this case");
	if (swap)
		weight = pack_exchanged(node->in[1], c, &l, b);
	else
		weight = pack(node->in[1], c, &l, b);
	offset = joule_lvp_floats(bias, JOULE_MAX(c->out_ch, LANES), 1, b);
	if (swap)
		return joule_lvp_bind(node, &l, half ? "conv_lvp_w16" : "conv_lvp_f32", weight, 0,
				      JOULE_IN(0), offset, 1, b);
	return joule_lvp_bind(node, &l, half ? "conv_lvp_x16" : "conv_lvp_f32", JOULE_IN(0),
			      l.mask && !l.gather ? margin_of(c, node->in[0]) : 0, weight, offset,
			      1, b);
}

const struct joule_conv_kernel joule_conv_lavapipe = {
	.name = "lavapipe", .usable = usable, .bind = bind,
};

/* ---- depthwise ---- */

static bool depthwise_usable(const struct joule_node *node, const struct joule_conv *c,
			     const struct joule_binder *b)
{
	return joule_lvp_device(b) && planar(c) && constant(node) && c->in_group == 1 &&
	       c->out_group == 1 && !joule_tensor_is_const(node->in[0]) &&
	       joule_window_kernel(&c->w) <= 64 && joule_window_out(&c->w) < 1 << 21 &&
	       c->w.in[1] <= UINT16_MAX && c->w.in[2] <= UINT16_MAX &&
	       c->batch <= 4096 && c->out_ch < 65536;
}

static int depthwise_bind(const struct joule_node *node, const struct joule_conv *c,
			  const char *dtype, struct joule_binder *b)
{
	const struct joule_tensor *bias = joule_node_own_in(node, 2);
	const struct joule_window *w = &c->w;
	int64_t out = joule_window_out(w), p = JOULE_MAX(out, LANES), taps = joule_window_kernel(w);
	int64_t columns = JOULE_DIV_UP(p, LANES);
	bool gather = gathers(node, c, b), mask = padded(c) || out < LANES;
	bool single = node->in[1]->dtype == JOULE_F32;
	int64_t channels = c->out_ch < 8 ? 1 : taps > 9 ? taps > 25 ? 2 : 4 : 8;
	int64_t waves = p >= 512 ? 8 : p >= 128 ? 4 : columns;
	struct joule_operand weight = single ? JOULE_IN(1) : joule_lvp_floats(node->in[1], c->out_ch * taps, 1, b);
	struct joule_operand offset = joule_lvp_floats(bias, c->out_ch, 1, b);
	struct joule_dispatch *d = joule_bind(b, "dwconv_lvp_%s", dtype);
	const int64_t words[] = {
		c->out_ch, p, w->in[1] | w->in[2] << 16, w->out[2], out,
	};
	const int64_t specs[] = {
		waves, channels, w->kernel[1], w->kernel[2], w->begin[1], w->begin[2], gather,
		w->stride[1], w->stride[2], w->dilation[1], w->dilation[2], mask,
		JOULE_MIN(out, LANES),
	};

	joule_bind_read_around(d, JOULE_IN(0), mask && !gather ? margin_of(c, node->in[0]) : 0);
	joule_bind_read(d, weight);
	joule_bind_read(d, offset);
	joule_bind_write(d, JOULE_OUT(0));
	joule_lvp_iota(d);
	for (size_t i = 0; i < JOULE_ARRAY_LEN(words); i++)
		joule_bind_u32(d, (uint32_t)words[i]);
	for (size_t i = 0; i < JOULE_ARRAY_LEN(specs); i++)
		joule_bind_spec(d, (uint32_t)specs[i]);
	joule_epilogue_bind(b, d, node, 1);
	joule_bind_local(d, (uint32_t)(LANES * waves), 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(columns, waves),
			  (uint64_t)JOULE_DIV_UP(c->out_ch, channels), (uint64_t)c->batch);
	return joule_bind_end(b);
}

const struct joule_conv_kernel joule_dwconv_lavapipe = {
	.name = "lavapipe depthwise", .usable = depthwise_usable, .bind = depthwise_bind,
};
