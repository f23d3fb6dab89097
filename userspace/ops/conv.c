// SPDX-License-Identifier: MIT
/* Conv: one to three spatial dimensions, groups, dilation, any padding. */
#include "ops/conv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/common.h"
#include "ops/ref_gemm.h"

/* First usable wins: fast special cases come before the general one. */
static const struct joule_conv_kernel *const kernels[] = {
	&joule_dwconv_lavapipe,
	&joule_conv_lavapipe,
	&joule_conv_direct,
};

int joule_conv_resolve(const struct joule_node *node, const struct joule_tensor *x,
		       const struct joule_tensor *weight, const struct joule_tensor *bias,
		       struct joule_conv *c)
{
	const struct joule_conv_attrs *a = node->attrs;
	char s[128], t[128];
	int ret = joule_window_resolve(node, &a->window, &x->shape, &weight->shape, &c->w);

	if (ret)
		return ret;
	c->batch = x->shape.dims[0];
	c->in_ch = x->shape.dims[1];
	c->out_ch = weight->shape.dims[0];
	c->group = a->group;
	c->in_group = weight->shape.dims[1];
	joule_shape_str(&x->shape, s, sizeof(s));
	joule_shape_str(&weight->shape, t, sizeof(t));
	if (a->group < 1 || c->out_ch % a->group || c->in_ch % a->group ||
	    c->in_ch / a->group != c->in_group)
		return joule_node_err(node, -EINVAL, "input %s, weights %s and group %lld do not fit",
				      s, t, (long long)a->group);
	c->out_group = c->out_ch / a->group;
	if (bias && (bias->shape.rank != 1 || bias->shape.dims[0] != c->out_ch))
		return joule_node_err(node, -EINVAL, "bias %s does not fit weights %s",
				      joule_shape_str(&bias->shape, s, sizeof(s)), t);
	return 0;
}

int64_t joule_conv_macs(const struct joule_conv *c)
{
	int64_t macs = c->batch * c->out_ch;

	if (!joule_mul_i64(macs, joule_window_out(&c->w), &macs) ||
	    !joule_mul_i64(macs, c->in_group * joule_window_kernel(&c->w), &macs))
		return INT64_MAX;
	return macs;
}

static int resolve(const struct joule_node *node, struct joule_conv *c)
{
	return joule_conv_resolve(node, node->in[0], node->in[1], joule_node_own_in(node, 2), c);
}

static int conv_infer(struct joule_node *node)
{
	struct joule_conv c;
	struct joule_shape y;
	int ret;

	if (!joule_dtype_is_float(node->in[0]->dtype) || node->in[1]->dtype != node->in[0]->dtype)
		return joule_err_dtype(node, node->in[0]);
	ret = resolve(node, &c);
	if (ret)
		return ret;
	y = joule_window_shape(&c.w, c.batch, c.out_ch);
	joule_set_out(node, 0, node->in[0]->dtype, &y);
	return 0;
}

/* Patches are gathered in strips, so that memory stays small for large images. */
#define STRIP 1024

int joule_conv_ref_group(const struct joule_conv *c, const float *x, const float *weight,
			 float pad, enum joule_sum sum, double *out)
{
	int64_t rows = c->in_group * joule_window_kernel(&c->w), cols = joule_window_out(&c->w);
	float *patches = calloc((size_t)rows + 1, STRIP * sizeof(*patches));
	int ret = patches ? 0 : -ENOMEM;

	for (int64_t j = 0; !ret && j < cols; j += STRIP) {
		int64_t n = JOULE_MIN(STRIP, cols - j);
		struct joule_ref_gemm g = {
			.m = c->out_group, .n = n, .k = rows,
			.a = weight, .a_row = rows, .a_col = 1,
			.b = patches, .b_row = n, .b_col = 1,
			.c = out + j, .c_row = cols, .sum = sum, .columns = cols,
		};

		joule_im2col(&c->w, x, c->in_group, j, n, pad, patches);
		ret = joule_ref_gemm(&g);
	}
	free(patches);
	return ret;
}

/* All types but double, which would lose digits in float. */
static int ref_blocked(struct joule_node *node, const struct joule_conv *c)
{
	int64_t in = joule_window_in(&c->w), out = joule_window_out(&c->w);
	int64_t patch = c->in_group * joule_window_kernel(&c->w);
	const struct joule_tensor *bias = joule_node_own_in(node, 2);
	float *x_copy, *w_copy;
	const float *x = joule_ref_floats(node->in[0], &x_copy);
	const float *weight = joule_ref_floats(node->in[1], &w_copy);
	double *sum = calloc((size_t)(c->out_group * out) + 1, sizeof(*sum));
	int ret = x && weight && sum ? 0 : -ENOMEM;
	enum joule_sum order = node->in[0]->dtype == JOULE_F32 ? JOULE_SUM_FLOAT : JOULE_SUM_WIDE;

	for (int64_t i = 0; !ret && i < c->batch * c->group; i++) {
		int64_t g = i % c->group;

		ret = joule_conv_ref_group(c, x + i * c->in_group * in,
					   weight + g * c->out_group * patch, 0, order, sum);
		for (int64_t m = 0; bias && m < c->out_group; m++) {
			double v = joule_get_f64(bias->dtype, bias->data, g * c->out_group + m);

			for (int64_t j = 0; j < out; j++)
				sum[m * out + j] += v;
		}
		joule_ref_store(node->out[0], i * c->out_group * out, sum, c->out_group * out);
	}
	free(sum);
	free(x_copy);
	free(w_copy);
	return ret ? joule_node_err(node, ret, "no memory for the reference") : 0;
}

/* Adds weight v at kernel position k times one channel of the image. */
static void add_tap(const struct joule_window *w, const double *x, double v, const int64_t *k,
		    double *y)
{
	int64_t lo[3], hi[3];

	for (int d = 0; d < 3; d++)
		joule_window_range(w, d, k[d], &lo[d], &hi[d]);
	for (int64_t oz = lo[0]; oz < hi[0]; oz++)
		for (int64_t oy = lo[1]; oy < hi[1]; oy++) {
			int64_t z = oz * w->stride[0] + k[0] * w->dilation[0] - w->begin[0];
			int64_t r = oy * w->stride[1] + k[1] * w->dilation[1] - w->begin[1];
			int64_t at = (z * w->in[1] + r) * w->in[2] + k[2] * w->dilation[2] -
				     w->begin[2];
			double *row = y + (oz * w->out[1] + oy) * w->out[2];

			for (int64_t ox = lo[2]; ox < hi[2]; ox++)
				row[ox] += v * x[at + ox * w->stride[2]];
		}
}

static void ref_f64(struct joule_node *node, const struct joule_conv *c)
{
	const struct joule_tensor *bias = joule_node_own_in(node, 2);
	int64_t in = joule_window_in(&c->w), out = joule_window_out(&c->w);
	const double *weight = node->in[1]->data;
	double *y = node->out[0]->data;
	int64_t k[3];

	for (int64_t i = 0; i < c->batch * c->out_ch; i++, y += out) {
		int64_t m = i % c->out_ch, g = m / c->out_group;
		const double *x = (const double *)node->in[0]->data +
				  (i / c->out_ch * c->in_ch + g * c->in_group) * in;
		const double *v = weight + m * c->in_group * joule_window_kernel(&c->w);

		for (int64_t j = 0; j < out; j++)
			y[j] = bias ? ((const double *)bias->data)[m] : 0;
		for (int64_t ch = 0; ch < c->in_group; ch++, x += in)
			for (k[0] = 0; k[0] < c->w.kernel[0]; k[0]++)
				for (k[1] = 0; k[1] < c->w.kernel[1]; k[1]++)
					for (k[2] = 0; k[2] < c->w.kernel[2]; k[2]++)
						add_tap(&c->w, x, *v++, k, y);
	}
}

static int conv_ref(struct joule_node *node)
{
	struct joule_conv c;
	int ret = resolve(node, &c);

	if (ret)
		return ret;
	if (node->in[0]->dtype != JOULE_F64)
		return ref_blocked(node, &c);
	ref_f64(node, &c);
	return 0;
}

static int conv_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->out[0]);
	struct joule_conv c;
	int ret;

	if (!dtype || !joule_bind_float(b, node->in[0]) || !joule_bind_float(b, node->in[1]))
		return b->err;
	ret = resolve(node, &c);
	if (ret)
		return ret;
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	for (size_t i = 0; i < JOULE_ARRAY_LEN(kernels); i++)
		if (kernels[i]->usable(node, &c, b))
			return kernels[i]->bind(node, &c, dtype, b);
	return joule_bind_refuse(b, "no convolution kernel for this case");
}

struct joule_operand joule_conv_pack(const struct joule_tensor *t, const struct joule_conv *c,
				     int tile, struct joule_binder *b)
{
	int64_t patch = c->in_group * joule_window_kernel(&c->w);
	int64_t panels = JOULE_DIV_UP(c->out_group, tile), size;
	size_t each = joule_dtype_bits(t->dtype) / 8;
	const char *src = t->data;
	struct joule_operand operand;
	void *dst;

	/* out_group * patch elements exist, so only the padding could overflow. */
	if (!joule_mul_i64(c->group * panels * tile, patch * (int64_t)each, &size))
		size = INT64_MAX;
	operand = joule_bind_const(b, (size_t)size, &dst);
	for (int64_t m = 0; dst && m < c->out_ch; m++) {
		int64_t g = m / c->out_group, r = m % c->out_group;
		int64_t at = (g * panels + r / tile) * patch * tile + r % tile;

		for (int64_t k = 0; k < patch; k++)
			memcpy((char *)dst + (size_t)(at + k * tile) * each,
			       src + (size_t)(m * patch + k) * each, each);
	}
	return operand;
}

static void conv_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct joule_conv c;

	if (!resolve(node, &c))
		cost->macs = joule_conv_macs(&c);
}

#define ST struct joule_conv_attrs
const struct joule_attr joule_conv_attr_table[] = {
	JOULE_A_AUTO_PAD(ST),
	JOULE_A_WINDOW(ST, kernel_shape, JOULE_ATTR_INTS),
	JOULE_A_WINDOW(ST, strides, JOULE_ATTR_INTS),
	JOULE_A_WINDOW(ST, dilations, JOULE_ATTR_INTS),
	JOULE_A_WINDOW(ST, pads, JOULE_ATTR_INTS),
	JOULE_A_INT(ST, group, 1),
	{ 0 },
};

JOULE_OPS(conv) = {
	{
		.name = "Conv", .since = 1, .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 1,
		.attrs_bytes = sizeof(ST), .attrs = joule_conv_attr_table,
		.traits = JOULE_OP_EPILOGUE,
		.infer = conv_infer, .ref = conv_ref, .bind = conv_bind, .cost = conv_cost,
	},
	JOULE_OPS_END,
};
