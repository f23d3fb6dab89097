// SPDX-License-Identifier: MIT
#include "passes/match.h"
#include "passes/passes.h"

/*
 * Nodes nothing uses, and outputs nothing reads: an optional output that is
 * not asked for (MaxPool's indices, Dropout's mask) need not be computed.
 */
static int dead_code(struct joule_graph *graph, bool *changed)
{
	*changed = joule_remove_dead(graph);
	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *node = graph->nodes[i];

		if (!node->op)
			continue;
		for (int k = node->op->min_out; k < node->n_out; k++) {
			struct joule_tensor *t = node->out[k];

			if (!t || joule_tensor_uses(graph, t))
				continue;
			joule_node_set_output(node, k, NULL);
			*changed = true;
		}
	}
	return 0;
}

const struct joule_pass joule_pass_dead_code = {
	.name = "dead-code",
	.description = "removes nodes and optional outputs that nothing uses",
	.run = dead_code,
};
