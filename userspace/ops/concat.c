// SPDX-License-Identifier: MIT
/* Concat and Split: pieces side by side along an axis. */
#include <errno.h>
#include <stdlib.h>

#include "ops/pieces.h"

struct concat {
	int64_t axis, num_outputs;
	struct joule_ints split;
};

/* ---- Concat ---- */

static int concat_infer(struct joule_node *node)
{
	const struct concat *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = x->shape;
	int axis = joule_node_axis(node, a->axis, s.rank);
	char buf[2][128];

	if (axis < 0)
		return axis;
	for (int i = 1; i < node->n_in; i++) {
		const struct joule_tensor *t = node->in[i];
		struct joule_shape other;

		if (!t)
			return joule_node_err(node, -EINVAL, "input %d is missing", i);
		if (t->dtype != x->dtype)
			return joule_node_err(node, -EINVAL, "%s is %s, %s is %s", x->name,
					      joule_dtype_name(x->dtype), t->name,
					      joule_dtype_name(t->dtype));
		other = t->shape;
		if (other.rank == s.rank)
			other.dims[axis] = s.dims[axis];
		if (!joule_shape_equal(&other, &s))
			return joule_node_err(node, -EINVAL, "%s and %s do not join along axis %d",
					      joule_shape_str(&x->shape, buf[0], sizeof(buf[0])),
					      joule_shape_str(&t->shape, buf[1], sizeof(buf[1])),
					      axis);
		if (!joule_add_i64(s.dims[axis], t->shape.dims[axis], &s.dims[axis]))
			return joule_node_err(node, -EOVERFLOW, "axis %d is too long", axis);
	}
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

/* ---- Split ---- */

/* sizes[i] of all outputs. -ENODATA while they are not known. */
static int read_sizes(const struct joule_node *node, int64_t dim, int64_t *sizes)
{
	const struct concat *a = node->attrs;
	const struct joule_tensor *t = node->op->since == 1 || node->op->since >= 13 ?
					       joule_node_in(node, 1) : NULL;
	int64_t n = node->n_out, sum = 0, part;

	if (t) {
		if (!t->data)
			return -ENODATA;
		if (t->shape.rank != 1 || t->shape.dims[0] != n)
			return joule_node_err(node, -EINVAL, "%lld sizes for %lld outputs",
					      (long long)joule_tensor_count(t), (long long)n);
	} else if (a->split.n && a->split.n != n) {
		return joule_node_err(node, -EINVAL, "%d sizes for %lld outputs", a->split.n,
				      (long long)n);
	}
	if (a->num_outputs && a->num_outputs != n)
		return joule_node_err(node, -EINVAL, "num_outputs is %lld, there are %lld",
				      (long long)a->num_outputs, (long long)n);
	part = JOULE_DIV_UP(dim, n);
	for (int i = 0; i < n; i++) {
		if (t)
			sizes[i] = joule_get_i64(t->dtype, t->data, i);
		else if (a->split.n)
			sizes[i] = a->split.v[i];
		else /* the last one takes what is left, since opset 18 */
			sizes[i] = JOULE_MAX(0, JOULE_MIN(part, dim - sum));
		if (sizes[i] < 0 || !joule_add_i64(sum, sizes[i], &sum))
			return joule_node_err(node, -EINVAL, "size %d is %lld", i,
					      (long long)sizes[i]);
	}
	if (sum != dim)
		return joule_node_err(node, -EINVAL, "sizes add up to %lld, the axis has %lld",
				      (long long)sum, (long long)dim);
	if (!t && !a->split.n && node->op->since < 18 && dim % n)
		return joule_node_err(node, -EINVAL, "%lld does not split into %lld equal parts",
				      (long long)dim, (long long)n);
	return 0;
}

static int split_infer(struct joule_node *node)
{
	const struct concat *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = { .rank = -1 };
	int axis = joule_node_axis(node, a->axis, x->shape.rank), ret;
	int64_t *sizes;

	for (int i = 0; i < node->n_out; i++)
		joule_set_out(node, i, x->dtype, &s);
	if (axis < 0)
		return axis;
	sizes = calloc((size_t)node->n_out, sizeof(*sizes));
	if (!sizes)
		return joule_node_err(node, -ENOMEM, "no memory");
	ret = read_sizes(node, x->shape.dims[axis], sizes);
	s = x->shape;
	for (int i = 0; !ret && i < node->n_out; i++) {
		s.dims[axis] = sizes[i];
		joule_set_out(node, i, x->dtype, &s);
	}
	free(sizes);
	return ret == -ENODATA ? 1 : ret;
}

/* ---- both ---- */

/* Rows, operand numbers and data of all pieces; free() the result's memory. */
struct table {
	struct joule_pieces p;
	int64_t *row;
	int *index;
	void **data;
};

static void table_free(struct table *t)
{
	free(t->row);
	free(t->index);
	free(t->data);
}

static int table_make(const struct joule_node *node, bool join, struct table *t)
{
	const struct concat *a = node->attrs;
	const struct joule_shape *whole = join ? &node->out[0]->shape : &node->in[0]->shape;
	int n = join ? node->n_in : node->n_out;
	int axis = joule_node_axis(node, a->axis, whole->rank);
	struct joule_lines lines;
	int64_t *sizes = NULL;
	int ret = 0;

	if (axis < 0)
		return axis;
	lines = joule_lines_of(whole, axis);
	t->row = calloc((size_t)n, sizeof(*t->row));
	t->index = calloc((size_t)n, sizeof(*t->index));
	t->data = calloc((size_t)n, sizeof(*t->data));
	if (!join)
		sizes = calloc((size_t)n, sizeof(*sizes));
	if (!t->row || !t->index || !t->data || (!join && !sizes))
		ret = joule_node_err(node, -ENOMEM, "no memory");
	else if (!join)
		ret = read_sizes(node, whole->dims[axis], sizes);
	for (int i = 0; !ret && i < n; i++) {
		struct joule_tensor *piece = join ? node->in[i] : node->out[i];

		t->row[i] = (join ? piece->shape.dims[axis] : sizes[i]) * lines.inner;
		t->index[i] = piece ? i : -1;
		t->data[i] = piece ? piece->data : NULL;
	}
	free(sizes);
	t->p = (struct joule_pieces){ .dtype = node->in[0]->dtype, .outer = lines.outer,
				      .n = n, .row = t->row };
	return ret;
}

static bool joins(const struct joule_node *node)
{
	return node->op->infer == concat_infer;
}

static int pieces_ref(struct joule_node *node)
{
	bool join = joins(node);
	struct table t = { 0 };
	int ret = table_make(node, join, &t);

	if (!ret)
		joule_pieces_ref(&t.p, join ? node->out[0]->data : node->in[0]->data, t.data, join);
	table_free(&t);
	return ret;
}

static int pieces_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct table t = { 0 };
	int ret = table_make(node, joins(node), &t);

	if (!ret)
		joule_pieces_bind(b, &t.p, t.index, joins(node));
	table_free(&t);
	if (ret == -ENODATA)
		return joule_bind_refuse(b, "sizes are not known");
	return ret ? ret : joule_bind_end(b);
}

/* concat and split differ in the default, and in what is required. */
static const struct joule_attr concat1[] = { JOULE_A_INT(struct concat, axis, 1), { 0 } };
static const struct joule_attr concat4[] = {
	{ .name = "axis", .type = JOULE_ATTR_INT, .offset = offsetof(struct concat, axis),
	  .required = true },
	{ 0 },
};
static const struct joule_attr split1[] = {
	JOULE_A_INT(struct concat, axis, 0),
	JOULE_A_INTS(struct concat, split),
	{ 0 },
};
static const struct joule_attr split13[] = { JOULE_A_INT(struct concat, axis, 0), { 0 } };
static const struct joule_attr split18[] = {
	JOULE_A_INT(struct concat, axis, 0),
	JOULE_A_INT(struct concat, num_outputs, 0),
	{ 0 },
};

#define CONCAT .name = "Concat", .min_in = 1, .max_in = -1, .min_out = 1, .max_out = 1, \
	.attrs_bytes = sizeof(struct concat), .infer = concat_infer, .ref = pieces_ref, \
	.bind = pieces_bind, .cost = joule_cost_moved, .traits = JOULE_OP_JOIN
#define SPLIT .name = "Split", .min_in = 1, .min_out = 1, .max_out = -1, \
	.attrs_bytes = sizeof(struct concat), .infer = split_infer, .ref = pieces_ref, \
	.bind = pieces_bind, .cost = joule_cost_moved, .traits = JOULE_OP_PART

JOULE_OPS(concat) = {
	{ CONCAT, .since = 1, .until = 3, .attrs = concat1 },
	{ CONCAT, .since = 4, .attrs = concat4 },
	{ SPLIT, .since = 1, .until = 1, .max_in = 2, .attrs = split1 },
	{ SPLIT, .since = 2, .until = 12, .max_in = 1, .attrs = split1 },
	{ SPLIT, .since = 13, .until = 17, .max_in = 2, .attrs = split13 },
	{ SPLIT, .since = 18, .max_in = 2, .attrs = split18 },
	JOULE_OPS_END,
};
