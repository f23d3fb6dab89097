// SPDX-License-Identifier: MIT
/*
 * QuantizeLinear and DequantizeLinear: one scale and zero point for the whole
 * tensor, for each place along an axis, or for each block along an axis.
 */
#include <errno.h>
#include <math.h>

#include "base/half.h"
#include "ops/common.h"
#include "ops/move.h"
#include "ops/walk.h"

enum code { QUANTIZE, DEQUANTIZE };

struct quantize {
	int64_t axis, block_size, output_dtype, precision, saturate;
};

enum { X, SCALE, ZERO };

static bool is_quantized(enum joule_dtype t)
{
	return t == JOULE_I8 || t == JOULE_U8 || t == JOULE_I16 || t == JOULE_U16 ||
	       t == JOULE_I4 || t == JOULE_U4;
}

/* Which element of scale and zero point belongs to one of x: o, a, i its place in lines. */
struct grain {
	struct joule_lines lines; /* x around the axis */
	int64_t per;   /* places along the axis that share one: lines.n for all of them */
	int64_t steps; /* entries along the axis */
	bool blocked;  /* entries differ across outer and inner too */
};

static int64_t grain_at(const struct grain *g, int64_t o, int64_t a, int64_t i)
{
	if (g->blocked)
		return (o * g->steps + a / g->per) * g->lines.inner + i;
	return g->steps == 1 ? 0 : a;
}

static int mismatch(const struct joule_node *node)
{
	char x[128], s[128];

	return joule_node_err(node, -EINVAL, "scale %s does not go with %s",
			      joule_shape_str(&node->in[SCALE]->shape, s, sizeof(s)),
			      joule_shape_str(&node->in[X]->shape, x, sizeof(x)));
}

static int grain_of(const struct joule_node *node, struct grain *g)
{
	const struct joule_shape *x = &node->in[X]->shape, *s = &node->in[SCALE]->shape;
	const struct quantize *a = node->attrs;
	int axis;

	*g = (struct grain){ .lines = { 1, joule_shape_count(x), 1 }, .steps = 1 };
	g->per = g->lines.n;
	if (joule_shape_count(s) == 1 && !a->block_size)
		return 0;
	axis = joule_node_axis(node, a->axis, x->rank);
	if (axis < 0)
		return axis;
	g->lines = joule_lines_of(x, axis);
	g->steps = g->lines.n;
	g->per = 1;
	if (!a->block_size)
		return s->rank == 1 && s->dims[0] == g->steps ? 0 : mismatch(node);
	if (a->block_size < 0 || s->rank != x->rank)
		return mismatch(node);
	g->blocked = true;
	g->per = a->block_size;
	g->steps = s->dims[axis];
	for (int i = 0; i < x->rank; i++)
		if (s->dims[i] != (i == axis ? JOULE_DIV_UP(x->dims[i], g->per) : x->dims[i]))
			return mismatch(node);
	return 0;
}

static int quantize_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[X], *scale = node->in[SCALE],
				  *zero = joule_node_in(node, ZERO);
	bool to_int = node->op->code == QUANTIZE;
	const struct quantize *a = node->attrs;
	enum joule_dtype type = to_int ? JOULE_U8 : scale->dtype;
	struct grain g;
	int ret;

	if (!joule_dtype_is_float(scale->dtype))
		return joule_err_dtype(node, scale);
	if (to_int ? !joule_dtype_is_float(x->dtype) && x->dtype != JOULE_I32 :
		     !is_quantized(x->dtype) && x->dtype != JOULE_I32)
		return joule_err_dtype(node, x);
	if (a->output_dtype)
		type = joule_dtype_from_onnx(a->output_dtype);
	else if (to_int && zero)
		type = zero->dtype;
	if (to_int ? !is_quantized(type) : !joule_dtype_is_float(type))
		return joule_node_err(node, -ENOTSUP, "output type %lld is not supported",
				      (long long)a->output_dtype);
	if (zero && zero->dtype != (to_int ? type : x->dtype))
		return joule_err_dtype(node, zero);
	if (zero && joule_tensor_count(zero) != joule_tensor_count(scale))
		return joule_node_err(node, -EINVAL, "%s and %s differ in shape", zero->name,
				      scale->name);
	ret = grain_of(node, &g);
	if (ret)
		return ret;
	joule_set_out(node, 0, type, &x->shape);
	return 0;
}

/* The quotient in the precision that the standard asks for: that of the scale. */
static double divide(const struct joule_node *node, double x, double scale)
{
	const struct quantize *a = node->attrs;
	enum joule_dtype type = a->precision ? joule_dtype_from_onnx(a->precision) :
					       node->in[SCALE]->dtype;

	switch (type) {
	case JOULE_F16:
		return joule_f32_from_f16(joule_f16_from_f64(x / scale));
	case JOULE_BF16:
		return joule_f32_from_bf16(joule_bf16_from_f32((float)x / (float)scale));
	case JOULE_F64:
		return x / scale;
	default:
		return (float)x / (float)scale;
	}
}

static void quantize_one(struct joule_node *node, int64_t at, double scale, int64_t zero)
{
	const struct joule_tensor *x = node->in[X];
	struct joule_tensor *y = node->out[0];
	double q = nearbyint(divide(node, joule_get_f64(x->dtype, x->data, at), scale));

	/* Saturates far outside every type first; NaN becomes the zero point. */
	q = isnan(q) ? 0 : q < -1e9 ? -1e9 : q > 1e9 ? 1e9 : q;
	joule_set_f64(y->dtype, y->data, at, q + (double)zero);
}

static void dequantize_one(struct joule_node *node, int64_t at, double scale, int64_t zero)
{
	const struct joule_tensor *x = node->in[X];
	struct joule_tensor *y = node->out[0];
	int64_t v = joule_get_i64(x->dtype, x->data, at) - zero;

	joule_set_f64(y->dtype, y->data, at, (float)v * scale);
}

static int quantize_ref(struct joule_node *node)
{
	const struct joule_tensor *scale = node->in[SCALE], *zero = joule_node_in(node, ZERO);
	bool to_int = node->op->code == QUANTIZE;
	struct grain g;
	int ret = grain_of(node, &g);

	if (ret)
		return ret;
	for (int64_t o = 0; o < g.lines.outer; o++)
		for (int64_t a = 0; a < g.lines.n; a++)
			for (int64_t i = 0; i < g.lines.inner; i++) {
				int64_t at = (o * g.lines.n + a) * g.lines.inner + i;
				int64_t k = grain_at(&g, o, a, i);
				double s = joule_get_f64(scale->dtype, scale->data, k);
				int64_t z = zero ? joule_get_i64(zero->dtype, zero->data, k) : 0;

				if (to_int)
					quantize_one(node, at, s, z);
				else
					dequantize_one(node, at, s, z);
			}
	return 0;
}

/* ---- kernels ---- */

#define MAX_OUTER 4

/* x as rows with the scale's strides, merged. */
static int walk_of(const struct joule_node *node, const struct grain *g, struct joule_walk *w)
{
	struct joule_shape space = { .rank = 1, .dims = { joule_tensor_count(node->in[X]) } };
	int64_t strides[4] = { 0 };

	if (g->blocked) {
		space = (struct joule_shape){ .rank = 4,
					      .dims = { g->lines.outer, g->steps, g->per,
							g->lines.inner } };
		strides[0] = g->steps * g->lines.inner;
		strides[1] = g->lines.inner;
		strides[3] = 1;
	} else if (g->steps > 1) {
		space = (struct joule_shape){ .rank = 3,
					      .dims = { g->lines.outer, g->lines.n,
							g->lines.inner } };
		strides[1] = 1;
	}
	joule_walk_init(w, &space);
	joule_walk_add(w, &space);
	joule_walk_add_strides(w, strides);
	joule_walk_merge(w);
	return 0;
}

static const char *variant(struct joule_binder *b, const struct joule_node *node)
{
	bool to_int = node->op->code == QUANTIZE;
	enum joule_dtype f = node->in[SCALE]->dtype,
			 real = to_int ? node->in[X]->dtype : node->out[0]->dtype;

	if (real != f)
		joule_bind_refuse(b, "no kernel for %s with a scale of type %s",
				  joule_dtype_name(real), joule_dtype_name(f));
	else if (f == JOULE_F16 && b->caps->storage_16bit)
		return to_int ? "quantize_f16" : "dequantize_f16";
	else if (f == JOULE_F32)
		return to_int ? "quantize_f32" : "dequantize_f32";
	else
		joule_bind_refuse(b, "no kernel for element type %s", joule_dtype_name(f));
	return NULL;
}

static int quantize_bind(const struct joule_node *node, struct joule_binder *b)
{
	bool to_int = node->op->code == QUANTIZE;
	const struct joule_tensor *q = to_int ? node->out[0] : node->in[X];
	const char *name = variant(b, node);
	const struct quantize *a = node->attrs;
	struct joule_dispatch *d;
	struct joule_walk w;
	struct grain g;
	int64_t rows = 1, len;
	struct joule_rows shared;
	uint32_t vec;
	bool by_four;
	int last, ret;

	if (!name)
		return b->err;
	ret = grain_of(node, &g);
	if (ret)
		return ret;
	if (!b->caps->storage_8bit)
		return joule_bind_refuse(b, "the device has no 8-bit storage");
	if (a->precision && joule_dtype_from_onnx(a->precision) != node->in[SCALE]->dtype)
		return joule_bind_refuse(b, "a precision other than the scale's");
	if (g.blocked && g.lines.n % g.per)
		return joule_bind_refuse(b, "blocks of %lld do not divide an axis of %lld",
					 (long long)g.per, (long long)g.lines.n);
	if (joule_tensor_count(q) > INT32_MAX)
		return joule_bind_refuse(b, "%s has 2^31 elements or more", q->name);
	if (!joule_tensor_count(q))
		return joule_bind_end(b);
	walk_of(node, &g, &w);
	last = w.rank - 1;
	len = w.dims[last];
	for (int i = 0; i < last; i++)
		rows *= w.dims[i];
	/* Packed types must be written by fours, even where rows do not divide so. */
	by_four = !last || len % 4 == 0;
	if (to_int && !by_four && joule_dtype_bits(q->dtype) == 4)
		return joule_bind_refuse(b, "packed rows of %lld elements", (long long)len);

	vec = by_four ? 4 : 1;

	d = joule_bind(b, "%s%s", name, joule_bind_wide(b));
	joule_bind_read(d, JOULE_IN(X));
	joule_bind_read(d, JOULE_IN(SCALE));
	joule_bind_read(d, JOULE_IN((uint16_t)(joule_node_in(node, ZERO) ? ZERO : X)));
	joule_bind_write(d, JOULE_OUT(0));
	shared = joule_bind_rows(b, d, (uint64_t)JOULE_DIV_UP(len, vec), (uint64_t)rows, 8);
	joule_bind_u32(d, (uint32_t)len);
	joule_bind_u32(d, (uint32_t)rows);
	joule_bind_u32(d, (uint32_t)w.strides[1][last]);
	for (int i = 0; i < MAX_OUTER; i++) {
		int k = last - MAX_OUTER + i;

		joule_bind_u32(d, k < 0 ? 1 : (uint32_t)w.dims[k]);
		joule_bind_u32(d, k < 0 ? 0 : (uint32_t)w.strides[1][k]);
	}
	joule_bind_spec(d, vec);
	joule_bind_spec(d, (uint32_t)last);
	joule_bind_spec(d, (uint32_t)w.strides[1][last] != 0);
	joule_bind_spec(d, joule_dtype_bits(q->dtype));
	joule_bind_spec(d, !joule_dtype_is_unsigned(q->dtype));
	joule_bind_spec(d, joule_node_in(node, ZERO) != NULL);
	joule_bind_spec(d, shared.per);
	joule_bind_spec(d, shared.exact);
	joule_bind_spec(d, (uint32_t)(len % vec));
	return joule_bind_end(b);
}

static const struct joule_attr no_attrs[] = { { 0 } };
static const struct joule_attr axis_attrs[] = {
	JOULE_A_INT(struct quantize, axis, 1),
	JOULE_A_INT(struct quantize, saturate, 1),
	{ 0 },
};
static const struct joule_attr block_attrs[] = {
	JOULE_A_INT(struct quantize, axis, 1),
	JOULE_A_INT(struct quantize, saturate, 1),
	JOULE_A_INT(struct quantize, block_size, 0),
	JOULE_A_INT(struct quantize, output_dtype, 0),
	JOULE_A_INT(struct quantize, precision, 0),
	{ 0 },
};

#define ROW(onnx, which, from, to, table) \
	{ \
		.name = onnx, .code = which, .since = from, .until = to, .min_in = 2, .max_in = 3, \
		.min_out = 1, .max_out = 1, .attrs_bytes = sizeof(struct quantize), .attrs = table, \
		.traits = which == DEQUANTIZE ? JOULE_OP_UNPACK : 0, .infer = quantize_infer, \
		.ref = quantize_ref, .bind = quantize_bind, \
	}

JOULE_OPS(quantize) = {
	ROW("DequantizeLinear", DEQUANTIZE, 10, 12, no_attrs),
	ROW("DequantizeLinear", DEQUANTIZE, 13, 20, axis_attrs),
	ROW("DequantizeLinear", DEQUANTIZE, 21, 0, block_attrs),
	ROW("QuantizeLinear", QUANTIZE, 10, 12, no_attrs),
	ROW("QuantizeLinear", QUANTIZE, 13, 20, axis_attrs),
	ROW("QuantizeLinear", QUANTIZE, 21, 0, block_attrs),
	JOULE_OPS_END,
};
