// SPDX-License-Identifier: MIT
/*
 * Attention on lavapipe: scores = scale * Q K^T, mask, softmax, scores * V, with
 * the kernels tuned for it. Operands are read where they are, whichever order
 * of heads and rows they have, so that no transpose is needed around it.
 */
#include "ops/attention.h"
#include "ops/chain.h"
#include "ops/common.h"
#include "ops/lavapipe.h"
#include "ops/softmax.h"

#define LANES JOULE_LVP_LANES
/* Scores held at a time; heads beyond that go in turns. */
#define MAX_BYTES (16 << 20)

struct turn {
	int64_t batch, head, heads; /* first head, number of them */
	struct joule_operand scores, zeros;
	int bytes; /* of an element */
};

static struct joule_operand at(struct joule_operand o, int64_t elements, int bytes)
{
	o.offset += (uint64_t)(elements * bytes);
	return o;
}

/* scores[h][i][j] = scale * sum over d of q[h][i][d] * k[h][j][d] */
static struct joule_lvp first(const struct joule_attention *a, int64_t heads)
{
	int64_t keys = a->current, p = JOULE_MAX(keys, LANES);

	return (struct joule_lvp){
		.m = a->rows, .p = p, .used = JOULE_MIN(keys, LANES), .channels = a->depth,
		.kernel = { 1, 1 }, .stride = { 1, a->k.row }, .dilation = { 1, 1 },
		.in = { 1, (keys - 1) * a->k.row + 1 }, .out_width = p, .plane = 1,
		.gather = true, .mask = keys < LANES, .groups = heads, .z = heads,
		.xz = a->k.head, .wz = a->q.head, .yz = a->rows * keys,
		.w_row = a->q.row, .w_step = 1, .y_row = keys, .y_step = 1,
		.by_lane = true, .alpha = (float)a->scale,
	};
}

/* y[h][i][d] = sum over j of scores[h][i][j] * v[h][j][d] */
static struct joule_lvp second(const struct joule_attention *a, int64_t heads)
{
	int64_t p = JOULE_MAX(a->v_depth, LANES);
	bool narrow = a->v_depth < LANES;

	return (struct joule_lvp){
		.m = a->rows, .p = p, .used = JOULE_MIN(a->v_depth, LANES),
		.channels = a->current,
		.kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 },
		.in = { 1, a->v_depth }, .out_width = p, .plane = a->v.row,
		.gather = narrow, .mask = narrow, .groups = heads, .z = heads,
		.xz = a->v.head, .wz = a->rows * a->current, .yz = a->y.head,
		.w_row = a->current, .w_step = 1, .y_row = a->y.row, .y_step = 1,
		.by_lane = true, .alpha = 1,
	};
}

/* A mask that is added to all scores, as the chain kernel does it. */
static bool mask_fits(const struct joule_node *node, const struct joule_attention *a)
{
	const struct joule_tensor *mask = joule_node_in(node, JOULE_ATTN_MASK);

	return !mask || (a->attrs->plain && mask->dtype == node->in[0]->dtype &&
			 a->mask_row_len == a->current);
}

static bool fits(const struct joule_node *node, const struct joule_attention *a, int bytes,
		 const struct joule_binder *b)
{
	struct joule_lvp l[2] = { first(a, 1), second(a, 1) };

	return joule_lvp_device(b) && !a->past && a->group == 1 && !a->attrs->is_causal &&
	       a->attrs->local_window_size <= 0 && !(a->attrs->softcap > 0) &&
	       !joule_node_in(node, JOULE_ATTN_NONPAD) && !joule_node_out(node, JOULE_ATTN_QK) &&
	       mask_fits(node, a) && a->depth && a->v_depth && a->heads <= 4096 &&
	       a->batch <= 64 && a->rows * a->current <= MAX_BYTES / bytes &&
	       joule_lvp_choose(&l[0]) && joule_lvp_choose(&l[1]);
}

static void bind_mask(const struct joule_node *node, const struct joule_attention *a,
		      const struct turn *t, struct joule_binder *b)
{
	const struct joule_tensor *mask = joule_node_in(node, JOULE_ATTN_MASK);
	struct joule_shape space = { 3, { t->heads, a->rows, a->current } }, shape = space;
	struct joule_chain_launch c = { .space = space, .out = t->scores,
					.out_dtype = node->in[0]->dtype };
	int64_t from = t->batch * a->mask.batch + t->head * a->mask.head;

	if (!mask)
		return;
	shape.dims[0] = a->mask.head ? t->heads : 1;
	shape.dims[1] = a->mask.row ? a->rows : 1;
	joule_chain_operand(&c, t->scores, c.out_dtype, &space);
	joule_chain_operand(&c, at(JOULE_IN(JOULE_ATTN_MASK), from, t->bytes), c.out_dtype,
			    &shape);
	joule_chain_step(&c, JOULE_EW_ADD, 1, 0, 0);
	joule_chain_bind(b, &c);
}

static void bind_turn(const struct joule_node *node, const struct joule_attention *a,
		      const struct turn *t, const char *dtype, struct joule_binder *b)
{
	const char *shader = t->bytes == 2 ? "conv_lvp_xw16" : "conv_lvp_f32";
	struct joule_lvp qk = first(a, t->heads), pv = second(a, t->heads);
	struct joule_lvp_places places = {
		.x = at(JOULE_IN(JOULE_ATTN_K), t->batch * a->k.batch + t->head * a->k.head, t->bytes),
		.w = at(JOULE_IN(JOULE_ATTN_Q), t->batch * a->q.batch + t->head * a->q.head, t->bytes),
		.bias = t->zeros, .y = t->scores,
	};

	joule_lvp_choose(&qk);
	joule_lvp_choose(&pv);
	joule_lvp_launch(node, &qk, shader, &places, -1, b);
	bind_mask(node, a, t, b);
	joule_softmax_launch(b, dtype, t->heads * a->rows, a->current, t->scores, t->scores);
	places.x = at(JOULE_IN(JOULE_ATTN_V), t->batch * a->v.batch + t->head * a->v.head, t->bytes);
	places.w = t->scores;
	places.y = at(JOULE_OUT(0), t->batch * a->y.batch + t->head * a->y.head, t->bytes);
	joule_lvp_launch(node, &pv, shader, &places, -1, b);
}

bool joule_attention_bind_products(const struct joule_node *node, const struct joule_attention *a,
				   const char *dtype, struct joule_binder *b)
{
	struct turn t = { .bytes = joule_dtype_bits(node->in[0]->dtype) / 8 };
	int64_t size = a->rows * a->current, most, n = JOULE_MAX(a->current, a->v_depth);

	if (!fits(node, a, t.bytes, b))
		return false;
	most = JOULE_MIN(MAX_BYTES / t.bytes / size, a->heads);
	/* Offsets in the mask must be such that rows still start on 16 bytes. */
	if (joule_node_in(node, JOULE_ATTN_MASK) && (a->mask.batch % 4 || a->mask.head % 4) &&
	    (a->batch > 1 || most < a->heads))
		return false;
	t.scores = joule_bind_scratch(b, (uint64_t)(most * size * t.bytes));
	t.zeros = joule_lvp_floats(NULL, JOULE_MAX(n, LANES), 1, b);
	for (t.batch = 0; t.batch < a->batch; t.batch++)
		for (t.head = 0; t.head < a->heads; t.head += most) {
			t.heads = JOULE_MIN(most, a->heads - t.head);
			bind_turn(node, a, &t, dtype, b);
		}
	return true;
}
