// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/frame_internal.h"

int joule_frame_create(struct joule_engine *engine, struct joule_graph *graph,
		       struct joule_frame **out)
{
	size_t tensors = (size_t)graph->n_tensors + 1, nodes = (size_t)graph->n_nodes + 1;
	struct joule_frame *f = calloc(1, sizeof(*f));

	*out = NULL;
	if (!f)
		return joule_err_nomem(engine->log, "frame");
	f->engine = engine;
	f->graph = graph;
	f->slots = calloc(tensors, sizeof(*f->slots));
	f->blocks = calloc(tensors, sizeof(*f->blocks));
	f->given = calloc(tensors, 1);
	f->available = calloc(tensors, 1);
	f->wanted = calloc(tensors, 1);
	f->shapes = calloc(tensors, sizeof(*f->shapes));
	f->done = calloc(nodes, 1);
	f->late = calloc(nodes, 1);
	f->row = calloc(nodes, sizeof(*f->row));
	f->bodies = calloc(nodes, sizeof(*f->bodies));
	f->picked = calloc(nodes, sizeof(*f->picked));
	if (!f->slots || !f->blocks || !f->given || !f->available || !f->wanted || !f->shapes ||
	    !f->done || !f->late || !f->row || !f->bodies || !f->picked) {
		joule_frame_destroy(f);
		return joule_err_nomem(engine->log, "frame");
	}
	for (int i = 0; i < graph->n_tensors; i++)
		f->shapes[i] = graph->tensors[i]->shape;
	*out = f;
	return 0;
}

void joule_frame_destroy(struct joule_frame *frame)
{
	struct joule_frame *f = frame;

	if (!f)
		return;
	joule_frame_drop_parts(f);
	free(f->parts);
	joule_frame_destroy_bodies(f);
	for (int i = 0; f->blocks && i < f->graph->n_tensors; i++)
		joule_block_free(f->engine, &f->blocks[i]);
	free(f->bodies);
	free(f->slots);
	free(f->blocks);
	free(f->given);
	free(f->available);
	free(f->wanted);
	free(f->shapes);
	free(f->done);
	free(f->late);
	free(f->row);
	free(f->picked);
	free(f);
}

void joule_frame_set_slot(struct joule_frame *frame, const struct joule_tensor *tensor,
			  const struct joule_slot *slot)
{
	bool given = slot->memory;

	/* A result that moves out of the arena, or back, needs another plan. */
	if (tensor->producer && given != frame->given[tensor->index])
		joule_frame_drop_parts(frame);
	frame->slots[tensor->index] = *slot;
	frame->given[tensor->index] = given;
}

struct joule_slot joule_frame_slot(const struct joule_frame *frame,
				   const struct joule_tensor *tensor)
{
	return frame->slots[tensor->index];
}

int joule_frame_prepare(struct joule_frame *frame)
{
	return joule_frame_run_stages(frame, true);
}

int joule_frame_refresh(struct joule_frame *frame)
{
	return frame->n_parts || !frame->graph->n_nodes ? 0 : joule_frame_prepare(frame);
}

int joule_frame_prepare_timed(struct joule_frame *frame)
{
	int ret = frame->complete ? 0 : joule_frame_prepare(frame);

	if (ret || !frame->complete || !frame->n_parts)
		return ret;
	return joule_stage_record_timed(frame->parts[0]->stage, frame->slots);
}

int joule_frame_run(struct joule_frame *frame)
{
	struct joule_frame *f = frame;

	if (f->complete && f->n_parts)
		return joule_stage_run(f->parts[0]->stage, f->slots);
	return joule_frame_run_stages(f, false);
}

void joule_frame_for_each_stage(const struct joule_frame *frame,
				void (*fn)(void *arg, const struct joule_stage *stage), void *arg)
{
	for (int i = 0; i < frame->n_parts; i++)
		if (frame->parts[i])
			fn(arg, frame->parts[i]->stage);
	for (int i = 0; i < frame->graph->n_nodes; i++)
		for (int j = 0; frame->bodies[i] && j < frame->graph->nodes[i]->n_body; j++)
			if (frame->bodies[i][j])
				joule_frame_for_each_stage(frame->bodies[i][j]->frame, fn, arg);
}
