// SPDX-License-Identifier: MIT
/*
 * Cast and CastLike between all types of joule. Floats become integers by
 * cutting the fraction off and saturating; integers wrap into narrower ones.
 * ONNX leaves floats out of range open, but its own vectors saturate to 4-bit
 * integers up to opset 23 and wrap since 24, and so it is here. (The saturate
 * attribute is about 8-bit floats, which are refused.)
 */
#include <errno.h>
#include <strings.h>

#include "ops/cast.h"
#include "ops/move.h"

struct cast {
	int64_t to, saturate;
	const char *to_name; /* opsets 1 to 5 */
	const char *round_mode;
};

static enum joule_dtype type_by_name(const char *name)
{
	static const struct {
		const char *name;
		enum joule_dtype dtype;
	} types[] = {
		{ "FLOAT", JOULE_F32 },	  { "UINT8", JOULE_U8 },   { "INT8", JOULE_I8 },
		{ "UINT16", JOULE_U16 },  { "INT16", JOULE_I16 },  { "INT32", JOULE_I32 },
		{ "INT64", JOULE_I64 },	  { "BOOL", JOULE_BOOL },  { "FLOAT16", JOULE_F16 },
		{ "DOUBLE", JOULE_F64 },  { "UINT32", JOULE_U32 }, { "UINT64", JOULE_U64 },
	};

	for (size_t i = 0; name && i < JOULE_ARRAY_LEN(types); i++)
		if (!strcasecmp(name, types[i].name))
			return types[i].dtype;
	return JOULE_DTYPE_NONE;
}

static int cast_infer(struct joule_node *node)
{
	const struct cast *a = node->attrs;
	enum joule_dtype to = node->n_in > 1	   ? node->in[1]->dtype :
			      node->op->since == 1 ? type_by_name(a->to_name) :
						     joule_dtype_from_onnx(a->to);

	if (!to && node->op->since == 1)
		return joule_node_err(node, -ENOTSUP, "element type %s is not supported",
				      a->to_name ? a->to_name : "(none)");
	if (!to)
		return joule_node_err(node, -ENOTSUP, "element type number %lld is not supported",
				      (long long)a->to);
	joule_set_out(node, 0, to, &node->in[0]->shape);
	return 0;
}

static bool wraps(const struct joule_node *node)
{
	return node->op->since >= 24 && joule_dtype_bits(node->out[0]->dtype) == 4;
}

static int cast_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	bool floats = joule_dtype_is_float(x->dtype) || joule_dtype_is_float(y->dtype);
	int64_t n = joule_tensor_count(y);

	if (x->dtype == y->dtype)
		joule_move_run(x->dtype, y->data, 0, x->data, 0, n);
	else if (floats && !wraps(node))
		for (int64_t i = 0; i < n; i++)
			joule_set_f64(y->dtype, y->data, i, joule_get_f64(x->dtype, x->data, i));
	else
		for (int64_t i = 0; i < n; i++)
			joule_set_i64(y->dtype, y->data, i, joule_get_i64(x->dtype, x->data, i));
	return 0;
}

static void launch(struct joule_binder *b, const char *shader, struct joule_operand x,
		   enum joule_dtype from, struct joule_operand y, enum joule_dtype to, bool wrap,
		   int64_t n)
{
	struct joule_dispatch *d = joule_bind(b, "%s", shader);

	joule_bind_read(d, x);
	/* Part of a word at the end keeps what is beyond it. */
	joule_bind_read_write(d, y);
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_spec(d, from);
	joule_bind_spec(d, to);
	joule_bind_spec(d, wrap);
	joule_bind_grid(b, d, 64, (uint64_t)JOULE_DIV_UP(n, 8));
}

void joule_cast_launch(struct joule_binder *b, struct joule_operand x, enum joule_dtype from,
		       struct joule_operand y, enum joule_dtype to, int64_t n)
{
	launch(b, "cast", x, from, y, to, false, n);
}

static int cast_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *x = node->in[0], *y = node->out[0];
	int64_t n = joule_tensor_count(y);
	bool f64 = x->dtype == JOULE_F64 || y->dtype == JOULE_F64;

	if (n > INT32_MAX)
		return joule_bind_refuse(b, "2^31 elements or more");
	if (f64 && !b->caps->arithmetic_f64)
		return joule_bind_refuse(b, "the device has no double precision");
	if (!n)
		return joule_bind_end(b);
	launch(b, f64 ? "cast_f64" : "cast", JOULE_IN(0), x->dtype, JOULE_OUT(0), y->dtype,
	       wraps(node), n);
	return joule_bind_end(b);
}

#define TO \
	{ .name = "to", .type = JOULE_ATTR_INT, .offset = offsetof(struct cast, to), \
	  .required = true }
#define SATURATE JOULE_A_INT(struct cast, saturate, 1)
#define ROUND_MODE JOULE_A_STRING(struct cast, round_mode, "up")

static const struct joule_attr cast1[] = {
	{ .name = "to", .type = JOULE_ATTR_STRING, .offset = offsetof(struct cast, to_name),
	  .required = true },
	{ 0 },
};
static const struct joule_attr cast6[] = { TO, { 0 } };
static const struct joule_attr cast19[] = { TO, SATURATE, { 0 } };
static const struct joule_attr cast24[] = { TO, SATURATE, ROUND_MODE, { 0 } };
static const struct joule_attr like19[] = { SATURATE, { 0 } };
static const struct joule_attr like24[] = { SATURATE, ROUND_MODE, { 0 } };

#define CAST(onnx, from, until_version, inputs, attributes) \
	{ \
		.name = onnx, .since = from, .until = until_version, .min_in = inputs, \
		.max_in = inputs, .min_out = 1, .max_out = 1, .attrs_bytes = sizeof(struct cast), \
		.attrs = attributes, .infer = cast_infer, .ref = cast_ref, .bind = cast_bind, \
	}

JOULE_OPS(cast) = {
	CAST("Cast", 1, 5, 1, cast1),
	CAST("Cast", 6, 18, 1, cast6),
	CAST("Cast", 19, 23, 1, cast19),
	CAST("Cast", 24, 0, 1, cast24),
	CAST("CastLike", 15, 18, 2, NULL),
	CAST("CastLike", 19, 23, 2, like19),
	CAST("CastLike", 24, 0, 2, like24),
	JOULE_OPS_END,
};
