// SPDX-License-Identifier: MIT
/* Shape and Size: numbers that depend on the input's shape alone. */
#include <errno.h>

#include "ops/move.h"

struct shape {
	int64_t start, end;
};

/* Clamped to [0, rank], and never turned around. */
static void range_of(const struct joule_node *node, int64_t *from, int64_t *to)
{
	const struct shape *a = node->attrs;
	int rank = node->in[0]->shape.rank;
	int64_t v[2] = { a->start, a->end };

	for (int i = 0; i < 2; i++) {
		if (v[i] < 0)
			v[i] += rank;
		v[i] = v[i] < 0 ? 0 : v[i] > rank ? rank : v[i];
	}
	*from = v[0];
	*to = JOULE_MAX(v[0], v[1]);
}

static int shape_infer(struct joule_node *node)
{
	int64_t from, to;

	range_of(node, &from, &to);
	joule_set_out(node, 0, JOULE_I64, &(struct joule_shape){ .rank = 1, .dims = { to - from } });
	return 0;
}

static int shape_ref(struct joule_node *node)
{
	int64_t from, to, *out = node->out[0]->data;

	range_of(node, &from, &to);
	for (int64_t i = from; i < to; i++)
		out[i - from] = node->in[0]->shape.dims[i];
	return 0;
}

static int size_infer(struct joule_node *node)
{
	joule_set_out(node, 0, JOULE_I64, &(struct joule_shape){ .rank = 0 });
	return 0;
}

static int size_ref(struct joule_node *node)
{
	*(int64_t *)node->out[0]->data = joule_tensor_count(node->in[0]);
	return 0;
}

static void no_cost(const struct joule_node *node, struct joule_cost *cost)
{
}

static const struct joule_attr shape15[] = {
	JOULE_A_INT(struct shape, start, 0),
	JOULE_A_INT(struct shape, end, INT64_MAX),
	{ 0 },
};
/* The same without attributes: end still has to say "all". */
static int shape_prepare(struct joule_node *node)
{
	struct shape *a = node->attrs;

	a->end = INT64_MAX;
	return 0;
}

#define SHAPE .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, \
	.traits = JOULE_OP_SHAPE_ONLY | JOULE_OP_HOST, .attrs_bytes = sizeof(struct shape), \
	.cost = no_cost

JOULE_OPS(shape) = {
	{ .name = "Shape", .since = 1, .until = 14, SHAPE, .prepare = shape_prepare,
	  .infer = shape_infer, .ref = shape_ref },
	{ .name = "Shape", .since = 15, SHAPE, .attrs = shape15, .infer = shape_infer,
	  .ref = shape_ref },
	{ .name = "Size", .since = 1, SHAPE, .infer = size_infer, .ref = size_ref },
	JOULE_OPS_END,
};
