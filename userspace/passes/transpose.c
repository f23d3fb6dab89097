// SPDX-License-Identifier: MIT
/*
 * Transposes: two in a row become one or none, one that only moves dimensions
 * of size 1 becomes a Reshape, which costs nothing.
 */
#include <errno.h>
#include <string.h>

#include "passes/match.h"
#include "passes/passes.h"

static void read_perm(const struct joule_node *node, int64_t *perm)
{
	const struct joule_ints *attr = joule_node_attr(node, "perm");
	int rank = node->in[0]->shape.rank;

	for (int i = 0; i < rank; i++)
		perm[i] = attr && attr->n == rank ? attr->v[i] : rank - 1 - i;
}

static int set_perm(struct joule_node *node, const int64_t *perm, int rank)
{
	struct joule_arena *a = &node->graph->arena;
	void *attrs = joule_arena_dup(a, node->attrs, node->op->attrs_bytes);
	int64_t *v = joule_arena_dup(a, perm, (size_t)rank * sizeof(*v));

	if (!attrs || !v)
		return -ENOMEM;
	node->attrs = attrs;
	*(struct joule_ints *)joule_node_attr(node, "perm") = (struct joule_ints){ rank, v };
	return 0;
}

/* Transpose(Transpose(x, p), q) = Transpose(x, r) with r[i] = p[q[i]]. */
static int compose(struct joule_node *node, bool *changed)
{
	struct joule_node *first = node->in[0]->producer;
	int64_t p[JOULE_MAX_RANK], q[JOULE_MAX_RANK], r[JOULE_MAX_RANK];
	int rank = node->in[0]->shape.rank, ret;

	if (!joule_match_op(first, "Transpose"))
		return 0;
	read_perm(first, p);
	read_perm(node, q);
	for (int i = 0; i < rank; i++)
		r[i] = p[q[i]];
	ret = set_perm(node, r, rank);
	if (!ret)
		ret = joule_node_add_origins(node, first);
	node->in[0] = first->in[0];
	*changed = true;
	return ret;
}

/* Do the dimensions larger than 1 keep their order? */
static bool keeps_order(const struct joule_node *node)
{
	int64_t perm[JOULE_MAX_RANK], last = -1;

	read_perm(node, perm);
	for (int i = 0; i < node->in[0]->shape.rank; i++) {
		if (node->in[0]->shape.dims[perm[i]] == 1)
			continue;
		if (perm[i] < last)
			return false;
		last = perm[i];
	}
	return true;
}

static bool is_identity(const struct joule_node *node)
{
	int64_t perm[JOULE_MAX_RANK];

	read_perm(node, perm);
	for (int i = 0; i < node->in[0]->shape.rank; i++)
		if (perm[i] != i)
			return false;
	return true;
}

static int to_reshape(struct joule_graph *graph, struct joule_node *node, bool *changed)
{
	const struct joule_shape *out = &node->out[0]->shape;
	struct joule_shape list = { .rank = 1, .dims = { out->rank } };
	struct joule_tensor *shape, *in[2];
	struct joule_node *reshape;

	/* A dimension of 0 would mean "copy" to Reshape. */
	if (joule_shape_count(out) < 1)
		return 0;
	shape = joule_graph_add_const(graph, NULL, JOULE_I64, &list);
	if (!shape)
		return -ENOMEM;
	memcpy(shape->data, out->dims, (size_t)out->rank * sizeof(int64_t));
	in[0] = node->in[0];
	in[1] = shape;
	reshape = joule_rewrite(graph, joule_op_find("", "Reshape", 14), in, 2, NULL, 0, node);
	if (!reshape)
		return -ENOMEM;
	reshape->opset = 14;
	joule_node_default_attrs(reshape);
	*changed = true;
	return 0;
}

static int transpose(struct joule_graph *graph, bool *changed)
{
	int n = graph->n_nodes, ret = 0;

	for (int i = 0; !ret && i < n; i++) {
		struct joule_node *node = graph->nodes[i];

		if (!joule_match_op(node, "Transpose") || joule_tensor_count(node->in[0]) < 0)
			continue;
		ret = compose(node, changed);
		if (!ret && is_identity(node) &&
		    !joule_graph_replace_uses(graph, node->out[0], node->in[0])) {
			joule_node_remove(node);
			*changed = true;
		} else if (!ret && keeps_order(node)) {
			ret = to_reshape(graph, node, changed);
		}
	}
	if (*changed)
		joule_remove_dead(graph);
	return ret;
}

const struct joule_pass joule_pass_transpose = {
	.name = "transpose",
	.description = "transposes in a row become one, those of unit dimensions a reshape",
	.run = transpose,
};
