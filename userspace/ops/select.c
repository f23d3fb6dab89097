// SPDX-License-Identifier: MIT
/* NonZero and Compress: how much there is to give depends on the values. */
#include <errno.h>

#include "ops/move.h"

#define ABSENT INT64_MIN

struct select {
	int64_t axis;
};

static int nonzero_infer(struct joule_node *node)
{
	joule_set_out(node, 0, JOULE_I64, &(struct joule_shape){ .rank = -1 });
	return 0;
}

static bool is_zero(const struct joule_tensor *x, int64_t i)
{
	return joule_dtype_is_float(x->dtype) ? joule_get_f64(x->dtype, x->data, i) == 0 :
						!joule_get_i64(x->dtype, x->data, i);
}

static int nonzero_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	int64_t n = joule_tensor_count(x), count = 0, at = 0;
	/* A scalar is taken for a list of one. */
	struct joule_shape s = x->shape.rank ? x->shape : (struct joule_shape){ 1, { 1 } };
	int ret;

	for (int64_t i = 0; i < n; i++)
		count += !is_zero(x, i);
	y->shape = (struct joule_shape){ .rank = 2, .dims = { s.rank, count } };
	ret = joule_tensor_alloc(y);
	if (ret)
		return joule_node_err(node, ret, "no memory for %lld indices", (long long)count);
	for (int64_t i = 0; i < n; i++) {
		int64_t rest = i;

		if (is_zero(x, i))
			continue;
		for (int d = s.rank - 1; d >= 0; d--) {
			((int64_t *)y->data)[d * count + at] = rest % s.dims[d];
			rest /= s.dims[d];
		}
		at++;
	}
	return 0;
}

static int compress_infer(struct joule_node *node)
{
	const struct select *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *c = node->in[1];

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (c->dtype != JOULE_BOOL || c->shape.rank != 1)
		return joule_node_err(node, -EINVAL, "%s is no list of bools", c->name);
	if (a->axis != ABSENT && joule_node_axis(node, a->axis, x->shape.rank) < 0)
		return -EINVAL;
	return 0;
}

static int compress_ref(struct joule_node *node)
{
	const struct select *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *c = node->in[1];
	struct joule_tensor *y = node->out[0];
	struct joule_lines l = { .outer = 1, .n = joule_tensor_count(x), .inner = 1 };
	int64_t many = joule_tensor_count(c), count = 0, at = 0;
	int ret;

	y->shape = (struct joule_shape){ .rank = 1 };
	if (a->axis != ABSENT) {
		int axis = joule_node_axis(node, a->axis, x->shape.rank);

		if (axis < 0)
			return axis;
		l = joule_lines_of(&x->shape, axis);
		y->shape = x->shape;
	}
	/* A condition that is shorter leaves the rest out. */
	many = JOULE_MIN(many, l.n);
	for (int64_t i = 0; i < many; i++)
		count += ((const uint8_t *)c->data)[i] != 0;
	y->shape.dims[a->axis == ABSENT ? 0 : joule_node_axis(node, a->axis, x->shape.rank)] = count;
	ret = joule_tensor_alloc(y);
	if (ret)
		return joule_node_err(node, ret, "no memory for %lld entries", (long long)count);
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t i = 0; i < many; i++) {
			if (!((const uint8_t *)c->data)[i])
				continue;
			joule_move_run(x->dtype, y->data, at, x->data, (o * l.n + i) * l.inner,
				       l.inner);
			at += l.inner;
		}
	return 0;
}

static const struct joule_attr compress[] = { JOULE_A_INT(struct select, axis, ABSENT), { 0 } };

#define SELECT .min_out = 1, .max_out = 1, .traits = JOULE_OP_LATE_SHAPE | JOULE_OP_HOST, \
	.attrs_bytes = sizeof(struct select)

JOULE_OPS(select) = {
	{ .name = "NonZero", .since = 9, .min_in = 1, .max_in = 1, SELECT, .infer = nonzero_infer,
	  .ref = nonzero_ref },
	{ .name = "Compress", .since = 9, .min_in = 2, .max_in = 2, SELECT, .attrs = compress,
	  .infer = compress_infer, .ref = compress_ref },
	JOULE_OPS_END,
};
