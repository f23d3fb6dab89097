// SPDX-License-Identifier: MIT
#include "passes/match.h"

#include <string.h>

#include "ir/access.h"

bool joule_match_op(const struct joule_node *node, const char *name)
{
	return node && node->op && !node->op->domain && !strcmp(node->op->name, name);
}

struct joule_node *joule_match_only(const struct joule_graph *graph, const struct joule_tensor *t,
				    const char *name)
{
	if (!t || !t->producer || !joule_match_op(t->producer, name) || t->producer->epilogue.n ||
	    joule_tensor_uses(graph, t) != 1)
		return NULL;
	return t->producer;
}

bool joule_match_scalar(const struct joule_tensor *t, double *out)
{
	if (!joule_tensor_is_const(t) || joule_tensor_count(t) != 1)
		return false;
	*out = joule_get_f64(t->dtype, t->data, 0);
	return true;
}

struct joule_tensor *joule_match_other(const struct joule_node *node, const struct joule_tensor *t)
{
	if (node->n_in != 2 || (node->in[0] == t) == (node->in[1] == t))
		return NULL;
	return node->in[0] == t ? node->in[1] : node->in[0];
}

struct joule_tensor *joule_match_with_scalar(const struct joule_node *node, double *value)
{
	if (node->n_in != 2)
		return NULL;
	if (joule_match_scalar(node->in[1], value))
		return node->in[0];
	return joule_match_scalar(node->in[0], value) ? node->in[1] : NULL;
}

struct joule_node *joule_rewrite(struct joule_graph *graph, const struct joule_op *op,
				 struct joule_tensor *const *in, int n_in,
				 struct joule_node *const *merged, int n_merged,
				 struct joule_node *last)
{
	struct joule_node *node = joule_graph_add_node(graph, op, last->name, n_in, 1);
	struct joule_tensor *out = last->out[0];

	if (!node)
		return NULL;
	for (int i = 0; i < n_in; i++)
		node->in[i] = in[i];
	for (int i = 0; i < n_merged; i++)
		if (merged[i] && joule_node_add_origins(node, merged[i]))
			return NULL;
	if (joule_node_add_origins(node, last))
		return NULL;
	joule_node_remove(last);
	joule_node_set_output(node, 0, out);
	return node;
}

static bool is_used(const struct joule_graph *graph, const struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i] && joule_tensor_uses(graph, node->out[i]))
			return true;
	return false;
}

bool joule_remove_dead(struct joule_graph *graph)
{
	bool changed = false, again;

	/* Nodes added by a rewrite stand at the end, behind those that read them. */
	do {
		again = false;
		for (int i = graph->n_nodes - 1; i >= 0; i--) {
			struct joule_node *node = graph->nodes[i];

			if (!node->op || is_used(graph, node))
				continue;
			joule_node_remove(node);
			again = true;
		}
		changed |= again;
	} while (again);
	return changed;
}
