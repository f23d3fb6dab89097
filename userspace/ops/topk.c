// SPDX-License-Identifier: MIT
/*
 * TopK: the k largest (or smallest) along an axis, best first; of equal ones
 * the first. NaNs count as larger than anything.
 */
#include <errno.h>
#include <stdlib.h>

#include "ops/move.h"

struct topk {
	int64_t axis, k, largest, sorted;
};

static int read_k(const struct joule_node *node, int64_t *k)
{
	const struct topk *a = node->attrs;

	*k = a->k;
	return node->op->since < 10 ? 0 : joule_node_int(node, 1, k);
}

static int topk_infer(struct joule_node *node)
{
	const struct topk *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = { .rank = -1 };
	int axis = joule_node_axis(node, a->axis, x->shape.rank), ret;
	int64_t k;

	joule_set_out(node, 0, x->dtype, &s);
	joule_set_out(node, 1, JOULE_I64, &s);
	if (axis < 0)
		return axis;
	ret = read_k(node, &k);
	if (ret)
		return ret == -ENODATA ? 1 : ret;
	s = x->shape;
	if (k < 0 || k > s.dims[axis])
		return joule_node_err(node, -EINVAL, "k is %lld, axis %d has %lld", (long long)k,
				      axis, (long long)s.dims[axis]);
	s.dims[axis] = k;
	joule_set_out(node, 0, x->dtype, &s);
	joule_set_out(node, 1, JOULE_I64, &s);
	return 0;
}

struct line {
	const struct joule_tensor *x;
	int64_t base, stride;
	bool largest;
};

static int better_first(const void *p, const void *q, void *arg)
{
	const struct line *l = arg;
	int64_t i = *(const int64_t *)p, j = *(const int64_t *)q;
	int64_t at = l->base + i * l->stride, bt = l->base + j * l->stride;
	int c;

	if (joule_dtype_is_float(l->x->dtype)) {
		double a = joule_get_f64(l->x->dtype, l->x->data, at);
		double b = joule_get_f64(l->x->dtype, l->x->data, bt);

		c = a != a || b != b ? (a != a) - (b != b) : (a > b) - (a < b);
	} else {
		int64_t a = joule_get_i64(l->x->dtype, l->x->data, at);
		int64_t b = joule_get_i64(l->x->dtype, l->x->data, bt);

		c = l->x->dtype == JOULE_U64 ?
			    ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b) :
			    (a > b) - (a < b);
	}
	c = l->largest ? -c : c;
	return c ? c : (i > j) - (i < j);
}

static struct joule_lines lines_of(const struct joule_node *node)
{
	const struct topk *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;

	return joule_lines_of(x, (int)(a->axis < 0 ? a->axis + x->rank : a->axis));
}

static int topk_ref(struct joule_node *node)
{
	const struct topk *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *values = node->out[0], *indices = joule_node_out(node, 1);
	struct joule_lines l = lines_of(node);
	int64_t *order = calloc(l.n ? (size_t)l.n : 1, sizeof(*order)), k;
	int ret = read_k(node, &k);

	if (!order)
		ret = joule_node_err(node, -ENOMEM, "no memory");
	for (int64_t o = 0; !ret && o < l.outer * l.inner; o++) {
		int64_t outer = o / l.inner, i = o % l.inner;
		struct line line = { x, outer * l.n * l.inner + i, l.inner, a->largest };

		for (int64_t j = 0; j < l.n; j++)
			order[j] = j;
		qsort_r(order, (size_t)l.n, sizeof(*order), better_first, &line);
		for (int64_t j = 0; j < k; j++) {
			int64_t at = (outer * k + j) * l.inner + i;

			if (values)
				joule_move(x->dtype, values->data, at, x->data,
					   line.base + order[j] * l.inner);
			if (indices)
				((int64_t *)indices->data)[at] = order[j];
		}
	}
	free(order);
	return ret;
}

static int topk_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct topk *a = node->attrs;
	const char *dtype = joule_bind_float(b, node->in[0]);
	struct joule_lines l = lines_of(node);
	int64_t lines = l.outer * l.inner, k;
	struct joule_operand indices;
	struct joule_dispatch *d;
	bool pick;
	int ret = read_k(node, &k);

	if (ret == -ENODATA)
		return joule_bind_refuse(b, "k is not known");
	if (ret)
		return ret;
	if (!dtype || !lines || !k)
		return joule_bind_end(b);
	if (!node->out[0])
		return joule_bind_refuse(b, "the values are not asked for");
	if (joule_node_out(node, 1))
		indices = JOULE_OUT(1);
	else
		indices = joule_bind_scratch(b, (uint64_t)(lines * k) * 8);
	/*
	 * Either a workgroup goes through its line once for each of the k, or
	 * each element counts those that are better. 1024 stands for what the
	 * barriers of one round cost.
	 */
	pick = k < l.n && k * (l.n + 1024) < l.n * l.n && lines <= b->caps->max_groups[0];
	d = joule_bind(b, "topk_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_write(d, indices);
	joule_bind_u32(d, (uint32_t)(lines * l.n));
	joule_bind_u32(d, (uint32_t)l.n);
	joule_bind_u32(d, joule_magic((uint32_t)l.n));
	joule_bind_u32(d, (uint32_t)l.inner);
	joule_bind_u32(d, joule_magic((uint32_t)l.inner));
	joule_bind_u32(d, (uint32_t)k);
	joule_bind_spec(d, pick);
	joule_bind_spec(d, a->largest != 0);
	if (pick) {
		joule_bind_local(d, 64, 1, 1);
		joule_bind_groups(d, (uint64_t)lines, 1, 1);
	} else {
		joule_bind_grid(b, d, 64, (uint64_t)(lines * l.n));
	}
	return joule_bind_end(b);
}

static const struct joule_attr topk1[] = {
	JOULE_A_INT(struct topk, axis, -1),
	{ .name = "k", .type = JOULE_ATTR_INT, .offset = offsetof(struct topk, k), .required = true },
	{ 0 },
};
static const struct joule_attr topk10[] = { JOULE_A_INT(struct topk, axis, -1), { 0 } };
static const struct joule_attr topk11[] = {
	JOULE_A_INT(struct topk, axis, -1),
	JOULE_A_INT(struct topk, largest, 1),
	JOULE_A_INT(struct topk, sorted, 1),
	{ 0 },
};

/* Before there was the choice it was the largest. */
static int topk_prepare(struct joule_node *node)
{
	struct topk *a = node->attrs;

	a->largest = 1;
	return 0;
}

#define TOPK .name = "TopK", .min_out = 2, .max_out = 2, .attrs_bytes = sizeof(struct topk), \
	.infer = topk_infer, .ref = topk_ref, .bind = topk_bind

JOULE_OPS(topk) = {
	{ TOPK, .since = 1, .until = 9, .min_in = 1, .max_in = 1, .attrs = topk1,
	  .prepare = topk_prepare },
	{ TOPK, .since = 10, .until = 10, .min_in = 2, .max_in = 2, .attrs = topk10,
	  .prepare = topk_prepare },
	{ TOPK, .since = 11, .min_in = 2, .max_in = 2, .attrs = topk11 },
	JOULE_OPS_END,
};
