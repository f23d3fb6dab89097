// SPDX-License-Identifier: MIT
/*
 * Operators whose result is a truth value: comparisons, logic, IsNaN, IsInf.
 * The kernels compute 0 or 1 by the formulas of ir/elementwise.def.
 */
#include <errno.h>

#include "ops/chain.h"
#include "ops/common.h"
#include "ops/old_broadcast.h"
#include "ops/walk.h"

struct isinf {
	int64_t detect_positive, detect_negative;
};

static int compare_infer(struct joule_node *node)
{
	enum joule_dtype a = node->in[0]->dtype, b = node->in[1]->dtype;

	if (a != b)
		return joule_node_err(node, -EINVAL, "operands of types %s and %s",
				      joule_dtype_name(a), joule_dtype_name(b));
	return joule_infer_two(node, JOULE_BOOL);
}

static int logic_infer(struct joule_node *node)
{
	for (int i = 0; i < node->n_in; i++)
		if (node->in[i]->dtype != JOULE_BOOL)
			return joule_err_dtype(node, node->in[i]);
	if (node->n_in == 2)
		return joule_infer_two(node, JOULE_BOOL);
	return joule_infer_same(node);
}

static int test_infer(struct joule_node *node)
{
	if (!joule_dtype_is_float(node->in[0]->dtype))
		return joule_err_dtype(node, node->in[0]);
	joule_set_out(node, 0, JOULE_BOOL, &node->in[0]->shape);
	return 0;
}

static bool int_eval(int code, int64_t x, int64_t y, bool uns)
{
	bool less = uns ? (uint64_t)x < (uint64_t)y : x < y;

	switch (code) {
	case JOULE_EW_LESS:
		return less;
	case JOULE_EW_LESS_EQUAL:
		return less || x == y;
	case JOULE_EW_GREATER:
		return !less && x != y;
	case JOULE_EW_GREATER_EQUAL:
		return !less;
	default:
		return x == y;
	}
}

static void ref_row(struct joule_node *node, int64_t at, int64_t stride, int64_t bt,
		    int64_t b_stride, int64_t to, int n)
{
	const struct joule_tensor *a = node->in[0], *b = node->in[1];
	uint8_t *out = (uint8_t *)node->out[0]->data + to;
	bool uns = joule_dtype_is_unsigned(a->dtype);

	if (joule_dtype_is_int(a->dtype)) {
		int64_t x[JOULE_ROW_CHUNK], y[JOULE_ROW_CHUNK];

		joule_row_get_i64(a, at, stride, n, x);
		joule_row_get_i64(b, bt, b_stride, n, y);
		for (int i = 0; i < n; i++)
			out[i] = int_eval(node->op->code, x[i], y[i], uns);
	} else {
		double x[JOULE_ROW_CHUNK], y[JOULE_ROW_CHUNK];

		joule_row_get_f64(a, at, stride, n, x);
		joule_row_get_f64(b, bt, b_stride, n, y);
		for (int i = 0; i < n; i++)
			out[i] = joule_ew_eval((enum joule_ew_code)node->op->code, x[i], y[i], 0,
					       0) != 0;
	}
}

static int two_ref(struct joule_node *node)
{
	struct joule_shape a = joule_operand_shape(node, 0), b = joule_operand_shape(node, 1);
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS];
	struct joule_walk w;

	joule_walk_init(&w, &node->out[0]->shape);
	joule_walk_add(&w, &a);
	joule_walk_add(&w, &b);
	joule_walk_add(&w, &node->out[0]->shape);
	joule_walk_merge(&w);
	for (bool more = joule_walk_begin(&w, pos, at); more; more = joule_walk_next(&w, pos, at)) {
		int64_t len = w.dims[w.rank - 1];
		int64_t sa = w.strides[0][w.rank - 1], sb = w.strides[1][w.rank - 1];

		for (int64_t i = 0; i < len; i += JOULE_ROW_CHUNK)
			ref_row(node, at[0] + i * sa, sa, at[1] + i * sb, sb, at[2] + i,
				(int)JOULE_MIN(len - i, JOULE_ROW_CHUNK));
	}
	return 0;
}

/* p and q of the one-operand tests. */
static void test_params(const struct joule_node *node, float *p, float *q)
{
	const struct isinf *a = node->attrs;

	*p = *q = 0;
	if (node->op->code != JOULE_EW_IS_INF)
		return;
	*p = a->detect_positive != 0;
	*q = a->detect_negative != 0;
}

static int one_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	int64_t n = joule_tensor_count(x);
	uint8_t *out = node->out[0]->data;
	float p, q;

	test_params(node, &p, &q);
	for (int64_t i = 0; i < n; i++)
		out[i] = joule_ew_eval((enum joule_ew_code)node->op->code,
				       joule_get_f64(x->dtype, x->data, i), 0, p, q) != 0;
	return 0;
}

static int compare_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_chain_launch c;
	float p, q;

	joule_chain_begin(&c, node, 0);
	for (int i = 0; i < node->n_in; i++) {
		struct joule_shape shape = joule_operand_shape(node, i);

		joule_chain_operand(&c, JOULE_IN((uint16_t)i), node->in[i]->dtype, &shape);
	}
	test_params(node, &p, &q);
	joule_chain_step(&c, (enum joule_ew_code)node->op->code, node->n_in - 1, p, q);
	joule_chain_bind(b, &c);
	return joule_bind_end(b);
}

static const struct joule_attr isinf_attrs[] = {
	JOULE_A_INT(struct isinf, detect_positive, 1),
	JOULE_A_INT(struct isinf, detect_negative, 1),
	{ 0 },
};

#define ONE(onnx, ew, version, bytes, table, shape) \
	{ \
		.name = onnx, .code = JOULE_EW_##ew, .since = version, .min_in = 1, .max_in = 1, \
		.min_out = 1, .max_out = 1, .traits = JOULE_OP_ELEMENTWISE, .attrs_bytes = bytes, \
		.attrs = table, .infer = shape, .ref = one_ref, .bind = compare_bind, \
	}
#define OLD(onnx, ew, shape) \
	{ \
		.name = onnx, .code = JOULE_EW_##ew, .since = 1, .until = 6, .min_in = 2, \
		.max_in = 2, .min_out = 1, .max_out = 1, \
		.attrs_bytes = sizeof(struct joule_old_broadcast), \
		.attrs = joule_old_broadcast_attrs, .infer = shape, .ref = two_ref, \
		.bind = compare_bind, \
	}
#define TWO(onnx, ew, version, shape) \
	{ \
		.name = onnx, .code = JOULE_EW_##ew, .since = version, .min_in = 2, .max_in = 2, \
		.min_out = 1, .max_out = 1, .traits = JOULE_OP_ELEMENTWISE, .infer = shape, \
		.ref = two_ref, .bind = compare_bind, \
	}

JOULE_OPS(compare) = {
	OLD("And", AND, logic_infer),
	OLD("Equal", EQUAL, compare_infer),
	OLD("Greater", GREATER, compare_infer),
	OLD("Less", LESS, compare_infer),
	OLD("Or", OR, logic_infer),
	OLD("Xor", XOR, logic_infer),
	TWO("And", AND, 7, logic_infer),
	TWO("Equal", EQUAL, 7, compare_infer),
	TWO("Greater", GREATER, 7, compare_infer),
	TWO("GreaterOrEqual", GREATER_EQUAL, 12, compare_infer),
	TWO("Less", LESS, 7, compare_infer),
	TWO("LessOrEqual", LESS_EQUAL, 12, compare_infer),
	TWO("Or", OR, 7, logic_infer),
	TWO("Xor", XOR, 7, logic_infer),
	ONE("IsInf", IS_INF, 10, sizeof(struct isinf), isinf_attrs, test_infer),
	ONE("IsNaN", IS_NAN, 9, 0, NULL, test_infer),
	ONE("Not", NOT, 1, 0, NULL, logic_infer),
	JOULE_OPS_END,
};
