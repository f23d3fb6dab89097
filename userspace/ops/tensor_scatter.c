// SPDX-License-Identifier: MIT
/* TensorScatter: an update of a cache along its sequence axis, from an index for each batch. */
#include <errno.h>

#include "ops/move.h"

enum { CACHE_LINEAR, CACHE_CIRCULAR };

struct cache {
	int64_t axis;
	int mode;
};

/* Of the cache: outer rows (all batches), length along the axis, and what is inside. */
static int lines_of(const struct joule_node *node, struct joule_lines *l)
{
	const struct cache *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;
	int axis = joule_node_axis(node, a->axis, x->rank);

	if (axis < 0)
		return axis;
	if (!axis)
		return joule_node_err(node, -EINVAL, "the axis is the batch's");
	*l = joule_lines_of(x, axis);
	return axis;
}

static int cache_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *u = node->in[1], *at = joule_node_in(node, 2);
	struct joule_shape s = u->shape;
	struct joule_lines l;
	int axis = lines_of(node, &l);
	char b[2][128];

	if (axis < 0)
		return axis;
	if (s.rank == x->shape.rank && s.dims[axis] <= x->shape.dims[axis])
		s.dims[axis] = x->shape.dims[axis];
	if (u->dtype != x->dtype || !joule_shape_equal(&s, &x->shape))
		return joule_node_err(node, -EINVAL, "update %s %s does not go into cache %s %s",
				      joule_dtype_name(u->dtype),
				      joule_shape_str(&u->shape, b[0], sizeof(b[0])),
				      joule_dtype_name(x->dtype),
				      joule_shape_str(&x->shape, b[1], sizeof(b[1])));
	if (at && (at->shape.rank != 1 || at->shape.dims[0] != x->shape.dims[0] ||
		   !joule_dtype_is_int(at->dtype)))
		return joule_node_err(node, -EINVAL, "write_indices %s is no list of a number a batch",
				      joule_shape_str(&at->shape, b[0], sizeof(b[0])));
	joule_set_out(node, 0, x->dtype, &x->shape);
	return 0;
}

static int cache_ref(struct joule_node *node)
{
	const struct cache *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *u = node->in[1], *at = joule_node_in(node, 2);
	struct joule_tensor *y = node->out[0];
	struct joule_lines l;
	int axis = lines_of(node, &l);
	int64_t len, per_batch;

	if (axis < 0)
		return axis;
	len = u->shape.dims[axis];
	joule_move_run(x->dtype, y->data, 0, x->data, 0, joule_tensor_count(x));
	if (!joule_tensor_count(u))
		return 0;
	per_batch = l.outer / x->shape.dims[0];
	for (int64_t o = 0; o < l.outer; o++) {
		int64_t start = at ? joule_get_i64(at->dtype, at->data, o / per_batch) : 0;

		if (start < 0 || (a->mode == CACHE_LINEAR && start > l.n - len))
			return joule_node_err(node, -EINVAL,
					      "write index %lld: %lld entries do not fit %lld",
					      (long long)start, (long long)len, (long long)l.n);
		for (int64_t s = 0; s < len; s++)
			joule_move_run(x->dtype, y->data, (o * l.n + (start % l.n + s) % l.n) * l.inner,
				       u->data, (o * len + s) * l.inner, l.inner);
	}
	return 0;
}

static int cache_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct cache *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *at = joule_node_in(node, 2);
	unsigned int bytes = joule_bind_bytes(b, x), unit;
	unsigned int words = at ? joule_bind_index_words(b, at) : 0;
	struct joule_dispatch *d;
	struct joule_lines l;
	uint32_t per_batch;
	int64_t n = joule_tensor_count(x);
	int axis = lines_of(node, &l);

	if (axis < 0)
		return axis;
	if (b->err || !n)
		return joule_bind_end(b);
	unit = joule_move_unit(b, (uint64_t)l.inner * bytes);
	l.inner = l.inner * bytes / unit;
	n = l.outer * l.n * l.inner;
	per_batch = (uint32_t)(l.outer / x->shape.dims[0]);
	d = joule_bind(b, "tensor_scatter_%u", unit);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_read(d, at ? JOULE_IN(2) : JOULE_IN(1));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)l.inner);
	joule_bind_u32(d, joule_magic((uint32_t)l.inner));
	joule_bind_u32(d, (uint32_t)l.n);
	joule_bind_u32(d, joule_magic((uint32_t)l.n));
	joule_bind_u32(d, per_batch);
	joule_bind_u32(d, joule_magic(per_batch));
	joule_bind_i32(d, (int32_t)node->in[1]->shape.dims[axis]);
	joule_bind_spec(d, words);
	joule_bind_spec(d, a->mode == CACHE_CIRCULAR);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static const char *const modes[] = { "linear", "circular", NULL };
static const struct joule_attr attrs[] = {
	JOULE_A_INT(struct cache, axis, -2),
	JOULE_A_ENUM(struct cache, mode, modes),
	{ 0 },
};

JOULE_OPS(tensor_scatter) = {
	{ .name = "TensorScatter", .since = 24, .min_in = 2, .max_in = 3, .min_out = 1,
	  .max_out = 1, .traits = JOULE_OP_IN_PLACE, .attrs_bytes = sizeof(struct cache),
	  .attrs = attrs, .infer = cache_infer, .ref = cache_ref, .bind = cache_bind },
	JOULE_OPS_END,
};
