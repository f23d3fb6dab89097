// SPDX-License-Identifier: MIT
/* GatherElements and GatherND: elements or slices picked by full addresses. */
#include <errno.h>

#include "ops/elements.h"

struct gather_nd {
	int64_t axis, batch_dims;
};

static bool by_tuple(const struct joule_node *node)
{
	return node->op->code == JOULE_BY_TUPLE;
}

static int address(const struct joule_node *node, struct joule_address *a)
{
	const struct gather_nd *attrs = node->attrs;

	return by_tuple(node) ? joule_address_by_tuple(node, attrs->batch_dims, a) :
				joule_address_by_element(node, attrs->axis, a);
}

static int gather_nd_infer(struct joule_node *node)
{
	const struct gather_nd *attrs = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape, *idx = &node->in[1]->shape;
	struct joule_shape s = *idx;
	struct joule_address a;
	int ret = address(node, &a);

	if (ret)
		return ret;
	if (by_tuple(node)) {
		int from = (int)attrs->batch_dims + a.k;

		s.rank = idx->rank - 1 + x->rank - from;
		if (s.rank > JOULE_MAX_RANK)
			return joule_node_err(node, -ENOTSUP, "rank %d is more than %d", s.rank,
					      JOULE_MAX_RANK);
		for (int d = from; d < x->rank; d++)
			s.dims[idx->rank - 1 + d - from] = x->dims[d];
	}
	joule_set_out(node, 0, node->in[0]->dtype, &s);
	return 0;
}

static int gather_nd_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_address a;
	int ret = address(node, &a);

	if (ret || !joule_tensor_count(node->out[0]))
		return ret;
	for (int64_t i = 0; i < a.count; i++) {
		int64_t slot = joule_address_slot(node, &a, i);

		if (slot < 0)
			return (int)slot;
		joule_move_run(x->dtype, node->out[0]->data, i * a.slice, x->data, slot * a.slice,
			       a.slice);
	}
	return 0;
}

static int gather_nd_bind(const struct joule_node *node, struct joule_binder *b)
{
	unsigned int bytes = joule_bind_bytes(b, node->in[0]);
	unsigned int words = joule_bind_index_words(b, node->in[1]), unit;
	int64_t n = joule_tensor_count(node->out[0]);
	struct joule_address a;
	struct joule_dispatch *d;
	int ret = address(node, &a);

	if (ret)
		return ret;
	if (n > INT32_MAX || a.count > INT32_MAX)
		joule_bind_refuse(b, "2^31 elements or more");
	else if (n && !a.slots)
		joule_bind_refuse(b, "nothing to gather from");
	if (b->err || !n)
		return joule_bind_end(b);
	unit = joule_move_unit(b, (uint64_t)a.slice * bytes);
	if (by_tuple(node))
		d = joule_bind(b, "gather_tuples_%u", unit);
	else
		d = joule_bind(b, "gather_elements_%u", bytes);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_read(d, joule_address_bind(b, &a));
	if (by_tuple(node)) {
		uint32_t slice = (uint32_t)(a.slice * bytes / unit);

		n = a.count * slice;
		joule_bind_u32(d, (uint32_t)n);
		joule_bind_u32(d, slice);
		joule_bind_u32(d, joule_magic(slice));
		joule_bind_u32(d, (uint32_t)a.per_batch);
		joule_bind_u32(d, joule_magic((uint32_t)a.per_batch));
		joule_bind_u32(d, (uint32_t)a.batch_stride);
	} else {
		joule_bind_u32(d, (uint32_t)n);
		joule_bind_i32(d, (int32_t)a.axis_dim);
		joule_bind_i32(d, (int32_t)a.stride[a.axis]);
	}
	joule_bind_spec(d, (uint32_t)(by_tuple(node) ? a.k : a.rank));
	joule_bind_spec(d, words);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static void gather_nd_cost(const struct joule_node *node, struct joule_cost *cost)
{
	joule_cost_moved(node, cost);
	cost->bytes += joule_tensor_bytes(node->in[1]);
}

static const struct joule_attr elements[] = { JOULE_A_INT(struct gather_nd, axis, 0), { 0 } };
static const struct joule_attr nd12[] = { JOULE_A_INT(struct gather_nd, batch_dims, 0), { 0 } };

#define GATHER .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, \
	.attrs_bytes = sizeof(struct gather_nd), .infer = gather_nd_infer, .ref = gather_nd_ref, \
	.bind = gather_nd_bind, .cost = gather_nd_cost

JOULE_OPS(gather_nd) = {
	{ .name = "GatherElements", .since = 11, .code = JOULE_BY_ELEMENT, GATHER,
	  .attrs = elements },
	{ .name = "GatherND", .since = 11, .until = 11, .code = JOULE_BY_TUPLE, GATHER },
	{ .name = "GatherND", .since = 12, .code = JOULE_BY_TUPLE, GATHER, .attrs = nd12 },
	JOULE_OPS_END,
};
