// SPDX-License-Identifier: MIT
/*
 * Operators of one tensor that work element by element: each row of the list
 * at the end is an ONNX operator and its formula in ir/elementwise.def.
 * (IsNaN, Not, Cast, ... whose types change are in files of their own.)
 */
#include <errno.h>

#include "ops/common.h"
#include "ops/walk.h"

/* ONNX's alpha, beta and gamma, under whatever name a row gives them. */
struct unary {
	float p, q;
	int approximate;
	struct joule_ints consumed_inputs; /* opset 1: a hint on memory, ignored */
};

static enum joule_ew_code code_of(const struct joule_node *node)
{
	const struct unary *a = node->attrs;

	return a->approximate ? JOULE_EW_GELU_TANH : (enum joule_ew_code)node->op->code;
}

static int unary_elementwise(const struct joule_node *node, struct joule_ew_step *step)
{
	const struct unary *a = node->attrs;

	if (!joule_dtype_is_float(node->in[0]->dtype))
		return -ENOTSUP;
	*step = (struct joule_ew_step){ .code = (uint16_t)code_of(node),
					.operand = -1,
					.p = a->p,
					.q = a->q };
	return 0;
}

/* Integers are for Abs, Neg, Sign, Relu, Erf and Shrink alone. */
static bool takes_ints(int code)
{
	return code == JOULE_EW_ABS || code == JOULE_EW_NEG || code == JOULE_EW_SIGN ||
	       code == JOULE_EW_RELU || code == JOULE_EW_ERF || code == JOULE_EW_SHRINK;
}

static int unary_infer(struct joule_node *node)
{
	enum joule_dtype type = node->in[0]->dtype;

	if (!joule_dtype_is_float(type) &&
	    !(joule_dtype_is_int(type) && takes_ints(node->op->code)))
		return joule_err_dtype(node, node->in[0]);
	return joule_infer_same(node);
}

static void ref_int(struct joule_node *node, enum joule_ew_code code)
{
	const struct unary *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	int64_t n = joule_tensor_count(y);

	for (int64_t i = 0; i < n; i++) {
		int64_t v = joule_get_i64(x->dtype, x->data, i);
		bool negative = v < 0 && !joule_dtype_is_unsigned(x->dtype);

		switch (code) {
		case JOULE_EW_ABS:
			v = negative ? (int64_t)-(uint64_t)v : v;
			break;
		case JOULE_EW_NEG:
			v = (int64_t)-(uint64_t)v;
			break;
		case JOULE_EW_SIGN:
			v = negative ? -1 : v != 0;
			break;
		case JOULE_EW_RELU:
			v = negative ? 0 : v;
			break;
		default:
			joule_set_f64(y->dtype, y->data, i,
				      joule_ew_eval(code, (double)v, 0, a->p, a->q));
			continue;
		}
		joule_set_i64(y->dtype, y->data, i, v);
	}
}

static int unary_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	enum joule_ew_code code = code_of(node);
	const struct unary *a = node->attrs;
	int64_t n = joule_tensor_count(y);

	if (!joule_dtype_is_float(x->dtype)) {
		ref_int(node, code);
		return 0;
	}
	for (int64_t i = 0; i < n; i++)
		joule_set_f64(y->dtype, y->data, i,
			      joule_ew_eval(code, joule_get_f64(x->dtype, x->data, i), 0, a->p,
					    a->q));
	return 0;
}

static int unary_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	const struct unary *a = node->attrs;
	struct joule_dispatch *d;
	int64_t n = joule_tensor_count(node->in[0]);
	uint32_t per;

	if (!dtype)
		return b->err;
	per = joule_bind_share(b, (uint64_t)JOULE_DIV_UP(n, 4), 8);
	d = joule_bind(b, "unary_%s%s", dtype, joule_bind_wide(b));
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_f32(d, a->p);
	joule_bind_f32(d, a->q);
	joule_bind_spec(d, code_of(node));
	joule_bind_spec(d, per);
	joule_bind_grid(b, d, 64, (uint64_t)JOULE_DIV_UP(n, 4 * per));
	return joule_bind_end(b);
}

/* An attribute under its ONNX name, stored in field. */
#define A(onnx, field, d) \
	{ .name = onnx, .type = JOULE_ATTR_FLOAT, .offset = offsetof(struct unary, field), .def.f = d }

#define CONSUMED JOULE_A_INTS(struct unary, consumed_inputs)

static const char *const gelu_modes[] = { "none", "tanh", NULL };
static const struct joule_attr none[] = { CONSUMED, { 0 } };
static const struct joule_attr alpha_one[] = { A("alpha", p, 1.0f), CONSUMED, { 0 } };
static const struct joule_attr alpha_leaky[] = { A("alpha", p, 0.01f), CONSUMED, { 0 } };
static const struct joule_attr hard_sigmoid[] = {
	A("alpha", p, 0.2f), A("beta", q, 0.5f), CONSUMED, { 0 },
};
static const struct joule_attr selu_old[] = {
	A("alpha", p, 1.6732f), A("gamma", q, 1.0507f), CONSUMED, { 0 },
};
static const struct joule_attr selu[] = {
	A("alpha", p, 1.67326319217681884765625f),
	A("gamma", q, 1.05070102214813232421875f),
	{ 0 },
};
static const struct joule_attr shrink[] = { A("bias", p, 0.0f), A("lambd", q, 0.5f), { 0 } };
static const struct joule_attr gelu[] = {
	JOULE_A_ENUM(struct unary, approximate, gelu_modes),
	{ 0 },
};

#define ROW(onnx, ew, from, to, attributes) \
	{ \
		.name = onnx, .code = JOULE_EW_##ew, .since = from, .until = to, .min_in = 1, \
		.max_in = 1, .min_out = 1, .max_out = 1, \
		.traits = JOULE_OP_ELEMENTWISE | JOULE_OP_IN_PLACE, \
		.attrs_bytes = sizeof(struct unary), .attrs = attributes, \
		.infer = unary_infer, .ref = unary_ref, .bind = unary_bind, \
		.elementwise = unary_elementwise, \
	}
#define UNARY(onnx, ew, version, attributes) ROW(onnx, ew, version, 0, attributes)

JOULE_OPS(unary) = {
	UNARY("Abs", ABS, 1, none),
	UNARY("Acos", ACOS, 7, NULL),
	UNARY("Acosh", ACOSH, 9, NULL),
	UNARY("Asin", ASIN, 7, NULL),
	UNARY("Asinh", ASINH, 9, NULL),
	UNARY("Atan", ATAN, 7, NULL),
	UNARY("Atanh", ATANH, 9, NULL),
	UNARY("Ceil", CEIL, 1, none),
	UNARY("Celu", CELU, 12, alpha_one),
	UNARY("Cos", COS, 7, NULL),
	UNARY("Cosh", COSH, 9, NULL),
	UNARY("Elu", ELU, 1, alpha_one),
	UNARY("Erf", ERF, 9, NULL),
	UNARY("Exp", EXP, 1, none),
	UNARY("Floor", FLOOR, 1, none),
	UNARY("Gelu", GELU, 20, gelu),
	UNARY("HardSigmoid", HARD_SIGMOID, 1, hard_sigmoid),
	UNARY("HardSwish", HARD_SWISH, 14, NULL),
	UNARY("LeakyRelu", LEAKY_RELU, 1, alpha_leaky),
	UNARY("Log", LOG, 1, none),
	UNARY("Mish", MISH, 18, NULL),
	UNARY("Neg", NEG, 1, none),
	UNARY("Reciprocal", RECIPROCAL, 1, none),
	UNARY("Relu", RELU, 1, none),
	UNARY("Round", ROUND, 11, NULL),
	ROW("Selu", SELU, 1, 5, selu_old),
	UNARY("Selu", SELU, 6, selu),
	UNARY("Shrink", SHRINK, 9, shrink),
	UNARY("Sigmoid", SIGMOID, 1, none),
	UNARY("Sign", SIGN, 9, NULL),
	UNARY("Sin", SIN, 7, NULL),
	UNARY("Sinh", SINH, 9, NULL),
	UNARY("Softplus", SOFTPLUS, 1, NULL),
	UNARY("Softsign", SOFTSIGN, 1, NULL),
	UNARY("Sqrt", SQRT, 1, none),
	UNARY("Swish", SWISH, 24, alpha_one),
	UNARY("Tan", TAN, 7, NULL),
	UNARY("Tanh", TANH, 1, none),
	UNARY("ThresholdedRelu", THRESHOLDED, 10, alpha_one),
	JOULE_OPS_END,
};
