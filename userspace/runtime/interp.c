// SPDX-License-Identifier: MIT
#include "runtime/interp.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "ir/op.h"
#include "runtime/control.h"

uint64_t joule_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool borrowed(const struct joule_tensor *t)
{
	return joule_tensor_is_const(t) || t->outer || (t->flags & JOULE_TENSOR_INPUT);
}

void joule_interp_release(struct joule_graph *graph)
{
	for (int i = 0; i < graph->n_tensors; i++)
		if (!(graph->tensors[i]->flags & JOULE_TENSOR_INPUT))
			joule_tensor_release(graph->tensors[i]);
	for (int i = 0; i < graph->n_nodes; i++)
		for (int j = 0; j < graph->nodes[i]->n_body; j++)
			joule_interp_release(graph->nodes[i]->body[j]);
}

static void capture(struct joule_graph *body)
{
	for (int i = 0; i < body->n_tensors; i++) {
		struct joule_tensor *t = body->tensors[i];

		if (!t->outer)
			continue;
		t->dtype = t->outer->dtype;
		t->shape = t->outer->shape;
		t->data = t->outer->data;
		t->owned = false;
	}
}

static int run_body(void *user, struct joule_node *node, int body)
{
	struct joule_interp *interp = user;
	int ret;

	capture(node->body[body]);
	interp->depth++;
	ret = joule_interp_run(interp, node->body[body]);
	interp->depth--;
	return ret;
}

static void count_captures(const struct joule_graph *graph, const struct joule_graph *body,
			   int *uses)
{
	for (int i = 0; i < body->n_tensors; i++) {
		const struct joule_tensor *o = body->tensors[i]->outer;

		if (o && o->index < (uint32_t)graph->n_tensors && graph->tensors[o->index] == o)
			uses[o->index]++;
	}
}

static void drop_use(struct joule_tensor *t, int *uses)
{
	if (!--uses[t->index] && !borrowed(t))
		joule_tensor_release(t);
}

static void drop_captures(const struct joule_graph *graph, const struct joule_graph *body,
			  int *uses)
{
	for (int i = 0; i < body->n_tensors; i++) {
		struct joule_tensor *o = body->tensors[i]->outer;

		if (o && o->index < (uint32_t)graph->n_tensors && graph->tensors[o->index] == o)
			drop_use(o, uses);
	}
}

static int *count_uses(const struct joule_graph *graph)
{
	int *uses = calloc((size_t)graph->n_tensors + 1, sizeof(*uses));

	for (int i = 0; uses && i < graph->n_nodes; i++) {
		const struct joule_node *n = graph->nodes[i];

		for (int j = 0; j < n->n_in; j++)
			if (n->in[j])
				uses[n->in[j]->index]++;
		for (int j = 0; j < n->n_body; j++)
			count_captures(graph, n->body[j], uses);
	}
	for (int i = 0; uses && i < graph->n_outputs; i++)
		uses[graph->outputs[i]->index]++;
	return uses;
}

static int run_node(struct joule_interp *interp, struct joule_node *node)
{
	int ret;

	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] && !node->in[i]->data)
			return joule_node_err(node, -EINVAL, "input %s has no value",
					      node->in[i]->name);
	if (node->op->traits & JOULE_OP_CONTROL) {
		/* Each node of a body is preceded by a check: none between trips. */
		struct joule_control control = { .run_body = run_body, .user = interp };

		return joule_control_run(&control, node);
	}
	ret = joule_node_infer(node);
	if (ret > 0)
		ret = joule_node_err(node, -EINVAL, "shapes cannot be inferred");
	return ret ? ret : joule_node_ref(node);
}

int joule_interp_run(struct joule_interp *interp, struct joule_graph *graph)
{
	int *uses = count_uses(graph);
	int ret = 0;

	if (!uses)
		return joule_err_nomem(graph->log, "run");
	for (int i = 0; i < graph->n_tensors; i++)
		if (!borrowed(graph->tensors[i]))
			joule_tensor_release(graph->tensors[i]);
	for (int i = 0; !ret && i < graph->n_nodes; i++) {
		struct joule_node *node = graph->nodes[i];
		uint64_t start = 0;

		if (interp->check)
			ret = interp->check(interp->user);
		if (ret)
			break;
		if (interp->done && !interp->depth)
			start = joule_now_ns();
		ret = run_node(interp, node);
		if (ret)
			break;
		if (interp->done && !interp->depth)
			interp->done(interp->user, node, start, joule_now_ns() - start);
		if (interp->keep_all)
			continue;
		for (int j = 0; j < node->n_in; j++)
			if (node->in[j])
				drop_use(node->in[j], uses);
		for (int j = 0; j < node->n_body; j++)
			drop_captures(graph, node->body[j], uses);
		for (int j = 0; j < node->n_out; j++)
			if (node->out[j] && !uses[node->out[j]->index])
				joule_tensor_release(node->out[j]);
	}
	for (int i = 0; !ret && i < graph->n_outputs; i++)
		if (!graph->outputs[i]->data)
			ret = joule_err(graph->log, -EINVAL, "%s: output %s has no value",
					graph->file, graph->outputs[i]->name);
	free(uses);
	return ret;
}
