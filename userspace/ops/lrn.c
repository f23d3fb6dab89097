// SPDX-License-Identifier: MIT
/* LRN: each element over its neighbours' energy across channels. */
#include <errno.h>
#include <math.h>

#include "ops/common.h"
#include "ops/move.h"
#include "ops/walk.h"

struct lrn {
	float alpha, beta, bias;
	int64_t size;
};

static int lrn_infer(struct joule_node *node)
{
	const struct lrn *a = node->attrs;

	if (!joule_dtype_is_float(node->in[0]->dtype))
		return joule_err_dtype(node, node->in[0]);
	if (node->in[0]->shape.rank < 2)
		return joule_node_err(node, -EINVAL, "input of rank %d has no channels",
				      node->in[0]->shape.rank);
	if (a->size < 1 || a->size > 1 << 20)
		return joule_node_err(node, -EINVAL, "size is %lld", (long long)a->size);
	return joule_infer_same(node);
}

static int lrn_ref(struct joule_node *node)
{
	struct joule_lines l = joule_lines_of(&node->in[0]->shape, 1);
	const struct joule_tensor *x = node->in[0];
	const struct lrn *a = node->attrs;
	int64_t below = (a->size - 1) / 2, above = a->size / 2;
	int64_t count = joule_tensor_count(x);

	for (int64_t at = 0; at < count; at++) {
		int64_t c = at / l.inner % l.n;
		int64_t from = JOULE_MAX(c - below, 0), to = JOULE_MIN(c + above, l.n - 1);
		double sum = 0;

		for (int64_t k = from; k <= to; k++) {
			double v = joule_get_f64(x->dtype, x->data, at + (k - c) * l.inner);

			sum += v * v;
		}
		joule_set_f64(x->dtype, node->out[0]->data, at,
			      joule_get_f64(x->dtype, x->data, at) /
				      pow((double)a->bias +
						  (double)a->alpha / (double)a->size * sum,
					  (double)a->beta));
	}
	return 0;
}

static int lrn_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_lines l = joule_lines_of(&node->in[0]->shape, 1);
	const char *dtype = joule_bind_float(b, node->in[0]);
	const struct lrn *a = node->attrs;
	uint64_t count = (uint64_t)joule_tensor_count(node->in[0]);
	bool by_four = l.inner % 4 == 0;
	struct joule_dispatch *d;

	if (!dtype)
		return b->err;
	d = joule_bind(b, "lrn_%s%s", dtype,
		       node->in[0]->dtype == JOULE_F32 ? joule_bind_wide(b) : "");
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)count);
	joule_bind_u32(d, (uint32_t)JOULE_MAX(l.n, 1));
	joule_bind_u32(d, (uint32_t)JOULE_MAX(l.inner, 1));
	joule_bind_u32(d, (uint32_t)((a->size - 1) / 2));
	joule_bind_u32(d, (uint32_t)(a->size / 2));
	joule_bind_f32(d, a->alpha / (float)a->size);
	joule_bind_f32(d, a->beta);
	joule_bind_f32(d, a->bias);
	joule_bind_spec(d, by_four ? 4 : 1);
	joule_bind_grid(b, d, 64, JOULE_DIV_UP(count, by_four ? 4u : 1u));
	return joule_bind_end(b);
}

static const struct joule_attr lrn_attrs[] = {
	JOULE_A_FLOAT(struct lrn, alpha, 0.0001f),
	JOULE_A_FLOAT(struct lrn, beta, 0.75f),
	JOULE_A_FLOAT(struct lrn, bias, 1.0f),
	{ .name = "size", .type = JOULE_ATTR_INT, .offset = offsetof(struct lrn, size),
	  .required = true },
	{ 0 },
};

JOULE_OPS(lrn) = {
	{
		.name = "LRN", .since = 1, .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1,
		.attrs_bytes = sizeof(struct lrn), .attrs = lrn_attrs, .infer = lrn_infer,
		.ref = lrn_ref, .bind = lrn_bind,
	},
	JOULE_OPS_END,
};
