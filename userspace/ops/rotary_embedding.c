// SPDX-License-Identifier: MIT
/* RotaryEmbedding: rotates pairs of each head's columns by cached angles. */
#include <errno.h>

#include "ops/common.h"

struct rotary {
	int64_t interleaved, num_heads, rotary_embedding_dim;
};

/* x as [batch, sequence, heads, size] with strides; caches [rows, half]. */
struct geometry {
	int64_t batch, rows, heads, size, rotated;
	int64_t head_stride, row_stride; /* of x and y, which are alike */
	int64_t cache_rows;
};

static int resolve(const struct joule_node *node, struct geometry *g)
{
	const struct joule_shape *x = &node->in[0]->shape, *c = &node->in[1]->shape;
	const struct joule_tensor *ids = joule_node_in(node, 3);
	const struct rotary *a = node->attrs;
	char s[128], t[128];
	int rank = ids ? 2 : 3;

	if (x->rank == 4)
		*g = (struct geometry){ .batch = x->dims[0], .rows = x->dims[2],
					.heads = x->dims[1], .size = x->dims[3] };
	else if (x->rank == 3 && a->num_heads > 0 && x->dims[2] % a->num_heads == 0)
		*g = (struct geometry){ .batch = x->dims[0], .rows = x->dims[1],
					.heads = a->num_heads, .size = x->dims[2] / a->num_heads };
	else
		return joule_node_err(node, -EINVAL, "input %s does not split into %lld heads",
				      joule_shape_str(x, s, sizeof(s)), (long long)a->num_heads);
	g->head_stride = x->rank == 4 ? g->rows * g->size : g->size;
	g->row_stride = x->rank == 4 ? g->size : g->heads * g->size;
	g->rotated = a->rotary_embedding_dim ? a->rotary_embedding_dim : g->size;
	if (g->rotated < 0 || g->rotated > g->size || g->rotated % 2)
		return joule_node_err(node, -EINVAL, "cannot rotate %lld of %lld columns",
				      (long long)g->rotated, (long long)g->size);
	if (!joule_shape_equal(c, &node->in[2]->shape) || c->rank != rank ||
	    c->dims[rank - 1] != g->rotated / 2 ||
	    (!ids && (c->dims[0] != g->batch || c->dims[1] != g->rows)))
		return joule_node_err(node, -EINVAL, "caches %s and %s do not fit input %s",
				      joule_shape_str(c, s, sizeof(s)),
				      joule_shape_str(&node->in[2]->shape, t, sizeof(t)),
				      node->in[0]->name);
	if (ids && (ids->dtype != JOULE_I64 || ids->shape.rank != 2 ||
		    ids->shape.dims[0] != g->batch || ids->shape.dims[1] != g->rows))
		return joule_node_err(node, -EINVAL, "position_ids %s do not fit input %s",
				      joule_shape_str(&ids->shape, s, sizeof(s)),
				      node->in[0]->name);
	g->cache_rows = ids ? c->dims[0] : g->batch * g->rows;
	return 0;
}

static int rotary_infer(struct joule_node *node)
{
	struct geometry g;

	for (int i = 0; i < 3; i++)
		if (!joule_dtype_is_float(node->in[i]->dtype) ||
		    node->in[i]->dtype != node->in[0]->dtype)
			return joule_err_dtype(node, node->in[i]);
	return joule_infer_same(node) ? -EINVAL : resolve(node, &g);
}

static int rotary_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *cs = node->in[1], *sn = node->in[2];
	const struct joule_tensor *ids = joule_node_in(node, 3);
	const struct rotary *a = node->attrs;
	struct joule_tensor *y = node->out[0];
	struct geometry g;
	int ret = resolve(node, &g);

	if (ret)
		return ret;
	for (int64_t i = 0; i < joule_tensor_count(y); i++) {
		int64_t d = i % g.size, b = i / (g.rows * g.heads * g.size);
		int64_t row = i % (g.rows * g.heads * g.size) / g.row_stride % g.rows;
		int64_t half = g.rotated / 2, line = b * g.rows + row, pair, other;
		double v = joule_get_f64(x->dtype, x->data, i), c, s, w;
		bool second;

		if (ids)
			line = ((const int64_t *)ids->data)[line];
		if (line < 0 || line >= g.cache_rows)
			return joule_node_err(node, -EINVAL, "position %lld is outside the caches",
					      (long long)line);
		if (d < g.rotated) {
			second = a->interleaved ? d & 1 : d >= half;
			pair = a->interleaved ? d / 2 : d % half;
			other = a->interleaved ? i + (second ? -1 : 1) : i + (second ? -half : half);
			c = joule_get_f64(cs->dtype, cs->data, line * half + pair);
			s = joule_get_f64(sn->dtype, sn->data, line * half + pair);
			w = joule_get_f64(x->dtype, x->data, other);
			v = second ? s * w + c * v : c * v - s * w;
		}
		joule_set_f64(y->dtype, y->data, i, v);
	}
	return 0;
}

static int rotary_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	const struct joule_tensor *ids = joule_node_in(node, 3);
	const struct rotary *a = node->attrs;
	int64_t n = joule_tensor_count(node->out[0]);
	struct joule_dispatch *d;
	struct geometry g;
	int ret;

	if (!dtype)
		return b->err;
	ret = resolve(node, &g);
	if (ret)
		return ret;
	if (!n)
		return joule_bind_end(b);
	d = joule_bind(b, "rotary_embedding_%s", dtype);
	for (int i = 0; i < 3; i++)
		joule_bind_read(d, JOULE_IN((uint16_t)i));
	joule_bind_read(d, JOULE_IN(ids ? 3 : 0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)g.rows);
	joule_bind_u32(d, (uint32_t)g.heads);
	joule_bind_u32(d, (uint32_t)g.size);
	joule_bind_u32(d, (uint32_t)g.rotated);
	joule_bind_u32(d, (uint32_t)g.row_stride);
	joule_bind_u32(d, (uint32_t)g.cache_rows);
	joule_bind_spec(d, ids != NULL);
	joule_bind_spec(d, a->interleaved != 0);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = {
	JOULE_A_INT(struct rotary, interleaved, 0),
	JOULE_A_INT(struct rotary, num_heads, 0),
	JOULE_A_INT(struct rotary, rotary_embedding_dim, 0),
	{ 0 },
};

JOULE_OPS(rotary_embedding) = {
	{
		.name = "RotaryEmbedding", .since = 23, .min_in = 3, .max_in = 4, .min_out = 1,
		.max_out = 1, .attrs_bytes = sizeof(struct rotary), .attrs = attrs,
		.infer = rotary_infer, .ref = rotary_ref, .bind = rotary_bind,
	},
	JOULE_OPS_END,
};
