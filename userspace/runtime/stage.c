// SPDX-License-Identifier: MIT
/* Making and recording a stage; running it is in stage_run.c. */
#include "runtime/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "runtime/interp.h"
#include "runtime/stage_internal.h"

struct joule_slot joule_stage_slot(const struct joule_stage *stage,
				   const struct joule_place *place)
{
	struct joule_slot slot = { 0 };

	switch (place->region) {
	case JOULE_REGION_WEIGHTS:
		slot = stage->weights[place->index];
		break;
	case JOULE_REGION_DEVICE:
		slot = joule_slot_at(stage->device, stage->plan->margin_bytes);
		break;
	case JOULE_REGION_HOST:
		slot = joule_slot_at(stage->host, stage->plan->margin_bytes);
		break;
	case JOULE_REGION_EXTERNAL:
		slot = stage->externals[place->index];
		break;
	case JOULE_REGION_NONE:
		return slot;
	}
	slot.offset += place->offset;
	slot.address += place->offset;
	if (slot.host)
		slot.host += place->offset;
	return slot;
}

static int make_segments(struct joule_stage *s)
{
	const struct joule_plan *p = s->plan;

	s->segments = calloc((size_t)p->n_steps + 1, sizeof(*s->segments));
	if (!s->segments)
		return joule_err_nomem(s->engine->log, "stage");
	for (int i = 0; i < p->n_steps; i++) {
		bool host = p->steps[i].kind == JOULE_STEP_HOST;
		const struct joule_plan_dispatch *d = &p->dispatches[p->steps[i].first_dispatch];

		if (!s->n_segments || s->segments[s->n_segments - 1].host != host ||
		    (!host && p->steps[i].n_dispatches && d->split))
			s->segments[s->n_segments++] = (struct joule_segment){ .host = host,
									       .first = i };
		s->segments[s->n_segments - 1].end = i + 1;
		s->segments[s->n_segments - 1].launches += p->steps[i].n_dispatches;
	}
	return 0;
}

static int make_arena(struct joule_stage *s, uint64_t bytes, enum joule_memory_use use,
		      struct joule_hal_memory **out)
{
	int ret;

	if (!bytes)
		return 0;
	ret = joule_engine_alloc(s->engine,
				 (size_t)(bytes + 2 * s->plan->margin_bytes) + JOULE_PLAN_TAIL,
				 use, out);
	if (ret)
		return joule_err(s->engine->log, ret,
				 "%s: no device memory for activations (%.1f MiB; weights %.1f MiB)",
				 s->plan->graph->file, (double)bytes / 0x1p20,
				 (double)s->plan->weight_bytes / 0x1p20);
	if (use == JOULE_MEMORY_HOST && !(*out)->host)
		return joule_err(s->engine->log, -ENOTSUP, "%s: the host cannot reach its memory",
				 s->plan->graph->file);
	return 0;
}

/* ---- recording ---- */

/* Commands of steps [first, end) with every address known. */
static int make_cmds(const struct joule_stage *s, int first, int end, struct joule_hal_cmd *cmds,
		     unsigned char (*push)[JOULE_MAX_PUSH])
{
	const struct joule_plan *p = s->plan;
	int n = 0;

	for (int i = first; i < end; i++) {
		const struct joule_plan_step *step = &p->steps[i];

		for (int k = 0; k < step->n_dispatches; k++, n++) {
			const struct joule_plan_dispatch *pd =
				&p->dispatches[step->first_dispatch + k];
			const struct joule_dispatch *d = pd->dispatch;
			uint32_t at = 0;

			if (d->n_operands * 8 + d->push_bytes > JOULE_MAX_PUSH)
				return joule_err(s->engine->log, -EINVAL,
						 "%s: node %s (%s): too many push constants",
						 p->graph->file, step->name, step->op);
			for (uint32_t o = 0; o < d->n_operands; o++, at += 8) {
				struct joule_slot slot = joule_stage_slot(s, &pd->place[o]);
				uint64_t address = slot.address + d->operand[o].offset;

				memcpy(push[n] + at, &address, 8);
			}
			memcpy(push[n] + at, d->push, d->push_bytes);
			cmds[n] = (struct joule_hal_cmd){
				.shader = d->shader,
				.local = { d->local[0], d->local[1], d->local[2] },
				.groups = { d->groups[0], d->groups[1], d->groups[2] },
				.n_spec = d->n_spec,
				.spec = d->spec,
				.push_bytes = at + d->push_bytes,
				.push = push[n],
				.barrier = pd->barrier,
				.label = step->name,
			};
		}
	}
	return n;
}

static int record_segment(struct joule_stage *s, struct joule_segment *seg, bool timed)
{
	const struct joule_hal_ops *ops = s->engine->hal->ops;
	struct joule_hal_program **program = timed ? &seg->timed : &seg->program;
	struct joule_hal_program_params params = { .timestamps = timed,
						   .label = s->plan->graph->file };
	unsigned char (*push)[JOULE_MAX_PUSH];
	struct joule_hal_cmd *cmds;
	int ret;

	if (!seg->launches)
		return 0;
	cmds = calloc((size_t)seg->launches, sizeof(*cmds));
	push = calloc((size_t)seg->launches, sizeof(*push));
	if (!cmds || !push) {
		ret = joule_err_nomem(s->engine->log, "recording");
	} else {
		ret = make_cmds(s, seg->first, seg->end, cmds, push);
		params.cmds = cmds;
		params.n_cmds = ret;
		if (ret >= 0) {
			uint64_t start = joule_now_ns();

			ops->program_destroy(*program);
			*program = NULL;
			seg->running = NULL;
			ret = ops->program_create(s->engine->hal, &params, program);
			s->engine->compile_ns += joule_now_ns() - start;
		}
	}
	free(cmds);
	free(push);
	return ret;
}

static int record(struct joule_stage *s, bool timed)
{
	int ret = 0;

	for (int i = 0; !ret && i < s->n_segments; i++)
		if (!s->segments[i].host)
			ret = record_segment(s, &s->segments[i], timed);
	return ret;
}

static bool same_slot(const struct joule_slot *a, const struct joule_slot *b)
{
	return a->memory == b->memory && a->offset == b->offset && a->address == b->address;
}

int joule_stage_bind(struct joule_stage *s, const struct joule_slot *slots, bool timed)
{
	bool moved = false, missing = false;
	int ret = 0;

	for (int i = 0; i < s->plan->n_externals; i++) {
		const struct joule_slot *now = &slots[s->plan->externals[i].tensor->index];

		if (!now->memory)
			return joule_err(s->engine->log, -EINVAL, "%s: %s is nowhere",
					 s->plan->graph->file, s->plan->externals[i].tensor->name);
		moved |= !same_slot(&s->externals[i], now);
		s->externals[i] = *now;
	}
	if (moved)
		for (int i = 0; i < s->n_segments; i++) {
			s->engine->hal->ops->program_destroy(s->segments[i].timed);
			s->segments[i].timed = NULL;
		}
	for (int i = 0; i < s->n_segments; i++)
		missing |= s->segments[i].launches &&
			   !(timed ? s->segments[i].timed : s->segments[i].program);
	if (moved && timed)
		ret = record(s, false);
	if (!ret && (moved || missing))
		ret = record(s, timed);
	return ret;
}

int joule_stage_record_timed(struct joule_stage *stage, const struct joule_slot *slots)
{
	return joule_stage_bind(stage, slots, true);
}

int joule_stage_create(struct joule_engine *engine, const struct joule_graph *graph,
		       const struct joule_stage_params *params, const struct joule_slot *slots,
		       struct joule_stage **out)
{
	struct joule_plan_params plan = {
		.caps = &engine->hal->caps,
		.unified = engine->unified,
		.f16_arithmetic = engine->f16_arithmetic,
		.deterministic = engine->deterministic,
		.keep_all = engine->keep_all,
		.nodes = params->nodes,
		.n_nodes = params->n_nodes,
		.externals = params->externals,
		.n_externals = params->n_externals,
		.split_work = engine->split_work,
	};
	struct joule_stage *s = calloc(1, sizeof(*s));
	int ret;

	*out = NULL;
	if (!s)
		return joule_err_nomem(engine->log, "stage");
	s->engine = engine;
	ret = joule_plan_create(graph, &plan, &s->plan);
	if (ret)
		goto fail;
	s->weights = calloc((size_t)s->plan->n_weights + 1, sizeof(*s->weights));
	s->externals = calloc((size_t)s->plan->n_externals + 1, sizeof(*s->externals));
	if (!s->weights || !s->externals) {
		ret = joule_err_nomem(engine->log, "stage");
		goto fail;
	}
	ret = make_segments(s);
	if (!ret)
		ret = make_arena(s, s->plan->host_bytes, JOULE_MEMORY_HOST, &s->host);
	if (!ret)
		ret = make_arena(s, s->plan->device_bytes, JOULE_MEMORY_DEVICE, &s->device);
	if (!ret)
		ret = joule_engine_upload(engine, s->plan, s->weights);
	if (ret)
		goto fail;
	joule_plan_drop_blobs(s->plan);
	ret = joule_stage_bind(s, slots, false);
	if (ret)
		goto fail;
	*out = s;
	return 0;
fail:
	joule_stage_destroy(s);
	return ret;
}

void joule_stage_destroy(struct joule_stage *stage)
{
	struct joule_stage *s = stage;

	if (!s)
		return;
	for (int i = 0; i < s->n_segments; i++) {
		s->engine->hal->ops->program_destroy(s->segments[i].program);
		s->engine->hal->ops->program_destroy(s->segments[i].timed);
	}
	joule_engine_free(s->engine, s->device);
	joule_engine_free(s->engine, s->host);
	free(s->weights);
	free(s->externals);
	free(s->segments);
	joule_plan_destroy(s->plan);
	free(s);
}
