// SPDX-License-Identifier: MIT
/* OneHot: indices along a new axis, on-value where they point, off-value elsewhere. */
#include <errno.h>

#include "ops/move.h"

struct onehot {
	int64_t axis;
};

static int onehot_infer(struct joule_node *node)
{
	const struct onehot *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *depth = node->in[1], *values = node->in[2];
	struct joule_shape s = { .rank = x->shape.rank + 1 };
	int axis;
	int64_t n;

	joule_set_out(node, 0, values->dtype, &(struct joule_shape){ .rank = -1 });
	if (s.rank > JOULE_MAX_RANK)
		return joule_node_err(node, -ENOTSUP, "rank %d is more than %d", s.rank,
				      JOULE_MAX_RANK);
	axis = joule_node_axis(node, a->axis, s.rank);
	if (axis < 0)
		return axis;
	if (joule_tensor_count(depth) != 1 || values->shape.rank != 1 || values->shape.dims[0] != 2)
		return joule_node_err(node, -EINVAL, "depth is no scalar or values are no pair");
	if (!depth->data)
		return 1;
	n = joule_get_i64(depth->dtype, depth->data, 0);
	if (n < 0)
		return joule_node_err(node, -EINVAL, "depth is %lld", (long long)n);
	for (int d = 0; d < s.rank; d++)
		s.dims[d] = d < axis ? x->shape.dims[d] : d == axis ? n : x->shape.dims[d - 1];
	joule_set_out(node, 0, values->dtype, &s);
	return 0;
}

static struct joule_lines lines_of(const struct joule_node *node)
{
	const struct onehot *a = node->attrs;
	const struct joule_shape *y = &node->out[0]->shape;

	return joule_lines_of(y, (int)(a->axis < 0 ? a->axis + y->rank : a->axis));
}

static int onehot_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *values = node->in[2];
	struct joule_tensor *y = node->out[0];
	struct joule_lines l = lines_of(node);
	int64_t at = 0;

	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t c = 0; c < l.n; c++)
			for (int64_t i = 0; i < l.inner; i++) {
				int64_t v = joule_get_i64(x->dtype, x->data, o * l.inner + i);
				bool on = v == c || v + l.n == c;

				joule_move(y->dtype, y->data, at++, values->data, on);
			}
	return 0;
}

static int onehot_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *x = node->in[0];
	unsigned int bytes = joule_bind_bytes(b, node->out[0]);
	/* Of an index; floats are told by 0. */
	unsigned int words = x->dtype == JOULE_F32 ? 0 : joule_bind_index_words(b, x);
	struct joule_lines l = lines_of(node);
	int64_t n = joule_tensor_count(node->out[0]);
	struct joule_dispatch *d;

	if (b->err || !n)
		return joule_bind_end(b);
	d = joule_bind(b, "onehot_%u", bytes);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(2));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)l.n);
	joule_bind_u32(d, joule_magic((uint32_t)l.n));
	joule_bind_u32(d, (uint32_t)l.inner);
	joule_bind_u32(d, joule_magic((uint32_t)l.inner));
	joule_bind_spec(d, words);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = { JOULE_A_INT(struct onehot, axis, -1), { 0 } };

JOULE_OPS(onehot) = {
	{ .name = "OneHot", .since = 9, .min_in = 3, .max_in = 3, .min_out = 1, .max_out = 1,
	  .attrs_bytes = sizeof(struct onehot), .attrs = attrs, .infer = onehot_infer,
	  .ref = onehot_ref, .bind = onehot_bind },
	JOULE_OPS_END,
};
