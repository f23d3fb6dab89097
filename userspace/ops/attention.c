// SPDX-License-Identifier: MIT
/* Attention (opset 23 and on): shapes, attributes, reference. */
#include "ops/attention.h"

#include <errno.h>
#include <stdlib.h>

#include "ops/common.h"

static int bad_shape(const struct joule_node *node, int i)
{
	char s[128];

	return joule_node_err(node, -EINVAL, "input %s %s does not fit the others",
			      node->in[i]->name,
			      joule_shape_str(&node->in[i]->shape, s, sizeof(s)));
}

/* A 3-D [batch, sequence, heads * size] or 4-D [batch, heads, sequence, size] operand. */
static int split(const struct joule_node *node, int i, int64_t want_heads, int64_t *heads,
		 int64_t *rows, int64_t *size, struct joule_heads *strides)
{
	const struct joule_shape *s = &node->in[i]->shape;

	if (s->rank == 4) {
		*heads = s->dims[1];
		*rows = s->dims[2];
		*size = s->dims[3];
		*strides = (struct joule_heads){ *heads * *rows * *size, *rows * *size, *size };
	} else if (s->rank == 3) {
		if (want_heads < 1 || s->dims[2] % want_heads)
			return joule_node_err(node, -EINVAL, "%lld columns of %s in %lld heads",
					      (long long)s->dims[2], node->in[i]->name,
					      (long long)want_heads);
		*heads = want_heads;
		*rows = s->dims[1];
		*size = s->dims[2] / want_heads;
		*strides = (struct joule_heads){ *rows * s->dims[2], *size, s->dims[2] };
	} else {
		return bad_shape(node, i);
	}
	return 0;
}

static struct joule_heads dense(int64_t heads, int64_t rows, int64_t size)
{
	return (struct joule_heads){ heads * rows * size, rows * size, size };
}

/* Past keys or values: [batch, kv heads, past, size]. */
static int check_past(const struct joule_node *node, int i, const struct joule_attention *a,
		      int64_t size)
{
	const struct joule_tensor *t = joule_node_in(node, i);

	if (!t)
		return a->past ? joule_node_err(node, -EINVAL, "past keys or values are missing") : 0;
	if (t->shape.rank != 4 || t->shape.dims[0] != a->batch ||
	    t->shape.dims[1] != a->kv_heads || t->shape.dims[2] != a->past ||
	    t->shape.dims[3] != size)
		return bad_shape(node, i);
	return 0;
}

static int resolve_mask(const struct joule_node *node, struct joule_attention *a)
{
	const struct joule_tensor *t = joule_node_in(node, JOULE_ATTN_MASK);
	const struct joule_shape *s;
	int64_t dims[4] = { 1, 1, 1, 1 }, want[3] = { a->batch, a->heads, a->rows };

	if (!t)
		return 0;
	s = &t->shape;
	if (s->rank < 1 || s->rank > 4)
		return bad_shape(node, JOULE_ATTN_MASK);
	for (int i = 0; i < s->rank; i++)
		dims[4 - s->rank + i] = s->dims[i];
	/* With padding lengths, three dimensions begin with the batch, not the heads. */
	if (s->rank == 3 && joule_node_in(node, JOULE_ATTN_NONPAD)) {
		dims[0] = dims[1];
		dims[1] = 1;
	}
	for (int i = 0; i < 3; i++)
		if (dims[i] != 1 && dims[i] != want[i])
			return bad_shape(node, JOULE_ATTN_MASK);
	if (dims[3] > joule_attention_keys(a))
		return bad_shape(node, JOULE_ATTN_MASK);
	a->mask_row_len = dims[3];
	a->mask.row = dims[2] == 1 ? 0 : dims[3];
	a->mask.head = dims[1] == 1 ? 0 : dims[2] * dims[3];
	a->mask.batch = dims[0] == 1 ? 0 : dims[1] * dims[2] * dims[3];
	return 0;
}

int joule_attention_resolve(const struct joule_node *node, struct joule_attention *a)
{
	const struct joule_attention_attrs *attrs = node->attrs;
	const struct joule_tensor *past = joule_node_in(node, JOULE_ATTN_PAST_K);
	const struct joule_tensor *nonpad = joule_node_in(node, JOULE_ATTN_NONPAD);
	int64_t k_heads, v_heads, v_rows, k_depth;
	int ret;

	*a = (struct joule_attention){ .attrs = attrs, .batch = node->in[0]->shape.dims[0] };
	ret = split(node, JOULE_ATTN_Q, attrs->q_num_heads, &a->heads, &a->rows, &a->depth, &a->q);
	if (!ret)
		ret = split(node, JOULE_ATTN_K, attrs->kv_num_heads, &k_heads, &a->current,
			    &k_depth, &a->k);
	if (!ret)
		ret = split(node, JOULE_ATTN_V, attrs->kv_num_heads, &v_heads, &v_rows,
			    &a->v_depth, &a->v);
	if (ret)
		return ret;
	a->four_d = node->in[0]->shape.rank == 4;
	a->kv_heads = k_heads;
	for (int i = 1; i < 3; i++)
		if (node->in[i]->shape.rank != node->in[0]->shape.rank ||
		    node->in[i]->shape.dims[0] != a->batch)
			return bad_shape(node, i);
	if (k_depth != a->depth || k_heads < 1 || a->heads % k_heads)
		return bad_shape(node, JOULE_ATTN_K);
	if (v_heads != k_heads || v_rows != a->current)
		return bad_shape(node, JOULE_ATTN_V);
	a->group = a->heads / k_heads;
	a->past = past && past->shape.rank == 4 ? past->shape.dims[2] : 0;
	ret = check_past(node, JOULE_ATTN_PAST_K, a, a->depth);
	if (!ret)
		ret = check_past(node, JOULE_ATTN_PAST_V, a, a->v_depth);
	if (!ret)
		ret = resolve_mask(node, a);
	if (ret)
		return ret;
	if (nonpad && (nonpad->dtype != JOULE_I64 || joule_tensor_count(nonpad) != a->batch))
		return bad_shape(node, JOULE_ATTN_NONPAD);
	a->past_k = dense(a->kv_heads, a->past, a->depth);
	a->past_v = dense(a->kv_heads, a->past, a->v_depth);
	a->present_k = dense(a->kv_heads, joule_attention_keys(a), a->depth);
	a->present_v = dense(a->kv_heads, joule_attention_keys(a), a->v_depth);
	a->y = a->four_d ? dense(a->heads, a->rows, a->v_depth) :
			   (struct joule_heads){ a->rows * a->heads * a->v_depth, a->v_depth,
						 a->heads * a->v_depth };
	a->scale = isnan(attrs->scale) ? 1 / sqrt((double)a->depth) : (double)attrs->scale;
	return 0;
}

static int attention_prepare(struct joule_node *node)
{
	const struct joule_attention_attrs *a = node->attrs;

	if (a->qk_matmul_output_mode < 0 || a->qk_matmul_output_mode > JOULE_QK_SOFTMAX)
		return joule_node_err(node, -EINVAL, "qk_matmul_output_mode is %lld",
				      (long long)a->qk_matmul_output_mode);
	if (a->local_window_size != -1 && a->local_window_size < 1)
		return joule_node_err(node, -EINVAL, "local_window_size is %lld",
				      (long long)a->local_window_size);
	return 0;
}

static int attention_infer(struct joule_node *node)
{
	const struct joule_tensor *mask = joule_node_in(node, JOULE_ATTN_MASK);
	enum joule_dtype dtype = node->in[0]->dtype;
	struct joule_shape y = node->in[0]->shape;
	struct joule_attention a;
	int ret;

	if (!joule_dtype_is_float(dtype) || node->in[1]->dtype != dtype)
		return joule_err_dtype(node, node->in[1]);
	if (mask && mask->dtype != JOULE_BOOL && !joule_dtype_is_float(mask->dtype))
		return joule_err_dtype(node, mask);
	ret = joule_attention_resolve(node, &a);
	if (ret)
		return ret;
	y.dims[y.rank - 1] = a.four_d ? a.v_depth : a.heads * a.v_depth;
	joule_set_out(node, JOULE_ATTN_Y, dtype, &y);
	joule_set_out(node, JOULE_ATTN_PRESENT_K, node->in[1]->dtype,
		      &(struct joule_shape){ 4, { a.batch, a.kv_heads, joule_attention_keys(&a),
						  a.depth } });
	joule_set_out(node, JOULE_ATTN_PRESENT_V, node->in[2]->dtype,
		      &(struct joule_shape){ 4, { a.batch, a.kv_heads, joule_attention_keys(&a),
						  a.v_depth } });
	joule_set_out(node, JOULE_ATTN_QK, dtype,
		      &(struct joule_shape){ 4, { a.batch, a.heads, a.rows,
						  joule_attention_keys(&a) } });
	return 0;
}

/* ---- reference ---- */

/* [batch][kv heads][past + current][size] of keys or values, in double. */
static double *join(const struct joule_node *node, const struct joule_attention *a, bool values)
{
	const struct joule_tensor *now = node->in[values ? JOULE_ATTN_V : JOULE_ATTN_K];
	const struct joule_tensor *past =
		joule_node_in(node, values ? JOULE_ATTN_PAST_V : JOULE_ATTN_PAST_K);
	const struct joule_heads *s = values ? &a->v : &a->k, *p = values ? &a->past_v : &a->past_k;
	int64_t size = values ? a->v_depth : a->depth, keys = joule_attention_keys(a);
	int64_t n = a->batch * a->kv_heads * keys * size;
	double *out = calloc((size_t)n + 1, sizeof(*out));

	for (int64_t i = 0; out && i < n; i++) {
		int64_t d = i % size, j = i / size % keys, h = i / size / keys % a->kv_heads;
		int64_t b = i / size / keys / a->kv_heads;

		out[i] = j < a->past ? joule_get_f64(past->dtype, past->data, b * p->batch + h * p->head + j * p->row + d) :
				       joule_get_f64(now->dtype, now->data, b * s->batch + h * s->head + (j - a->past) * s->row + d);
	}
	return out;
}

static void put_all(struct joule_tensor *t, const double *v)
{
	for (int64_t i = 0; t && i < joule_tensor_count(t); i++)
		joule_set_f64(t->dtype, t->data, i, v[i]);
}

/* What the mask adds to a score: -INFINITY where the key is not to be seen. */
static double mask_at(const struct joule_tensor *t, const struct joule_attention *a, int64_t b,
		      int64_t h, int64_t i, int64_t j)
{
	int64_t at = b * a->mask.batch + h * a->mask.head + i * a->mask.row + j;

	if (!t)
		return 0;
	if (j >= a->mask_row_len)
		return -INFINITY;
	if (t->dtype == JOULE_BOOL)
		return ((const uint8_t *)t->data)[at] ? 0 : -INFINITY;
	return joule_get_f64(t->dtype, t->data, at);
}

/* Row of probabilities from a row of scores; all zero when every key is masked. */
static void softmax(double *s, int64_t n)
{
	double max = -INFINITY, sum = 0;

	for (int64_t j = 0; j < n; j++)
		max = s[j] > max || isnan(s[j]) ? s[j] : max;
	for (int64_t j = 0; j < n; j++) {
		s[j] = max == -INFINITY ? 0 : exp(s[j] - max);
		sum += s[j];
	}
	for (int64_t j = 0; j < n && sum != 0; j++)
		s[j] /= sum;
}

struct row {
	int64_t b, h, i;
	const double *q, *k, *v; /* this row's query, this head's keys and values */
	double *s;               /* scores */
};

static void put_scores(struct joule_node *node, const struct joule_attention *a,
		       const struct row *r, enum joule_qk_mode mode)
{
	struct joule_tensor *t = joule_node_out(node, JOULE_ATTN_QK);
	int64_t keys = joule_attention_keys(a);
	int64_t at = ((r->b * a->heads + r->h) * a->rows + r->i) * keys;

	if (!t || a->attrs->qk_matmul_output_mode != (int64_t)mode)
		return;
	for (int64_t j = 0; j < keys; j++)
		joule_set_f64(t->dtype, t->data, at + j, r->s[j]);
}

static void ref_row(struct joule_node *node, const struct joule_attention *a, const struct row *r)
{
	const struct joule_tensor *mask = joule_node_in(node, JOULE_ATTN_MASK);
	const struct joule_tensor *nonpad = joule_node_in(node, JOULE_ATTN_NONPAD);
	struct joule_tensor *y = node->out[0];
	int64_t keys = joule_attention_keys(a), lo, hi;
	double cap = (double)a->attrs->softcap;

	for (int64_t j = 0; j < keys; j++) {
		r->s[j] = 0;
		for (int64_t d = 0; d < a->depth; d++)
			r->s[j] += r->q[d] * r->k[j * a->depth + d];
		r->s[j] *= a->scale;
	}
	put_scores(node, a, r, JOULE_QK_RAW);
	for (int64_t j = 0; cap > 0 && j < keys; j++)
		r->s[j] = cap * tanh(r->s[j] / cap);
	put_scores(node, a, r, JOULE_QK_CAPPED);
	joule_attention_range(a, r->i, nonpad ? ((const int64_t *)nonpad->data)[r->b] : -1, &lo,
			      &hi);
	for (int64_t j = 0; j < keys; j++) {
		double m = j < lo || j >= hi ? -INFINITY : mask_at(mask, a, r->b, r->h, r->i, j);

		/* A masked score does not count even if it is NaN. */
		r->s[j] = m == -INFINITY ? m : r->s[j] + m;
	}
	put_scores(node, a, r, JOULE_QK_BIASED);
	softmax(r->s, keys);
	put_scores(node, a, r, JOULE_QK_SOFTMAX);
	for (int64_t d = 0; d < a->v_depth; d++) {
		double sum = 0;

		for (int64_t j = lo; j < hi; j++)
			sum += r->s[j] * r->v[j * a->v_depth + d];
		joule_set_f64(y->dtype, y->data,
			      r->b * a->y.batch + r->h * a->y.head + r->i * a->y.row + d, sum);
	}
}

static int attention_ref(struct joule_node *node)
{
	const struct joule_tensor *tq = node->in[0];
	struct joule_attention a;
	int ret = joule_attention_resolve(node, &a);
	double *k, *v, *s, *q;
	int64_t keys;

	if (ret)
		return ret;
	keys = joule_attention_keys(&a);
	k = join(node, &a, false);
	v = join(node, &a, true);
	q = calloc((size_t)(a.depth + keys) + 1, sizeof(*q));
	s = q ? q + a.depth : NULL;
	for (int64_t n = 0; k && v && q && n < a.batch * a.heads * a.rows; n++) {
		struct row r = { .b = n / a.rows / a.heads, .h = n / a.rows % a.heads,
				 .i = n % a.rows, .q = q, .s = s };
		int64_t head = r.b * a.kv_heads + r.h / a.group;

		r.k = k + head * keys * a.depth;
		r.v = v + head * keys * a.v_depth;
		for (int64_t d = 0; d < a.depth; d++)
			q[d] = joule_get_f64(tq->dtype, tq->data, r.b * a.q.batch + r.h * a.q.head +
								  r.i * a.q.row + d);
		ref_row(node, &a, &r);
	}
	ret = k && v && q ? 0 : joule_node_err(node, -ENOMEM, "no memory for the reference");
	if (!ret) {
		put_all(joule_node_out(node, JOULE_ATTN_PRESENT_K), k);
		put_all(joule_node_out(node, JOULE_ATTN_PRESENT_V), v);
	}
	free(k);
	free(v);
	free(q);
	return ret;
}

static void attention_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct joule_attention a;

	if (!joule_attention_resolve(node, &a))
		cost->macs = a.batch * a.heads * a.rows * joule_attention_keys(&a) *
			     (a.depth + a.v_depth);
}

#define ST struct joule_attention_attrs
static const struct joule_attr attrs[] = {
	JOULE_A_INT(ST, is_causal, 0),
	JOULE_A_INT(ST, q_num_heads, 0),
	JOULE_A_INT(ST, kv_num_heads, 0),
	JOULE_A_INT(ST, qk_matmul_output_mode, 0),
	JOULE_A_INT(ST, softmax_precision, 0),
	JOULE_A_INT(ST, local_window_size, -1),
	JOULE_A_FLOAT(ST, scale, NAN),
	JOULE_A_FLOAT(ST, softcap, 0),
	{ 0 },
};

JOULE_OPS(attention) = {
	{
		.name = "Attention", .since = 23, .min_in = 3, .max_in = 7, .min_out = 1,
		.max_out = 4, .attrs_bytes = sizeof(ST), .attrs = attrs,
		.prepare = attention_prepare, .infer = attention_infer, .ref = attention_ref,
		.bind = joule_attention_bind, .cost = attention_cost,
	},
	JOULE_OPS_END,
};
