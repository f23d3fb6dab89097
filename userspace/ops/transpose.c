// SPDX-License-Identifier: MIT
/* Transpose: dimensions in another order. */
#include <errno.h>

#include "ops/copy.h"

struct transpose {
	struct joule_ints perm;
};

/* perm[d] is the input's axis that becomes output axis d. */
static int read_perm(const struct joule_node *node, int *perm)
{
	const struct transpose *a = node->attrs;
	int rank = node->in[0]->shape.rank, n;

	for (int i = 0; i < rank; i++)
		perm[i] = rank - 1 - i;
	if (!a->perm.n)
		return 0;
	if (a->perm.n != rank)
		return joule_node_err(node, -EINVAL, "perm has %d entries for a tensor of rank %d",
				      a->perm.n, rank);
	n = joule_node_axes(node, a->perm.v, a->perm.n, rank, perm);
	return n < 0 ? n : 0;
}

static int transpose_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = { .rank = x->shape.rank };
	int perm[JOULE_MAX_RANK], ret = read_perm(node, perm);

	for (int i = 0; !ret && i < s.rank; i++)
		s.dims[i] = x->shape.dims[perm[i]];
	joule_set_out(node, 0, x->dtype, &s);
	return ret;
}

static int plan(const struct joule_node *node, struct joule_copy *c)
{
	int64_t src[JOULE_MAX_RANK], dst[JOULE_MAX_RANK];
	int perm[JOULE_MAX_RANK], ret = read_perm(node, perm);

	*c = (struct joule_copy){ 0 };
	joule_shape_strides(&node->in[0]->shape, src);
	joule_shape_strides(&node->out[0]->shape, dst);
	for (int i = 0; !ret && i < node->out[0]->shape.rank; i++)
		joule_copy_dim(c, node->out[0]->shape.dims[i], src[perm[i]], dst[i]);
	return ret;
}

static int transpose_ref(struct joule_node *node)
{
	struct joule_copy c;
	int ret = plan(node, &c);

	if (!ret)
		joule_copy_ref(node->in[0]->dtype, &c, node->in[0]->data, node->out[0]->data);
	return ret;
}

static int transpose_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_copy c;
	int ret = plan(node, &c);

	if (ret)
		return ret;
	joule_copy_bind(b, node->in[0]->dtype, &c, JOULE_IN(0), JOULE_OUT(0));
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = { JOULE_A_INTS(struct transpose, perm), { 0 } };

JOULE_OPS(transpose) = {
	{ .name = "Transpose", .since = 1, .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1,
	  .attrs_bytes = sizeof(struct transpose), .attrs = attrs, .infer = transpose_infer,
	  .ref = transpose_ref, .bind = transpose_bind, .cost = joule_cost_moved },
	JOULE_OPS_END,
};
