// SPDX-License-Identifier: MIT
/*
 * Arithmetic of two broadcast tensors. Floats follow ir/elementwise.def,
 * integers C's two's complement: sums and products wrap, division truncates,
 * a divisor of 0 gives 0 (ONNX leaves it open; a trap would be worse).
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "ops/cast.h"
#include "ops/chain.h"
#include "ops/common.h"
#include "ops/old_broadcast.h"
#include "ops/walk.h"

struct mod {
	int64_t fmod;
};

static int binary_infer(struct joule_node *node)
{
	enum joule_dtype a = node->in[0]->dtype, b = node->in[1]->dtype;

	if (a == JOULE_BOOL || (!joule_dtype_is_float(a) && !joule_dtype_is_int(a)))
		return joule_err_dtype(node, node->in[0]);
	if (a != b && (node->op->code != JOULE_EW_POW || b == JOULE_BOOL))
		return joule_node_err(node, -EINVAL, "operands of types %s and %s",
				      joule_dtype_name(a), joule_dtype_name(b));
	return joule_infer_two(node, a);
}

/* Before opset 7 a PRelu slope of one axis belongs to the channels. */
static int prelu_infer(struct joule_node *node)
{
	int ret = binary_infer(node);

	if (!ret && !joule_shape_equal(&node->out[0]->shape, &node->in[0]->shape))
		return joule_node_err(node, -EINVAL, "the slope's shape does not broadcast to X");
	return ret;
}

static int64_t int_pow(int64_t x, int64_t y)
{
	uint64_t r = 1, base = (uint64_t)x;

	if (y < 0)
		return x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0;
	for (; y; y >>= 1, base *= base)
		if (y & 1)
			r *= base;
	return (int64_t)r;
}

/* Python's sign rule by default, C's with fmod. */
static int64_t int_mod(const struct joule_node *node, int64_t x, int64_t y, bool uns)
{
	const struct mod *a = node->attrs;
	int64_t r;

	if (!y)
		return 0;
	if (uns)
		return (int64_t)((uint64_t)x % (uint64_t)y);
	r = y == -1 ? 0 : x % y;
	return !a->fmod && r && (r < 0) != (y < 0) ? r + y : r;
}

static int64_t int_eval(const struct joule_node *node, int64_t x, int64_t y, bool uns)
{
	uint64_t ux = (uint64_t)x, uy = (uint64_t)y;

	switch (node->op->code) {
	case JOULE_EW_ADD:
		return (int64_t)(ux + uy);
	case JOULE_EW_SUB:
		return (int64_t)(ux - uy);
	case JOULE_EW_MUL:
		return (int64_t)(ux * uy);
	case JOULE_EW_DIV:
		if (!y)
			return 0;
		if (uns)
			return (int64_t)(ux / uy);
		return y == -1 ? (int64_t)-ux : x / y;
	case JOULE_EW_FMOD:
		return int_mod(node, x, y, uns);
	case JOULE_EW_PRELU:
		return x < 0 && !uns ? (int64_t)(ux * uy) : x;
	case JOULE_EW_POW:
		return int_pow(x, y);
	default:
		return 0;
	}
}

static void float_row(enum joule_ew_code code, double *x, const double *y, int n)
{
	switch (code) {
	case JOULE_EW_ADD:
		for (int i = 0; i < n; i++)
			x[i] += y[i];
		break;
	case JOULE_EW_SUB:
		for (int i = 0; i < n; i++)
			x[i] -= y[i];
		break;
	case JOULE_EW_MUL:
		for (int i = 0; i < n; i++)
			x[i] *= y[i];
		break;
	case JOULE_EW_DIV:
		for (int i = 0; i < n; i++)
			x[i] /= y[i];
		break;
	default:
		for (int i = 0; i < n; i++)
			x[i] = joule_ew_eval(code, x[i], y[i], 0, 0);
	}
}

static void ref_row(struct joule_node *node, int64_t at, int64_t stride, int64_t bt,
		    int64_t b_stride, int64_t to, int n)
{
	bool ints = joule_dtype_is_int(node->in[0]->dtype) && joule_dtype_is_int(node->in[1]->dtype);
	bool uns = joule_dtype_is_unsigned(node->in[0]->dtype);

	if (ints) {
		int64_t x[JOULE_ROW_CHUNK], y[JOULE_ROW_CHUNK];

		joule_row_get_i64(node->in[0], at, stride, n, x);
		joule_row_get_i64(node->in[1], bt, b_stride, n, y);
		for (int i = 0; i < n; i++)
			x[i] = int_eval(node, x[i], y[i], uns);
		joule_row_set_i64(node->out[0], to, n, x);
	} else {
		double x[JOULE_ROW_CHUNK], y[JOULE_ROW_CHUNK];

		joule_row_get_f64(node->in[0], at, stride, n, x);
		joule_row_get_f64(node->in[1], bt, b_stride, n, y);
		float_row((enum joule_ew_code)node->op->code, x, y, n);
		joule_row_set_f64(node->out[0], to, n, x);
	}
}

static int binary_ref(struct joule_node *node)
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

/* code(x, c) with a constant c as a step without operand, where that is exact. */
static bool fold_scalar(enum joule_ew_code code, double c, struct joule_ew_step *step)
{
	int exponent;

	*step = (struct joule_ew_step){ .code = JOULE_EW_SCALE, .operand = -1, .p = 1 };
	switch (code) {
	case JOULE_EW_ADD:
		step->q = (float)c;
		return true;
	case JOULE_EW_SUB:
		step->q = (float)-c;
		return true;
	case JOULE_EW_RSUB:
		step->p = -1;
		step->q = (float)c;
		return true;
	case JOULE_EW_MUL:
		/* Adding -0 leaves every value alone, +0 would turn -0 around. */
		step->p = (float)c;
		step->q = -0.0f;
		return true;
	case JOULE_EW_DIV:
		/* Multiplication by the inverse is division only for powers of two. */
		if (fabs(frexp(c, &exponent)) != 0.5 || exponent < -100 || exponent > 100)
			return false;
		step->p = (float)(1 / c);
		step->q = -0.0f;
		return true;
	case JOULE_EW_RDIV:
		step->code = JOULE_EW_RECIPROCAL;
		return c == 1;
	case JOULE_EW_PRELU:
		step->code = JOULE_EW_LEAKY_RELU;
		step->p = (float)c;
		return true;
	case JOULE_EW_POW:
		step->code = c == 2   ? JOULE_EW_SQUARE :
			     c == 0.5 ? JOULE_EW_SQRT :
			     c == -1  ? JOULE_EW_RECIPROCAL :
					JOULE_EW_POW_P;
		step->p = (float)c;
		return true;
	default:
		return false;
	}
}

static bool const_scalar(const struct joule_tensor *t)
{
	return joule_tensor_is_const(t) && joule_tensor_count(t) == 1;
}

static int binary_elementwise(const struct joule_node *node, struct joule_ew_step *step)
{
	const struct joule_tensor *a = node->in[0], *b = node->in[1], *out = node->out[0];
	enum joule_ew_code code = (enum joule_ew_code)node->op->code, back = joule_ew_swapped(code);
	bool a_full = joule_shape_equal(&a->shape, &out->shape);
	bool b_full = joule_shape_equal(&b->shape, &out->shape);

	if (!joule_dtype_is_float(a->dtype))
		return -ENOTSUP;
	if (a_full && const_scalar(b) &&
	    fold_scalar(code, joule_get_f64(b->dtype, b->data, 0), step))
		return 0;
	if (a->dtype != b->dtype)
		return -ENOTSUP;
	if (b_full && const_scalar(a) && !joule_tensor_is_const(b) &&
	    back != JOULE_EW_COUNT &&
	    fold_scalar(back, joule_get_f64(a->dtype, a->data, 0), step))
		return 0;
	if (a_full)
		*step = (struct joule_ew_step){ .code = (uint16_t)code, .operand = 1 };
	else if (b_full && back != JOULE_EW_COUNT)
		*step = (struct joule_ew_step){ .code = (uint16_t)back, .operand = 0 };
	else
		return -ENOTSUP;
	return 0;
}

/* Input i, integer exponents of a float as fp32. */
static void bind_operand(struct joule_chain_launch *c, const struct joule_node *node, int i,
			 struct joule_binder *b)
{
	struct joule_shape shape = joule_operand_shape(node, i);
	struct joule_operand place = JOULE_IN((uint16_t)i);
	enum joule_dtype dtype = node->in[i]->dtype;
	int64_t n = joule_tensor_count(node->in[i]);

	if (i && joule_dtype_is_float(node->in[0]->dtype) && joule_dtype_is_int(dtype) &&
	    joule_tensor_count(node->out[0]) && n <= INT32_MAX) {
		place = joule_bind_scratch(b, (uint64_t)n * sizeof(float));
		joule_cast_launch(b, JOULE_IN((uint16_t)i), dtype, place, JOULE_F32, n);
		dtype = JOULE_F32;
	}
	joule_chain_operand(c, place, dtype, &shape);
}

static int binary_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_chain_launch c;
	struct joule_ew_step step;

	joule_chain_begin(&c, node, 0);
	if (!joule_old_broadcast(node) && !binary_elementwise(node, &step) && step.operand < 0) {
		joule_chain_input(&c, node, joule_ew_value(node, &step));
		joule_chain_step(&c, step.code, -1, step.p, step.q);
	} else {
		for (int i = 0; i < 2; i++)
			bind_operand(&c, node, i, b);
		joule_chain_step(&c, (enum joule_ew_code)node->op->code, 1, 0, 0);
	}
	joule_chain_bind(b, &c);
	return joule_bind_end(b);
}

/* Mod of floats is C's alone. */
static int mod_infer(struct joule_node *node)
{
	const struct mod *a = node->attrs;

	if (joule_dtype_is_float(node->in[0]->dtype) && !a->fmod)
		return joule_node_err(node, -EINVAL, "Mod of %s needs fmod=1",
				      joule_dtype_name(node->in[0]->dtype));
	return binary_infer(node);
}

static int prelu_old_infer(struct joule_node *node)
{
	struct joule_old_broadcast *a = node->attrs;

	a->broadcast = 1;
	if (node->in[1]->shape.rank == 1 && node->in[0]->shape.rank > 1)
		a->axis = 1;
	if (joule_tensor_count(node->in[1]) == 1)
		a->axis = JOULE_OLD_AXIS_ABSENT;
	return prelu_infer(node);
}

static const struct joule_attr mod_attrs[] = { JOULE_A_INT(struct mod, fmod, 0), { 0 } };

#define OLD(onnx, ew, from, to, shape) \
	{ \
		.name = onnx, .code = JOULE_EW_##ew, .since = from, .until = to, .min_in = 2, \
		.max_in = 2, .min_out = 1, .max_out = 1, .traits = JOULE_OP_IN_PLACE, \
		.attrs_bytes = sizeof(struct joule_old_broadcast), \
		.attrs = joule_old_broadcast_attrs, .infer = shape, .ref = binary_ref, \
		.bind = binary_bind, \
	}
#define BINARY(onnx, ew, version, bytes, table, shape) \
	{ \
		.name = onnx, .code = JOULE_EW_##ew, .since = version, .min_in = 2, .max_in = 2, \
		.min_out = 1, .max_out = 1, .traits = JOULE_OP_IN_PLACE | JOULE_OP_ELEMENTWISE, \
		.attrs_bytes = bytes, .attrs = table, .infer = shape, .ref = binary_ref, \
		.bind = binary_bind, .elementwise = binary_elementwise, \
	}

JOULE_OPS(binary) = {
	OLD("Add", ADD, 1, 6, binary_infer),
	OLD("Sub", SUB, 1, 6, binary_infer),
	OLD("Mul", MUL, 1, 6, binary_infer),
	OLD("Div", DIV, 1, 6, binary_infer),
	OLD("Pow", POW, 1, 6, binary_infer),
	OLD("PRelu", PRELU, 1, 6, prelu_old_infer),
	BINARY("Add", ADD, 7, 0, NULL, binary_infer),
	BINARY("Sub", SUB, 7, 0, NULL, binary_infer),
	BINARY("Mul", MUL, 7, 0, NULL, binary_infer),
	BINARY("Div", DIV, 7, 0, NULL, binary_infer),
	BINARY("Pow", POW, 7, 0, NULL, binary_infer),
	BINARY("PRelu", PRELU, 7, 0, NULL, prelu_infer),
	BINARY("Mod", FMOD, 10, sizeof(struct mod), mod_attrs, mod_infer),
	JOULE_OPS_END,
};
