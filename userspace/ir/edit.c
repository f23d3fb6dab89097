// SPDX-License-Identifier: MIT
/* Changing a graph: inputs, outputs, uses, removal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ir/graph.h"
#include "ir/op.h"

void joule_node_set_output(struct joule_node *node, int i, struct joule_tensor *tensor)
{
	if (node->out[i] && node->out[i]->producer == node)
		node->out[i]->producer = NULL;
	node->out[i] = tensor;
	if (tensor)
		tensor->producer = node;
}

int joule_node_set_input(struct joule_node *node, int i, struct joule_tensor *tensor)
{
	struct joule_tensor **in;

	if (i < node->n_in) {
		node->in[i] = tensor;
		return 0;
	}
	in = joule_arena_array(&node->graph->arena, (size_t)i + 1, sizeof(*in));
	if (!in)
		return joule_err_nomem(node->graph->log, "node inputs");
	if (node->n_in)
		memcpy(in, node->in, (size_t)node->n_in * sizeof(*in));
	in[i] = tensor;
	node->in = in;
	node->n_in = i + 1;
	return 0;
}

int joule_node_add_origins(struct joule_node *dst, const struct joule_node *src)
{
	int n = dst->n_origins + src->n_origins;
	const char **list = joule_arena_array(&dst->graph->arena, (size_t)n, sizeof(*list));

	if (!list)
		return joule_err_nomem(dst->graph->log, "origins");
	for (int i = 0; i < n; i++)
		list[i] = i < dst->n_origins ? dst->origins[i] : src->origins[i - dst->n_origins];
	dst->origins = list;
	dst->n_origins = n;
	return 0;
}

static void replace_in(struct joule_graph *g, struct joule_tensor *from, struct joule_tensor *to)
{
	for (int i = 0; i < g->n_tensors; i++)
		if (g->tensors[i]->outer == from)
			g->tensors[i]->outer = to;
	for (int i = 0; i < g->n_nodes; i++) {
		struct joule_node *n = g->nodes[i];

		for (int j = 0; j < n->n_in; j++)
			if (n->in[j] == from)
				n->in[j] = to;
		for (int j = 0; j < n->n_body; j++)
			replace_in(n->body[j], from, to);
	}
}

int joule_graph_replace_uses(struct joule_graph *graph, struct joule_tensor *from,
			     struct joule_tensor *to)
{
	if (from->flags & JOULE_TENSOR_OUTPUT) {
		const char *name = from->name;

		/* Two outputs cannot share one tensor's name. */
		if (to->flags & (JOULE_TENSOR_OUTPUT | JOULE_TENSOR_INPUT | JOULE_TENSOR_CONST))
			return -EBUSY;
		from->name = to->name;
		to->name = name;
		to->flags |= JOULE_TENSOR_OUTPUT;
		from->flags &= ~(unsigned int)JOULE_TENSOR_OUTPUT;
		for (int i = 0; i < graph->n_outputs; i++)
			if (graph->outputs[i] == from)
				graph->outputs[i] = to;
	}
	replace_in(graph, from, to);
	return 0;
}

static void count_uses(const struct joule_graph *g, const struct joule_tensor *t, int *uses,
		       struct joule_node **last)
{
	for (int i = 0; i < g->n_nodes; i++) {
		struct joule_node *n = g->nodes[i];

		if (!n->op)
			continue;
		for (int j = 0; j < n->n_in; j++)
			if (n->in[j] == t) {
				++*uses;
				*last = n;
			}
		for (int j = 0; j < n->n_body; j++)
			for (int k = 0; k < n->body[j]->n_tensors; k++)
				if (n->body[j]->tensors[k]->outer == t) {
					++*uses;
					*last = NULL;
				}
	}
}

int joule_tensor_uses(const struct joule_graph *graph, const struct joule_tensor *tensor)
{
	struct joule_node *last = NULL;
	int uses = 0;

	count_uses(graph, tensor, &uses, &last);
	for (int i = 0; i < graph->n_outputs; i++)
		uses += graph->outputs[i] == tensor;
	return uses;
}

struct joule_node *joule_tensor_only_user(const struct joule_graph *graph,
					  const struct joule_tensor *tensor)
{
	struct joule_node *last = NULL;
	int uses = 0;

	if (tensor->flags & JOULE_TENSOR_OUTPUT)
		return NULL;
	count_uses(graph, tensor, &uses, &last);
	return uses == 1 ? last : NULL;
}

void joule_node_remove(struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i] && node->out[i]->producer == node)
			node->out[i]->producer = NULL;
	for (int i = 0; i < node->n_body; i++)
		joule_graph_destroy(node->body[i]);
	node->n_body = 0;
	node->n_in = node->n_out = 0;
	node->op = NULL;
}

static void mark_outer(const struct joule_graph *g, const struct joule_graph *body, bool *used)
{
	for (int i = 0; i < body->n_tensors; i++) {
		struct joule_tensor *o = body->tensors[i]->outer;

		if (o && o->index < (uint32_t)g->n_tensors && g->tensors[o->index] == o)
			used[o->index] = true;
	}
}

void joule_graph_compact(struct joule_graph *graph)
{
	bool *used = calloc((size_t)graph->n_tensors + 1, sizeof(*used));
	int n = 0;

	for (int i = 0; i < graph->n_nodes; i++) {
		if (!graph->nodes[i]->op)
			continue;
		graph->nodes[i]->index = (uint32_t)n;
		graph->nodes[n++] = graph->nodes[i];
	}
	graph->n_nodes = n;
	if (!used) /* tidying can wait for a call with more memory */
		return;
	for (int i = 0; i < graph->n_tensors; i++)
		used[i] = graph->tensors[i]->flags & (JOULE_TENSOR_INPUT | JOULE_TENSOR_OUTPUT);
	for (int i = 0; i < graph->n_nodes; i++) {
		const struct joule_node *node = graph->nodes[i];

		for (int j = 0; j < node->n_in; j++)
			if (node->in[j])
				used[node->in[j]->index] = true;
		for (int j = 0; j < node->n_out; j++)
			if (node->out[j])
				used[node->out[j]->index] = true;
		for (int j = 0; j < node->n_body; j++)
			mark_outer(graph, node->body[j], used);
	}
	n = 0;
	for (int i = 0; i < graph->n_tensors; i++) {
		struct joule_tensor *t = graph->tensors[i];

		if (used[i]) {
			t->index = (uint32_t)n;
			graph->tensors[n++] = t;
		} else if (t->owned) {
			free(t->data);
			t->owned = false;
			t->data = NULL;
		}
	}
	graph->n_tensors = n;
	free(used);
}

static const struct joule_tensor *larger(struct joule_tensor *const *list, int n,
					 const struct joule_tensor *best)
{
	for (int i = 0; i < n; i++)
		if (list[i] && joule_tensor_bytes(list[i]) > (best ? joule_tensor_bytes(best) : -1))
			best = list[i];
	return best;
}

const struct joule_tensor *joule_node_largest(const struct joule_node *node)
{
	return larger(node->out, node->n_out, larger(node->in, node->n_in, NULL));
}
