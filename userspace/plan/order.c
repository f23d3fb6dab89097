// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "plan/build.h"

static bool ready(const struct joule_node *node, const bool *made, const bool *ours)
{
	for (int i = 0; i < node->n_in; i++) {
		const struct joule_tensor *t = node->in[i];

		if (t && ours[t->index] && !made[t->index])
			return false;
	}
	return true;
}

/*
 * Host nodes that are ready go first, then device nodes in their order up to
 * the point where all that is left waits for the host.
 */
int joule_build_order(struct joule_build *b)
{
	size_t tensors = (size_t)b->graph->n_tensors + 1, n = (size_t)b->n_nodes + 1;
	struct joule_build_node *order = calloc(n, sizeof(*order));
	bool *made = calloc(tensors, 1), *ours = calloc(tensors, 1), *done = calloc(n, 1);
	int hosts = 0, placed = 0, ret = 0;

	for (int i = 0; i < b->n_nodes; i++)
		hosts += b->nodes[i].kind == JOULE_BUILD_HOST;
	if (!hosts)
		goto out; /* the given order will do */
	if (!order || !made || !ours || !done) {
		ret = joule_err_nomem(b->graph->log, "plan");
		goto out;
	}
	for (int i = 0; i < b->n_nodes; i++)
		for (int j = 0; j < b->nodes[i].node->n_out; j++)
			if (b->nodes[i].node->out[j])
				ours[b->nodes[i].node->out[j]->index] = true;
	for (bool host = true; placed < b->n_nodes; host = !host) {
		int before = placed;

		for (int i = 0; i < b->n_nodes; i++) {
			struct joule_build_node *bn = &b->nodes[i];

			/* Aliases and empty ones cost nothing: they go along with either. */
			if (done[i] || (bn->kind == JOULE_BUILD_HOST && !host) ||
			    (bn->kind == JOULE_BUILD_DEVICE && host) ||
			    !ready(bn->node, made, ours))
				continue;
			done[i] = true;
			for (int j = 0; j < bn->node->n_out; j++)
				if (bn->node->out[j])
					made[bn->node->out[j]->index] = true;
			order[placed++] = *bn;
		}
		if (placed == before && !host) {
			ret = joule_err(b->graph->log, -ELOOP,
					"%s: nodes to plan are not in topological order",
					b->graph->file);
			goto out;
		}
	}
	free(b->nodes);
	b->nodes = order;
	order = NULL;
out:
	free(order);
	free(made);
	free(ours);
	free(done);
	return ret;
}
