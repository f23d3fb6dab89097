// SPDX-License-Identifier: MIT
/* Bits of integers: And, Or, Xor, Not and shifts. Work for the host. */
#include <errno.h>

#include "ops/common.h"
#include "ops/walk.h"

enum code { AND, OR, XOR, SHIFT };

struct shift {
	int direction;
};

static const char *const directions[] = { "LEFT", "RIGHT", NULL };

static int bitwise_infer(struct joule_node *node)
{
	enum joule_dtype type = node->in[0]->dtype;

	for (int i = 0; i < node->n_in; i++) {
		const struct joule_tensor *t = node->in[i];

		if (!joule_dtype_is_int(t->dtype) ||
		    (node->op->attrs && !joule_dtype_is_unsigned(t->dtype)))
			return joule_err_dtype(node, t);
		if (t->dtype != type)
			return joule_node_err(node, -EINVAL, "operands of types %s and %s",
					      joule_dtype_name(type), joule_dtype_name(t->dtype));
	}
	return joule_infer_broadcast(node);
}

/* Shifts as wide as the type or wider give 0, not what the CPU makes of them. */
static uint64_t shifted(const struct joule_node *node, uint64_t x, uint64_t by)
{
	const struct shift *a = node->attrs;

	if (by >= joule_dtype_bits(node->in[0]->dtype))
		return 0;
	return a->direction ? x >> by : x << by;
}

static uint64_t eval(const struct joule_node *node, uint64_t x, uint64_t y)
{
	switch ((enum code)node->op->code) {
	case AND:
		return x & y;
	case OR:
		return x | y;
	case XOR:
		return x ^ y;
	case SHIFT:
		return shifted(node, x, y);
	}
	return 0;
}

static int two_ref(struct joule_node *node)
{
	const struct joule_tensor *a = node->in[0], *b = node->in[1];
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS];
	struct joule_tensor *out = node->out[0];
	struct joule_walk w;

	joule_walk_init(&w, &out->shape);
	joule_walk_add(&w, &a->shape);
	joule_walk_add(&w, &b->shape);
	joule_walk_add(&w, &out->shape);
	joule_walk_merge(&w);
	for (bool more = joule_walk_begin(&w, pos, at); more; more = joule_walk_next(&w, pos, at)) {
		int last = w.rank - 1;

		for (int64_t i = 0; i < w.dims[last]; i++) {
			int64_t x = joule_get_i64(a->dtype, a->data, at[0] + i * w.strides[0][last]);
			int64_t y = joule_get_i64(b->dtype, b->data, at[1] + i * w.strides[1][last]);

			joule_set_i64(out->dtype, out->data, at[2] + i,
				      (int64_t)eval(node, (uint64_t)x, (uint64_t)y));
		}
	}
	return 0;
}

static int not_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	int64_t n = joule_tensor_count(x);

	for (int64_t i = 0; i < n; i++)
		joule_set_i64(x->dtype, node->out[0]->data, i,
			      ~joule_get_i64(x->dtype, x->data, i));
	return 0;
}

static const struct joule_attr shift_attrs[] = {
	{ .name = "direction", .type = JOULE_ATTR_ENUM, .offset = offsetof(struct shift, direction),
	  .required = true, .def.names = directions },
	{ 0 },
};

#define BITWISE(onnx, version, which, operands, bytes, table, fn) \
	{ \
		.name = onnx, .code = which, .since = version, .min_in = operands, \
		.max_in = operands, .min_out = 1, .max_out = 1, \
		.traits = JOULE_OP_HOST | JOULE_OP_ELEMENTWISE, .attrs_bytes = bytes, \
		.attrs = table, .infer = bitwise_infer, .ref = fn, \
	}

JOULE_OPS(bitwise) = {
	BITWISE("BitShift", 11, SHIFT, 2, sizeof(struct shift), shift_attrs, two_ref),
	BITWISE("BitwiseAnd", 18, AND, 2, 0, NULL, two_ref),
	BITWISE("BitwiseNot", 18, AND, 1, 0, NULL, not_ref),
	BITWISE("BitwiseOr", 18, OR, 2, 0, NULL, two_ref),
	BITWISE("BitwiseXor", 18, XOR, 2, 0, NULL, two_ref),
	JOULE_OPS_END,
};
