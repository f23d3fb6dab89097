// SPDX-License-Identifier: MIT
/*
 * CausalConvWithState: depthwise 1-D convolution over past state and input side
 * by side; the last kernel - 1 columns are the next call's state.
 */
#include <errno.h>
#include <math.h>

#include "ops/common.h"

struct causal_conv {
	int activation;
};

enum { ACT_NONE, ACT_SILU, ACT_SWISH };

struct geometry {
	int64_t batch, channels, length, kernel;
};

/* in[]: input, weight, bias, past_state */
static int resolve(const struct joule_node *node, struct geometry *g)
{
	const struct joule_shape *x = &node->in[0]->shape, *w = &node->in[1]->shape;
	const struct joule_tensor *bias = joule_node_in(node, 2), *past = joule_node_in(node, 3);
	char s[128], t[128];

	if (x->rank != 3 || w->rank != 3 || w->dims[0] != x->dims[1] || w->dims[1] != 1 ||
	    w->dims[2] < 1)
		return joule_node_err(node, -EINVAL, "input %s and weights %s do not fit",
				      joule_shape_str(x, s, sizeof(s)),
				      joule_shape_str(w, t, sizeof(t)));
	*g = (struct geometry){ x->dims[0], x->dims[1], x->dims[2], w->dims[2] };
	if (bias && (bias->shape.rank != 1 || bias->shape.dims[0] != g->channels))
		return joule_node_err(node, -EINVAL, "bias %s does not fit input %s",
				      joule_shape_str(&bias->shape, t, sizeof(t)), s);
	if (past && (past->shape.rank != 3 || past->shape.dims[0] != g->batch ||
		     past->shape.dims[1] != g->channels || past->shape.dims[2] != g->kernel - 1))
		return joule_node_err(node, -EINVAL, "past state %s does not fit",
				      joule_shape_str(&past->shape, s, sizeof(s)));
	return 0;
}

static int causal_conv_infer(struct joule_node *node)
{
	enum joule_dtype dtype = node->in[0]->dtype;
	struct joule_shape state;
	struct geometry g;
	int ret;

	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] &&
		    (!joule_dtype_is_float(dtype) || node->in[i]->dtype != dtype))
			return joule_err_dtype(node, node->in[i]);
	ret = resolve(node, &g);
	if (ret)
		return ret;
	state = (struct joule_shape){ 3, { g.batch, g.channels, g.kernel - 1 } };
	joule_set_out(node, 0, dtype, &node->in[0]->shape);
	joule_set_out(node, 1, dtype, &state);
	return 0;
}

/* Column l of past state and input of one channel; l counts from the past's first. */
static double padded(const struct joule_node *node, const struct geometry *g, int64_t row,
		     int64_t l)
{
	const struct joule_tensor *x = node->in[0], *past = joule_node_in(node, 3);
	int64_t keep = g->kernel - 1;

	if (l >= keep)
		return joule_get_f64(x->dtype, x->data, row * g->length + l - keep);
	return past ? joule_get_f64(past->dtype, past->data, row * keep + l) : 0;
}

static int causal_conv_ref(struct joule_node *node)
{
	const struct joule_tensor *w = node->in[1], *bias = joule_node_in(node, 2);
	struct joule_tensor *y = node->out[0], *state = joule_node_out(node, 1);
	const struct causal_conv *a = node->attrs;
	struct geometry g;
	int ret = resolve(node, &g);

	if (ret)
		return ret;
	for (int64_t row = 0; row < g.batch * g.channels; row++) {
		int64_t c = row % g.channels;

		for (int64_t l = 0; l < g.length; l++) {
			double v = bias ? joule_get_f64(bias->dtype, bias->data, c) : 0;

			for (int64_t k = 0; k < g.kernel; k++)
				v += joule_get_f64(w->dtype, w->data, c * g.kernel + k) *
				     padded(node, &g, row, l + k);
			if (a->activation != ACT_NONE)
				v /= 1 + exp(-v);
			joule_set_f64(y->dtype, y->data, row * g.length + l, v);
		}
		for (int64_t k = 0; state && k < g.kernel - 1; k++)
			joule_set_f64(state->dtype, state->data, row * (g.kernel - 1) + k,
				      padded(node, &g, row, g.length + k));
	}
	return 0;
}

static int causal_conv_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	const struct causal_conv *a = node->attrs;
	bool bias = joule_node_in(node, 2), past = joule_node_in(node, 3);
	bool state = joule_node_out(node, 1);
	struct joule_dispatch *d;
	struct geometry g;
	int64_t per_row;
	int ret;

	if (!dtype || !joule_bind_float(b, node->in[1]))
		return b->err;
	ret = resolve(node, &g);
	if (ret)
		return ret;
	per_row = g.length + (state ? g.kernel - 1 : 0);
	if (g.batch * g.channels * per_row > INT32_MAX)
		return joule_bind_refuse(b, "2^31 elements or more");
	d = joule_bind(b, "causal_conv_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_read(d, JOULE_IN(bias ? 2 : 0));
	joule_bind_read(d, JOULE_IN(past ? 3 : 0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_write(d, JOULE_OUT(state));
	joule_bind_u32(d, (uint32_t)(g.batch * g.channels * per_row));
	joule_bind_u32(d, (uint32_t)per_row);
	joule_bind_u32(d, (uint32_t)g.length);
	joule_bind_u32(d, (uint32_t)g.channels);
	joule_bind_spec(d, (uint32_t)g.kernel);
	joule_bind_spec(d, bias);
	joule_bind_spec(d, past);
	joule_bind_spec(d, a->activation != ACT_NONE);
	joule_bind_grid(b, d, 64, (uint64_t)(g.batch * g.channels * per_row));
	return joule_bind_end(b);
}

static void causal_conv_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct geometry g;

	if (!resolve(node, &g))
		cost->macs = g.batch * g.channels * g.length * g.kernel;
}

static const char *const activations[] = { "none", "silu", "swish", NULL };
static const struct joule_attr attrs[] = {
	JOULE_A_ENUM(struct causal_conv, activation, activations),
	{ 0 },
};

JOULE_OPS(causal_conv) = {
	{
		.name = "CausalConvWithState", .since = 27, .min_in = 2, .max_in = 4, .min_out = 1,
		.max_out = 2, .attrs_bytes = sizeof(struct causal_conv), .attrs = attrs,
		.infer = causal_conv_infer, .ref = causal_conv_ref, .bind = causal_conv_bind,
		.cost = causal_conv_cost,
	},
	JOULE_OPS_END,
};
