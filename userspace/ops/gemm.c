// SPDX-License-Identifier: MIT
/* Gemm: alpha * A' * B' + beta * C, with C broadcast to the result. */
#include <errno.h>

#include "ops/common.h"
#include "ops/product.h"

struct gemm {
	float alpha, beta;
	int64_t transA, transB;
	int64_t broadcast; /* before opset 7: C may be broadcast; always allowed here */
};

static int resolve(const struct joule_node *node, struct joule_product *p)
{
	const struct joule_shape *a = &node->in[0]->shape, *b = &node->in[1]->shape;
	const struct joule_tensor *c = joule_node_own_in(node, 2);
	const struct gemm *attrs = node->attrs;
	bool ta = attrs->transA, tb = attrs->transB;
	struct joule_shape y = { .rank = 2 }, both;
	int64_t c_stride[2];
	char s[128], t[128];

	if (a->rank != 2 || b->rank != 2 || a->dims[ta ? 0 : 1] != b->dims[tb ? 1 : 0])
		return joule_node_err(node, -EINVAL, "shapes %s%s and %s%s do not multiply",
				      joule_shape_str(a, s, sizeof(s)), ta ? "'" : "",
				      joule_shape_str(b, t, sizeof(t)), tb ? "'" : "");
	*p = (struct joule_product){
		.m = a->dims[ta ? 1 : 0], .n = b->dims[tb ? 0 : 1], .k = a->dims[ta ? 0 : 1],
		.a_row = ta ? 1 : a->dims[1], .a_col = ta ? a->dims[1] : 1,
		.b_row = tb ? 1 : b->dims[1], .b_col = tb ? b->dims[1] : 1,
		.alpha = attrs->alpha, .beta = attrs->beta, .c = c,
	};
	if (!c)
		return 0;
	y.dims[0] = p->m;
	y.dims[1] = p->n;
	if (joule_shape_broadcast(&y, &c->shape, &both) || !joule_shape_equal(&y, &both))
		return joule_node_err(node, -EINVAL, "C %s does not broadcast to %s",
				      joule_shape_str(&c->shape, s, sizeof(s)),
				      joule_shape_str(&y, t, sizeof(t)));
	joule_broadcast_strides(&c->shape, &y, c_stride);
	p->c_row = c_stride[0];
	p->c_col = c_stride[1];
	return 0;
}

static int gemm_infer(struct joule_node *node)
{
	const struct joule_tensor *c = joule_node_own_in(node, 2);
	enum joule_dtype dtype = node->in[0]->dtype;
	struct joule_product p;
	struct joule_shape y = { .rank = 2 };
	int ret;

	if (dtype == JOULE_BOOL || node->in[1]->dtype != dtype)
		return joule_err_dtype(node, node->in[1]);
	if (c && c->dtype != dtype)
		return joule_err_dtype(node, c);
	ret = resolve(node, &p);
	if (ret)
		return ret;
	y.dims[0] = p.m;
	y.dims[1] = p.n;
	joule_set_out(node, 0, dtype, &y);
	return 0;
}

static int gemm_ref(struct joule_node *node)
{
	struct joule_product p;
	int ret = resolve(node, &p);

	return ret ? ret : joule_product_ref(node, &p, node->in[0], node->in[1]);
}

static int gemm_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_product p;
	int ret = resolve(node, &p);

	return ret ? ret : joule_product_bind(node, &p, b);
}

static void gemm_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct joule_product p;

	if (!resolve(node, &p))
		cost->macs = joule_product_macs(&p);
}

static const struct joule_attr attrs[] = {
	JOULE_A_FLOAT(struct gemm, alpha, 1),
	JOULE_A_FLOAT(struct gemm, beta, 1),
	JOULE_A_INT(struct gemm, transA, 0),
	JOULE_A_INT(struct gemm, transB, 0),
	{ 0 },
};

static const struct joule_attr old_attrs[] = {
	JOULE_A_FLOAT(struct gemm, alpha, 1),
	JOULE_A_FLOAT(struct gemm, beta, 1),
	JOULE_A_INT(struct gemm, transA, 0),
	JOULE_A_INT(struct gemm, transB, 0),
	JOULE_A_INT(struct gemm, broadcast, 0),
	{ 0 },
};

#define GEMM(from, to, table) \
	{ \
		.name = "Gemm", .since = from, .until = to, .min_in = 2, .max_in = 3, .min_out = 1, \
		.max_out = 1, .traits = JOULE_OP_EPILOGUE, .attrs_bytes = sizeof(struct gemm), \
		.attrs = table, .infer = gemm_infer, .ref = gemm_ref, .bind = gemm_bind, \
		.cost = gemm_cost, \
	}

JOULE_OPS(gemm) = {
	GEMM(1, 6, old_attrs),
	GEMM(7, 0, attrs),
	JOULE_OPS_END,
};
