// SPDX-License-Identifier: MIT
/* ReverseSequence: the first so many time steps of each batch entry in reverse. */
#include <errno.h>

#include "ops/move.h"

struct reverse {
	int64_t batch_axis, time_axis;
};

static int reverse_infer(struct joule_node *node)
{
	const struct reverse *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *lens = node->in[1];
	char b[2][128];

	if (x->shape.rank < 2 || (a->batch_axis | a->time_axis) != 1 || a->batch_axis == a->time_axis)
		return joule_node_err(node, -EINVAL, "batch axis %lld and time axis %lld of %s",
				      (long long)a->batch_axis, (long long)a->time_axis,
				      joule_shape_str(&x->shape, b[0], sizeof(b[0])));
	if (!joule_dtype_is_int(lens->dtype) || lens->shape.rank != 1 ||
	    lens->shape.dims[0] != x->shape.dims[a->batch_axis])
		return joule_node_err(node, -EINVAL, "lengths %s do not go with %s",
				      joule_shape_str(&lens->shape, b[0], sizeof(b[0])),
				      joule_shape_str(&x->shape, b[1], sizeof(b[1])));
	return joule_infer_same(node);
}

static int reverse_ref(struct joule_node *node)
{
	const struct reverse *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *lens = node->in[1];
	struct joule_lines l = joule_lines_of(&x->shape, 1);
	int64_t steps = x->shape.dims[a->time_axis], at = 0;

	for (int64_t i = 0; i < l.outer; i++)
		for (int64_t j = 0; j < l.n; j++, at += l.inner) {
			int64_t t = a->time_axis ? j : i, batch = a->time_axis ? i : j;
			int64_t len = joule_get_i64(lens->dtype, lens->data, batch);

			if (len < 0 || len > steps)
				return joule_node_err(node, -EINVAL, "length %lld of %lld steps",
						      (long long)len, (long long)steps);
			t = t < len ? len - 1 - t : t;
			joule_move_run(x->dtype, node->out[0]->data, at, x->data,
				       (a->time_axis ? i * l.n + t : t * l.n + j) * l.inner,
				       l.inner);
		}
	return 0;
}

static int reverse_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct reverse *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	unsigned int bytes = joule_bind_bytes(b, x), unit;
	unsigned int words = joule_bind_index_words(b, node->in[1]);
	struct joule_lines l = joule_lines_of(&x->shape, 1);
	int64_t n = joule_tensor_count(x);
	struct joule_dispatch *d;

	if (b->err || !n)
		return joule_bind_end(b);
	unit = joule_move_unit(b, (uint64_t)l.inner * bytes);
	l.inner = l.inner * bytes / unit;
	n = l.outer * l.n * l.inner;
	d = joule_bind(b, "reverse_%u", unit);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)l.inner);
	joule_bind_u32(d, joule_magic((uint32_t)l.inner));
	joule_bind_u32(d, (uint32_t)l.n);
	joule_bind_u32(d, joule_magic((uint32_t)l.n));
	joule_bind_i32(d, (int32_t)x->shape.dims[a->time_axis]);
	joule_bind_spec(d, words);
	joule_bind_spec(d, (uint32_t)a->time_axis);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = {
	JOULE_A_INT(struct reverse, batch_axis, 1),
	JOULE_A_INT(struct reverse, time_axis, 0),
	{ 0 },
};

JOULE_OPS(reverse_sequence) = {
	{ .name = "ReverseSequence", .since = 10, .min_in = 2, .max_in = 2, .min_out = 1,
	  .max_out = 1, .attrs_bytes = sizeof(struct reverse), .attrs = attrs,
	  .infer = reverse_infer, .ref = reverse_ref, .bind = reverse_bind },
	JOULE_OPS_END,
};
