// SPDX-License-Identifier: MIT
/* Expand and Tile: a tensor repeated along its dimensions. */
#include <errno.h>

#include "ops/copy.h"

static int shape_input(const struct joule_node *node, int i, struct joule_shape *out)
{
	int n = joule_node_ints(node, i, out->dims, JOULE_MAX_RANK);

	if (n < 0)
		return n;
	out->rank = n;
	for (int d = 0; d < n; d++)
		if (out->dims[d] < 0)
			return joule_node_err(node, -EINVAL, "entry %d of %s is negative", d,
					      node->in[i]->name);
	return 0;
}

static int expand_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape want, s;
	char a[128], b[128];
	int ret = shape_input(node, 1, &want);

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (ret)
		return ret == -ENODATA ? 1 : ret;
	if (joule_shape_broadcast(&x->shape, &want, &s))
		return joule_node_err(node, -EINVAL, "%s does not expand to %s",
				      joule_shape_str(&x->shape, a, sizeof(a)),
				      joule_shape_str(&want, b, sizeof(b)));
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

static int plan_expand(const struct joule_node *node, struct joule_copy *c)
{
	const struct joule_shape *y = &node->out[0]->shape;
	int64_t src[JOULE_MAX_RANK], dst[JOULE_MAX_RANK];

	*c = (struct joule_copy){ 0 };
	joule_broadcast_strides(&node->in[0]->shape, y, src);
	joule_shape_strides(y, dst);
	for (int d = 0; d < y->rank; d++)
		joule_copy_dim(c, y->dims[d], src[d], dst[d]);
	return 0;
}

/* How often the input is repeated along each dimension. -ENODATA while not known. */
static int read_repeats(const struct joule_node *node, int64_t *repeats)
{
	int rank = node->in[0]->shape.rank, axis;
	struct joule_shape list;
	int64_t number = 1;
	int ret;

	if (node->op->since >= 6) {
		ret = shape_input(node, 1, &list);
		if (ret)
			return ret;
		if (list.rank != rank)
			return joule_node_err(node, -EINVAL, "%d repeats for a tensor of rank %d",
					      list.rank, rank);
		memcpy(repeats, list.dims, sizeof(*repeats) * (size_t)rank);
		return 0;
	}
	/* Opset 1: how often, and along which axis. */
	for (int d = 0; d < rank; d++)
		repeats[d] = 1;
	for (int i = 1; i <= 2; i++) {
		const struct joule_tensor *t = node->in[i];

		if (!t->data)
			return -ENODATA;
		if (joule_tensor_count(t) != 1)
			return joule_node_err(node, -EINVAL, "%s is no scalar", t->name);
		if (i == 1)
			number = joule_get_i64(t->dtype, t->data, 0);
	}
	axis = joule_node_axis(node, joule_get_i64(node->in[2]->dtype, node->in[2]->data, 0), rank);
	if (axis < 0)
		return axis;
	if (number < 0)
		return joule_node_err(node, -EINVAL, "%lld tiles", (long long)number);
	repeats[axis] = number;
	return 0;
}

static int tile_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = { .rank = x->shape.rank };
	int64_t repeats[JOULE_MAX_RANK];
	int ret = read_repeats(node, repeats);

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (ret)
		return ret == -ENODATA ? 1 : ret;
	for (int d = 0; d < s.rank; d++)
		if (!joule_mul_i64(x->shape.dims[d], repeats[d], &s.dims[d]))
			return joule_node_err(node, -EOVERFLOW, "dimension %d is too large", d);
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

static int plan_tile(const struct joule_node *node, struct joule_copy *c)
{
	const struct joule_shape *x = &node->in[0]->shape;
	int64_t repeats[JOULE_MAX_RANK], src[JOULE_MAX_RANK], dst[JOULE_MAX_RANK];
	int ret = read_repeats(node, repeats);

	*c = (struct joule_copy){ 0 };
	joule_shape_strides(x, src);
	joule_shape_strides(&node->out[0]->shape, dst);
	for (int d = 0; !ret && d < x->rank; d++) {
		joule_copy_dim(c, repeats[d], 0, dst[d] * x->dims[d]);
		joule_copy_dim(c, x->dims[d], src[d], dst[d]);
	}
	return ret;
}

static int plan(const struct joule_node *node, struct joule_copy *c)
{
	return node->op->infer == tile_infer ? plan_tile(node, c) : plan_expand(node, c);
}

static int repeat_ref(struct joule_node *node)
{
	struct joule_copy c;
	int ret = plan(node, &c);

	if (!ret)
		joule_copy_ref(node->in[0]->dtype, &c, node->in[0]->data, node->out[0]->data);
	return ret;
}

static int repeat_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_copy c;
	int ret = plan(node, &c);

	if (ret == -ENODATA)
		return joule_bind_refuse(b, "repeats are not known");
	if (ret)
		return ret;
	joule_copy_bind(b, node->in[0]->dtype, &c, JOULE_IN(0), JOULE_OUT(0));
	return joule_bind_end(b);
}

#define REPEAT .min_out = 1, .max_out = 1, .ref = repeat_ref, .bind = repeat_bind, \
	.cost = joule_cost_moved

JOULE_OPS(expand) = {
	{ .name = "Expand", .since = 8, .min_in = 2, .max_in = 2, REPEAT, .infer = expand_infer },
	{ .name = "Tile", .since = 1, .until = 5, .min_in = 3, .max_in = 3, REPEAT,
	  .infer = tile_infer },
	{ .name = "Tile", .since = 6, .min_in = 2, .max_in = 2, REPEAT, .infer = tile_infer },
	JOULE_OPS_END,
};
