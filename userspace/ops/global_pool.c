// SPDX-License-Identifier: MIT
/* Pools over all of the spatial axes: reductions that keep batch and channel. */
#include <errno.h>

#include "ops/common.h"
#include "ops/reduce.h"

struct global_pool {
	float p;
	int64_t p_int; /* GlobalLpPool's since opset 2, 0 if absent */
};

static int global_pool_infer(struct joule_node *node)
{
	struct joule_shape shape = node->in[0]->shape;

	if (!joule_dtype_is_float(node->in[0]->dtype))
		return joule_err_dtype(node, node->in[0]);
	if (shape.rank < 2)
		return joule_node_err(node, -EINVAL, "input of rank %d has no channels",
				      shape.rank);
	for (int i = 2; i < shape.rank; i++)
		shape.dims[i] = 1;
	joule_set_out(node, 0, node->in[0]->dtype, &shape);
	return 0;
}

static struct joule_reduce describe(const struct joule_node *node)
{
	const struct global_pool *a = node->attrs;
	struct joule_reduce r = { .code = (enum joule_reduce_code)node->op->code };

	r.axes = ((1u << node->in[0]->shape.rank) - 1) & ~3u;
	if (r.code != JOULE_REDUCE_LP)
		return r;
	r.p = a->p_int ? (float)a->p_int : a->p;
	if (r.p == 1)
		r.code = JOULE_REDUCE_L1;
	if (r.p == 2)
		r.code = JOULE_REDUCE_L2;
	return r;
}

/*
 * Averages in fp32 and in ONNX Runtime's order: where quantized values are
 * averaged many stand exactly between two steps, and the order decides.
 */
static void average(const struct joule_tensor *x, struct joule_tensor *y)
{
	int64_t n = joule_tensor_count(y), each = n ? joule_tensor_count(x) / n : 0;
	const float *v = x->data;

	for (int64_t i = 0; i < n; i++, v += each) {
		float part[4] = { 0 }, sum;
		int64_t k = 0;

		for (; k + 4 <= each; k += 4)
			for (int j = 0; j < 4; j++)
				part[j] += v[k + j];
		sum = (part[0] + part[2]) + (part[1] + part[3]);
		for (; k < each; k++)
			sum += v[k];
		((float *)y->data)[i] = sum / (float)each;
	}
}

static int global_pool_ref(struct joule_node *node)
{
	struct joule_reduce r = describe(node);

	if (r.code == JOULE_REDUCE_MEAN && node->in[0]->dtype == JOULE_F32) {
		average(node->in[0], node->out[0]);
		return 0;
	}
	joule_reduce_ref(&r, node->in[0], node->out[0]);
	return 0;
}

static int global_pool_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_reduce r = describe(node);

	if (!joule_bind_float(b, x))
		return b->err;
	joule_reduce_bind(b, &r, JOULE_IN(0), x->dtype, &x->shape, JOULE_OUT(0), x->dtype);
	return joule_bind_end(b);
}

static const struct joule_attr lp_float[] = {
	JOULE_A_FLOAT(struct global_pool, p, 2.0f),
	{ 0 },
};

static const struct joule_attr lp_int[] = {
	{ .name = "p", .type = JOULE_ATTR_INT, .offset = offsetof(struct global_pool, p_int),
	  .def.i = 2 },
	{ 0 },
};

#define POOL(onnx, which, from, to, table) \
	{ \
		.name = onnx, .code = JOULE_REDUCE_##which, .since = from, .until = to, \
		.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, \
		.attrs_bytes = sizeof(struct global_pool), .attrs = table, \
		.infer = global_pool_infer, .ref = global_pool_ref, .bind = global_pool_bind, \
	}

JOULE_OPS(global_pool) = {
	POOL("GlobalAveragePool", MEAN, 1, 0, NULL),
	POOL("GlobalLpPool", LP, 1, 1, lp_float),
	POOL("GlobalLpPool", LP, 2, 0, lp_int),
	POOL("GlobalMaxPool", MAX, 1, 0, NULL),
	JOULE_OPS_END,
};
