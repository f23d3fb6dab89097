// SPDX-License-Identifier: MIT
/* Kernels of LSTM, GRU and RNN: a whole sequence in one launch. */
#include <string.h>

#include "ops/common.h"
#include "ops/recurrent.h"

/* The shader's FLAGS. */
enum {
	HAS_B = 1,
	HAS_LENS = 2,
	HAS_H0 = 4,
	HAS_C0 = 8,
	HAS_P = 16,
	HAS_Y = 32,
	HAS_YH = 64,
	HAS_YC = 128,
	W_PACKED = 256,
	R_PACKED = 512,
	PROJECTED = 1024,
	REVERSE = 2048,
	BATCH_FIRST = 4096,
	OPTION = 8192,
};

/* Weights of one unit side by side; the three of a GRU take four places. */
static int places(const struct joule_recurrent *r)
{
	return r->kind == JOULE_RNN ? 1 : 4;
}

/* [dirs][gates * hidden][depth] to [dirs][depth][hidden][places] */
static struct joule_operand pack(const struct joule_tensor *t, const struct joule_recurrent *r,
				 int64_t depth, struct joule_binder *b)
{
	size_t each = joule_dtype_bits(t->dtype) / 8;
	int64_t n = r->hidden;
	struct joule_operand operand;
	const char *src = t->data;
	void *dst;

	operand = joule_bind_const(b, (size_t)(r->dirs * depth * n * places(r)) * each, &dst);
	for (int64_t row = 0; dst && row < r->dirs * r->gates * n; row++) {
		int64_t dir = row / (r->gates * n), g = row / n % r->gates, j = row % n;

		for (int64_t k = 0; k < depth; k++)
			memcpy((char *)dst +
				       (size_t)(((dir * depth + k) * n + j) * places(r) + g) * each,
			       src + (size_t)(row * depth + k) * each, each);
	}
	return operand;
}

static struct joule_operand project(const struct joule_recurrent *r, struct joule_operand weight,
				    const char *dtype, struct joule_binder *b)
{
	int64_t rows = r->steps * r->batch, columns = r->hidden * places(r);
	struct joule_operand out =
		joule_bind_scratch(b, (uint64_t)(r->dirs * rows * columns) * sizeof(float));
	struct joule_dispatch *d = joule_bind(b, "recurrent_input_%s", dtype);

	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, weight);
	joule_bind_write(d, out);
	joule_bind_u32(d, (uint32_t)rows);
	joule_bind_u32(d, (uint32_t)columns);
	joule_bind_u32(d, (uint32_t)r->input);
	joule_bind_local(d, 32, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(columns, 32), (uint64_t)JOULE_DIV_UP(rows, 4),
			  (uint64_t)r->dirs);
	return out;
}

static uint32_t flags_of(const struct joule_node *node, const struct joule_recurrent *r)
{
	static const struct {
		int in, flag;
	} inputs[] = { { 3, HAS_B }, { 4, HAS_LENS }, { 5, HAS_H0 }, { 6, HAS_C0 }, { 7, HAS_P } };
	static const int outputs[] = { HAS_Y, HAS_YH, HAS_YC };
	const struct joule_recurrent_attrs *a = r->attrs;
	bool option = r->kind == JOULE_LSTM ? a->input_forget : a->linear_before_reset;
	int flags = 0;

	for (size_t i = 0; i < JOULE_ARRAY_LEN(inputs); i++)
		if (joule_node_in(node, inputs[i].in))
			flags |= inputs[i].flag;
	for (int i = 0; i < 3; i++)
		if (joule_node_out(node, i))
			flags |= outputs[i];
	if (joule_tensor_is_const(node->in[1]))
		flags |= W_PACKED;
	if (joule_tensor_is_const(node->in[2]))
		flags |= R_PACKED;
	/* Few rows are not worth a launch of their own. */
	if ((flags & W_PACKED) && r->steps * r->batch >= 4)
		flags |= PROJECTED;
	return (uint32_t)(flags | (r->reverse ? REVERSE : 0) | (r->batch_first ? BATCH_FIRST : 0) |
			  (option ? OPTION : 0));
}

static void bind_activations(const struct joule_recurrent *r, struct joule_dispatch *d)
{
	for (int dir = 0; dir < 2; dir++) {
		uint32_t codes = 0;

		for (int k = 0; k < 3; k++)
			codes |= (uint32_t)r->attrs->activation[dir % r->dirs][k].code << (8 * k);
		joule_bind_spec(d, codes);
	}
	for (int i = 0; i < 6; i++) {
		const struct joule_ew_step *s = &r->attrs->activation[i / 3 % r->dirs][i % 3];

		joule_bind_spec_f32(d, s->p);
		joule_bind_spec_f32(d, s->q);
	}
}

/* An operand that is there, or any other that stands in for it. */
static void bind_optional(struct joule_dispatch *d, const struct joule_node *node, int i)
{
	joule_bind_read(d, JOULE_IN((uint16_t)(joule_node_in(node, i) ? i : 0)));
}

static void bind_output(struct joule_dispatch *d, const struct joule_node *node, int i, int any)
{
	joule_bind_write(d, JOULE_OUT((uint16_t)(joule_node_out(node, i) ? i : any)));
}

static const char *check(const struct joule_node *node, const struct joule_recurrent *r,
			 struct joule_binder *b)
{
	static const char *const names[] = { "rnn", "gru", "lstm" };
	int arrays = r->kind == JOULE_GRU ? 5 : 3;

	if (r->hidden * arrays * (int64_t)sizeof(float) > b->caps->shared_bytes) {
		joule_bind_refuse(b, "hidden size %lld does not fit into shared memory",
				  (long long)r->hidden);
		return NULL;
	}
	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] && i != 4 && !joule_bind_float(b, node->in[i]))
			return NULL;
	return names[r->kind];
}

int joule_recurrent_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]), *name;
	struct joule_operand w = JOULE_IN(1), rec = JOULE_IN(2), xw = JOULE_IN(0);
	struct joule_recurrent r;
	struct joule_dispatch *d;
	uint32_t flags, local;
	int ret, any = 0;

	if (!dtype)
		return b->err;
	ret = joule_recurrent_resolve(node, &r);
	if (ret)
		return ret;
	name = check(node, &r, b);
	if (!name)
		return b->err;
	flags = flags_of(node, &r);
	while (any < node->n_out && !node->out[any])
		any++;
	if (any == node->n_out || !r.batch || !r.hidden)
		return joule_bind_end(b);
	if (flags & W_PACKED)
		w = pack(node->in[1], &r, r.input, b);
	if (flags & R_PACKED)
		rec = pack(node->in[2], &r, r.hidden, b);
	if (flags & PROJECTED)
		xw = project(&r, w, dtype, b);
	d = joule_bind(b, "recurrent_%s_%s", name, dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, w);
	joule_bind_read(d, rec);
	for (int i = 3; i < 8; i++)
		bind_optional(d, node, i);
	for (int i = 0; i < 3; i++)
		bind_output(d, node, i, any);
	joule_bind_read(d, xw);
	joule_bind_u32(d, (uint32_t)r.steps);
	joule_bind_u32(d, (uint32_t)r.batch);
	joule_bind_u32(d, (uint32_t)r.input);
	joule_bind_spec(d, (uint32_t)r.hidden);
	joule_bind_spec(d, flags);
	joule_bind_spec_f32(d, r.attrs->clip);
	bind_activations(&r, d);
	local = (uint32_t)JOULE_MIN(JOULE_ALIGN_UP(r.hidden, 8), 128);
	joule_bind_local(d, JOULE_MIN(local, b->caps->max_local[0]), 1, 1);
	joule_bind_groups(d, (uint64_t)r.batch, (uint64_t)r.dirs, 1);
	return joule_bind_end(b);
}
