// SPDX-License-Identifier: MIT
/*
 * The Reduce operators. Axes are an attribute in early opsets and an input in
 * later ones (ReduceSum since 13, the others since 18).
 */
#include "ops/reduce.h"

#include <errno.h>

#include "ops/common.h"

struct reduce {
	struct joule_ints axes;
	int64_t keepdims, noop_with_empty_axes;
};

/* 1 when the axes are not known yet. */
static int axes_of(const struct joule_node *node, unsigned int *mask)
{
	const struct reduce *a = node->attrs;
	const struct joule_tensor *t = joule_node_in(node, 1);
	int64_t list[JOULE_MAX_RANK];
	const int64_t *axes = a->axes.v;
	int n = a->axes.n, rank = node->in[0]->shape.rank;

	if (t) {
		n = joule_tensor_ints(t, list, JOULE_MAX_RANK);
		if (n == -ENODATA)
			return 1;
		if (n < 0)
			return joule_node_err(node, n, "%s is no list of axes", t->name);
		axes = list;
	}
	*mask = 0;
	for (int i = 0; i < n; i++) {
		int axis = joule_node_axis(node, axes[i], rank);

		if (axis < 0)
			return axis;
		*mask |= 1u << axis;
	}
	if (!n && !a->noop_with_empty_axes)
		*mask = (1u << rank) - 1;
	return 0;
}

static int reduce_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	const struct reduce *a = node->attrs;
	struct joule_shape shape = { 0 };
	unsigned int mask;
	int ret;

	if (x->dtype == JOULE_BOOL && node->op->code != JOULE_REDUCE_MAX &&
	    node->op->code != JOULE_REDUCE_MIN)
		return joule_err_dtype(node, x);
	node->out[0]->dtype = x->dtype;
	ret = axes_of(node, &mask);
	if (ret)
		return ret;
	for (int i = 0; i < x->shape.rank; i++) {
		bool reduced = mask >> i & 1;

		if (!reduced || a->keepdims)
			shape.dims[shape.rank++] = reduced ? 1 : x->shape.dims[i];
	}
	joule_set_out(node, 0, x->dtype, &shape);
	return 0;
}

/* With noop_with_empty_axes nothing is done, not even the element's formula. */
static int describe(const struct joule_node *node, struct joule_reduce *r)
{
	int ret;

	r->code = (enum joule_reduce_code)node->op->code;
	r->p = 0;
	ret = axes_of(node, &r->axes);
	if (ret > 0)
		return joule_node_err(node, -EINVAL, "the axes have no value");
	if (!r->axes && node->in[0]->shape.rank)
		r->code = JOULE_REDUCE_SUM;
	return ret;
}

static int reduce_ref(struct joule_node *node)
{
	struct joule_reduce r;
	int ret = describe(node, &r);

	if (!ret)
		joule_reduce_ref(&r, node->in[0], node->out[0]);
	return ret;
}

static int reduce_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_reduce r;
	int ret;

	if (!joule_bind_float(b, x))
		return b->err;
	ret = describe(node, &r);
	if (ret)
		return ret;
	joule_reduce_bind(b, &r, JOULE_IN(0), x->dtype, &x->shape, JOULE_OUT(0),
			  node->out[0]->dtype);
	return joule_bind_end(b);
}

static const struct joule_attr axes_attr[] = {
	JOULE_A_INTS(struct reduce, axes),
	JOULE_A_INT(struct reduce, keepdims, 1),
	{ 0 },
};

static const struct joule_attr axes_input[] = {
	JOULE_A_INT(struct reduce, keepdims, 1),
	JOULE_A_INT(struct reduce, noop_with_empty_axes, 0),
	{ 0 },
};

#define ROW(onnx, which, from, to, inputs, table) \
	{ \
		.name = onnx, .code = JOULE_REDUCE_##which, .since = from, .until = to, \
		.min_in = 1, .max_in = inputs, .min_out = 1, .max_out = 1, \
		.attrs_bytes = sizeof(struct reduce), .attrs = table, .infer = reduce_infer, \
		.ref = reduce_ref, .bind = reduce_bind, \
	}
#define REDUCE(onnx, which, change) \
	ROW(onnx, which, 1, change - 1, 1, axes_attr), ROW(onnx, which, change, 0, 2, axes_input)

JOULE_OPS(reduce) = {
	REDUCE("ReduceL1", L1, 18),
	REDUCE("ReduceL2", L2, 18),
	REDUCE("ReduceLogSum", LOG_SUM, 18),
	REDUCE("ReduceLogSumExp", LOG_SUM_EXP, 18),
	REDUCE("ReduceMax", MAX, 18),
	REDUCE("ReduceMean", MEAN, 18),
	REDUCE("ReduceMin", MIN, 18),
	REDUCE("ReduceProd", PROD, 18),
	REDUCE("ReduceSum", SUM, 13),
	REDUCE("ReduceSumSquare", SUM_SQUARE, 18),
	JOULE_OPS_END,
};
