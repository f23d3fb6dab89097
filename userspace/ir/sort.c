// SPDX-License-Identifier: MIT
/* Topological order (Kahn's algorithm), stable for graphs already in order. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "ir/graph.h"
#include "ir/op.h"

struct edge_count {
	struct joule_graph *graph;
	int node;
	int *waiting; /* per node: inputs whose producer has not been placed */
	int n;
};

static void for_each_capture(struct joule_graph *body, void (*fn)(void *, struct joule_tensor *),
			     void *arg)
{
	for (int i = 0; i < body->n_tensors; i++)
		if (body->tensors[i]->outer)
			fn(arg, body->tensors[i]->outer);
}

static void for_each_operand(struct joule_node *node, void (*fn)(void *, struct joule_tensor *),
			     void *arg)
{
	for (int i = 0; i < node->n_in; i++)
		if (node->in[i])
			fn(arg, node->in[i]);
	for (int i = 0; i < node->n_body; i++)
		for_each_capture(node->body[i], fn, arg);
}

static void count_edge(void *arg, struct joule_tensor *t)
{
	struct edge_count *e = arg;

	if (t->producer && t->producer->graph == e->graph)
		e->n++;
}

struct edge_list {
	struct joule_graph *graph;
	int *at;      /* next free place of each producer's list */
	int *users;
	int node;
};

static void add_edge(void *arg, struct joule_tensor *t)
{
	struct edge_list *e = arg;

	if (t->producer && t->producer->graph == e->graph)
		e->users[e->at[t->producer->index]++] = e->node;
}

struct edge_start {
	struct joule_graph *graph;
	int *start;
};

static void count_user(void *arg, struct joule_tensor *t)
{
	struct edge_start *e = arg;

	if (t->producer && t->producer->graph == e->graph)
		e->start[t->producer->index + 1]++;
}

int joule_graph_sort(struct joule_graph *graph)
{
	int n = graph->n_nodes, placed = 0, edges = 0, ret = 0;
	struct joule_node **order = calloc((size_t)n + 1, sizeof(*order));
	int *waiting = calloc((size_t)n + 1, sizeof(*waiting));
	int *start = calloc((size_t)n + 2, sizeof(*start));
	int *at = calloc((size_t)n + 1, sizeof(*at));
	int *users = NULL;

	if (!order || !waiting || !start || !at) {
		ret = joule_err_nomem(graph->log, "sort");
		goto out;
	}
	for (int i = 0; i < n; i++)
		graph->nodes[i]->index = (uint32_t)i;
	for (int i = 0; i < n; i++) {
		struct edge_count e = { .graph = graph };
		struct edge_start s = { .graph = graph, .start = start };

		for_each_operand(graph->nodes[i], count_edge, &e);
		for_each_operand(graph->nodes[i], count_user, &s);
		waiting[i] = e.n;
		edges += e.n;
	}
	for (int i = 0; i < n; i++) {
		start[i + 1] += start[i];
		at[i] = start[i];
	}
	users = calloc((size_t)edges + 1, sizeof(*users));
	if (!users) {
		ret = joule_err_nomem(graph->log, "sort");
		goto out;
	}
	for (int i = 0; i < n; i++) {
		struct edge_list e = { .graph = graph, .at = at, .users = users, .node = i };

		for_each_operand(graph->nodes[i], add_edge, &e);
	}
	/*
	 * order doubles as the queue. Nodes without pending inputs go in by
	 * their old position first; a graph already sorted would still be
	 * reshuffled breadth-first, so the common case is tested beforehand.
	 */
	for (int i = 0; i < n; i++) {
		bool sorted = true;

		for (int j = start[i]; j < start[i + 1]; j++)
			sorted &= users[j] > i;
		if (!sorted)
			break;
		placed += sorted;
	}
	if (placed == n)
		goto out;
	placed = 0;
	for (int i = 0; i < n; i++)
		if (!waiting[i])
			order[placed++] = graph->nodes[i];
	for (int done = 0; done < placed; done++) {
		int i = (int)order[done]->index;

		for (int j = start[i]; j < start[i + 1]; j++)
			if (!--waiting[users[j]])
				order[placed++] = graph->nodes[users[j]];
	}
	if (placed < n) {
		int i = 0;

		while (!waiting[i])
			i++;
		ret = joule_node_err(graph->nodes[i], -ELOOP, "is part of, or behind, a cycle");
		goto out;
	}
	for (int i = 0; i < n; i++) {
		graph->nodes[i] = order[i];
		order[i]->index = (uint32_t)i;
	}
out:
	free(order);
	free(waiting);
	free(start);
	free(at);
	free(users);
	return ret;
}
