/* SPDX-License-Identifier: MIT */
/*
 * A graph run on a device. As much as possible is planned at once: a graph
 * whose shapes are all known is one stage, replayed. Where a shape depends on
 * a value of the run (NonZero, a computed Reshape, control flow), the part up
 * to there is a stage of its own, and the next one is planned, or found among
 * those of earlier runs, when the value is known. Bodies of control flow are
 * frames too.
 */
#ifndef JOULE_RUNTIME_FRAME_H
#define JOULE_RUNTIME_FRAME_H

#include "runtime/stage.h"

struct joule_frame;

/*
 * graph: with the inputs' shapes known, except for bodies, whose inputs' shapes
 * come with each run. It must outlive the frame; its tensors' shapes and data
 * pointers belong to the frame.
 */
int joule_frame_create(struct joule_engine *engine, struct joule_graph *graph,
		       struct joule_frame **out);
void joule_frame_destroy(struct joule_frame *frame);

/* Where an input is, or a result that is to go to memory of the caller's. */
void joule_frame_set_slot(struct joule_frame *frame, const struct joule_tensor *tensor,
			  const struct joule_slot *slot);

/* Plans and records what can be before the first run. */
int joule_frame_prepare(struct joule_frame *frame);

/* Plans again if slots that were set since made the old plan useless. */
int joule_frame_refresh(struct joule_frame *frame);

/* The same for the recording with time stamps. */
int joule_frame_prepare_timed(struct joule_frame *frame);

int joule_frame_run(struct joule_frame *frame);

/* Where a tensor is after a run. memory NULL: not there. */
struct joule_slot joule_frame_slot(const struct joule_frame *frame,
				   const struct joule_tensor *tensor);

/* Calls fn for each stage made so far, of bodies too, in order of execution. */
void joule_frame_for_each_stage(const struct joule_frame *frame,
				void (*fn)(void *arg, const struct joule_stage *stage), void *arg);

#endif
