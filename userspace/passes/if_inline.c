// SPDX-License-Identifier: MIT
/* If with a constant condition: the branch taken moves into the graph. */
#include <errno.h>
#include <stdlib.h>

#include "ir/access.h"
#include "passes/match.h"
#include "passes/passes.h"

/* The tensor of this graph that stands for the body's tensor. */
static struct joule_tensor *import_tensor(struct joule_graph *graph, const struct joule_node *node,
					  struct joule_tensor *t)
{
	struct joule_tensor *copy;

	if (t->outer)
		return t->outer;
	copy = joule_graph_add_tensor(graph, NULL);
	if (!copy)
		return NULL;
	/* Names are unique within a graph only; the node's name is the scope. */
	copy->name = joule_arena_printf(&graph->arena, "%s/%s", node->name, t->name);
	copy->dtype = t->dtype;
	copy->shape = t->shape;
	copy->flags = t->flags & (JOULE_TENSOR_CONST | JOULE_TENSOR_FILLED);
	copy->data = t->data; /* of a constant: lives in the kept body, or a file it holds */
	return copy->name ? copy : NULL;
}

/* Bodies of the moved nodes captured from the body; now they capture from the graph. */
static void recapture(struct joule_graph *body, struct joule_tensor *const *map,
		      const struct joule_graph *from)
{
	for (int i = 0; i < body->n_tensors; i++) {
		struct joule_tensor *o = body->tensors[i]->outer;

		if (o && o->index < (uint32_t)from->n_tensors && from->tensors[o->index] == o)
			body->tensors[i]->outer = map[o->index];
	}
}

static int move_node(struct joule_graph *graph, struct joule_node *n,
		     struct joule_tensor *const *map, const struct joule_graph *from)
{
	struct joule_node *copy;

	copy = joule_graph_add_node(graph, n->op, n->name, n->n_in, n->n_out);
	if (!copy)
		return -ENOMEM;
	copy->opset = n->opset;
	copy->attrs = n->attrs;
	copy->origins = n->origins;
	copy->n_origins = n->n_origins;
	for (int i = 0; i < n->n_in; i++)
		copy->in[i] = n->in[i] ? map[n->in[i]->index] : NULL;
	for (int i = 0; i < n->n_out; i++)
		joule_node_set_output(copy, i, n->out[i] ? map[n->out[i]->index] : NULL);
	copy->body = n->body;
	copy->n_body = n->n_body;
	n->n_body = 0;
	for (int i = 0; i < copy->n_body; i++) {
		copy->body[i]->parent = graph;
		recapture(copy->body[i], map, from);
	}
	return 0;
}

/*
 * An output that the branch hands through from outside (or a constant) has
 * users here that must read the source, and a graph output keeps a copy.
 */
static int connect(struct joule_graph *graph, struct joule_node *node, int i,
		   struct joule_tensor *source)
{
	struct joule_tensor *out = node->out[i];
	struct joule_node *copy;

	joule_node_set_output(node, i, NULL);
	if (!joule_graph_replace_uses(graph, out, source))
		return 0;
	copy = joule_graph_add_node(graph, joule_op_find("", "Identity", 1), NULL, 1, 1);
	if (!copy)
		return -ENOMEM;
	copy->in[0] = source;
	joule_node_set_output(copy, 0, out);
	return 0;
}

static int inline_branch(struct joule_graph *graph, struct joule_node *node, int branch)
{
	struct joule_graph *body = node->body[branch];
	struct joule_tensor **map = calloc((size_t)body->n_tensors + 1, sizeof(*map));
	int ret = map ? 0 : -ENOMEM;

	for (int i = 0; !ret && i < body->n_tensors; i++) {
		map[i] = import_tensor(graph, node, body->tensors[i]);
		ret = map[i] ? 0 : -ENOMEM;
	}
	for (int i = 0; !ret && i < body->n_nodes; i++)
		ret = move_node(graph, body->nodes[i], map, body);
	for (int i = 0; !ret && i < node->n_out; i++)
		if (node->out[i])
			ret = connect(graph, node, i, map[body->outputs[i]->index]);
	free(map);
	if (ret)
		return ret;
	ret = joule_graph_keep_body(graph, body);
	if (ret)
		return ret;
	node->body[branch] = node->body[node->n_body - 1];
	node->n_body--;
	joule_node_remove(node);
	return 0;
}

static int if_inline(struct joule_graph *graph, bool *changed)
{
	/* Branches may hold further Ifs, which end up behind the last node. */
	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *node = graph->nodes[i];
		int ret, branch;
		int *place;

		if (!joule_match_op(node, "If") || !joule_tensor_is_const(node->in[0]) ||
		    joule_tensor_count(node->in[0]) != 1)
			continue;
		branch = joule_get_i64(node->in[0]->dtype, node->in[0]->data, 0) != 0;
		place = joule_node_attr(node, branch ? "then_branch" : "else_branch");
		if (!place || *place < 1 || *place > node->n_body ||
		    node->body[*place - 1]->n_outputs < node->n_out)
			return joule_node_err(node, -EINVAL, "branch outputs do not fit");
		ret = inline_branch(graph, node, *place - 1);
		if (ret)
			return ret;
		*changed = true;
	}
	return 0;
}

const struct joule_pass joule_pass_if_inline = {
	.name = "if-inline",
	.description = "If with a constant condition becomes the branch taken",
	.run = if_inline,
	.repeat = true, /* a branch may compute the next condition */
};
