// SPDX-License-Identifier: MIT
/*
 * The internal operator that a QuantizeLinear with its DequantizeLinear
 * becomes: to the nearest of 256 steps and back, without the integers.
 */
#include <errno.h>

#include "ops/chain.h"
#include "ops/common.h"
#include "ops/fake_quantize.h"

static int fake_quantize_infer(struct joule_node *node)
{
	if (!joule_dtype_is_float(node->in[0]->dtype))
		return joule_err_dtype(node, node->in[0]);
	return joule_infer_same(node);
}

static int fake_quantize_elementwise(const struct joule_node *node, struct joule_ew_step *step)
{
	const struct joule_fake_quantize *a = node->attrs;

	*step = (struct joule_ew_step){
		.code = JOULE_EW_FAKE_QUANT, .operand = -1, .p = a->scale, .q = a->low
	};
	return 0;
}

static int fake_quantize_ref(struct joule_node *node)
{
	const struct joule_fake_quantize *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	int64_t n = joule_tensor_count(x);

	for (int64_t i = 0; i < n; i++)
		joule_set_f64(x->dtype, node->out[0]->data, i,
			      joule_ew_eval(JOULE_EW_FAKE_QUANT,
					    joule_get_f64(x->dtype, x->data, i), 0, a->scale,
					    a->low));
	return 0;
}

static int fake_quantize_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_fake_quantize *a = node->attrs;
	struct joule_chain_launch c;

	joule_chain_begin(&c, node, 0);
	joule_chain_input(&c, node, 0);
	joule_chain_step(&c, JOULE_EW_FAKE_QUANT, -1, a->scale, a->low);
	joule_chain_bind(b, &c);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = {
	JOULE_A_FLOAT(struct joule_fake_quantize, scale, 1.0f),
	JOULE_A_FLOAT(struct joule_fake_quantize, low, 0.0f),
	{ 0 },
};

JOULE_OPS(fake_quantize) = {
	{
		.name = "FakeQuantize", .domain = "joule", .since = 1, .min_in = 1, .max_in = 1,
		.min_out = 1, .max_out = 1,
		.traits = JOULE_OP_INTERNAL | JOULE_OP_ELEMENTWISE | JOULE_OP_IN_PLACE,
		.attrs_bytes = sizeof(struct joule_fake_quantize), .attrs = attrs,
		.infer = fake_quantize_infer, .ref = fake_quantize_ref, .bind = fake_quantize_bind,
		.elementwise = fake_quantize_elementwise,
	},
	JOULE_OPS_END,
};
