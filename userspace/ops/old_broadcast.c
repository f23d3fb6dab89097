// SPDX-License-Identifier: MIT
#include "ops/old_broadcast.h"

#include <errno.h>

#include "ops/common.h"

const struct joule_attr joule_old_broadcast_attrs[] = {
	JOULE_A_INT(struct joule_old_broadcast, axis, JOULE_OLD_AXIS_ABSENT),
	JOULE_A_INT(struct joule_old_broadcast, broadcast, 0),
	JOULE_A_INTS(struct joule_old_broadcast, consumed_inputs),
	{ 0 },
};

bool joule_old_broadcast(const struct joule_node *node)
{
	return node->op->attrs == joule_old_broadcast_attrs;
}

static int mismatch(const struct joule_node *node)
{
	char a[128], b[128];

	return joule_node_err(node, -EINVAL, "shapes %s and %s do not broadcast",
			      joule_shape_str(&node->in[0]->shape, a, sizeof(a)),
			      joule_shape_str(&node->in[1]->shape, b, sizeof(b)));
}

int joule_old_broadcast_shape(const struct joule_node *node, struct joule_shape *out)
{
	const struct joule_shape *a = &node->in[0]->shape, *b = &node->in[1]->shape;
	const struct joule_old_broadcast *attrs = node->attrs;
	int rank = b->rank, axis;

	*out = *b;
	if (!attrs->broadcast)
		return joule_shape_equal(a, b) ? 0 : mismatch(node);
	if (attrs->axis == JOULE_OLD_AXIS_ABSENT)
		return rank <= a->rank ? 0 : mismatch(node);
	axis = joule_node_axis(node, attrs->axis, a->rank);
	if (axis < 0)
		return axis;
	/* [4, 1, 1] along axis 1 of a rank-2 tensor: ones may hang over the end. */
	while (rank && axis + rank > a->rank && b->dims[rank - 1] == 1)
		rank--;
	if (axis + rank > a->rank)
		return mismatch(node);
	out->rank = a->rank - axis;
	for (int i = 0; i < out->rank; i++)
		out->dims[i] = i < rank ? b->dims[i] : 1;
	return 0;
}

int joule_infer_two(struct joule_node *node, enum joule_dtype dtype)
{
	struct joule_shape b = node->in[1]->shape, shape;
	int ret;

	if (joule_old_broadcast(node)) {
		ret = joule_old_broadcast_shape(node, &b);
		if (ret)
			return ret;
	}
	if (joule_shape_broadcast(&node->in[0]->shape, &b, &shape) ||
	    (joule_old_broadcast(node) && !joule_shape_equal(&shape, &node->in[0]->shape)))
		return mismatch(node);
	joule_set_out(node, 0, dtype, &shape);
	return 0;
}

struct joule_shape joule_operand_shape(const struct joule_node *node, int i)
{
	struct joule_shape shape = node->in[i]->shape;

	if (i == 1 && joule_old_broadcast(node))
		joule_old_broadcast_shape(node, &shape);
	return shape;
}
