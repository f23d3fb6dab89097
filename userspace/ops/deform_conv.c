// SPDX-License-Identifier: MIT
/*
 * DeformConv: convolution of an image sampled bilinearly at positions that a
 * second input shifts (and a third weighs), two spatial dimensions. The kernel
 * is two steps: sampled patches, then a matrix product.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ops/common.h"
#include "ops/conv.h"
#include "ops/product.h"

struct deform_conv {
	struct joule_conv_attrs conv; /* first: joule_conv_resolve() reads it */
	int64_t offset_group;
};

enum { IN_X, IN_W, IN_OFFSET, IN_B, IN_MASK };

struct geometry {
	struct joule_conv c;
	int64_t offset_group;
};

/* [batch, channels, out height, out width] */
static int expect(const struct joule_node *node, const struct geometry *g, int i,
		  int64_t channels)
{
	const struct joule_tensor *t = joule_node_in(node, i);
	struct joule_shape want = joule_window_shape(&g->c.w, g->c.batch, channels);
	char s[128], u[128];

	if (!t || joule_shape_equal(&t->shape, &want))
		return 0;
	return joule_node_err(node, -EINVAL, "input %s is %s, not %s", t->name,
			      joule_shape_str(&t->shape, s, sizeof(s)),
			      joule_shape_str(&want, u, sizeof(u)));
}

static int resolve(const struct joule_node *node, struct geometry *g)
{
	const struct deform_conv *a = node->attrs;
	int64_t taps;
	int ret;

	if (node->in[IN_X]->shape.rank != 4)
		return joule_node_err(node, -ENOTSUP, "only two spatial dimensions are supported");
	ret = joule_conv_resolve(node, node->in[IN_X], node->in[IN_W],
				 joule_node_in(node, IN_B), &g->c);
	if (ret)
		return ret;
	g->offset_group = a->offset_group;
	if (g->offset_group < 1 || g->offset_group > g->c.in_ch ||
	    g->c.in_ch % g->offset_group)
		return joule_node_err(node, -EINVAL, "offset_group is %lld for %lld channels",
				      (long long)g->offset_group, (long long)g->c.in_ch);
	taps = joule_window_kernel(&g->c.w) * g->offset_group;
	ret = expect(node, g, IN_OFFSET, 2 * taps);
	return ret ? ret : expect(node, g, IN_MASK, taps);
}

static int deform_conv_infer(struct joule_node *node)
{
	enum joule_dtype dtype = node->in[0]->dtype;
	struct geometry g;
	struct joule_shape y;
	int ret;

	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] &&
		    (!joule_dtype_is_float(dtype) || node->in[i]->dtype != dtype))
			return joule_err_dtype(node, node->in[i]);
	ret = resolve(node, &g);
	if (ret)
		return ret;
	y = joule_window_shape(&g.c.w, g.c.batch, g.c.out_ch);
	joule_set_out(node, 0, dtype, &y);
	return 0;
}

/* ---- reference ---- */

static double get(const struct joule_node *node, int i, int64_t at)
{
	return joule_get_f64(node->in[i]->dtype, node->in[i]->data, at);
}

static double pixel(const struct joule_node *node, const struct joule_window *w, int64_t image,
		    double y, double x)
{
	if (y < 0 || x < 0 || y >= (double)w->in[1] || x >= (double)w->in[2])
		return 0;
	return get(node, IN_X, image + (int64_t)y * w->in[2] + (int64_t)x);
}

static double bilinear(const struct joule_node *node, const struct joule_window *w, int64_t image,
		       double y, double x)
{
	double y0 = floor(y), x0 = floor(x), fy = y - y0, fx = x - x0;

	return (1 - fy) * ((1 - fx) * pixel(node, w, image, y0, x0) +
			   fx * pixel(node, w, image, y0, x0 + 1)) +
	       fy * ((1 - fx) * pixel(node, w, image, y0 + 1, x0) +
		     fx * pixel(node, w, image, y0 + 1, x0 + 1));
}

/* The sampled patch of one output position: [in_ch][kernel]. */
static void sample(const struct joule_node *node, const struct geometry *g, int64_t n,
		   int64_t pos, double *patch)
{
	const struct joule_window *w = &g->c.w;
	int64_t taps = joule_window_kernel(w), out = joule_window_out(w);
	int64_t per_group = g->c.in_ch / g->offset_group;

	for (int64_t i = 0; i < g->c.in_ch * taps; i++) {
		int64_t c = i / taps, k = i % taps;
		int64_t group = (n * g->offset_group + c / per_group) * taps + k;
		double y = (double)(pos / w->out[2] * w->stride[1] - w->begin[1] +
				    k / w->kernel[2] * w->dilation[1]) +
			   get(node, IN_OFFSET, 2 * group * out + pos);
		double x = (double)(pos % w->out[2] * w->stride[2] - w->begin[2] +
				    k % w->kernel[2] * w->dilation[2]) +
			   get(node, IN_OFFSET, (2 * group + 1) * out + pos);

		patch[i] = bilinear(node, w, (n * g->c.in_ch + c) * joule_window_in(w), y, x);
		if (joule_node_in(node, IN_MASK))
			patch[i] *= get(node, IN_MASK, group * out + pos);
	}
}

static int deform_conv_ref(struct joule_node *node)
{
	struct joule_tensor *y = node->out[0];
	struct geometry g;
	int ret = resolve(node, &g);
	int64_t row, out;
	double *patch;

	if (ret)
		return ret;
	row = g.c.in_group * joule_window_kernel(&g.c.w);
	out = joule_window_out(&g.c.w);
	patch = calloc((size_t)(g.c.group * row) + 1, sizeof(*patch));
	if (!patch)
		return joule_node_err(node, -ENOMEM, "no memory for the reference");
	for (int64_t i = 0; i < g.c.batch * out; i++) {
		int64_t n = i / out, pos = i % out;

		sample(node, &g, n, pos, patch);
		for (int64_t m = 0; m < g.c.out_ch; m++) {
			const double *p = patch + m / g.c.out_group * row;
			double sum = joule_node_in(node, IN_B) ? get(node, IN_B, m) : 0;

			for (int64_t k = 0; k < row; k++)
				sum += p[k] * get(node, IN_W, m * row + k);
			joule_set_f64(y->dtype, y->data, (n * g.c.out_ch + m) * out + pos, sum);
		}
	}
	free(patch);
	return 0;
}

/* ---- kernel ---- */

static void bind_sampling(const struct joule_node *node, const struct geometry *g,
			  const char *dtype, struct joule_operand patches, struct joule_binder *b)
{
	struct joule_dispatch *d = joule_bind(b, "deform_sample_%s", dtype);
	const struct joule_window *w = &g->c.w;
	bool mask = joule_node_in(node, IN_MASK);

	joule_bind_read(d, JOULE_IN(IN_X));
	joule_bind_read(d, JOULE_IN(IN_OFFSET));
	joule_bind_read(d, JOULE_IN(mask ? IN_MASK : IN_X));
	joule_bind_write(d, patches);
	for (int i = 1; i < 3; i++)
		joule_bind_u32(d, (uint32_t)w->in[i]);
	for (int i = 1; i < 3; i++)
		joule_bind_u32(d, (uint32_t)w->out[i]);
	for (int i = 1; i < 3; i++)
		joule_bind_i32(d, (int32_t)w->begin[i]);
	joule_bind_u32(d, (uint32_t)g->c.in_ch);
	joule_bind_u32(d, (uint32_t)g->offset_group);
	for (int i = 1; i < 3; i++)
		joule_bind_spec(d, (uint32_t)w->kernel[i]);
	for (int i = 1; i < 3; i++)
		joule_bind_spec(d, (uint32_t)w->stride[i]);
	for (int i = 1; i < 3; i++)
		joule_bind_spec(d, (uint32_t)w->dilation[i]);
	joule_bind_spec(d, mask);
	joule_bind_local(d, 32, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(joule_window_out(w), 32),
			  (uint64_t)(joule_window_kernel(w) * g->offset_group),
			  (uint64_t)g->c.batch);
}

/* One product for each image and group: weights [out][row] by patches [row][position]. */
static void bind_products(const struct joule_node *node, const struct geometry *g,
			  const char *dtype, struct joule_operand patches, struct joule_binder *b)
{
	int64_t row = g->c.in_group * joule_window_kernel(&g->c.w);
	int64_t out = joule_window_out(&g->c.w);
	uint64_t each = joule_dtype_bits(node->in[0]->dtype) / 8;

	for (int64_t i = 0; !b->err && i < g->c.batch * g->c.group; i++) {
		uint64_t first = (uint64_t)(i % g->c.group * g->c.out_group);
		struct joule_product_places at = {
			.a = JOULE_IN(IN_W), .b = patches, .c = JOULE_IN(IN_B), .y = JOULE_OUT(0),
		};
		struct joule_product p = {
			.m = g->c.out_group, .n = out, .k = row, .a_row = row, .a_col = 1,
			.b_row = out, .b_col = 1, .alpha = 1, .beta = 1,
			.c = joule_node_in(node, IN_B), .c_row = 1,
		};

		at.a.offset = first * (uint64_t)row * each;
		at.b.offset = (uint64_t)(i * row * out) * each;
		at.c.offset = first * each;
		at.y.offset = (uint64_t)(i * g->c.out_group * out) * each;
		joule_product_tile_launch(node, &p, dtype, &at, -1, b);
	}
}

static int deform_conv_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	struct joule_operand patches;
	struct geometry g;
	int64_t count;
	int ret;

	if (!dtype)
		return b->err;
	ret = resolve(node, &g);
	if (ret)
		return ret;
	count = g.c.batch * g.c.in_ch * joule_window_kernel(&g.c.w) * joule_window_out(&g.c.w);
	if (count > INT32_MAX)
		return joule_bind_refuse(b, "2^31 sampled elements or more");
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	if (!count)
		return joule_bind_refuse(b, "nothing to convolve");
	patches = joule_bind_scratch(b, (uint64_t)count * joule_dtype_bits(node->in[0]->dtype) / 8);
	bind_sampling(node, &g, dtype, patches, b);
	bind_products(node, &g, dtype, patches, b);
	return joule_bind_end(b);
}

static void deform_conv_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct geometry g;

	if (!resolve(node, &g))
		cost->macs = joule_conv_macs(&g.c);
}

#define ST struct deform_conv
#define WINDOW_ATTR(attr) \
	{ .name = #attr, .type = JOULE_ATTR_INTS, .offset = offsetof(ST, conv.window.attr) }
static const struct joule_attr attrs[] = {
	WINDOW_ATTR(kernel_shape),
	WINDOW_ATTR(strides),
	WINDOW_ATTR(dilations),
	WINDOW_ATTR(pads),
	{ .name = "group", .type = JOULE_ATTR_INT, .offset = offsetof(ST, conv.group), .def.i = 1 },
	JOULE_A_INT(ST, offset_group, 1),
	{ 0 },
};

JOULE_OPS(deform_conv) = {
	{
		.name = "DeformConv", .since = 19, .min_in = 3, .max_in = 5, .min_out = 1,
		.max_out = 1, .attrs_bytes = sizeof(ST), .attrs = attrs,
		.infer = deform_conv_infer, .ref = deform_conv_ref, .bind = deform_conv_bind,
		.cost = deform_conv_cost,
	},
	JOULE_OPS_END,
};
