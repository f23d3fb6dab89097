// SPDX-License-Identifier: MIT
#include "ir/access.h"
#include "passes/match.h"
#include "passes/passes.h"

/* Does the node hand in[0] on as it is? */
static bool is_identity(const struct joule_node *node)
{
	const struct joule_tensor *x = joule_node_in(node, 0), *y = joule_node_out(node, 0);

	if (!x || !y || node->epilogue.n || x->dtype != y->dtype || !x->dtype)
		return false;
	if (joule_match_op(node, "Concat") && node->n_in == 1)
		return true;
	if (joule_match_op(node, "Identity"))
		return true;
	if (!joule_shape_equal(&x->shape, &y->shape))
		return false;
	return (node->op->traits & JOULE_OP_VIEW) || joule_match_op(node, "Cast") ||
	       joule_match_op(node, "CastLike") || joule_match_op(node, "Expand") ||
	       joule_match_op(node, "Tile");
}

static bool is_scalar(const struct joule_tensor *t, double value)
{
	double v;

	/* What a benchmark fills with other values later is no neutral element. */
	return t && !(t->flags & JOULE_TENSOR_FILLED) && joule_match_scalar(t, &v) && v == value;
}

/* x + 0, x - 0, x * 1, x / 1: in[] that is x, or -1. (x + 0 makes 0 of -0, which compares equal.) */
static int neutral(const struct joule_node *node)
{
	const struct joule_tensor *y = joule_node_out(node, 0);

	if (node->n_in != 2 || node->epilogue.n || !y)
		return -1;
	for (int i = 0; i < 2; i++) {
		const struct joule_tensor *x = node->in[i], *c = node->in[!i];

		if (!x || x->dtype != y->dtype || !joule_shape_equal(&x->shape, &y->shape))
			continue;
		if ((joule_match_op(node, "Add") && is_scalar(c, 0)) ||
		    (joule_match_op(node, "Mul") && is_scalar(c, 1)) ||
		    (i == 0 && joule_match_op(node, "Sub") && is_scalar(c, 0)) ||
		    (i == 0 && joule_match_op(node, "Div") && is_scalar(c, 1)))
			return i;
	}
	return -1;
}

/* An integer times 0 is 0 whatever it is; files keep unused inputs alive so. */
static struct joule_tensor *nothing(struct joule_graph *graph, const struct joule_node *node)
{
	const struct joule_tensor *y = joule_node_out(node, 0);

	if (!joule_match_op(node, "Mul") || node->epilogue.n || !y || !joule_dtype_is_int(y->dtype) ||
	    joule_tensor_count(y) < 1 || joule_tensor_count(y) > 1024 ||
	    (!is_scalar(node->in[0], 0) && !is_scalar(node->in[1], 0)))
		return NULL;
	return joule_graph_add_const(graph, NULL, y->dtype, &y->shape);
}

/*
 * Reshape of Reshape: the first one only matters if somebody else sees it. The
 * last one's result does not depend on the shape in between once it is known.
 */
static bool skip_view(struct joule_node *node)
{
	struct joule_tensor *x = joule_node_in(node, 0);
	struct joule_node *p = x ? x->producer : NULL;

	if (!p || !p->op || !(node->op->traits & JOULE_OP_VIEW) ||
	    !(p->op->traits & JOULE_OP_VIEW) || !joule_match_op(node, "Reshape") ||
	    joule_tensor_count(x) < 0 || joule_tensor_count(node->out[0]) < 0 || !p->in[0] ||
	    joule_tensor_count(p->in[0]) != joule_tensor_count(x) || joule_tensor_count(x) == 0)
		return false;
	/* A 0 in the shape input copies a dimension of its input: only literal shapes move. */
	if (!joule_tensor_is_const(joule_node_in(node, 1)))
		return false;
	for (int64_t i = 0; i < joule_tensor_count(node->in[1]); i++)
		if (((const int64_t *)node->in[1]->data)[i] == 0)
			return false;
	node->in[0] = p->in[0];
	return true;
}

static int identity(struct joule_graph *graph, bool *changed)
{
	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *node = graph->nodes[i];

		if (!node->op)
			continue;
		struct joule_tensor *x = node->n_in ? node->in[0] : NULL, *zero;

		if (skip_view(node))
			*changed = true;
		zero = nothing(graph, node);
		if (zero && !joule_graph_replace_uses(graph, node->out[0], zero)) {
			joule_node_remove(node);
			*changed = true;
			continue;
		}
		if (neutral(node) >= 0)
			x = node->in[neutral(node)];
		else if (!is_identity(node))
			continue;
		else
			x = node->in[0];
		/* A second output (Dropout's mask) must not be in use. */
		if (node->n_out > 1 && node->out[1] && joule_tensor_uses(graph, node->out[1]))
			continue;
		/* An output cannot take over an input's or constant's name: keep the copy. */
		if (joule_graph_replace_uses(graph, node->out[0], x))
			continue;
		joule_node_remove(node);
		*changed = true;
	}
	if (*changed)
		joule_remove_dead(graph);
	return 0;
}

const struct joule_pass joule_pass_identity = {
	.name = "identity",
	.description = "removes operators that change nothing and reshapes of reshapes",
	.run = identity,
	.repeat = true, /* what becomes constant may be the next one's neutral operand */
};
