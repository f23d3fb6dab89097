// SPDX-License-Identifier: MIT
/* Gather: entries of an axis picked by index. */
#include <errno.h>

#include "ops/move.h"

struct gather {
	int64_t axis;
};

static int gather_infer(struct joule_node *node)
{
	const struct gather *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape, *idx = &node->in[1]->shape;
	int axis = joule_node_axis(node, a->axis, x->rank);
	struct joule_shape s = { .rank = x->rank + idx->rank - 1 };
	int n = 0;

	if (axis < 0)
		return axis;
	if (s.rank > JOULE_MAX_RANK)
		return joule_node_err(node, -ENOTSUP, "rank %d is more than %d", s.rank,
				      JOULE_MAX_RANK);
	if (!joule_dtype_is_int(node->in[1]->dtype))
		return joule_err_dtype(node, node->in[1]);
	for (int i = 0; i < axis; i++)
		s.dims[n++] = x->dims[i];
	for (int i = 0; i < idx->rank; i++)
		s.dims[n++] = idx->dims[i];
	for (int i = axis + 1; i < x->rank; i++)
		s.dims[n++] = x->dims[i];
	joule_set_out(node, 0, node->in[0]->dtype, &s);
	return 0;
}

static struct joule_lines lines_of(const struct joule_node *node)
{
	const struct gather *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;

	return joule_lines_of(x, (int)(a->axis < 0 ? a->axis + x->rank : a->axis));
}

static int gather_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *idx = node->in[1];
	struct joule_tensor *y = node->out[0];
	struct joule_lines l = lines_of(node);
	int64_t count = joule_tensor_count(idx), at = 0;

	if (!joule_tensor_count(y))
		return 0;
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t j = 0; j < count; j++, at += l.inner) {
			int64_t i = joule_node_index(node, idx, j, l.n);

			if (i < 0)
				return (int)i;
			joule_move_run(x->dtype, y->data, at, x->data, (o * l.n + i) * l.inner,
				       l.inner);
		}
	return 0;
}

static int gather_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *idx = node->in[1];
	unsigned int bytes = joule_bind_bytes(b, node->in[0]);
	unsigned int words = joule_bind_index_words(b, idx), unit;
	struct joule_lines l = lines_of(node);
	int64_t count = joule_tensor_count(idx), n = joule_tensor_count(node->out[0]);
	struct joule_dispatch *d;

	if (n > INT32_MAX)
		joule_bind_refuse(b, "2^31 elements or more");
	else if (n && !l.n)
		joule_bind_refuse(b, "nothing to gather from");
	if (b->err || !n)
		return joule_bind_end(b);
	unit = joule_move_unit(b, (uint64_t)l.inner * bytes);
	l.inner = l.inner * bytes / unit;
	n = l.outer * count * l.inner;
	d = joule_bind(b, "gather_%u", unit);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)l.inner);
	joule_bind_u32(d, joule_magic((uint32_t)l.inner));
	joule_bind_u32(d, (uint32_t)count);
	joule_bind_u32(d, joule_magic((uint32_t)count));
	joule_bind_i32(d, (int32_t)l.n);
	joule_bind_spec(d, words);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static void gather_cost(const struct joule_node *node, struct joule_cost *cost)
{
	joule_cost_moved(node, cost);
	cost->bytes += joule_tensor_bytes(node->in[1]);
}

static const struct joule_attr attrs[] = { JOULE_A_INT(struct gather, axis, 0), { 0 } };

JOULE_OPS(gather) = {
	{ .name = "Gather", .since = 1, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1,
	  .attrs_bytes = sizeof(struct gather), .attrs = attrs, .infer = gather_infer,
	  .ref = gather_ref, .bind = gather_bind, .cost = gather_cost },
	JOULE_OPS_END,
};
