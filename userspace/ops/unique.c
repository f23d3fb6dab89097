// SPDX-License-Identifier: MIT
/* Unique: the different elements, or slices along an axis, with where and how often. */
#include <errno.h>
#include <stdlib.h>

#include "ops/move.h"

#define ABSENT INT64_MIN

struct unique {
	int64_t axis, sorted;
};

static int unique_infer(struct joule_node *node)
{
	const struct unique *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_shape unknown = { .rank = -1 };

	joule_set_out(node, 0, x->dtype, &unknown);
	for (int i = 1; i < 4; i++)
		joule_set_out(node, i, JOULE_I64, &unknown);
	if (a->axis != ABSENT && joule_node_axis(node, a->axis, x->shape.rank) < 0)
		return -EINVAL;
	return 0;
}

/* What is compared: n items, each a slice along the axis. */
struct items {
	const struct joule_tensor *x;
	struct joule_lines l;
};

static int compare_elements(const struct joule_tensor *x, int64_t i, int64_t j)
{
	if (joule_dtype_is_float(x->dtype)) {
		double a = joule_get_f64(x->dtype, x->data, i);
		double b = joule_get_f64(x->dtype, x->data, j);

		/* NaNs go last, all of them alike. */
		if (a != a || b != b)
			return (a != a) - (b != b);
		return (a > b) - (a < b);
	}
	if (x->dtype == JOULE_U64) {
		uint64_t a = ((const uint64_t *)x->data)[i], b = ((const uint64_t *)x->data)[j];

		return (a > b) - (a < b);
	}
	int64_t a = joule_get_i64(x->dtype, x->data, i), b = joule_get_i64(x->dtype, x->data, j);

	return (a > b) - (a < b);
}

static int compare_items(const struct items *s, int64_t i, int64_t j)
{
	for (int64_t o = 0; o < s->l.outer; o++)
		for (int64_t k = 0; k < s->l.inner; k++) {
			int c = compare_elements(s->x, (o * s->l.n + i) * s->l.inner + k,
						 (o * s->l.n + j) * s->l.inner + k);

			if (c)
				return c;
		}
	return 0;
}

static int by_value(const void *p, const void *q, void *items)
{
	int64_t i = *(const int64_t *)p, j = *(const int64_t *)q;
	int c = compare_items(items, i, j);

	return c ? c : (i > j) - (i < j);
}

/* One group of equal items: its first item and how many there are. */
struct group {
	int64_t first, count, number;
};

static int by_first(const void *p, const void *q)
{
	const struct group *a = p, *b = q;

	return (a->first > b->first) - (a->first < b->first);
}

static int give_list(struct joule_node *node, int i, int64_t n)
{
	struct joule_tensor *t = joule_node_out(node, i);

	if (!t)
		return 0;
	t->shape = (struct joule_shape){ .rank = 1, .dims = { n } };
	return joule_tensor_alloc(t);
}

/*
 * order: items by value; group: with n entries, filled here; of: group of each
 * item in order of value. Groups come out in the order asked for.
 */
static int64_t make_groups(struct items *s, bool sorted, const int64_t *order, int64_t *of,
			   struct group *group)
{
	int64_t groups = 0;

	for (int64_t k = 0; k < s->l.n; k++) {
		if (!k || compare_items(s, order[k - 1], order[k])) {
			group[groups] = (struct group){ .first = order[k], .number = groups };
			groups++;
		}
		group[groups - 1].count++;
		of[order[k]] = groups - 1;
	}
	if (!sorted)
		qsort(group, (size_t)groups, sizeof(*group), by_first);
	return groups;
}

static int write_outputs(struct joule_node *node, struct items *s, const int64_t *of,
			 const struct group *group, int64_t groups, int64_t *place, int axis)
{
	struct joule_tensor *y = node->out[0], *first = joule_node_out(node, 1);
	struct joule_tensor *inverse = joule_node_out(node, 2), *counts = joule_node_out(node, 3);
	int64_t n = s->l.n, at = 0;
	int ret;

	y->shape = axis < 0 ? (struct joule_shape){ .rank = 1 } : s->x->shape;
	y->shape.dims[axis < 0 ? 0 : axis] = groups;
	ret = joule_tensor_alloc(y);
	if (!ret)
		ret = give_list(node, 1, groups);
	if (!ret)
		ret = give_list(node, 2, n);
	if (!ret)
		ret = give_list(node, 3, groups);
	if (ret)
		return ret;
	for (int64_t o = 0; o < s->l.outer; o++)
		for (int64_t g = 0; g < groups; g++, at += s->l.inner)
			joule_move_run(y->dtype, y->data, at, s->x->data,
				       (o * n + group[g].first) * s->l.inner, s->l.inner);
	for (int64_t g = 0; g < groups; g++) {
		place[group[g].number] = g;
		if (first)
			((int64_t *)first->data)[g] = group[g].first;
		if (counts)
			((int64_t *)counts->data)[g] = group[g].count;
	}
	for (int64_t i = 0; inverse && i < n; i++)
		((int64_t *)inverse->data)[i] = place[of[i]];
	return 0;
}

static int unique_ref(struct joule_node *node)
{
	const struct unique *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct items s = { .x = x, .l = { 1, joule_tensor_count(x), 1 } };
	int axis = -1, ret = -ENOMEM;
	int64_t *order, *of, *place, groups;
	struct group *group;
	size_t n;

	if (a->axis != ABSENT) {
		axis = joule_node_axis(node, a->axis, x->shape.rank);
		if (axis < 0)
			return axis;
		s.l = joule_lines_of(&x->shape, axis);
	}
	n = s.l.n ? (size_t)s.l.n : 1;
	order = calloc(n, sizeof(*order));
	of = calloc(n, sizeof(*of));
	place = calloc(n, sizeof(*place));
	group = calloc(n, sizeof(*group));
	if (order && of && place && group) {
		for (int64_t i = 0; i < s.l.n; i++)
			order[i] = i;
		qsort_r(order, (size_t)s.l.n, sizeof(*order), by_value, &s);
		groups = make_groups(&s, a->sorted, order, of, group);
		ret = write_outputs(node, &s, of, group, groups, place, axis);
	}
	free(order);
	free(of);
	free(place);
	free(group);
	return ret ? joule_node_err(node, ret, "no memory") : 0;
}

static const struct joule_attr attrs[] = {
	JOULE_A_INT(struct unique, axis, ABSENT),
	JOULE_A_INT(struct unique, sorted, 1),
	{ 0 },
};

JOULE_OPS(unique) = {
	{ .name = "Unique", .since = 11, .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 4,
	  .traits = JOULE_OP_LATE_SHAPE | JOULE_OP_HOST, .attrs_bytes = sizeof(struct unique),
	  .attrs = attrs, .infer = unique_infer, .ref = unique_ref },
	JOULE_OPS_END,
};
