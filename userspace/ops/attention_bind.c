// SPDX-License-Identifier: MIT
/*
 * Attention on a device: one launch, a workgroup for four queries of a head,
 * whose scores stay in shared memory (in scratch memory when there are too many
 * keys); and a launch for each of the present keys and values if asked for.
 */
#include <string.h>

#include "ops/attention.h"
#include "ops/common.h"

#define LOCAL 32
#define QUERIES 4

/* As in shaders/attention.comp. */
struct params {
	uint32_t rows, past, current, depth, v_depth, group;
	uint32_t q[3], k[3], v[3], y[3], past_k[3], past_v[3], mask[3];
	uint32_t mask_row_len, causal, window;
	float scale, softcap;
};

static void set_strides(uint32_t *out, const struct joule_heads *s)
{
	out[0] = (uint32_t)s->batch;
	out[1] = (uint32_t)s->head;
	out[2] = (uint32_t)s->row;
}

static struct joule_operand bind_params(const struct joule_attention *a, struct joule_binder *b)
{
	struct joule_operand operand;
	struct params p = {
		.rows = (uint32_t)a->rows, .past = (uint32_t)a->past,
		.current = (uint32_t)a->current, .depth = (uint32_t)a->depth,
		.v_depth = (uint32_t)a->v_depth, .group = (uint32_t)a->group,
		.mask_row_len = (uint32_t)a->mask_row_len,
		.causal = a->attrs->is_causal || a->attrs->local_window_size > 0,
		.window = a->attrs->local_window_size > 0 ?
				  (uint32_t)JOULE_MIN(a->attrs->local_window_size, INT32_MAX) : 0,
		.scale = (float)a->scale, .softcap = a->attrs->softcap,
	};
	void *data;

	set_strides(p.q, &a->q);
	set_strides(p.k, &a->k);
	set_strides(p.v, &a->v);
	set_strides(p.y, &a->y);
	set_strides(p.past_k, &a->past_k);
	set_strides(p.past_v, &a->past_v);
	set_strides(p.mask, &a->mask);
	operand = joule_bind_const(b, sizeof(p), &data);
	if (data)
		memcpy(data, &p, sizeof(p));
	return operand;
}

/* present = past and current side by side */
static void bind_present(const struct joule_node *node, const struct joule_attention *a,
			 bool values, const char *dtype, struct joule_binder *b)
{
	uint16_t out = values ? JOULE_ATTN_PRESENT_V : JOULE_ATTN_PRESENT_K;
	uint16_t now = values ? JOULE_ATTN_V : JOULE_ATTN_K;
	uint16_t past = values ? JOULE_ATTN_PAST_V : JOULE_ATTN_PAST_K;
	const struct joule_heads *s = values ? &a->v : &a->k;
	int64_t size = values ? a->v_depth : a->depth;
	struct joule_dispatch *d;

	if (!joule_node_out(node, out) || !joule_tensor_count(node->out[out]))
		return;
	d = joule_bind(b, "attention_present_%s", dtype);
	joule_bind_read(d, JOULE_IN(a->past ? past : now));
	joule_bind_read(d, JOULE_IN(now));
	joule_bind_write(d, JOULE_OUT(out));
	joule_bind_u32(d, (uint32_t)joule_tensor_count(node->out[out]));
	joule_bind_u32(d, (uint32_t)a->kv_heads);
	joule_bind_u32(d, (uint32_t)a->past);
	joule_bind_u32(d, (uint32_t)a->current);
	joule_bind_u32(d, (uint32_t)size);
	joule_bind_u32(d, (uint32_t)s->batch);
	joule_bind_u32(d, (uint32_t)s->head);
	joule_bind_u32(d, (uint32_t)s->row);
	joule_bind_grid(b, d, 64, (uint64_t)joule_tensor_count(node->out[out]));
}

static int check(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *mask = joule_node_in(node, JOULE_ATTN_MASK);

	for (int i = 0; i < node->n_in; i++) {
		const struct joule_tensor *t = node->in[i];

		if (!t || i == JOULE_ATTN_NONPAD || t->dtype == JOULE_BOOL)
			continue;
		if (!joule_bind_float(b, t))
			return b->err;
		if (t->dtype != node->in[0]->dtype)
			return joule_bind_refuse(b, "%s is not of the queries' type", t->name);
	}
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i] && !joule_bind_float(b, node->out[i]))
			return b->err;
	if (mask && mask->dtype == JOULE_BOOL && !b->caps->storage_8bit)
		return joule_bind_refuse(b, "the device has no 8-bit storage");
	return 0;
}

static void bind_optional(struct joule_dispatch *d, const struct joule_node *node, int i)
{
	joule_bind_read(d, JOULE_IN((uint16_t)(joule_node_in(node, i) ? i : 0)));
}

static bool vec4_strides(const struct joule_heads *s)
{
	return s->batch % 4 == 0 && s->head % 4 == 0 && s->row % 4 == 0;
}

static int bind_main(const struct joule_node *node, const struct joule_attention *a,
		     const char *dtype, struct joule_binder *b)
{
	const struct joule_tensor *mask = joule_node_in(node, JOULE_ATTN_MASK);
	int64_t keys = joule_attention_keys(a), blocks = JOULE_DIV_UP(a->rows, QUERIES);
	bool shared = keys * 16 + LOCAL * 32 <= b->caps->shared_bytes;
	bool qk = joule_node_out(node, JOULE_ATTN_QK);
	struct joule_operand scores = JOULE_IN(0), params = bind_params(a, b);
	struct joule_dispatch *d;

	if (!shared)
		scores = joule_bind_scratch(b, (uint64_t)(blocks * a->heads * a->batch * keys) * 16);
	d = joule_bind(b, "attention_%s_%s", shared ? "shared" : "scratch", dtype);
	for (int i = 0; i < 3; i++)
		joule_bind_read(d, JOULE_IN((uint16_t)i));
	for (int i = 3; i < 7; i++)
		bind_optional(d, node, i);
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_write(d, JOULE_OUT(qk ? JOULE_ATTN_QK : 0));
	if (shared)
		joule_bind_read(d, scores);
	else
		joule_bind_read_write(d, scores);
	joule_bind_read(d, params);
	joule_bind_spec(d, (uint32_t)(shared ? keys : 1));
	joule_bind_spec(d, !mask ? 0 : mask->dtype == JOULE_BOOL ? 2 : 1);
	joule_bind_spec(d, joule_node_in(node, JOULE_ATTN_NONPAD) != NULL);
	joule_bind_spec(d, qk ? (uint32_t)a->attrs->qk_matmul_output_mode : 4);
	joule_bind_spec(d, a->depth % 4 == 0 && vec4_strides(&a->q) && vec4_strides(&a->k) &&
				   vec4_strides(&a->past_k));
	joule_bind_local(d, LOCAL, 1, 1);
	joule_bind_groups(d, (uint64_t)blocks, (uint64_t)a->heads, (uint64_t)a->batch);
	return joule_bind_end(b);
}

int joule_attention_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	struct joule_attention a;
	int ret;

	if (!dtype)
		return b->err;
	ret = joule_attention_resolve(node, &a);
	if (!ret)
		ret = check(node, b);
	if (ret)
		return ret;
	bind_present(node, &a, false, dtype, b);
	bind_present(node, &a, true, dtype, b);
	if (!a.batch || !a.heads || !a.rows || !joule_attention_keys(&a))
		return joule_bind_end(b);
	if (joule_attention_bind_products(node, &a, dtype, b))
		return joule_bind_end(b);
	return bind_main(node, &a, dtype, b);
}
