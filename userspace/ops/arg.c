// SPDX-License-Identifier: MIT
/*
 * ArgMax, ArgMin: where along an axis the extreme is. Hardmax: 1 there, 0
 * elsewhere. A NaN is no extreme unless it comes first and nothing compares.
 */
#include <errno.h>

#include "ops/move.h"

struct arg {
	int64_t axis, keepdims, select_last_index;
};

enum { ARG_MAX, ARG_MIN, ARG_HARDMAX };

static int axis_of(const struct joule_node *node)
{
	const struct arg *a = node->attrs;
	int rank = node->in[0]->shape.rank;

	/* Before opset 13 Hardmax takes everything from its axis on for one row. */
	if (node->op->code == ARG_HARDMAX && node->op->since < 13 && a->axis == rank)
		return rank;
	return joule_node_axis(node, a->axis, rank);
}

static struct joule_lines lines_of(const struct joule_node *node, int axis)
{
	struct joule_lines l = joule_lines_of(&node->in[0]->shape, axis);

	if (node->op->code == ARG_HARDMAX && node->op->since < 13) {
		l.n *= l.inner;
		l.inner = 1;
	}
	return l;
}

static int arg_infer(struct joule_node *node)
{
	const struct arg *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = x->shape;
	int axis = axis_of(node);

	if (axis < 0)
		return axis;
	if (node->op->code == ARG_HARDMAX)
		return joule_infer_same(node);
	s.dims[axis] = 1;
	if (!a->keepdims) {
		s.rank--;
		for (int d = axis; d < s.rank; d++)
			s.dims[d] = x->shape.dims[d + 1];
	}
	if (!x->shape.dims[axis] && joule_shape_count(&s))
		return joule_node_err(node, -EINVAL, "axis %d is empty", axis);
	joule_set_out(node, 0, JOULE_I64, &s);
	return 0;
}

/* -1, 0, 1: element i against j. */
static int compare(const struct joule_tensor *x, int64_t i, int64_t j)
{
	if (joule_dtype_is_float(x->dtype)) {
		double a = joule_get_f64(x->dtype, x->data, i);
		double b = joule_get_f64(x->dtype, x->data, j);

		return (a > b) - (a < b);
	}
	int64_t a = joule_get_i64(x->dtype, x->data, i), b = joule_get_i64(x->dtype, x->data, j);

	if (x->dtype == JOULE_U64)
		return ((uint64_t)a > (uint64_t)b) - ((uint64_t)a < (uint64_t)b);
	return (a > b) - (a < b);
}

static int arg_ref(struct joule_node *node)
{
	const struct arg *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	int axis = axis_of(node), sign = node->op->code == ARG_MIN ? -1 : 1;
	struct joule_lines l;

	if (axis < 0)
		return axis;
	l = lines_of(node, axis);
	for (int64_t o = 0; o < l.outer && l.n; o++)
		for (int64_t i = 0; i < l.inner; i++) {
			int64_t base = o * l.n * l.inner + i, best = 0;

			for (int64_t k = 1; k < l.n; k++) {
				int c = sign * compare(x, base + k * l.inner,
						       base + best * l.inner);

				if (c > 0 || (!c && a->select_last_index &&
					      node->op->code != ARG_HARDMAX))
					best = k;
			}
			if (node->op->code == ARG_HARDMAX)
				joule_set_f64(y->dtype, y->data, base + best * l.inner, 1);
			else
				((int64_t *)y->data)[o * l.inner + i] = best;
		}
	return 0;
}

static int arg_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct arg *a = node->attrs;
	const char *dtype = joule_bind_float(b, node->in[0]);
	bool hard = node->op->code == ARG_HARDMAX, group;
	int axis = axis_of(node);
	struct joule_dispatch *d;
	struct joule_lines l;
	int64_t lines;

	if (axis < 0)
		return axis;
	l = lines_of(node, axis);
	lines = l.outer * l.inner;
	if (!dtype || !lines || !l.n)
		return joule_bind_end(b);
	/* A workgroup a line where lines alone would leave the device idle. */
	group = l.n >= 256 && lines < 512;
	d = joule_bind(b, "%s_%s", hard ? "hardmax" : "arg", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)lines);
	joule_bind_u32(d, (uint32_t)l.n);
	joule_bind_u32(d, (uint32_t)l.inner);
	joule_bind_u32(d, joule_magic((uint32_t)l.inner));
	joule_bind_spec(d, group);
	joule_bind_spec(d, node->op->code == ARG_MIN);
	joule_bind_spec(d, !hard && a->select_last_index);
	if (group) {
		joule_bind_local(d, 64, 1, 1);
		joule_bind_groups(d, (uint64_t)lines, 1, 1);
	} else {
		joule_bind_grid(b, d, 64, (uint64_t)lines);
	}
	return joule_bind_end(b);
}

#define KEEPDIMS JOULE_A_INT(struct arg, axis, 0), JOULE_A_INT(struct arg, keepdims, 1)

static const struct joule_attr arg1[] = { KEEPDIMS, { 0 } };
static const struct joule_attr arg12[] = {
	KEEPDIMS,
	JOULE_A_INT(struct arg, select_last_index, 0),
	{ 0 },
};
static const struct joule_attr hardmax1[] = { JOULE_A_INT(struct arg, axis, 1), { 0 } };
static const struct joule_attr hardmax13[] = { JOULE_A_INT(struct arg, axis, -1), { 0 } };

#define ARG(onnx, which, from, to, attributes) \
	{ \
		.name = onnx, .code = which, .since = from, .until = to, .min_in = 1, .max_in = 1, \
		.min_out = 1, .max_out = 1, .attrs_bytes = sizeof(struct arg), \
		.attrs = attributes, .infer = arg_infer, .ref = arg_ref, .bind = arg_bind, \
	}

JOULE_OPS(arg) = {
	ARG("ArgMax", ARG_MAX, 1, 11, arg1),
	ARG("ArgMax", ARG_MAX, 12, 0, arg12),
	ARG("ArgMin", ARG_MIN, 1, 11, arg1),
	ARG("ArgMin", ARG_MIN, 12, 0, arg12),
	ARG("Hardmax", ARG_HARDMAX, 1, 12, hardmax1),
	ARG("Hardmax", ARG_HARDMAX, 13, 0, hardmax13),
	JOULE_OPS_END,
};
