// SPDX-License-Identifier: MIT
/*
 * Operators whose output is the input's bytes: under another shape (Reshape,
 * Flatten, Squeeze, Unsqueeze), another type (BitCast) or unchanged (Identity).
 */
#include <errno.h>

#include "ops/copy.h"

struct view {
	struct joule_ints shape, axes; /* attributes of the first opsets */
	struct joule_ints consumed_inputs;
	int64_t allowzero, axis, to;
};

static int view_ref(struct joule_node *node)
{
	memcpy(node->out[0]->data, node->in[0]->data, (size_t)joule_tensor_bytes(node->out[0]));
	return 0;
}

/* For a plan that cannot let the output share the input's memory. */
static int view_bind(const struct joule_node *node, struct joule_binder *b)
{
	joule_copy_bytes_bind(b, joule_tensor_bytes(node->out[0]), JOULE_IN(0), JOULE_OUT(0));
	return joule_bind_end(b);
}

static int reshape_infer(struct joule_node *node)
{
	const struct view *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	int64_t want[JOULE_MAX_RANK], count = joule_tensor_count(x), rest = 1;
	struct joule_shape s = { 0 };
	char from[128], to[128];
	int n = a->shape.n, free_dim = -1;

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (node->op->since >= 5) {
		n = joule_node_ints(node, 1, want, JOULE_MAX_RANK);
		if (n < 0)
			return n == -ENODATA ? 1 : n;
	} else if (n > JOULE_MAX_RANK) {
		return joule_node_err(node, -ENOTSUP, "rank %d is more than %d", n,
				      JOULE_MAX_RANK);
	} else if (n) {
		memcpy(want, a->shape.v, sizeof(*want) * (size_t)n);
	}
	s.rank = n;
	for (int i = 0; i < n; i++) {
		if (want[i] == -1 && free_dim >= 0)
			return joule_node_err(node, -EINVAL, "two dimensions are -1");
		if (want[i] < -1 || (!want[i] && !a->allowzero && i >= x->shape.rank))
			return joule_node_err(node, -EINVAL, "dimension %d cannot be %lld", i,
					      (long long)want[i]);
		s.dims[i] = want[i] || a->allowzero ? want[i] : x->shape.dims[i];
		if (want[i] == -1)
			free_dim = i;
		else if (!joule_mul_i64(rest, s.dims[i], &rest))
			return joule_node_err(node, -EOVERFLOW, "%s is too large",
					      joule_shape_str(&s, to, sizeof(to)));
	}
	if (free_dim >= 0 && rest && count % rest == 0)
		s.dims[free_dim] = count / rest;
	if (joule_shape_count(&s) != count)
		return joule_node_err(node, -EINVAL, "%s does not reshape to %s",
				      joule_shape_str(&x->shape, from, sizeof(from)),
				      joule_shape_str(&s, to, sizeof(to)));
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

static int flatten_infer(struct joule_node *node)
{
	const struct view *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;
	struct joule_shape s = { .rank = 2, .dims = { 1, 1 } };
	int64_t axis = a->axis < 0 ? a->axis + x->rank : a->axis;

	if (axis < 0 || axis > x->rank)
		return joule_node_err(node, -EINVAL, "axis %lld is outside [%d, %d]",
				      (long long)a->axis, -x->rank, x->rank);
	for (int i = 0; i < x->rank; i++)
		if (!joule_mul_i64(s.dims[i >= axis], x->dims[i], &s.dims[i >= axis]))
			return joule_node_err(node, -EOVERFLOW, "the tensor is too large");
	joule_set_out(node, 0, node->in[0]->dtype, &s);
	return 0;
}

/* Axes from the attribute, or from input 1 since opset 13. -ENODATA: not known yet. */
static int read_axes(const struct joule_node *node, int64_t *axes)
{
	const struct view *a = node->attrs;

	if (node->op->since >= 13)
		return joule_node_ints(node, 1, axes, JOULE_MAX_RANK);
	if (a->axes.n > JOULE_MAX_RANK)
		return joule_node_err(node, -EINVAL, "%d axes", a->axes.n);
	if (a->axes.n)
		memcpy(axes, a->axes.v, sizeof(*axes) * (size_t)a->axes.n);
	return a->axes.n;
}

static int squeeze_infer(struct joule_node *node)
{
	const struct joule_shape *x = &node->in[0]->shape;
	struct joule_shape s = { 0 };
	int64_t list[JOULE_MAX_RANK];
	int axes[JOULE_MAX_RANK], n = read_axes(node, list);
	bool drop[JOULE_MAX_RANK] = { false }, all = !n;
	char buf[128];

	joule_set_out(node, 0, node->in[0]->dtype, &(struct joule_shape){ .rank = -1 });
	if (n < 0)
		return n == -ENODATA ? 1 : n;
	n = joule_node_axes(node, list, n, x->rank, axes);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		drop[axes[i]] = x->dims[axes[i]] == 1;
		if (!all && !drop[axes[i]])
			return joule_node_err(node, -EINVAL, "axis %d of %s is not 1", axes[i],
					      joule_shape_str(x, buf, sizeof(buf)));
	}
	for (int i = 0; i < x->rank; i++)
		if (!drop[i])
			s.dims[s.rank++] = x->dims[i];
	joule_set_out(node, 0, node->in[0]->dtype, &s);
	return 0;
}

static int unsqueeze_infer(struct joule_node *node)
{
	const struct joule_shape *x = &node->in[0]->shape;
	struct joule_shape s = { 0 };
	int64_t list[JOULE_MAX_RANK];
	int axes[JOULE_MAX_RANK], n = read_axes(node, list), from = 0;
	bool fresh[JOULE_MAX_RANK] = { false };

	joule_set_out(node, 0, node->in[0]->dtype, &(struct joule_shape){ .rank = -1 });
	if (n < 0)
		return n == -ENODATA ? 1 : n;
	s.rank = x->rank + n;
	if (s.rank > JOULE_MAX_RANK)
		return joule_node_err(node, -ENOTSUP, "rank %d is more than %d", s.rank,
				      JOULE_MAX_RANK);
	if (n)
		n = joule_node_axes(node, list, n, s.rank, axes);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		fresh[axes[i]] = true;
	for (int i = 0; i < s.rank; i++)
		s.dims[i] = fresh[i] ? 1 : x->dims[from++];
	joule_set_out(node, 0, node->in[0]->dtype, &s);
	return 0;
}

static int bitcast_infer(struct joule_node *node)
{
	const struct view *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	enum joule_dtype to = joule_dtype_from_onnx(a->to);

	if (!to)
		return joule_node_err(node, -ENOTSUP, "element type number %lld is not supported",
				      (long long)a->to);
	if (joule_dtype_bits(to) != joule_dtype_bits(x->dtype))
		return joule_node_err(node, -EINVAL, "%s and %s differ in width",
				      joule_dtype_name(x->dtype), joule_dtype_name(to));
	joule_set_out(node, 0, to, &x->shape);
	return 0;
}

static const struct joule_attr reshape1[] = {
	JOULE_A_INTS(struct view, shape),
	JOULE_A_INTS(struct view, consumed_inputs),
	{ 0 },
};
static const struct joule_attr reshape14[] = { JOULE_A_INT(struct view, allowzero, 0), { 0 } };
static const struct joule_attr flatten[] = { JOULE_A_INT(struct view, axis, 1), { 0 } };
static const struct joule_attr axes1[] = { JOULE_A_INTS(struct view, axes), { 0 } };
static const struct joule_attr bitcast[] = {
	{ .name = "to", .type = JOULE_ATTR_INT, .offset = offsetof(struct view, to),
	  .required = true },
	{ 0 },
};

#define VIEW(onnx, from, to, inputs_min, inputs_max, attributes, infer_fn) \
	{ \
		.name = onnx, .since = from, .until = to, .min_in = inputs_min, \
		.max_in = inputs_max, .min_out = 1, .max_out = 1, .traits = JOULE_OP_VIEW, \
		.attrs_bytes = sizeof(struct view), .attrs = attributes, .infer = infer_fn, \
		.ref = view_ref, .bind = view_bind, .cost = joule_cost_moved, \
	}

JOULE_OPS(view) = {
	VIEW("Reshape", 1, 4, 1, 1, reshape1, reshape_infer),
	VIEW("Reshape", 5, 13, 2, 2, NULL, reshape_infer),
	VIEW("Reshape", 14, 0, 2, 2, reshape14, reshape_infer),
	VIEW("Flatten", 1, 0, 1, 1, flatten, flatten_infer),
	VIEW("Squeeze", 1, 12, 1, 1, axes1, squeeze_infer),
	VIEW("Squeeze", 13, 0, 1, 2, NULL, squeeze_infer),
	VIEW("Unsqueeze", 1, 12, 1, 1, axes1, unsqueeze_infer),
	VIEW("Unsqueeze", 13, 0, 2, 2, NULL, unsqueeze_infer),
	VIEW("Identity", 1, 0, 1, 1, NULL, joule_infer_same),
	VIEW("BitCast", 26, 0, 1, 1, bitcast, bitcast_infer),
	JOULE_OPS_END,
};
