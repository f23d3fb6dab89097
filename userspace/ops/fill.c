// SPDX-License-Identifier: MIT
/* Tensors out of nothing: ConstantOfShape, EyeLike, Range. */
#include <errno.h>
#include <math.h>

#include "ops/copy.h"

struct fill {
	struct joule_tensor *value;
	int64_t k, dtype;
};

/* ---- ConstantOfShape ---- */

static int constant_infer(struct joule_node *node)
{
	const struct fill *a = node->attrs;
	struct joule_shape s;
	enum joule_dtype dtype = a->value ? a->value->dtype : JOULE_F32;
	int n;

	joule_set_out(node, 0, dtype, &(struct joule_shape){ .rank = -1 });
	if (a->value && joule_tensor_count(a->value) != 1)
		return joule_node_err(node, -EINVAL, "the value is no scalar");
	n = joule_node_ints(node, 0, s.dims, JOULE_MAX_RANK);
	if (n < 0)
		return n == -ENODATA ? 1 : n;
	s.rank = n;
	for (int d = 0; d < n; d++)
		if (s.dims[d] < 0)
			return joule_node_err(node, -EINVAL, "dimension %d is %lld", d,
					      (long long)s.dims[d]);
	joule_set_out(node, 0, dtype, &s);
	return 0;
}

static int constant_ref(struct joule_node *node)
{
	const struct fill *a = node->attrs;
	struct joule_tensor *y = node->out[0];

	/* Without a value it is zeros, as the output is already. */
	if (a->value)
		joule_move_fill(y->dtype, y->data, 0, a->value->data, joule_tensor_count(y));
	return 0;
}

static int constant_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct fill *a = node->attrs;

	joule_fill_bind(b, node->out[0]->dtype, a->value ? a->value->data : NULL,
			joule_tensor_count(node->out[0]), JOULE_OUT(0));
	return joule_bind_end(b);
}

/* ---- EyeLike ---- */

static int eye_infer(struct joule_node *node)
{
	const struct fill *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	enum joule_dtype dtype = a->dtype ? joule_dtype_from_onnx(a->dtype) : x->dtype;
	char buf[128];

	if (x->shape.rank != 2)
		return joule_node_err(node, -EINVAL, "%s is no matrix",
				      joule_shape_str(&x->shape, buf, sizeof(buf)));
	if (!dtype)
		return joule_node_err(node, -ENOTSUP, "element type number %lld is not supported",
				      (long long)a->dtype);
	joule_set_out(node, 0, dtype, &x->shape);
	return 0;
}

/* Ones there are and where the first is. */
static int64_t diagonal(const struct joule_node *node, int64_t *first)
{
	const struct fill *a = node->attrs;
	int64_t rows = node->out[0]->shape.dims[0], cols = node->out[0]->shape.dims[1], n;

	*first = 0;
	if (a->k >= cols || a->k <= -rows)
		return 0;
	*first = a->k >= 0 ? a->k : -a->k * cols;
	n = a->k >= 0 ? JOULE_MIN(rows, cols - a->k) : JOULE_MIN(rows + a->k, cols);
	return n > 0 ? n : 0;
}

static void one_of(enum joule_dtype dtype, uint64_t *one)
{
	*one = 0;
	joule_set_f64(dtype, one, 0, 1);
}

static int eye_ref(struct joule_node *node)
{
	struct joule_tensor *y = node->out[0];
	int64_t first, n = diagonal(node, &first);

	for (int64_t i = 0; i < n; i++)
		joule_set_f64(y->dtype, y->data, first + i * (y->shape.dims[1] + 1), 1);
	return 0;
}

static int eye_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *y = node->out[0];
	struct joule_copy c = { 0 };
	int64_t n = diagonal(node, &c.dst_at);
	uint64_t one;

	joule_fill_bind(b, y->dtype, NULL, joule_tensor_count(y), JOULE_OUT(0));
	one_of(y->dtype, &one);
	joule_copy_dim(&c, n, 0, y->shape.dims[1] + 1);
	joule_copy_bind(b, y->dtype, &c, joule_remap_fill(b, y->dtype, &one), JOULE_OUT(0));
	return joule_bind_end(b);
}

/* ---- Range ---- */

static int range_infer(struct joule_node *node)
{
	enum joule_dtype dtype = node->in[0]->dtype;
	double count;

	joule_set_out(node, 0, dtype, &(struct joule_shape){ .rank = -1 });
	for (int i = 0; i < 3; i++) {
		const struct joule_tensor *t = node->in[i];

		if (t->dtype != dtype || joule_tensor_count(t) != 1)
			return joule_node_err(node, -EINVAL, "%s is no scalar %s", t->name,
					      joule_dtype_name(dtype));
		if (!t->data)
			return 1;
	}
	if (joule_dtype_is_float(dtype)) {
		double v[3];

		for (int i = 0; i < 3; i++)
			v[i] = joule_get_f64(dtype, node->in[i]->data, 0);
		count = ceil((v[1] - v[0]) / v[2]);
	} else {
		int64_t v[3];
		__int128 span;

		for (int i = 0; i < 3; i++)
			v[i] = joule_get_i64(dtype, node->in[i]->data, 0);
		span = (__int128)v[1] - v[0];
		if (!v[2])
			return joule_node_err(node, -EINVAL, "delta is 0");
		count = (double)((span + v[2] + (v[2] > 0 ? -1 : 1)) / v[2]);
	}
	if (!(count < 0x1p48))
		return joule_node_err(node, -EINVAL, "%g elements", count);
	joule_set_out(node, 0, dtype,
		      &(struct joule_shape){ .rank = 1, .dims = { count > 0 ? (int64_t)count : 0 } });
	return 0;
}

static int range_ref(struct joule_node *node)
{
	struct joule_tensor *y = node->out[0];
	const void *start = node->in[0]->data, *delta = node->in[2]->data;
	int64_t n = joule_tensor_count(y);

	for (int64_t i = 0; i < n; i++)
		if (joule_dtype_is_float(y->dtype))
			joule_set_f64(y->dtype, y->data, i,
				      joule_get_f64(y->dtype, start, 0) +
					      (double)i * joule_get_f64(y->dtype, delta, 0));
		else
			joule_set_i64(y->dtype, y->data, i,
				      (int64_t)((uint64_t)joule_get_i64(y->dtype, start, 0) +
						(uint64_t)i * (uint64_t)joule_get_i64(
								      y->dtype, delta, 0)));
	return 0;
}

static int range_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->out[0]);
	int64_t n = joule_tensor_count(node->out[0]);
	struct joule_dispatch *d;

	if (!dtype || !n)
		return joule_bind_end(b);
	d = joule_bind(b, "range_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(2));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static const struct joule_attr constant[] = { JOULE_A_TENSOR(struct fill, value), { 0 } };
static const struct joule_attr eye[] = {
	JOULE_A_INT(struct fill, dtype, 0),
	JOULE_A_INT(struct fill, k, 0),
	{ 0 },
};

#define FILL .min_out = 1, .max_out = 1, .attrs_bytes = sizeof(struct fill)

JOULE_OPS(fill) = {
	{ .name = "ConstantOfShape", .since = 9, .min_in = 1, .max_in = 1, FILL, .attrs = constant,
	  .infer = constant_infer, .ref = constant_ref, .bind = constant_bind },
	{ .name = "EyeLike", .since = 9, .min_in = 1, .max_in = 1, FILL, .attrs = eye,
	  .traits = JOULE_OP_SHAPE_ONLY, .infer = eye_infer, .ref = eye_ref, .bind = eye_bind },
	{ .name = "Range", .since = 11, .min_in = 3, .max_in = 3, FILL, .infer = range_infer,
	  .ref = range_ref, .bind = range_bind },
	JOULE_OPS_END,
};
