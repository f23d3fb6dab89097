// SPDX-License-Identifier: MIT
/*
 * LinearAttention: a state matrix for each head, updated token by token:
 *	S *= exp(decay)                                  (gated rules)
 *	v  = beta * (v - (erase * k) S)                  (delta rules)
 *	S += k' v,   out = scale * q S
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ops/common.h"

struct linear_attention {
	int64_t chunk_size, kv_num_heads, q_num_heads; /* chunk_size: a hint, of no effect here */
	float scale; /* 0: 1 / sqrt(key size) */
	int update_rule;
};

enum { RULE_GATED_DELTA, RULE_LINEAR, RULE_GATED, RULE_DELTA };
enum { IN_Q, IN_K, IN_V, IN_PAST, IN_DECAY, IN_BETA, IN_ERASE, N_IN };

struct geometry {
	int64_t batch, steps, q_heads, heads, depth, v_depth;
	int64_t decay_width; /* decays of a head: 0, 1 or depth */
	int64_t beta_heads;  /* 0, 1 or heads */
	bool erase;
	double scale;
};

static int misfit(const struct joule_node *node, int i)
{
	char s[128];

	return joule_node_err(node, -EINVAL, "input %s %s does not fit the others",
			      node->in[i]->name,
			      joule_shape_str(&node->in[i]->shape, s, sizeof(s)));
}

/* [batch, steps, columns] */
static bool is_sequence(const struct joule_tensor *t, const struct geometry *g)
{
	return t->shape.rank == 3 && t->shape.dims[0] == g->batch && t->shape.dims[1] == g->steps;
}

static int resolve_gates(const struct joule_node *node, struct geometry *g)
{
	const struct linear_attention *a = node->attrs;
	const struct joule_tensor *decay = joule_node_in(node, IN_DECAY);
	const struct joule_tensor *beta = joule_node_in(node, IN_BETA);
	const struct joule_tensor *erase = joule_node_in(node, IN_ERASE);
	bool gated = a->update_rule == RULE_GATED || a->update_rule == RULE_GATED_DELTA;
	bool delta = a->update_rule == RULE_DELTA || a->update_rule == RULE_GATED_DELTA;

	if (gated != (decay != NULL) || delta != (beta != NULL) || (erase && !delta))
		return joule_node_err(node, -EINVAL,
				      "decay, beta and erase_gate do not suit the update rule");
	if (decay) {
		g->decay_width = is_sequence(decay, g) ? decay->shape.dims[2] / g->heads : 0;
		if ((g->decay_width != 1 && g->decay_width != g->depth) ||
		    decay->shape.dims[2] != g->decay_width * g->heads)
			return misfit(node, IN_DECAY);
	}
	if (beta) {
		g->beta_heads = is_sequence(beta, g) ? beta->shape.dims[2] : 0;
		if (g->beta_heads != 1 && g->beta_heads != g->heads)
			return misfit(node, IN_BETA);
	}
	if (erase && (!is_sequence(erase, g) || erase->shape.dims[2] != g->heads * g->depth))
		return misfit(node, IN_ERASE);
	g->erase = erase;
	return 0;
}

static int resolve(const struct joule_node *node, struct geometry *g)
{
	const struct linear_attention *a = node->attrs;
	const struct joule_shape *q = &node->in[IN_Q]->shape;
	const struct joule_tensor *past = joule_node_in(node, IN_PAST);
	struct joule_shape state;

	if (a->q_num_heads < 1 || a->kv_num_heads < 1 || a->q_num_heads % a->kv_num_heads)
		return joule_node_err(node, -EINVAL, "%lld query heads for %lld key heads",
				      (long long)a->q_num_heads, (long long)a->kv_num_heads);
	*g = (struct geometry){ .q_heads = a->q_num_heads, .heads = a->kv_num_heads };
	if (q->rank != 3 || q->dims[2] % g->q_heads)
		return misfit(node, IN_Q);
	g->batch = q->dims[0];
	g->steps = q->dims[1];
	g->depth = q->dims[2] / g->q_heads;
	if (!is_sequence(node->in[IN_K], g) ||
	    node->in[IN_K]->shape.dims[2] != g->heads * g->depth)
		return misfit(node, IN_K);
	if (!is_sequence(node->in[IN_V], g) || node->in[IN_V]->shape.dims[2] % g->heads)
		return misfit(node, IN_V);
	g->v_depth = node->in[IN_V]->shape.dims[2] / g->heads;
	state = (struct joule_shape){ 4, { g->batch, g->heads, g->depth, g->v_depth } };
	if (past && !joule_shape_equal(&past->shape, &state))
		return misfit(node, IN_PAST);
	g->scale = a->scale != 0 ? (double)a->scale : 1 / sqrt((double)g->depth);
	return resolve_gates(node, g);
}

static int linear_attention_infer(struct joule_node *node)
{
	const struct joule_tensor *past = joule_node_in(node, IN_PAST);
	enum joule_dtype dtype = node->in[0]->dtype;
	struct joule_shape y = node->in[0]->shape;
	struct geometry g;
	int ret;

	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] && (!joule_dtype_is_float(node->in[i]->dtype) ||
				    (i != IN_PAST && node->in[i]->dtype != dtype)))
			return joule_err_dtype(node, node->in[i]);
	ret = resolve(node, &g);
	if (ret)
		return ret;
	y.dims[2] = g.q_heads * g.v_depth;
	joule_set_out(node, 0, dtype, &y);
	joule_set_out(node, 1, past ? past->dtype : dtype,
		      &(struct joule_shape){ 4, { g.batch, g.heads, g.depth, g.v_depth } });
	return 0;
}

/* ---- reference ---- */

static double get(const struct joule_node *node, int i, int64_t at)
{
	return joule_get_f64(node->in[i]->dtype, node->in[i]->data, at);
}

/* Token t of one head: state s[depth][v_depth] and its query heads' outputs. */
static void step(struct joule_node *node, const struct geometry *g, int64_t b, int64_t h,
		 int64_t t, double *s)
{
	int64_t row = b * g->steps + t, key = (row * g->heads + h) * g->depth;
	int64_t group = g->q_heads / g->heads;
	struct joule_tensor *y = node->out[0];

	for (int64_t d = 0; g->decay_width && d < g->depth; d++) {
		int64_t at = (row * g->heads + h) * g->decay_width + d % g->decay_width;
		double f = exp(get(node, IN_DECAY, at));

		for (int64_t m = 0; m < g->v_depth; m++)
			s[d * g->v_depth + m] *= f;
	}
	for (int64_t m = 0; m < g->v_depth; m++) {
		double v = get(node, IN_V, (row * g->heads + h) * g->v_depth + m), seen = 0;

		for (int64_t d = 0; g->beta_heads && d < g->depth; d++)
			seen += s[d * g->v_depth + m] * get(node, IN_K, key + d) *
				(g->erase ? get(node, IN_ERASE, key + d) : 1);
		if (g->beta_heads)
			v = get(node, IN_BETA, row * g->beta_heads + h % g->beta_heads) * (v - seen);
		for (int64_t d = 0; d < g->depth; d++)
			s[d * g->v_depth + m] += get(node, IN_K, key + d) * v;
		for (int64_t q = h * group; q < (h + 1) * group; q++) {
			int64_t at = row * g->q_heads + q;
			double sum = 0;

			for (int64_t d = 0; d < g->depth; d++)
				sum += get(node, IN_Q, at * g->depth + d) * s[d * g->v_depth + m];
			joule_set_f64(y->dtype, y->data, at * g->v_depth + m, sum * g->scale);
		}
	}
}

static int linear_attention_ref(struct joule_node *node)
{
	const struct joule_tensor *past = joule_node_in(node, IN_PAST);
	struct joule_tensor *present = joule_node_out(node, 1);
	struct geometry g;
	int ret = resolve(node, &g);
	int64_t cells;
	double *s;

	if (ret)
		return ret;
	cells = g.depth * g.v_depth;
	s = calloc((size_t)cells + 1, sizeof(*s));
	if (!s)
		return joule_node_err(node, -ENOMEM, "no memory for the reference");
	for (int64_t i = 0; i < g.batch * g.heads; i++) {
		for (int64_t k = 0; k < cells; k++)
			s[k] = past ? joule_get_f64(past->dtype, past->data, i * cells + k) : 0;
		for (int64_t t = 0; t < g.steps; t++)
			step(node, &g, i / g.heads, i % g.heads, t, s);
		for (int64_t k = 0; present && k < cells; k++)
			joule_set_f64(present->dtype, present->data, i * cells + k, s[k]);
	}
	free(s);
	return 0;
}

/* ---- kernel ---- */

static int linear_attention_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]), *state = dtype;
	const struct joule_tensor *past = joule_node_in(node, IN_PAST);
	bool present = joule_node_out(node, 1);
	struct joule_operand work;
	struct joule_dispatch *d;
	struct geometry g;
	int64_t columns;
	int ret;

	if (dtype && past)
		state = joule_bind_float(b, past);
	if (!dtype || !state)
		return b->err;
	ret = resolve(node, &g);
	if (ret)
		return ret;
	columns = g.batch * g.heads * g.v_depth;
	if (columns > INT32_MAX / (g.depth ? g.depth : 1))
		return joule_bind_refuse(b, "2^31 elements or more");
	if (!columns)
		return joule_bind_end(b);
	work = joule_bind_scratch(b, (uint64_t)(columns * g.depth) * sizeof(float) + 4);
	d = joule_bind(b, "linear_attention_%s_%s", dtype, state);
	for (uint16_t i = 0; i < N_IN; i++)
		joule_bind_read(d, JOULE_IN(joule_node_in(node, i) ? i : 0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_write(d, JOULE_OUT(present));
	joule_bind_read_write(d, work);
	joule_bind_u32(d, (uint32_t)columns);
	joule_bind_u32(d, (uint32_t)g.steps);
	joule_bind_u32(d, (uint32_t)g.v_depth);
	joule_bind_f32(d, (float)g.scale);
	joule_bind_spec(d, (uint32_t)g.depth);
	joule_bind_spec(d, (uint32_t)g.heads);
	joule_bind_spec(d, (uint32_t)(g.q_heads / g.heads));
	joule_bind_spec(d, (uint32_t)g.decay_width);
	joule_bind_spec(d, (uint32_t)g.beta_heads);
	joule_bind_spec(d, g.erase);
	joule_bind_spec(d, past != NULL);
	joule_bind_spec(d, present);
	joule_bind_grid(b, d, 32, (uint64_t)columns);
	return joule_bind_end(b);
}

static void linear_attention_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct geometry g;

	/* The outer product, a read for each query head, and the delta rules' look-up. */
	if (!resolve(node, &g))
		cost->macs = g.batch * g.steps * g.depth * g.v_depth *
			     (g.heads * (g.beta_heads ? 2 : 1) + g.q_heads);
}

static const char *const rules[] = { "gated_delta", "linear", "gated", "delta", NULL };

#define ST struct linear_attention
static const struct joule_attr attrs[] = {
	JOULE_A_INT(ST, chunk_size, 64),
	JOULE_A_INT(ST, kv_num_heads, 0),
	JOULE_A_INT(ST, q_num_heads, 0),
	JOULE_A_FLOAT(ST, scale, 0),
	JOULE_A_ENUM(ST, update_rule, rules),
	{ 0 },
};

JOULE_OPS(linear_attention) = {
	{
		.name = "LinearAttention", .since = 27, .min_in = 3, .max_in = N_IN, .min_out = 1,
		.max_out = 2, .attrs_bytes = sizeof(ST), .attrs = attrs,
		.infer = linear_attention_infer, .ref = linear_attention_ref,
		.bind = linear_attention_bind, .cost = linear_attention_cost,
	},
	JOULE_OPS_END,
};
