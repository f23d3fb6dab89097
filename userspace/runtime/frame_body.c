// SPDX-License-Identifier: MIT
/*
 * Bodies of control flow: for each set of shapes that a body meets, a copy
 * with those shapes goes through the passes and is mostly one recording.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/frame_internal.h"

#define BODIES_KEPT 8

static void body_destroy(struct joule_frame_body *body)
{
	if (!body)
		return;
	joule_frame_destroy(body->frame);
	joule_graph_destroy(body->graph);
	free(body->entry);
	free(body);
}

void joule_frame_destroy_bodies(struct joule_frame *f)
{
	for (int i = 0; f->bodies && i < f->graph->n_nodes; i++) {
		for (int j = 0; f->bodies[i] && j < f->graph->nodes[i]->n_body; j++)
			while (f->bodies[i][j]) {
				struct joule_frame_body *b = f->bodies[i][j];

				f->bodies[i][j] = b->next;
				body_destroy(b);
			}
		free(f->bodies[i]);
	}
}

/* Shapes of inputs, then captures, as they come this time. */
static struct joule_shape *entry_shapes(const struct joule_graph *body, int *n)
{
	struct joule_shape *entry = calloc((size_t)body->n_inputs + (size_t)body->n_tensors + 1,
					   sizeof(*entry));

	*n = 0;
	for (int i = 0; entry && i < body->n_inputs; i++)
		entry[(*n)++] = body->inputs[i]->shape;
	for (int i = 0; entry && i < body->n_tensors; i++)
		if (body->tensors[i]->outer)
			entry[(*n)++] = body->tensors[i]->outer->shape;
	return entry;
}

/* Types, shapes and constants from outside, so that passes can make use of them. */
static void settle(struct joule_graph *clone, const struct joule_graph *body)
{
	for (int i = 0; i < clone->n_inputs; i++) {
		clone->inputs[i]->dtype = body->inputs[i]->dtype;
		clone->inputs[i]->shape = body->inputs[i]->shape;
	}
	for (int i = 0; i < clone->n_tensors; i++) {
		struct joule_tensor *t = clone->tensors[i];

		if (!t->outer)
			continue;
		t->dtype = t->outer->dtype;
		t->shape = t->outer->shape;
		if (joule_tensor_is_const(t->outer)) {
			t->data = t->outer->data;
			t->flags |= JOULE_TENSOR_CONST;
			t->outer = NULL;
		}
	}
}

static int body_create(struct joule_frame *f, struct joule_graph *original,
		       struct joule_frame_body **out)
{
	struct joule_frame_body *b = calloc(1, sizeof(*b));
	int ret;

	*out = NULL;
	if (!b)
		return joule_err_nomem(f->engine->log, "body");
	ret = joule_graph_clone(original, &b->graph);
	if (!ret) {
		b->graph->parent = f->graph;
		settle(b->graph, original);
		ret = joule_engine_rewrite(f->engine, b->graph);
	}
	if (!ret)
		ret = joule_frame_create(f->engine, b->graph, &b->frame);
	if (ret) {
		body_destroy(b);
		return ret;
	}
	b->frame->parent = f;
	*out = b;
	return 0;
}

static int body_for(struct joule_frame *f, struct joule_node *node, int body,
		    struct joule_frame_body **out)
{
	struct joule_frame_body ***list = &f->bodies[node->index], **at, *b;
	struct joule_shape *entry;
	int n, kept = 0, ret;

	if (!*list) {
		*list = calloc((size_t)node->n_body, sizeof(**list));
		if (!*list)
			return joule_err_nomem(f->engine->log, "body");
	}
	entry = entry_shapes(node->body[body], &n);
	if (!entry)
		return joule_err_nomem(f->engine->log, "body");
	for (at = &(*list)[body]; *at; at = &(*at)->next, kept++) {
		b = *at;
		if (!memcmp(b->entry, entry, (size_t)n * sizeof(*entry))) {
			*at = b->next;
			goto found;
		}
		if (kept == BODIES_KEPT - 1) {
			*at = NULL;
			body_destroy(b);
			break;
		}
	}
	ret = body_create(f, node->body[body], &b);
	if (ret) {
		free(entry);
		return ret;
	}
	b->entry = entry;
	entry = NULL;
found:
	free(entry);
	b->next = (*list)[body];
	(*list)[body] = b;
	*out = b;
	return 0;
}

static int give_inputs(struct joule_frame *f, const struct joule_graph *body)
{
	const struct joule_graph *g = f->graph;
	int ret = 0;

	for (int i = 0; !ret && i < g->n_inputs; i++) {
		const struct joule_tensor *t = g->inputs[i];
		size_t bytes = (size_t)joule_tensor_bytes(t);

		ret = joule_frame_reserve(f, t);
		if (ret)
			break;
		memcpy(f->slots[t->index].host, body->inputs[i]->data, bytes);
		ret = joule_slot_flush(&f->slots[t->index], bytes);
	}
	for (int i = 0; i < g->n_tensors; i++)
		if (g->tensors[i]->outer)
			f->slots[i] = f->parent->slots[g->tensors[i]->outer->index];
	return ret;
}

static int take_outputs(struct joule_frame *f, struct joule_node *node,
			const struct joule_graph *body)
{
	for (int i = 0; i < f->graph->n_outputs; i++) {
		const struct joule_tensor *t = f->graph->outputs[i];
		struct joule_tensor *out = body->outputs[i];
		const struct joule_slot *slot = &f->slots[t->index];
		int ret;

		if (joule_tensor_is_const(out))
			continue;
		joule_tensor_release(out);
		out->dtype = t->dtype;
		out->shape = t->shape;
		out->data = t->data;
		if (joule_tensor_is_const(t))
			continue;
		if (!slot->host)
			return joule_node_err(node, -EINVAL, "the host cannot read %s", t->name);
		ret = joule_slot_invalidate(slot, (size_t)joule_tensor_bytes(t));
		if (ret)
			return ret;
		out->data = slot->host;
	}
	return 0;
}

int joule_frame_run_body(void *user, struct joule_node *node, int body)
{
	struct joule_frame_body *b = NULL;
	int ret = body_for(user, node, body, &b);

	if (!ret)
		ret = give_inputs(b->frame, node->body[body]);
	if (!ret)
		ret = joule_frame_run(b->frame);
	return ret ? ret : take_outputs(b->frame, node, node->body[body]);
}
