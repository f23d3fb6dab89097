// SPDX-License-Identifier: MIT
/* Making, copying and freeing graphs. Editing is in edit.c. */
#include "ir/graph.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "ir/op.h"

int joule_graph_create(const struct joule_log *log, const char *file, struct joule_graph **out)
{
	struct joule_graph *g;

	*out = NULL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return joule_err_nomem(log, "graph");
	joule_arena_init(&g->arena);
	g->log = log;
	g->file = joule_arena_strdup(&g->arena, file ? file : "graph");
	g->name = "";
	if (!g->file) {
		joule_graph_destroy(g);
		return joule_err_nomem(log, "graph");
	}
	*out = g;
	return 0;
}

void joule_graph_destroy(struct joule_graph *graph)
{
	if (!graph)
		return;
	for (int i = 0; i < graph->n_nodes; i++)
		for (int j = 0; j < graph->nodes[i]->n_body; j++)
			joule_graph_destroy(graph->nodes[i]->body[j]);
	for (int i = 0; i < graph->n_tensors; i++)
		if (graph->tensors[i]->owned)
			free(graph->tensors[i]->data);
	for (int i = 0; i < graph->n_files; i++)
		joule_mapped_file_unref(graph->files[i]);
	for (int i = 0; i < graph->n_kept; i++)
		joule_graph_destroy(graph->kept[i]);
	free(graph->kept);
	free(graph->files);
	free(graph->tensors);
	free(graph->nodes);
	joule_arena_finish(&graph->arena);
	free(graph);
}

int joule_graph_hold_file(struct joule_graph *graph, struct joule_mapped_file *file)
{
	struct joule_mapped_file **files;

	files = realloc(graph->files, ((size_t)graph->n_files + 1) * sizeof(*files));
	if (!files)
		return joule_err_nomem(graph->log, "file list");
	graph->files = files;
	files[graph->n_files++] = joule_mapped_file_ref(file);
	return 0;
}

int joule_graph_keep_body(struct joule_graph *graph, struct joule_graph *body)
{
	struct joule_graph **kept;

	kept = realloc(graph->kept, ((size_t)graph->n_kept + 1) * sizeof(*kept));
	if (!kept)
		return joule_err_nomem(graph->log, "inlined body");
	graph->kept = kept;
	kept[graph->n_kept++] = body;
	return 0;
}

static int push(const struct joule_log *log, void ***list, int *n, int *cap, void *item)
{
	if (*n == *cap) {
		int fresh_cap = *cap ? *cap * 2 : 64;
		void **fresh = realloc(*list, (size_t)fresh_cap * sizeof(**list));

		if (!fresh)
			return joule_err_nomem(log, "graph list");
		*list = fresh;
		*cap = fresh_cap;
	}
	(*list)[(*n)++] = item;
	return 0;
}

#define MADE_UP "joule_t"

/* A file that joule wrote has names that joule made up: none of them again. */
static void avoid_name(struct joule_graph *graph, const char *name)
{
	unsigned long long n;

	if (strncmp(name, MADE_UP, strlen(MADE_UP)) != 0)
		return;
	n = strtoull(name + strlen(MADE_UP), NULL, 10);
	if (n >= graph->next_name && n < UINT64_MAX)
		graph->next_name = n + 1;
}

struct joule_tensor *joule_graph_add_tensor(struct joule_graph *graph, const char *name)
{
	struct joule_tensor *t = joule_arena_alloc(&graph->arena, sizeof(*t));

	if (!t)
		goto nomem;
	t->index = (uint32_t)graph->n_tensors;
	t->shape.rank = -1;
	if (name) {
		t->name = joule_arena_strdup(&graph->arena, name);
		avoid_name(graph, name);
	} else {
		t->name = joule_arena_printf(&graph->arena, MADE_UP "%llu",
					     (unsigned long long)graph->next_name++);
	}
	if (!t->name)
		goto nomem;
	if (push(graph->log, (void ***)&graph->tensors, &graph->n_tensors, &graph->cap_tensors, t))
		return NULL;
	return t;
nomem:
	joule_err_nomem(graph->log, "tensor");
	return NULL;
}

struct joule_tensor *joule_graph_add_const(struct joule_graph *graph, const char *name,
					   enum joule_dtype dtype, const struct joule_shape *shape)
{
	int64_t bytes = joule_array_bytes(dtype, shape);
	struct joule_tensor *t;

	if (bytes < 0) {
		joule_err(graph->log, -EOVERFLOW, "%s: constant %s is too large", graph->file,
			  name ? name : "");
		return NULL;
	}
	t = joule_graph_add_tensor(graph, name);
	if (!t)
		return NULL;
	t->dtype = dtype;
	t->shape = *shape;
	t->flags = JOULE_TENSOR_CONST;
	t->data = joule_arena_alloc(&graph->arena, (size_t)bytes);
	if (!t->data) {
		joule_err_nomem(graph->log, "constant");
		return NULL;
	}
	return t;
}

struct joule_node *joule_graph_add_node(struct joule_graph *graph, const struct joule_op *op,
					const char *name, int n_in, int n_out)
{
	struct joule_arena *a = &graph->arena;
	struct joule_node *n = joule_arena_alloc(a, sizeof(*n));

	if (!n)
		goto nomem;
	n->op = op;
	n->graph = graph;
	n->opset = graph->opset;
	n->n_in = n_in;
	n->n_out = n_out;
	n->in = joule_arena_array(a, (size_t)n_in, sizeof(*n->in));
	n->out = joule_arena_array(a, (size_t)n_out, sizeof(*n->out));
	n->attrs = joule_arena_alloc(a, op->attrs_bytes);
	n->index = (uint32_t)graph->n_nodes;
	n->name = name && *name ? joule_arena_strdup(a, name) :
				  joule_arena_printf(a, "%s_%u", op->name, n->index);
	if (!n->in || !n->out || !n->attrs || !n->name)
		goto nomem;
	if (push(graph->log, (void ***)&graph->nodes, &graph->n_nodes, &graph->cap_nodes, n))
		return NULL;
	return n;
nomem:
	joule_err_nomem(graph->log, "node");
	return NULL;
}

/* ---- clone ---- */

static int clone_tensors(const struct joule_graph *from, struct joule_graph *to)
{
	for (int i = 0; i < from->n_tensors; i++) {
		const struct joule_tensor *s = from->tensors[i];
		struct joule_tensor *t = joule_arena_alloc(&to->arena, sizeof(*t));

		if (!t)
			return joule_err_nomem(to->log, "tensor");
		*t = *s;
		t->owned = false;
		t->producer = NULL;
		if (!joule_tensor_is_const(s))
			t->data = NULL;
		/*
		 * A capture points at the clone of the enclosing graph's tensor:
		 * same index there, since the parent is cloned first. Without a
		 * cloned parent (a body cloned alone) the original stays.
		 */
		if (s->outer && to->parent && to->parent->shared == from->parent)
			t->outer = to->parent->tensors[s->outer->index];
		if (push(to->log, (void ***)&to->tensors, &to->n_tensors, &to->cap_tensors, t))
			return -ENOMEM;
	}
	return 0;
}

static int clone_into(const struct joule_graph *from, struct joule_graph *parent,
		      struct joule_graph **out);

static int clone_node(const struct joule_node *s, struct joule_graph *to)
{
	struct joule_arena *a = &to->arena;
	struct joule_node *n = joule_arena_alloc(a, sizeof(*n));
	int ret;

	if (!n)
		return joule_err_nomem(to->log, "node");
	*n = *s;
	n->graph = to;
	n->n_body = 0;
	n->in = joule_arena_array(a, (size_t)s->n_in, sizeof(*n->in));
	n->out = joule_arena_array(a, (size_t)s->n_out, sizeof(*n->out));
	n->body = joule_arena_array(a, (size_t)s->n_body, sizeof(*n->body));
	if (!n->in || !n->out || !n->body)
		return joule_err_nomem(to->log, "node");
	for (int i = 0; i < s->n_in; i++)
		n->in[i] = s->in[i] ? to->tensors[s->in[i]->index] : NULL;
	for (int i = 0; i < s->n_out; i++)
		joule_node_set_output(n, i, s->out[i] ? to->tensors[s->out[i]->index] : NULL);
	if (push(to->log, (void ***)&to->nodes, &to->n_nodes, &to->cap_nodes, n))
		return -ENOMEM;
	for (int i = 0; i < s->n_body; i++) {
		ret = clone_into(s->body[i], to, &n->body[i]);
		if (ret)
			return ret;
		n->n_body++;
	}
	return 0;
}

static struct joule_tensor **clone_list(const struct joule_graph *to,
					struct joule_tensor **from, int n, struct joule_arena *a)
{
	struct joule_tensor **list = joule_arena_array(a, (size_t)n, sizeof(*list));

	for (int i = 0; list && i < n; i++)
		list[i] = to->tensors[from[i]->index];
	return list;
}

static int clone_into(const struct joule_graph *from, struct joule_graph *parent,
		      struct joule_graph **out)
{
	struct joule_graph *g;
	int ret;

	ret = joule_graph_create(from->log, from->file, &g);
	if (ret)
		return ret;
	g->name = from->name;
	g->opset = from->opset;
	g->n_metadata = from->n_metadata;
	g->metadata = from->metadata;
	g->parent = parent;
	g->shared = from;
	g->next_name = from->next_name;
	ret = clone_tensors(from, g);
	for (int i = 0; !ret && i < from->n_nodes; i++)
		ret = clone_node(from->nodes[i], g);
	if (!ret) {
		g->inputs = clone_list(g, from->inputs, from->n_inputs, &g->arena);
		g->outputs = clone_list(g, from->outputs, from->n_outputs, &g->arena);
		if (g->inputs && g->outputs) {
			g->n_inputs = from->n_inputs;
			g->n_outputs = from->n_outputs;
		} else {
			ret = joule_err_nomem(g->log, "graph clone");
		}
	}
	if (ret) {
		joule_graph_destroy(g);
		return ret;
	}
	*out = g;
	return 0;
}

int joule_graph_clone(const struct joule_graph *graph, struct joule_graph **out)
{
	*out = NULL;
	return clone_into(graph, NULL, out);
}

int joule_node_err(const struct joule_node *node, int err, const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return joule_err(node->graph->log, err, "%s: node %s (%s): %s", node->graph->file,
			 node->name, node->op->name, msg);
}
