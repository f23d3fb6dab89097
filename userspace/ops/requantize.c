// SPDX-License-Identifier: MIT
/*
 * The internal operator that gives quantized values as floats without a
 * fraction: x times a factor (one for all, or a second input that broadcasts),
 * or x divided by a scale, to the nearest of 256 integers, half to even.
 */
#include <errno.h>

#include "ops/chain.h"
#include "ops/common.h"
#include "ops/requantize.h"

static int requantize_infer(struct joule_node *node)
{
	const struct joule_tensor *y = joule_node_in(node, 1);
	struct joule_shape both;

	if (node->in[0]->dtype != JOULE_F32 || (y && y->dtype != JOULE_F32))
		return joule_err_dtype(node, node->in[0]);
	if (y && (joule_shape_broadcast(&node->in[0]->shape, &y->shape, &both) ||
		  !joule_shape_equal(&both, &node->in[0]->shape)))
		return joule_node_err(node, -EINVAL, "factors do not broadcast to the input");
	return joule_infer_same(node);
}

static int requantize_elementwise(const struct joule_node *node, struct joule_ew_step *step)
{
	const struct joule_requantize *a = node->attrs;
	bool factors = joule_node_in(node, 1);

	*step = (struct joule_ew_step){
		.code = factors ? JOULE_EW_REQUANT_BY : a->divide ? JOULE_EW_QUANT :
								    JOULE_EW_REQUANT,
		.operand = factors ? 1 : -1, .p = a->scale, .q = a->low,
	};
	return 0;
}

static int requantize_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *y = joule_node_in(node, 1);
	int64_t strides[JOULE_MAX_RANK] = { 0 }, at[JOULE_MAX_RANK] = { 0 }, iy = 0;
	float *out = node->out[0]->data;
	struct joule_ew_step s;

	requantize_elementwise(node, &s);
	if (y)
		joule_broadcast_strides(&y->shape, &x->shape, strides);
	for (int64_t i = 0; i < joule_tensor_count(x); i++) {
		double factor = y ? (double)((const float *)y->data)[iy] : 0;

		out[i] = (float)joule_ew_eval(s.code, (double)((const float *)x->data)[i], factor,
					      s.p, s.q);
		for (int d = x->shape.rank - 1; d >= 0; d--) {
			iy += strides[d];
			if (++at[d] < x->shape.dims[d])
				break;
			iy -= strides[d] * x->shape.dims[d];
			at[d] = 0;
		}
	}
	return 0;
}

static int requantize_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_chain_launch c;
	struct joule_ew_step s;

	requantize_elementwise(node, &s);
	joule_chain_begin(&c, node, 0);
	joule_chain_input(&c, node, 0);
	if (s.operand >= 0)
		joule_chain_input(&c, node, 1);
	joule_chain_step(&c, s.code, s.operand, s.p, s.q);
	joule_chain_bind(b, &c);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = {
	JOULE_A_FLOAT(struct joule_requantize, scale, 1.0f),
	JOULE_A_FLOAT(struct joule_requantize, low, 0.0f),
	JOULE_A_INT(struct joule_requantize, divide, 0),
	{ 0 },
};

JOULE_OPS(requantize) = {
	{
		.name = "Requantize", .domain = "joule", .since = 1, .min_in = 1, .max_in = 2,
		.min_out = 1, .max_out = 1,
		.traits = JOULE_OP_INTERNAL | JOULE_OP_ELEMENTWISE | JOULE_OP_IN_PLACE,
		.attrs_bytes = sizeof(struct joule_requantize), .attrs = attrs,
		.infer = requantize_infer, .ref = requantize_ref, .bind = requantize_bind,
		.elementwise = requantize_elementwise,
	},
	JOULE_OPS_END,
};
