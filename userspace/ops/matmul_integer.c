// SPDX-License-Identifier: MIT
/* MatMulInteger and QLinearMatMul: products of 8-bit integers, exact in int32. */
#include <errno.h>
#include <stdlib.h>

#include "ops/product.h"
#include "ops/quant.h"

/* Both operators' inputs by role; NULL where one has no such thing. */
struct operands {
	const struct joule_tensor *a, *b, *a_zero, *b_zero;
	const struct joule_tensor *a_scale, *b_scale, *y_scale, *y_zero;
	struct joule_product p;
	struct joule_shape y;
};

static bool is_qlinear(const struct joule_node *node)
{
	return node->op->code == 1;
}

static int check_qlinear(const struct joule_node *node, const struct operands *o, int64_t rows)
{
	int ret;

	if (!joule_is_byte(o->y_zero) || joule_tensor_count(o->y_zero) != 1)
		return joule_err_dtype(node, o->y_zero);
	ret = joule_check_scale(node, o->a_scale, rows);
	if (!ret)
		ret = joule_check_scale(node, o->b_scale, o->p.n);
	return ret ? ret : joule_check_scale(node, o->y_scale, 1);
}

/*
 * Zero points and scales are shared, or one a row of a and one a column of b.
 * Rows count through the batch where a's matrices do.
 */
static int resolve(const struct joule_node *node, struct operands *o)
{
	int64_t rows;
	int ret;

	if (is_qlinear(node))
		*o = (struct operands){
			.a = node->in[0], .a_scale = node->in[1], .a_zero = node->in[2],
			.b = node->in[3], .b_scale = node->in[4], .b_zero = node->in[5],
			.y_scale = node->in[6], .y_zero = node->in[7],
		};
	else
		*o = (struct operands){
			.a = node->in[0], .b = node->in[1], .a_zero = joule_node_in(node, 2),
			.b_zero = joule_node_in(node, 3),
		};
	if (!joule_is_byte(o->a) || !joule_is_byte(o->b))
		return joule_err_dtype(node, joule_is_byte(o->a) ? o->b : o->a);
	ret = joule_product_matmul(node, &o->a->shape, &o->b->shape, &o->p, &o->y);
	if (ret)
		return ret;
	rows = o->a->shape.rank > 1 ? o->a->shape.dims[o->a->shape.rank - 2] : 1;
	if (o->a_zero && joule_tensor_count(o->a_zero) != rows)
		rows = o->p.m;
	ret = joule_check_zero_point(node, o->a_zero, o->a, rows);
	if (!ret)
		ret = joule_check_zero_point(node, o->b_zero, o->b, o->p.n);
	return ret || !is_qlinear(node) ? ret : check_qlinear(node, o, rows);
}

static int matmul_integer_infer(struct joule_node *node)
{
	struct operands o;
	int ret = resolve(node, &o);

	if (!ret)
		joule_set_out(node, 0, is_qlinear(node) ? o.y_zero->dtype : JOULE_I32, &o.y);
	return ret;
}

/* ---- reference ---- */

/* Which of t's elements belongs to row or column i. */
static int64_t at(const struct joule_tensor *t, int64_t i)
{
	int64_t n = t ? joule_tensor_count(t) : 1;

	return n ? i % n : 0;
}

static int matmul_integer_ref(struct joule_node *node)
{
	struct joule_tensor *y = node->out[0];
	struct operands o;
	int ret = resolve(node, &o);
	int64_t n = joule_tensor_count(y);

	if (ret)
		return ret;
	for (int64_t i = 0; i < n; i++) {
		int64_t col = i % o.p.n, row = i / o.p.n % o.p.m, a, b;
		int64_t a_zero = joule_zero_point(o.a_zero, at(o.a_zero, row));
		int64_t b_zero = joule_zero_point(o.b_zero, at(o.b_zero, col));
		int64_t sum = 0;
		float scale;

		joule_product_offsets(&o.p, i / o.p.n / o.p.m, &a, &b);
		a += row * o.p.a_row;
		b += col * o.p.b_col;
		for (int64_t k = 0; k < o.p.k; k++)
			sum += (joule_get_i64(o.a->dtype, o.a->data, a + k * o.p.a_col) - a_zero) *
			       (joule_get_i64(o.b->dtype, o.b->data, b + k * o.p.b_row) - b_zero);
		if (!is_qlinear(node)) {
			joule_set_i64(y->dtype, y->data, i, sum);
			continue;
		}
		scale = joule_scale(o.a_scale, at(o.a_scale, row)) *
			joule_scale(o.b_scale, at(o.b_scale, col)) / joule_scale(o.y_scale, 0);
		joule_set_f64(y->dtype, y->data, i,
			      joule_requantize(sum, scale) + (double)joule_zero_point(o.y_zero, 0));
	}
	return 0;
}

/* ---- kernel ---- */

static uint32_t count(const struct joule_tensor *t)
{
	return t ? (uint32_t)joule_tensor_count(t) : 0;
}

/* Input i, or any other to stand in for it. */
static void bind_optional(struct joule_dispatch *d, const struct joule_node *node, int i)
{
	joule_bind_read(d, JOULE_IN((uint16_t)(joule_node_in(node, i) ? i : 0)));
}

static int check(const struct joule_node *node, const struct operands *o, struct joule_binder *b)
{
	if (!b->caps->storage_8bit)
		return joule_bind_refuse(b, "the device has no 8-bit storage");
	if (joule_tensor_count(o->a) > INT32_MAX || joule_tensor_count(o->b) > INT32_MAX ||
	    joule_tensor_count(node->out[0]) > INT32_MAX)
		return joule_bind_refuse(b, "2^31 elements or more");
	if (!is_qlinear(node))
		return 0;
	if (!joule_bind_float(b, o->a_scale))
		return b->err;
	if (o->b_scale->dtype != o->a_scale->dtype || o->y_scale->dtype != o->a_scale->dtype)
		return joule_bind_refuse(b, "scales of different types");
	return 0;
}

static int matmul_integer_bind(const struct joule_node *node, struct joule_binder *b)
{
	int64_t a_stride = 0, b_stride = 0;
	bool q = is_qlinear(node), regular;
	struct joule_dispatch *d;
	struct operands o;
	int ret = resolve(node, &o);

	if (ret)
		return ret;
	ret = check(node, &o, b);
	if (ret)
		return ret;
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	regular = joule_product_regular(&o.p, &a_stride, &b_stride);
	if (q)
		d = joule_bind(b, "matmul_integer_q_%s", joule_dtype_name(o.a_scale->dtype));
	else
		d = joule_bind(b, "matmul_integer_i32");
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN((uint16_t)(q ? 3 : 1)));
	bind_optional(d, node, 2);
	bind_optional(d, node, q ? 5 : 3);
	joule_bind_read(d, regular ? JOULE_IN(0) : joule_product_table(&o.p, b));
	joule_bind_write(d, JOULE_OUT(0));
	if (q) {
		joule_bind_read(d, JOULE_IN(1));
		joule_bind_read(d, JOULE_IN(4));
		joule_bind_read(d, JOULE_IN(6));
		joule_bind_read(d, JOULE_IN(7));
	}
	joule_bind_u32(d, (uint32_t)o.p.m);
	joule_bind_u32(d, (uint32_t)o.p.n);
	joule_bind_u32(d, (uint32_t)o.p.k);
	joule_bind_u32(d, (uint32_t)o.p.a_row);
	joule_bind_u32(d, (uint32_t)a_stride);
	joule_bind_u32(d, (uint32_t)b_stride);
	joule_bind_u32(d, count(o.a_zero));
	joule_bind_u32(d, count(o.a_scale));
	joule_bind_spec(d, o.a->dtype == JOULE_I8);
	joule_bind_spec(d, o.b->dtype == JOULE_I8);
	joule_bind_spec(d, (uint32_t)JOULE_MIN(count(o.b_zero), 2));
	joule_bind_spec(d, (uint32_t)JOULE_MIN(count(o.b_scale), 2));
	joule_bind_spec(d, node->out[0]->dtype == JOULE_I8);
	joule_bind_spec(d, regular);
	joule_bind_local(d, 32, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(o.p.n, 32), (uint64_t)JOULE_DIV_UP(o.p.m, 4),
			  (uint64_t)joule_product_batch(&o.p));
	return joule_bind_end(b);
}

static void matmul_integer_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct operands o;

	if (!resolve(node, &o))
		cost->macs = joule_product_macs(&o.p);
}

JOULE_OPS(matmul_integer) = {
	{
		.name = "MatMulInteger", .since = 10, .min_in = 2, .max_in = 4, .min_out = 1,
		.max_out = 1, .infer = matmul_integer_infer, .ref = matmul_integer_ref,
		.bind = matmul_integer_bind, .cost = matmul_integer_cost,
	},
	{
		.name = "QLinearMatMul", .code = 1, .since = 10, .min_in = 8, .max_in = 8,
		.min_out = 1, .max_out = 1, .infer = matmul_integer_infer,
		.ref = matmul_integer_ref, .bind = matmul_integer_bind,
		.cost = matmul_integer_cost,
	},
	JOULE_OPS_END,
};
