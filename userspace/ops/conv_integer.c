// SPDX-License-Identifier: MIT
/* ConvInteger and QLinearConv: convolution of 8-bit integers, exact in int32. */
#include <errno.h>
#include <stdlib.h>

#include "ops/conv.h"
#include "ops/quant.h"
#include "ops/ref_gemm.h"

/* Both operators' inputs by role; NULL where one has no such thing. */
struct operands {
	const struct joule_tensor *x, *w, *x_zero, *w_zero;
	const struct joule_tensor *x_scale, *w_scale, *y_scale, *y_zero, *bias;
	struct joule_conv c;
};

static bool is_qlinear(const struct joule_node *node)
{
	return node->op->code == 1;
}

static int resolve(const struct joule_node *node, struct operands *o)
{
	int ret;

	if (is_qlinear(node))
		*o = (struct operands){
			.x = node->in[0], .x_scale = node->in[1], .x_zero = node->in[2],
			.w = node->in[3], .w_scale = node->in[4], .w_zero = node->in[5],
			.y_scale = node->in[6], .y_zero = node->in[7],
			.bias = joule_node_in(node, 8),
		};
	else
		*o = (struct operands){
			.x = node->in[0], .w = node->in[1], .x_zero = joule_node_in(node, 2),
			.w_zero = joule_node_in(node, 3),
		};
	if (!joule_is_byte(o->x) || !joule_is_byte(o->w))
		return joule_err_dtype(node, joule_is_byte(o->x) ? o->w : o->x);
	ret = joule_conv_resolve(node, o->x, o->w, o->bias, &o->c);
	if (!ret)
		ret = joule_check_zero_point(node, o->x_zero, o->x, 1);
	if (!ret)
		ret = joule_check_zero_point(node, o->w_zero, o->w, o->c.out_ch);
	if (ret || !is_qlinear(node))
		return ret;
	if (!joule_is_byte(o->y_zero) || joule_tensor_count(o->y_zero) != 1)
		return joule_err_dtype(node, o->y_zero);
	if (o->bias && o->bias->dtype != JOULE_I32)
		return joule_err_dtype(node, o->bias);
	ret = joule_check_scale(node, o->x_scale, 1);
	if (!ret)
		ret = joule_check_scale(node, o->w_scale, o->c.out_ch);
	return ret ? ret : joule_check_scale(node, o->y_scale, 1);
}

static int conv_integer_infer(struct joule_node *node)
{
	struct joule_shape y;
	struct operands o;
	int ret = resolve(node, &o);

	if (ret)
		return ret;
	y = joule_window_shape(&o.c.w, o.c.batch, o.c.out_ch);
	joule_set_out(node, 0, is_qlinear(node) ? o.y_zero->dtype : JOULE_I32, &y);
	return 0;
}

/* ---- reference ---- */

/* Values less their zero point, which changes every `run` elements. */
static float *shifted(const struct joule_tensor *t, const struct joule_tensor *zero, int64_t run)
{
	int64_t n = joule_tensor_count(t);
	float *v = calloc((size_t)n + 1, sizeof(*v));

	for (int64_t i = 0; v && i < n; i++)
		v[i] = (float)(joule_get_i64(t->dtype, t->data, i) -
			       joule_zero_point(zero, i / run));
	return v;
}

/* One channel of sums to the output's quantization. */
static void requantize(const struct operands *o, int64_t channel, int64_t n, double *sum)
{
	float scale = joule_scale(o->x_scale, 0) * joule_scale(o->w_scale, channel) /
		       joule_scale(o->y_scale, 0);
	double zero = (double)joule_zero_point(o->y_zero, 0);
	int64_t bias = o->bias ? ((const int32_t *)o->bias->data)[channel] : 0;

	for (int64_t i = 0; i < n; i++)
		sum[i] = joule_requantize((int64_t)sum[i] + bias, scale) + zero;
}

static void store(struct joule_tensor *y, int64_t first, const double *v, int64_t n)
{
	/* Quantized values saturate, int32 sums wrap. */
	if (y->dtype == JOULE_I32)
		joule_ref_store(y, first, v, n);
	for (int64_t i = 0; y->dtype != JOULE_I32 && i < n; i++)
		joule_set_f64(y->dtype, y->data, first + i, v[i]);
}

static int conv_integer_ref(struct joule_node *node)
{
	struct operands o;
	int ret = resolve(node, &o);
	int64_t in, out, patch;
	float *x, *w;
	double *sum;

	if (ret)
		return ret;
	in = joule_window_in(&o.c.w);
	out = joule_window_out(&o.c.w);
	patch = o.c.in_group * joule_window_kernel(&o.c.w);
	x = shifted(o.x, o.x_zero, INT64_MAX);
	w = shifted(o.w, o.w_zero, patch ? patch : 1);
	sum = calloc((size_t)(o.c.out_group * out) + 1, sizeof(*sum));
	ret = x && w && sum ? 0 : -ENOMEM;
	for (int64_t i = 0; !ret && i < o.c.batch * o.c.group; i++) {
		int64_t first = i % o.c.group * o.c.out_group;

		ret = joule_conv_ref_group(&o.c, x + i * o.c.in_group * in, w + first * patch, 0,
					   JOULE_SUM_WIDE, sum);
		for (int64_t m = 0; is_qlinear(node) && m < o.c.out_group; m++)
			requantize(&o, first + m, out, sum + m * out);
		store(node->out[0], i * o.c.out_group * out, sum, o.c.out_group * out);
	}
	free(x);
	free(w);
	free(sum);
	return ret ? joule_node_err(node, ret, "no memory for the reference") : 0;
}

/* ---- kernel ---- */

#define TILE  4
#define LOCAL 32

/* Input i, or any other to stand in for it. */
static void bind_optional(struct joule_dispatch *d, const struct joule_node *node, int i)
{
	joule_bind_read(d, JOULE_IN((uint16_t)(i >= 0 && joule_node_in(node, i) ? i : 0)));
}

static int64_t count(const struct joule_tensor *t)
{
	return t ? joule_tensor_count(t) : 0;
}

static void bind_geometry(struct joule_dispatch *d, const struct joule_conv *c)
{
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
}

static int check(const struct joule_node *node, const struct operands *o, struct joule_binder *b)
{
	if (!b->caps->storage_8bit)
		return joule_bind_refuse(b, "the device has no 8-bit storage");
	if (joule_tensor_count(o->x) > INT32_MAX || joule_tensor_count(node->out[0]) > INT32_MAX)
		return joule_bind_refuse(b, "2^31 elements or more");
	if (is_qlinear(node) && (o->x_scale->dtype != JOULE_F32 || o->w_scale->dtype != JOULE_F32 ||
				 o->y_scale->dtype != JOULE_F32))
		return joule_bind_refuse(b, "scales are not f32");
	return 0;
}

static int conv_integer_bind(const struct joule_node *node, struct joule_binder *b)
{
	bool q = is_qlinear(node), packed;
	struct joule_operand weight;
	struct joule_dispatch *d;
	struct operands o;
	int ret = resolve(node, &o);

	if (ret)
		return ret;
	ret = check(node, &o, b);
	if (ret)
		return ret;
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	packed = joule_tensor_is_const(o.w);
	weight = packed ? joule_conv_pack(o.w, &o.c, TILE, b) : JOULE_IN((uint16_t)(q ? 3 : 1));
	d = joule_bind(b, q ? "conv_integer_q" : "conv_integer_i32");
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, weight);
	bind_optional(d, node, 2);
	bind_optional(d, node, q ? 5 : 3);
	joule_bind_write(d, JOULE_OUT(0));
	if (q) {
		joule_bind_read(d, JOULE_IN(1));
		joule_bind_read(d, JOULE_IN(4));
		joule_bind_read(d, JOULE_IN(6));
		joule_bind_read(d, JOULE_IN(7));
		bind_optional(d, node, 8);
	}
	bind_geometry(d, &o.c);
	joule_bind_spec(d, packed);
	joule_bind_spec(d, o.x->dtype == JOULE_I8);
	joule_bind_spec(d, o.w->dtype == JOULE_I8);
	joule_bind_spec(d, o.x_zero != NULL);
	joule_bind_spec(d, (uint32_t)JOULE_MIN(count(o.w_zero), 2));
	joule_bind_spec(d, (uint32_t)JOULE_MIN(count(o.w_scale), 2));
	joule_bind_spec(d, o.bias != NULL);
	joule_bind_spec(d, node->out[0]->dtype == JOULE_I8);
	joule_bind_local(d, LOCAL, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(joule_window_out(&o.c.w), LOCAL * 4),
			  (uint64_t)(JOULE_DIV_UP(o.c.out_group, TILE) * o.c.group),
			  (uint64_t)o.c.batch);
	return joule_bind_end(b);
}

static void conv_integer_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct operands o;

	if (!resolve(node, &o))
		cost->macs = joule_conv_macs(&o.c);
}

JOULE_OPS(conv_integer) = {
	{
		.name = "ConvInteger", .since = 10, .min_in = 2, .max_in = 4, .min_out = 1,
		.max_out = 1, .attrs_bytes = sizeof(struct joule_conv_attrs),
		.attrs = joule_conv_attr_table, .infer = conv_integer_infer,
		.ref = conv_integer_ref, .bind = conv_integer_bind, .cost = conv_integer_cost,
	},
	{
		.name = "QLinearConv", .code = 1, .since = 10, .min_in = 8, .max_in = 9,
		.min_out = 1, .max_out = 1, .attrs_bytes = sizeof(struct joule_conv_attrs),
		.attrs = joule_conv_attr_table, .infer = conv_integer_infer,
		.ref = conv_integer_ref, .bind = conv_integer_bind, .cost = conv_integer_cost,
	},
	JOULE_OPS_END,
};
