// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/strmap.h"
#include "ir/graph.h"
#include "ir/op.h"

static int verify_tensor(const struct joule_graph *g, const struct joule_tensor *t, int i)
{
	const struct joule_node *p = t->producer;
	bool made = false;

	if (t->index != (uint32_t)i || !t->name)
		return joule_err(g->log, -EINVAL, "%s: tensor %d is misnumbered", g->file, i);
	if (t->shape.rank > JOULE_MAX_RANK || (unsigned int)t->dtype >= JOULE_DTYPE_COUNT)
		return joule_err(g->log, -EINVAL, "%s: tensor %s: bad type or rank", g->file,
				 t->name);
	if (joule_tensor_is_const(t) && (!t->data || joule_tensor_bytes(t) < 0))
		return joule_err(g->log, -EINVAL, "%s: constant %s has no value", g->file, t->name);
	if (joule_tensor_is_const(t) && p)
		return joule_err(g->log, -EINVAL, "%s: constant %s has a producer", g->file,
				 t->name);
	if (t->outer && !g->parent)
		return joule_err(g->log, -EINVAL, "%s: tensor %s captures from nowhere", g->file,
				 t->name);
	if (!p)
		return 0;
	for (int j = 0; j < p->n_out; j++)
		made |= p->out[j] == t;
	if (!made || p->graph != g)
		return joule_err(g->log, -EINVAL, "%s: tensor %s: node %s does not make it",
				 g->file, t->name, p->name);
	return 0;
}

static int verify_node(const struct joule_graph *g, const struct joule_node *n, int i)
{
	if (!n->op || n->graph != g || n->index != (uint32_t)i)
		return joule_err(g->log, -EINVAL, "%s: node %d is misnumbered or removed", g->file,
				 i);
	for (int j = 0; j < n->n_in; j++) {
		const struct joule_tensor *t = n->in[j];

		if (!t)
			continue;
		if (t->index >= (uint32_t)g->n_tensors || g->tensors[t->index] != t)
			return joule_node_err(n, -EINVAL, "input %d is not of this graph", j);
		if (t->producer && t->producer->index >= n->index)
			return joule_node_err(n, -EINVAL, "input %s is made later, by %s", t->name,
					      t->producer->name);
		if (!t->producer && !t->outer &&
		    !(t->flags & (JOULE_TENSOR_CONST | JOULE_TENSOR_INPUT)))
			return joule_node_err(n, -EINVAL, "input %s is made by no node", t->name);
	}
	for (int j = 0; j < n->n_out; j++)
		if (n->out[j] && n->out[j]->producer != n)
			return joule_node_err(n, -EINVAL, "output %s is made elsewhere too",
					      n->out[j]->name);
	if (n->epilogue.n && !(n->op->traits & JOULE_OP_EPILOGUE))
		return joule_node_err(n, -EINVAL, "takes no epilogue");
	for (int j = 0; j < n->epilogue.n; j++)
		if (n->epilogue.step[j].operand >= n->n_in)
			return joule_node_err(n, -EINVAL, "epilogue step %d has no operand", j);
	return 0;
}

static int verify_names(const struct joule_graph *g)
{
	struct joule_strmap names;
	int ret = 0;

	joule_strmap_init(&names);
	for (int i = 0; !ret && i < g->n_tensors; i++) {
		if (joule_strmap_get(&names, g->tensors[i]->name))
			ret = joule_err(g->log, -EINVAL, "%s: two tensors are called %s", g->file,
					g->tensors[i]->name);
		else if (joule_strmap_set(&names, g->tensors[i]->name, g->tensors[i]))
			ret = joule_err_nomem(g->log, "names");
	}
	joule_strmap_finish(&names);
	return ret;
}

int joule_graph_verify(const struct joule_graph *graph)
{
	int ret = verify_names(graph);

	for (int i = 0; !ret && i < graph->n_tensors; i++)
		ret = verify_tensor(graph, graph->tensors[i], i);
	for (int i = 0; !ret && i < graph->n_nodes; i++)
		ret = verify_node(graph, graph->nodes[i], i);
	for (int i = 0; !ret && i < graph->n_nodes; i++)
		for (int j = 0; !ret && j < graph->nodes[i]->n_body; j++) {
			if (graph->nodes[i]->body[j]->parent != graph)
				return joule_node_err(graph->nodes[i], -EINVAL,
						      "body %d has another parent", j);
			ret = joule_graph_verify(graph->nodes[i]->body[j]);
		}
	for (int i = 0; !ret && i < graph->n_outputs; i++) {
		const struct joule_tensor *t = graph->outputs[i];

		if (!(t->flags & JOULE_TENSOR_OUTPUT) || t->index >= (uint32_t)graph->n_tensors ||
		    graph->tensors[t->index] != t)
			ret = joule_err(graph->log, -EINVAL, "%s: output %s is not of this graph",
					graph->file, t->name);
		else if (!t->producer && !t->outer &&
			 !(t->flags & (JOULE_TENSOR_CONST | JOULE_TENSOR_INPUT)))
			ret = joule_err(graph->log, -EINVAL, "%s: output %s is made by no node",
					graph->file, t->name);
	}
	return ret;
}
