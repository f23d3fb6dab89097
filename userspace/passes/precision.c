// SPDX-License-Identifier: MIT
/* The rewrite to halves, once it is clear which nodes take part. */
#include "passes/precision.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ir/op.h"
#include "passes/precision_internal.h"

/* ONNX's numbers of the two types. */
#define ONNX_FLOAT   1
#define ONNX_FLOAT16 10

/* A Cast behind t; its result has no users yet. */
static struct joule_tensor *add_cast(struct joule_graph *g, struct joule_tensor *t,
				     enum joule_dtype dtype)
{
	const struct joule_op *op = joule_op_find(NULL, "Cast", 13);
	struct joule_tensor *out = joule_graph_add_tensor(g, NULL);
	struct joule_node *node;
	int64_t *to;

	node = op && out ? joule_graph_add_node(g, op, NULL, 1, 1) : NULL;
	if (!node)
		return NULL;
	joule_node_default_attrs(node);
	to = joule_node_attr(node, "to");
	*to = dtype == JOULE_F16 ? ONNX_FLOAT16 : ONNX_FLOAT;
	node->opset = 13;
	node->name = joule_arena_printf(&g->arena, "%s/%s", t->name,
					dtype == JOULE_F16 ? "to_f16" : "to_f32");
	if (!node->name)
		return NULL;
	node->in[0] = t;
	out->dtype = dtype;
	out->shape = t->shape;
	joule_node_set_output(node, 0, out);
	return out;
}

static bool is_half(const struct joule_precision *p, const struct joule_tensor *t)
{
	return t->dtype == JOULE_F16 && t->producer && t->producer->index < (uint32_t)p->n_nodes &&
	       p->half[t->producer->index];
}

static int feed_half(struct joule_precision *p, struct joule_node *node)
{
	for (int i = 0; i < node->n_in; i++) {
		struct joule_tensor *t = node->in[i];

		if (!t || t->dtype != JOULE_F32)
			continue;
		if (joule_tensor_is_const(t)) {
			node->in[i] = joule_precision_const(p, t);
		} else {
			if (!p->halves[t->index])
				p->halves[t->index] = add_cast(p->graph, t, JOULE_F16);
			node->in[i] = p->halves[t->index];
		}
		if (!node->in[i])
			return -ENOMEM;
	}
	return 0;
}

static struct joule_tensor *whole(struct joule_precision *p, struct joule_tensor *t)
{
	if (!p->wholes[t->index])
		p->wholes[t->index] = add_cast(p->graph, t, JOULE_F32);
	return p->wholes[t->index];
}

static int feed_whole(struct joule_precision *p, struct joule_node *node, const bool *was_f32)
{
	for (int i = 0; i < node->n_in; i++) {
		struct joule_tensor *t = node->in[i];

		if (!t || t->index >= (uint32_t)p->n_tensors || !was_f32[t->index] ||
		    !is_half(p, t))
			continue;
		node->in[i] = whole(p, t);
		if (!node->in[i])
			return -ENOMEM;
	}
	return 0;
}

/* A graph output keeps its name and type: the Cast's result takes both over. */
static int keep_output(struct joule_precision *p, int i)
{
	struct joule_tensor *t = p->graph->outputs[i], *w = whole(p, t);
	const char *name = t->name;

	if (!w)
		return -ENOMEM;
	t->name = w->name;
	w->name = name;
	t->flags &= ~(unsigned int)JOULE_TENSOR_OUTPUT;
	w->flags |= JOULE_TENSOR_OUTPUT;
	p->graph->outputs[i] = w;
	return 0;
}

static int rewrite(struct joule_precision *p)
{
	struct joule_graph *g = p->graph;
	bool *was_f32 = calloc((size_t)p->n_tensors + 1, 1);
	int ret = was_f32 ? 0 : -ENOMEM;

	for (int i = 0; !ret && i < p->n_tensors; i++)
		was_f32[i] = g->tensors[i]->dtype == JOULE_F32;
	for (int i = 0; !ret && i < p->n_nodes; i++)
		for (int j = 0; p->half[i] && j < g->nodes[i]->n_out; j++)
			if (g->nodes[i]->out[j] && g->nodes[i]->out[j]->dtype == JOULE_F32)
				g->nodes[i]->out[j]->dtype = JOULE_F16;
	for (int i = 0; !ret && i < p->n_nodes; i++)
		ret = p->half[i] ? feed_half(p, g->nodes[i]) :
				   feed_whole(p, g->nodes[i], was_f32);
	for (int i = 0; !ret && i < g->n_outputs; i++)
		if (g->outputs[i]->index < (uint32_t)p->n_tensors &&
		    was_f32[g->outputs[i]->index] && is_half(p, g->outputs[i]))
			ret = keep_output(p, i);
	free(was_f32);
	return ret;
}

int joule_precision_f16(struct joule_graph *graph, const struct joule_precision_params *params)
{
	struct joule_precision p = {
		.graph = graph,
		.params = params,
		.n_nodes = graph->n_nodes,
		.n_tensors = graph->n_tensors,
	};
	int ret;

	if (!params->caps->storage_16bit)
		return joule_err(graph->log, -ENOTSUP, "%s: the device has no 16-bit storage",
				 graph->file);
	p.half = calloc((size_t)p.n_nodes + 1, 1);
	p.halves = calloc((size_t)p.n_tensors + 1, sizeof(*p.halves));
	p.wholes = calloc((size_t)p.n_tensors + 1, sizeof(*p.wholes));
	ret = p.half && p.halves && p.wholes ? joule_precision_choose(&p) : -ENOMEM;
	if (!ret)
		ret = rewrite(&p);
	if (ret == -ENOMEM)
		joule_err_nomem(graph->log, "fp16");
	free(p.half);
	free(p.halves);
	free(p.wholes);
	if (ret)
		return ret;
	joule_graph_compact(graph);
	ret = joule_graph_sort(graph);
	return ret ? ret : joule_graph_infer(graph, 0);
}
