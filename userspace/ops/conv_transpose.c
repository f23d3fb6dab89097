// SPDX-License-Identifier: MIT
/* ConvTranspose: the gradient of Conv, one to three spatial dimensions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/common.h"
#include "ops/epilogue.h"
#include "ops/ref_gemm.h"
#include "ops/window.h"

struct conv_transpose {
	struct joule_window_attrs window;
	struct joule_ints output_shape, output_padding;
	int64_t group;
};

/* w.begin and w.end are what is cut off the full result; end may be negative. */
struct geometry {
	struct joule_window w;
	int64_t batch, group, in_ch, out_ch, in_group, out_group;
};

static int64_t attr_at(const struct joule_ints *v, int i, int64_t def)
{
	return v->n ? v->v[i] : def;
}

/*
 * The output's size and what to cut off, of one dimension (i counts the file's
 * dimensions, d ours).
 */
static int resolve_dim(const struct joule_node *node, struct joule_window *w, int i, int d)
{
	const struct conv_transpose *a = node->attrs;
	bool same = a->window.auto_pad == JOULE_PAD_SAME_UPPER ||
		    a->window.auto_pad == JOULE_PAD_SAME_LOWER;
	int64_t extra = attr_at(&a->output_padding, i, 0);
	int64_t full, cut;

	if (extra < 0 || extra >= INT32_MAX)
		return joule_node_err(node, -EINVAL, "output_padding is %lld", (long long)extra);
	full = (w->in[d] - 1) * w->stride[d] + (w->kernel[d] - 1) * w->dilation[d] + 1 + extra;
	if (a->output_shape.n) {
		w->out[d] = a->output_shape.v[a->output_shape.n - w->n + i];
	} else if (same) {
		w->out[d] = w->in[d] * w->stride[d];
	} else {
		w->begin[d] = a->window.auto_pad ? 0 : attr_at(&a->window.pads, i, 0);
		w->end[d] = a->window.auto_pad ? 0 : attr_at(&a->window.pads, i + w->n, 0);
		w->out[d] = full - w->begin[d] - w->end[d];
	}
	if (w->out[d] < 1 || w->out[d] >= INT32_MAX)
		return joule_node_err(node, -EINVAL, "output dimension %d would be %lld", i,
				      (long long)w->out[d]);
	if (!a->output_shape.n && !same)
		return 0;
	cut = JOULE_MAX(full - w->out[d], 0);
	w->begin[d] = a->window.auto_pad == JOULE_PAD_SAME_UPPER ? cut / 2 : cut - cut / 2;
	w->end[d] = full - w->out[d] - w->begin[d];
	return 0;
}

static int check_lists(const struct joule_node *node, int n)
{
	const struct conv_transpose *a = node->attrs;

	if (a->output_padding.n && a->output_padding.n != n)
		return joule_node_err(node, -EINVAL, "output_padding has %d numbers, not %d",
				      a->output_padding.n, n);
	if (a->output_shape.n && a->output_shape.n != n && a->output_shape.n != n + 2)
		return joule_node_err(node, -EINVAL, "output_shape has %d numbers, not %d",
				      a->output_shape.n, n);
	if (a->window.pads.n && a->window.pads.n != 2 * n)
		return joule_node_err(node, -EINVAL, "pads has %d numbers, not %d",
				      a->window.pads.n, 2 * n);
	for (int i = 0; i < a->window.pads.n; i++)
		if (a->window.pads.v[i] < 0 || a->window.pads.v[i] >= INT32_MAX)
			return joule_node_err(node, -EINVAL, "pads[%d] is %lld", i,
					      (long long)a->window.pads.v[i]);
	return 0;
}

static int resolve(const struct joule_node *node, struct geometry *g)
{
	const struct joule_tensor *x = node->in[0], *w = node->in[1];
	const struct joule_tensor *bias = joule_node_own_in(node, 2);
	const struct conv_transpose *a = node->attrs;
	char s[128], t[128];
	int ret = joule_window_attrs_resolve(node, &a->window, &x->shape, &w->shape, &g->w);

	if (!ret)
		ret = check_lists(node, g->w.n);
	for (int i = 0; !ret && i < g->w.n; i++)
		ret = resolve_dim(node, &g->w, i, JOULE_WINDOW_DIMS - g->w.n + i);
	if (ret)
		return ret;
	g->batch = x->shape.dims[0];
	g->in_ch = x->shape.dims[1];
	g->group = a->group;
	g->out_group = w->shape.dims[1];
	joule_shape_str(&x->shape, s, sizeof(s));
	joule_shape_str(&w->shape, t, sizeof(t));
	if (a->group < 1 || g->in_ch != w->shape.dims[0] || g->in_ch % a->group ||
	    !joule_mul_i64(g->out_group, a->group, &g->out_ch))
		return joule_node_err(node, -EINVAL, "input %s, weights %s and group %lld do not fit",
				      s, t, (long long)a->group);
	g->in_group = g->in_ch / a->group;
	if (bias && (bias->shape.rank != 1 || bias->shape.dims[0] != g->out_ch))
		return joule_node_err(node, -EINVAL, "bias %s does not fit weights %s",
				      joule_shape_str(&bias->shape, s, sizeof(s)), t);
	return 0;
}

static int conv_transpose_infer(struct joule_node *node)
{
	enum joule_dtype dtype = node->in[0]->dtype;
	struct joule_shape y;
	struct geometry g;
	int ret;

	if (!joule_dtype_is_float(dtype) || node->in[1]->dtype != dtype)
		return joule_err_dtype(node, node->in[0]);
	ret = resolve(node, &g);
	if (ret)
		return ret;
	y = joule_window_shape(&g.w, g.batch, g.out_ch);
	joule_set_out(node, 0, dtype, &y);
	return 0;
}

/* ---- reference ---- */

/* Inputs i with lo <= i < hi land inside the output at kernel position k. */
static void range(const struct joule_window *w, int d, int64_t k, int64_t *lo, int64_t *hi)
{
	int64_t shift = k * w->dilation[d] - w->begin[d], s = w->stride[d];
	int64_t last = w->out[d] - 1 - shift;

	*lo = shift < 0 ? JOULE_DIV_UP(-shift, s) : 0;
	*hi = last < 0 ? 0 : JOULE_MIN(last / s + 1, w->in[d]);
}

/* Spreads one input channel over one output channel by one kernel value. */
static void spread(const struct joule_window *w, const double *x, double v, const int64_t *k,
		   double *y)
{
	int64_t lo[3], hi[3];

	for (int d = 0; d < 3; d++)
		range(w, d, k[d], &lo[d], &hi[d]);
	for (int64_t z = lo[0]; z < hi[0]; z++)
		for (int64_t r = lo[1]; r < hi[1]; r++) {
			int64_t oz = z * w->stride[0] + k[0] * w->dilation[0] - w->begin[0];
			int64_t oy = r * w->stride[1] + k[1] * w->dilation[1] - w->begin[1];
			const double *row = x + (z * w->in[1] + r) * w->in[2];
			int64_t at = (oz * w->out[1] + oy) * w->out[2] +
				     k[2] * w->dilation[2] - w->begin[2];

			for (int64_t c = lo[2]; c < hi[2]; c++)
				y[at + c * w->stride[2]] += v * row[c];
		}
}

static void ref_channel(struct joule_node *node, const struct geometry *g, const double *x,
			int64_t n, int64_t m, double *y)
{
	const struct joule_tensor *w = node->in[1], *bias = joule_node_own_in(node, 2);
	int64_t in = joule_window_in(&g->w), out = joule_window_out(&g->w);
	int64_t taps = joule_window_kernel(&g->w), first = m / g->out_group * g->in_group, k[3];
	double b = bias ? joule_get_f64(bias->dtype, bias->data, m) : 0;

	for (int64_t i = 0; i < out; i++)
		y[i] = b;
	for (int64_t c = first; c < first + g->in_group; c++) {
		int64_t at = (c * g->out_group + m % g->out_group) * taps;

		for (k[0] = 0; k[0] < g->w.kernel[0]; k[0]++)
			for (k[1] = 0; k[1] < g->w.kernel[1]; k[1]++)
				for (k[2] = 0; k[2] < g->w.kernel[2]; k[2]++)
					spread(&g->w, x + c * in,
					       joule_get_f64(w->dtype, w->data, at++), k, y);
	}
	joule_ref_store(node->out[0], (n * g->out_ch + m) * out, y, out);
}

static int conv_transpose_ref(struct joule_node *node)
{
	const struct joule_tensor *tx = node->in[0];
	struct geometry g;
	int ret = resolve(node, &g);
	int64_t image;
	double *x, *y;

	if (ret)
		return ret;
	image = g.in_ch * joule_window_in(&g.w);
	x = calloc((size_t)image + 1, sizeof(*x));
	y = calloc((size_t)joule_window_out(&g.w) + 1, sizeof(*y));
	for (int64_t n = 0; x && y && n < g.batch; n++) {
		for (int64_t i = 0; i < image; i++)
			x[i] = joule_get_f64(tx->dtype, tx->data, n * image + i);
		for (int64_t m = 0; m < g.out_ch; m++)
			ref_channel(node, &g, x, n, m, y);
	}
	ret = x && y ? 0 : joule_node_err(node, -ENOMEM, "no memory for the reference");
	free(x);
	free(y);
	return ret;
}

/* ---- kernel ---- */

#define TILE  4
#define LOCAL 32

/* [group][panel][in_group][kernel][TILE] from [in_ch][out_group][kernel] */
static struct joule_operand pack(const struct joule_tensor *t, const struct geometry *g,
				 struct joule_binder *b)
{
	int64_t taps = joule_window_kernel(&g->w), panels = JOULE_DIV_UP(g->out_group, TILE);
	size_t each = joule_dtype_bits(t->dtype) / 8;
	struct joule_operand operand;
	void *dst;

	operand = joule_bind_const(b, (size_t)(g->in_ch * panels * TILE * taps) * each, &dst);
	for (int64_t row = 0; dst && row < g->in_ch * g->out_group; row++) {
		int64_t c = row / g->out_group, m = row % g->out_group;
		int64_t panel = c / g->in_group * panels + m / TILE;

		for (int64_t k = 0; k < taps; k++) {
			int64_t at = ((panel * g->in_group + c % g->in_group) * taps + k) * TILE +
				     m % TILE;

			memcpy((char *)dst + (size_t)at * each,
			       (const char *)t->data + (size_t)(row * taps + k) * each, each);
		}
	}
	return operand;
}

static int conv_transpose_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	const struct joule_tensor *bias = joule_node_own_in(node, 2);
	bool packed = joule_tensor_is_const(node->in[1]);
	int64_t phases = 1, largest = 1;
	struct joule_operand weight;
	struct joule_dispatch *d;
	struct geometry g;
	int ret;

	if (!dtype || !joule_bind_float(b, node->in[1]) || !joule_bind_float(b, node->out[0]))
		return b->err;
	ret = resolve(node, &g);
	if (ret)
		return ret;
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	for (int i = 0; i < 3; i++) {
		phases *= g.w.stride[i];
		largest *= JOULE_DIV_UP(g.w.out[i], g.w.stride[i]);
		if (phases > 65535)
			return joule_bind_refuse(b, "strides are too large");
	}
	weight = packed ? pack(node->in[1], &g, b) : JOULE_IN(1);
	d = joule_bind(b, "conv_transpose_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, weight);
	joule_bind_read(d, bias ? JOULE_IN(2) : JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	for (int i = 0; i < 3; i++)
		joule_bind_u32(d, (uint32_t)g.w.in[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_u32(d, (uint32_t)g.w.out[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_i32(d, (int32_t)g.w.begin[i]);
	joule_bind_u32(d, (uint32_t)g.in_group);
	joule_bind_u32(d, (uint32_t)g.out_group);
	joule_bind_u32(d, (uint32_t)g.group);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)g.w.kernel[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)g.w.stride[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)g.w.dilation[i]);
	joule_bind_spec(d, packed);
	joule_bind_spec(d, bias != NULL);
	joule_epilogue_bind(b, d, node, 1);
	joule_bind_local(d, LOCAL, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(largest, LOCAL * 4),
			  (uint64_t)(JOULE_DIV_UP(g.out_group, TILE) * g.group),
			  (uint64_t)(g.batch * phases));
	return joule_bind_end(b);
}

static void conv_transpose_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct geometry g;

	if (!resolve(node, &g))
		cost->macs = joule_tensor_count(node->in[0]) * g.out_group *
			     joule_window_kernel(&g.w);
}

#define ST struct conv_transpose
static const struct joule_attr attrs[] = {
	JOULE_A_AUTO_PAD(ST),
	JOULE_A_WINDOW(ST, kernel_shape, JOULE_ATTR_INTS),
	JOULE_A_WINDOW(ST, strides, JOULE_ATTR_INTS),
	JOULE_A_WINDOW(ST, dilations, JOULE_ATTR_INTS),
	JOULE_A_WINDOW(ST, pads, JOULE_ATTR_INTS),
	JOULE_A_INTS(ST, output_shape),
	JOULE_A_INTS(ST, output_padding),
	JOULE_A_INT(ST, group, 1),
	{ 0 },
};

JOULE_OPS(conv_transpose) = {
	{
		.name = "ConvTranspose", .since = 1, .min_in = 2, .max_in = 3, .min_out = 1,
		.max_out = 1, .traits = JOULE_OP_EPILOGUE, .attrs_bytes = sizeof(ST),
		.attrs = attrs, .infer = conv_transpose_infer, .ref = conv_transpose_ref,
		.bind = conv_transpose_bind, .cost = conv_transpose_cost,
	},
	JOULE_OPS_END,
};
