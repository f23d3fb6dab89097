// SPDX-License-Identifier: MIT
#include "ops/elements.h"

#include <errno.h>

int joule_address_by_element(const struct joule_node *node, int64_t axis, struct joule_address *a)
{
	const struct joule_shape *x = &node->in[0]->shape, *idx = &node->in[1]->shape;
	char s[2][128];

	*a = (struct joule_address){ .by = JOULE_BY_ELEMENT, .rank = x->rank, .slice = 1 };
	if (!joule_dtype_is_int(node->in[1]->dtype))
		return joule_err_dtype(node, node->in[1]);
	a->axis = joule_node_axis(node, axis, x->rank);
	if (a->axis < 0)
		return a->axis;
	joule_shape_strides(x, a->stride);
	a->axis_dim = x->dims[a->axis];
	for (int d = 0; d < x->rank && idx->rank == x->rank; d++) {
		a->dims[d] = idx->dims[d];
		/* Other coordinates are used as they are. */
		if (d != a->axis && idx->dims[d] > x->dims[d])
			a->rank = -1;
	}
	if (idx->rank != x->rank || a->rank < 0)
		return joule_node_err(node, -EINVAL, "indices %s do not address %s along axis %d",
				      joule_shape_str(idx, s[0], sizeof(s[0])),
				      joule_shape_str(x, s[1], sizeof(s[1])), a->axis);
	a->count = joule_tensor_count(node->in[1]);
	a->slots = joule_tensor_count(node->in[0]);
	return 0;
}

int joule_address_by_tuple(const struct joule_node *node, int64_t batch_dims,
			   struct joule_address *a)
{
	const struct joule_shape *x = &node->in[0]->shape, *idx = &node->in[1]->shape;
	int64_t batches = 1, stride = 1, k;
	char s[2][128];
	int b;

	*a = (struct joule_address){ .by = JOULE_BY_TUPLE, .slice = 1, .per_batch = 1 };
	joule_shape_str(idx, s[0], sizeof(s[0]));
	joule_shape_str(x, s[1], sizeof(s[1]));
	if (!joule_dtype_is_int(node->in[1]->dtype))
		return joule_err_dtype(node, node->in[1]);
	if (idx->rank < 1 || batch_dims < 0 || batch_dims > idx->rank - 1 || batch_dims > x->rank)
		return joule_node_err(node, -EINVAL, "indices %s have no %lld batch dimensions",
				      s[0], (long long)batch_dims);
	b = (int)batch_dims;
	k = idx->dims[idx->rank - 1];
	if (k < 0 || b + k > x->rank)
		return joule_node_err(node, -EINVAL, "indices %s do not address %s", s[0], s[1]);
	a->k = (int)k;
	for (int d = 0; d < b; d++) {
		if (idx->dims[d] != x->dims[d])
			return joule_node_err(node, -EINVAL,
					      "batch dimension %d differs: indices %s, data %s", d,
					      s[0], s[1]);
		batches *= x->dims[d];
	}
	for (int d = b; d < idx->rank - 1; d++)
		a->per_batch *= idx->dims[d];
	for (int d = x->rank - 1; d >= b + a->k; d--)
		a->slice *= x->dims[d];
	for (int i = a->k - 1; i >= 0; i--) {
		a->tuple_dim[i] = x->dims[b + i];
		a->tuple_stride[i] = stride;
		stride *= x->dims[b + i];
	}
	a->batch_stride = stride;
	a->count = batches * a->per_batch;
	a->slots = batches * stride;
	return 0;
}

int64_t joule_address_slot(const struct joule_node *node, const struct joule_address *a, int64_t i)
{
	const struct joule_tensor *idx = node->in[1];
	int64_t slot, rest = i;

	if (a->by == JOULE_BY_TUPLE) {
		slot = i / a->per_batch * a->batch_stride;
		for (int k = 0; k < a->k; k++) {
			int64_t v = joule_node_index(node, idx, i * a->k + k, a->tuple_dim[k]);

			if (v < 0)
				return v;
			slot += v * a->tuple_stride[k];
		}
		return slot;
	}
	slot = joule_node_index(node, idx, i, a->axis_dim);
	if (slot < 0)
		return slot;
	slot *= a->stride[a->axis];
	for (int d = a->rank - 1; d >= 0; d--) {
		if (d != a->axis)
			slot += rest % a->dims[d] * a->stride[d];
		rest /= a->dims[d];
	}
	return slot;
}

/* As the shaders have it. By element: innermost first, stride 0 for the axis. */
struct address_dim {
	uint32_t len, magic;
	int32_t stride, unused;
};

struct joule_operand joule_address_bind(struct joule_binder *b, const struct joule_address *a)
{
	int n = a->by == JOULE_BY_TUPLE ? a->k : a->rank;
	struct address_dim *dim;
	struct joule_operand o =
		joule_bind_const(b, sizeof(*dim) * (size_t)(n ? n : 1), (void **)&dim);

	for (int i = 0; dim && i < n; i++) {
		int d = a->rank - 1 - i;

		if (a->by == JOULE_BY_TUPLE) {
			dim[i].len = (uint32_t)a->tuple_dim[i];
			dim[i].stride = (int32_t)a->tuple_stride[i];
			continue;
		}
		dim[i].len = (uint32_t)a->dims[d];
		dim[i].magic = joule_magic(dim[i].len);
		dim[i].stride = d == a->axis ? 0 : (int32_t)a->stride[d];
	}
	return o;
}
