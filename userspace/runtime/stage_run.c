// SPDX-License-Identifier: MIT
/* Replaying a stage: recordings and host steps in turn. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ir/op.h"
#include "runtime/interp.h"
#include "runtime/stage_internal.h"
#include "runtime/trace.h"

/* Submissions are short against this; it only bounds how late a deadline is noticed. */
#define WAIT_SLICE_NS 100000000u

/* The host's view of a tensor: a constant's own data, else the place's memory. */
static int host_pointer(const struct joule_stage *s, const struct joule_tensor *t, void **out)
{
	const struct joule_place *place;
	struct joule_slot slot;

	if (joule_tensor_is_const(t)) {
		*out = t->data;
		return 0;
	}
	place = joule_plan_place(s->plan, t);
	if (!place)
		return joule_err(s->engine->log, -EINVAL, "%s: %s has no place",
				 s->plan->graph->file, t->name);
	if (place->region == JOULE_REGION_WEIGHTS) {
		const unsigned char *data = s->plan->weights[place->index].data;

		*out = (void *)(uintptr_t)(data + place->offset);
		return 0;
	}
	slot = joule_stage_slot(s, place);
	*out = slot.host;
	return slot.host ? 0 :
			   joule_err(s->engine->log, -EINVAL, "%s: the host cannot reach %s",
				     s->plan->graph->file, t->name);
}

static int sync_tensor(const struct joule_stage *s, const struct joule_tensor *t, bool flush)
{
	const struct joule_place *place = joule_plan_place(s->plan, t);
	struct joule_slot slot;

	if (!place || place->region == JOULE_REGION_WEIGHTS)
		return 0;
	slot = joule_stage_slot(s, place);
	return flush ? joule_slot_flush(&slot, place->bytes) :
		       joule_slot_invalidate(&slot, place->bytes);
}

/* Lends memory to the node's tensors, runs the reference, takes it back. */
static int run_host_step(struct joule_stage *s, const struct joule_plan_step *step)
{
	struct joule_node *n = step->node;
	int ret = 0;

	for (int i = 0; !ret && i < n->n_in + n->n_out; i++) {
		struct joule_tensor *t = i < n->n_in ? n->in[i] : n->out[i - n->n_in];
		void *data = NULL;

		if (!t)
			continue;
		ret = host_pointer(s, t, &data);
		if (ret)
			break;
		if (i < n->n_in) {
			ret = sync_tensor(s, t, false);
		} else if (joule_tensor_bytes(t) > 0) {
			memset(data, 0, (size_t)joule_tensor_bytes(t));
		}
		if (!joule_tensor_is_const(t)) {
			t->data = data;
			t->owned = false;
		}
	}
	if (!ret)
		ret = joule_node_ref(n);
	for (int i = 0; i < n->n_in + n->n_out; i++) {
		struct joule_tensor *t = i < n->n_in ? n->in[i] : n->out[i - n->n_in];

		if (!t || joule_tensor_is_const(t))
			continue;
		if (i >= n->n_in && !ret)
			ret = sync_tensor(s, t, true);
		t->data = NULL;
	}
	return ret;
}

static int check(const struct joule_engine *e)
{
	return e->check ? e->check(e->check_user) : 0;
}

static int wait_for(struct joule_stage *s, struct joule_segment *seg,
		    struct joule_hal_program *program)
{
	const struct joule_engine *e = s->engine;
	int ret;

	do {
		uint64_t slice = UINT64_MAX, now;

		if (e->deadline_ns) {
			now = joule_now_ns();
			slice = now < e->deadline_ns ? e->deadline_ns - now : 0;
		}
		ret = e->hal->ops->program_wait(program, slice);
	} while (ret == -ETIME && !check(e));
	seg->running = ret == -ETIME ? program : NULL;
	return ret == -ETIME ? check(e) : ret;
}

static int run_program(struct joule_stage *s, struct joule_segment *seg,
		       struct joule_hal_program *program)
{
	const struct joule_hal_ops *ops = s->engine->hal->ops;
	int ret;

	if (seg->running) { /* left behind by a run that was given up */
		ret = ops->program_wait(seg->running, UINT64_MAX);
		if (ret)
			return ret;
		seg->running = NULL;
	}
	ret = ops->program_submit(program);
	return ret ? ret : wait_for(s, seg, program);
}

/* Time stamps of one timed recording to rows of the trace. */
static int trace_program(struct joule_stage *s, const struct joule_segment *seg,
			 uint64_t submit_ns)
{
	const struct joule_hal_ops *ops = s->engine->hal->ops;
	struct joule_trace *trace = s->engine->trace;
	uint64_t device_ns, host_ns, deviation, *stamp;
	int64_t shift;
	int n = seg->launches, at = 0, ret;

	stamp = calloc((size_t)n + 1, sizeof(*stamp));
	if (!stamp)
		return joule_err_nomem(s->engine->log, "profile");
	ret = ops->program_timestamps(seg->timed, stamp, n + 1);
	if (ret)
		goto out;
	/* Device clock to CLOCK_MONOTONIC; without calibration the start is the submission. */
	if (ops->calibrate && !ops->calibrate(s->engine->hal, &device_ns, &host_ns, &deviation))
		shift = (int64_t)(host_ns - device_ns);
	else
		shift = (int64_t)(submit_ns - stamp[0]);
	for (int i = seg->first; i < seg->end; i++) {
		int launches = s->plan->steps[i].n_dispatches;

		if (!launches)
			continue;
		/*
		 * Launches follow one another, so that the end of one is the
		 * start of the next: spans add up without gaps of their own.
		 */
		joule_trace_add(trace, s->first_row + i,
				(uint64_t)((int64_t)stamp[at] + shift),
				stamp[at + launches] - stamp[at], launches);
		at += launches;
	}
out:
	free(stamp);
	return ret;
}

static int trace_begin(struct joule_stage *s)
{
	struct joule_trace *trace = s->engine->trace;
	int first;

	if (s->row_serial == trace->serial)
		return 0;
	first = joule_trace_reserve(trace, s->plan->n_steps);
	if (first < 0)
		return joule_err_nomem(s->engine->log, "profile");
	s->first_row = first;
	s->row_serial = trace->serial;
	for (int i = 0; i < s->plan->n_steps; i++) {
		struct joule_trace_row *row = &trace->rows[first + i];
		const struct joule_plan_step *step = &s->plan->steps[i];

		*row = (struct joule_trace_row){ .node = step->node,
						 .step = step,
						 .reason = step->reason,
						 .bytes = step->bytes,
						 .macs = step->macs };
	}
	return 0;
}

static int run_segment(struct joule_stage *s, struct joule_segment *seg)
{
	struct joule_trace *trace = s->engine->trace;
	int ret = 0;

	if (!seg->host && !seg->launches)
		return 0;
	if (!seg->host) {
		uint64_t start = trace ? joule_now_ns() : 0;

		ret = run_program(s, seg, trace ? seg->timed : seg->program);
		return ret || !trace ? ret : trace_program(s, seg, start);
	}
	for (int i = seg->first; !ret && i < seg->end; i++) {
		uint64_t start = trace ? joule_now_ns() : 0;

		ret = run_host_step(s, &s->plan->steps[i]);
		if (trace && !ret)
			joule_trace_add(trace, s->first_row + i, start, joule_now_ns() - start, 0);
	}
	return ret;
}

int joule_stage_run(struct joule_stage *stage, struct joule_slot *slots)
{
	struct joule_stage *s = stage;
	bool traced = s->engine->trace;
	int ret = joule_stage_bind(s, slots, traced);

	if (!ret && traced)
		ret = trace_begin(s);
	for (int i = 0; !ret && i < s->n_segments; i++) {
		ret = check(s->engine);
		if (!ret)
			ret = run_segment(s, &s->segments[i]);
	}
	if (ret)
		return ret;
	for (int i = 0; i < s->plan->n_places; i++) {
		const struct joule_place *place = &s->plan->places[i];
		const unsigned char *data;

		if (place->region == JOULE_REGION_NONE)
			continue;
		slots[i] = joule_stage_slot(s, place);
		if (place->region != JOULE_REGION_WEIGHTS || slots[i].host)
			continue;
		/* A view of a constant: the host has the original. */
		data = s->plan->weights[place->index].data;
		slots[i].host = data ? (unsigned char *)(uintptr_t)data + place->offset : NULL;
	}
	return 0;
}
