// SPDX-License-Identifier: MIT
/*
 * Clip: bounds are attributes before opset 11, optional scalar inputs since.
 * A NaN stays NaN; where min > max the result is max, as Min(Max(x, min), max)
 * has it.
 */
#include <errno.h>
#include <math.h>

#include "ops/chain.h"
#include "ops/common.h"

struct clip {
	float min, max;
	struct joule_ints consumed_inputs;
};

static int clip_infer(struct joule_node *node)
{
	for (int i = 1; i < node->n_in; i++) {
		if (!node->in[i])
			continue;
		if (node->in[i]->dtype != node->in[0]->dtype)
			return joule_node_err(node, -EINVAL, "bound %s has another type than %s",
					      node->in[i]->name, node->in[0]->name);
		if (joule_tensor_count(node->in[i]) != 1)
			return joule_node_err(node, -EINVAL, "bound %s is no scalar",
					      node->in[i]->name);
	}
	return joule_infer_same(node);
}

/* Both bounds, if they are known. */
static bool bounds(const struct joule_node *node, bool constant, double *lo, double *hi)
{
	const struct clip *a = node->attrs;
	double *to[] = { lo, hi };

	*lo = -INFINITY;
	*hi = INFINITY;
	if (node->op->attrs) {
		*lo = a->min;
		*hi = a->max;
		return true;
	}
	for (int i = 0; i < 2; i++) {
		const struct joule_tensor *t = joule_node_in(node, i + 1);

		if (!t)
			continue;
		if (constant ? !joule_tensor_is_const(t) : !t->data)
			return false;
		*to[i] = joule_get_f64(t->dtype, t->data, 0);
	}
	return true;
}

static int clip_elementwise(const struct joule_node *node, struct joule_ew_step *step)
{
	double lo, hi;

	if (!joule_dtype_is_float(node->in[0]->dtype) || !bounds(node, true, &lo, &hi))
		return -ENOTSUP;
	/* The formula tests the lower bound first. */
	*step = (struct joule_ew_step){ .code = JOULE_EW_CLIP,
					.operand = -1,
					.p = (float)(lo > hi ? hi : lo),
					.q = (float)hi };
	return 0;
}

static int ref_ints(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *lo = joule_node_in(node, 1),
				  *hi = joule_node_in(node, 2);
	bool uns = joule_dtype_is_unsigned(x->dtype);
	int64_t n = joule_tensor_count(x);
	int64_t p = lo ? joule_get_i64(lo->dtype, lo->data, 0) : 0;
	int64_t q = hi ? joule_get_i64(hi->dtype, hi->data, 0) : 0;

	for (int64_t i = 0; i < n; i++) {
		int64_t v = joule_get_i64(x->dtype, x->data, i);

		if (lo && (uns ? (uint64_t)v < (uint64_t)p : v < p))
			v = p;
		if (hi && (uns ? (uint64_t)v > (uint64_t)q : v > q))
			v = q;
		joule_set_i64(x->dtype, node->out[0]->data, i, v);
	}
	return 0;
}

static int clip_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	int64_t n = joule_tensor_count(x);
	double lo, hi;

	if (!joule_dtype_is_float(x->dtype))
		return ref_ints(node);
	if (!bounds(node, false, &lo, &hi))
		return joule_node_err(node, -EINVAL, "a bound has no value");
	if (lo > hi)
		lo = hi;
	for (int64_t i = 0; i < n; i++)
		joule_set_f64(x->dtype, node->out[0]->data, i,
			      joule_ew_eval(JOULE_EW_CLIP, joule_get_f64(x->dtype, x->data, i), 0,
					    lo, hi));
	return 0;
}

static int clip_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_chain_launch c;
	struct joule_ew_step step;

	joule_chain_begin(&c, node, 0);
	joule_chain_input(&c, node, 0);
	if (!clip_elementwise(node, &step))
		joule_chain_step(&c, JOULE_EW_CLIP, -1, step.p, step.q);
	else
		for (int i = 1; i < node->n_in; i++)
			if (node->in[i])
				joule_chain_step(&c, i == 1 ? JOULE_EW_MAX : JOULE_EW_MIN,
						 joule_chain_input(&c, node, i), 0, 0);
	joule_chain_bind(b, &c);
	return joule_bind_end(b);
}

static const struct joule_attr clip_attrs[] = {
	JOULE_A_FLOAT(struct clip, min, -3.402823466e+38f),
	JOULE_A_FLOAT(struct clip, max, 3.402823466e+38f),
	JOULE_A_INTS(struct clip, consumed_inputs),
	{ 0 },
};

#define CLIP(from, to, inputs, bytes, table) \
	{ \
		.name = "Clip", .since = from, .until = to, .min_in = 1, .max_in = inputs, \
		.min_out = 1, .max_out = 1, .traits = JOULE_OP_ELEMENTWISE | JOULE_OP_IN_PLACE, \
		.attrs_bytes = bytes, .attrs = table, .infer = clip_infer, .ref = clip_ref, \
		.bind = clip_bind, .elementwise = clip_elementwise, \
	}

JOULE_OPS(clip) = {
	CLIP(1, 10, 1, sizeof(struct clip), clip_attrs),
	CLIP(11, 0, 3, 0, NULL),
	JOULE_OPS_END,
};
