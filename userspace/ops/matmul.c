// SPDX-License-Identifier: MIT
/* MatMul: batched, broadcast, with the 1-D cases of numpy.matmul. */
#include "ops/common.h"
#include "ops/product.h"

static int matmul_infer(struct joule_node *node)
{
	const struct joule_tensor *a = node->in[0], *b = node->in[1];
	struct joule_product p;
	struct joule_shape y;
	int ret;

	if (a->dtype == JOULE_BOOL || a->dtype != b->dtype)
		return joule_err_dtype(node, b);
	ret = joule_product_matmul(node, &a->shape, &b->shape, &p, &y);
	if (!ret)
		joule_set_out(node, 0, a->dtype, &y);
	return ret;
}

static int matmul_ref(struct joule_node *node)
{
	struct joule_product p;
	int ret = joule_product_matmul(node, &node->in[0]->shape, &node->in[1]->shape, &p, NULL);

	return ret ? ret : joule_product_ref(node, &p, node->in[0], node->in[1]);
}

static int matmul_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_product p;
	int ret = joule_product_matmul(node, &node->in[0]->shape, &node->in[1]->shape, &p, NULL);

	return ret ? ret : joule_product_bind(node, &p, b);
}

static void matmul_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct joule_product p;

	if (!joule_product_matmul(node, &node->in[0]->shape, &node->in[1]->shape, &p, NULL))
		cost->macs = joule_product_macs(&p);
}

JOULE_OPS(matmul) = {
	{
		.name = "MatMul", .since = 1, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1,
		.traits = JOULE_OP_EPILOGUE,
		.infer = matmul_infer, .ref = matmul_ref, .bind = matmul_bind, .cost = matmul_cost,
	},
	JOULE_OPS_END,
};
