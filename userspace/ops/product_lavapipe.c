// SPDX-License-Identifier: MIT
/*
 * Matrix products on lavapipe: rows of A are conv_lvp.comp's w, B is its x with
 * one row of n pixels and k channels.
 */
#include "ops/common.h"
#include "ops/lavapipe.h"
#include "ops/product.h"

#define LANES JOULE_LVP_LANES

/* B is packed to fp32 [k][p] where lanes could not read it as it is. */
static bool packs(const struct joule_node *node, const struct joule_product *p)
{
	const struct joule_tensor *t = node->in[1];

	return joule_tensor_is_const(t) && !p->batch.rank &&
	       (t->dtype == JOULE_F16 || p->b_col != 1 || p->n < LANES);
}

static bool describe(const struct joule_node *node, const struct joule_product *p,
		     struct joule_lvp *l)
{
	int64_t batch = joule_product_batch(p), n = JOULE_MAX(p->n, LANES);
	int64_t a_stride, b_stride, lane = p->b_col, plane = p->b_row;

	if (!joule_product_regular(p, &a_stride, &b_stride))
		return false;
	if (packs(node, p)) {
		lane = 1;
		plane = n;
	}
	*l = (struct joule_lvp){
		.m = p->m, .p = n, .used = JOULE_MIN(p->n, LANES), .channels = p->k,
		.kernel = { 1, 1 }, .stride = { 1, lane }, .dilation = { 1, 1 },
		.in = { 1, (p->n - 1) * lane + 1 }, .out_width = n, .plane = plane,
		.groups = batch, .z = batch,
		.xz = b_stride, .wz = a_stride, .yz = p->m * p->n,
		.w_row = p->a_row, .w_step = p->a_col,
		.y_row = p->n < LANES ? p->n : 0, .y_step = 1,
		.by_lane = true, .alpha = p->alpha,
	};
	if (packs(node, p))
		return true;
	/* Lanes without a column of their own must stay inside of B. */
	l->gather = lane != 1 || p->n < LANES;
	l->mask = p->n < LANES;
	return true;
}

static bool usable(const struct joule_node *node, const struct joule_product *p,
		   const struct joule_binder *b)
{
	struct joule_lvp l;

	/* A single column gives seven of eight lanes nothing to do. */
	if (!joule_lvp_device(b) || p->n < 2 || !p->k || !describe(node, p, &l))
		return false;
	if (p->c && (!joule_tensor_is_const(p->c) || (p->c_row && p->m > 1)))
		return false;
	/* Tiles of rows lie tm rows of A apart, which choose() settles. */
	return joule_lvp_choose(&l);
}

static struct joule_operand pack(const struct joule_tensor *t, const struct joule_product *p,
				 int64_t width, struct joule_binder *b)
{
	struct joule_operand operand;
	int64_t count;
	void *data;
	float *out;

	if (!joule_mul_i64(p->k * (int64_t)sizeof(*out), width, &count))
		count = INT64_MAX;
	operand = joule_bind_const(b, (size_t)count, &data);
	out = data;
	for (int64_t k = 0; out && k < p->k; k++)
		for (int64_t j = 0; j < p->n; j++)
			out[k * width + j] = (float)joule_get_f64(t->dtype, t->data,
								  k * p->b_row + j * p->b_col);
	return operand;
}

/* beta * c for each column. */
static struct joule_operand pack_bias(const struct joule_product *p, int64_t width,
				      struct joule_binder *b)
{
	struct joule_operand operand;
	void *data;
	float *out;

	operand = joule_bind_const(b, (size_t)width * sizeof(*out), &data);
	out = data;
	for (int64_t j = 0; out && p->c && j < p->n; j++)
		out[j] = p->beta * (float)joule_get_f64(p->c->dtype, p->c->data, j * p->c_col);
	return operand;
}

static int bind(const struct joule_node *node, const struct joule_product *p, const char *dtype,
		struct joule_binder *b)
{
	bool half = node->in[0]->dtype == JOULE_F16, packed = packs(node, p);
	int axis = p->scalar_col ? -1 : node->out[0]->shape.rank - 1;
	struct joule_operand weight, bias;
	struct joule_lvp l;

	if (!describe(node, p, &l) || !joule_lvp_choose(&l))
		return joule_bind_refuse(b, "no kernel for this product");
	weight = packed ? pack(node->in[1], p, l.p, b) : JOULE_IN(1);
	bias = pack_bias(p, l.p, b);
	return joule_lvp_bind(node, &l,
			      !half ? "conv_lvp_f32" : packed ? "conv_lvp_w16" : "conv_lvp_xw16",
			      weight, 0, JOULE_IN(0), bias, axis, b);
}

const struct joule_product_kernel joule_product_lavapipe = {
	.name = "lavapipe", .usable = usable, .bind = bind,
};
