// SPDX-License-Identifier: MIT
/* One watched run: rows for steps that add up to the whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ir/op.h"
#include "runtime/instance.h"
#include "runtime/interp.h"
#include "runtime/session.h"
#include "runtime/trace.h"

static void trace_cpu(void *user, const struct joule_node *node, uint64_t start_ns, uint64_t ns)
{
	struct joule_session *s = user;
	struct joule_trace *trace = s->engine.trace;
	struct joule_cost cost;
	int row = joule_trace_reserve(trace, 1);

	if (row < 0)
		return; /* the run goes on; the profile lacks a row and says so in its sum */
	joule_node_cost(node, &cost);
	trace->rows[row].node = node;
	trace->rows[row].macs = cost.macs;
	trace->rows[row].bytes = cost.bytes;
	joule_trace_add(trace, row, start_ns, ns, 0);
}

/* The CPU: every node is a step. */
static int profile_cpu(struct joule_session *s)
{
	s->trace_node = trace_cpu;
	return joule_session_execute(s);
}

static int profile_device(struct joule_session *s)
{
	int ret = joule_session_prepare(s);

	/* Recording is not part of the run. */
	if (!ret)
		ret = joule_frame_prepare_timed(s->instances->frame);
	return ret ? ret : joule_session_execute(s);
}

static const char *result_precision(const struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i])
			return joule_dtype_name(node->out[i]->dtype);
	return "none";
}

/* Strings are copied: the plan they are in may be gone at the next run. */
static int publish_row(struct joule_session *s, const struct joule_trace_row *row,
		       struct joule_step_profile *out)
{
	struct joule_arena *a = &s->step_arena;
	const struct joule_plan_step *step = row->step;
	const char **origins = joule_arena_array(a, (size_t)row->node->n_origins + 1,
						 sizeof(*origins));
	bool device = step && step->kind == JOULE_STEP_DEVICE;

	for (int i = 0; origins && i < row->node->n_origins; i++)
		origins[i] = joule_arena_strdup(a, row->node->origins[i]);
	*out = (struct joule_step_profile){
		.name = joule_arena_strdup(a, row->node->name),
		.op = row->node->op->name,
		.kernel = joule_arena_strdup(a, step ? step->kernel : "reference"),
		.device = device ? "vulkan" : "cpu",
		.reason = row->reason ? joule_arena_strdup(a, row->reason) : NULL,
		.precision = step ? step->precision : result_precision(row->node),
		.n_origins = row->node->n_origins,
		.origins = origins,
		.launches = row->launches,
		.start_ns = row->start_ns,
		.ns = row->ns,
		.bytes = row->bytes,
		.macs = row->macs,
	};
	return origins && out->name && out->kernel ? 0 : joule_err_nomem(s->log, "profile");
}

#define MAX_AFTER 64

struct after {
	int n, step[MAX_AFTER];
};

/*
 * The published steps behind a tensor. Nodes without a row of their own (views,
 * a Concat whose parts were written in place) are looked through.
 */
static void steps_behind(const struct joule_trace *trace, const int *position,
			 const struct joule_tensor *t, struct after *a, int depth)
{
	const struct joule_node *p = t ? t->producer : NULL;
	int row = 0;

	if (!p || depth > 32)
		return;
	while (row < trace->n && (trace->rows[row].node != p || position[row] < 0))
		row++;
	if (row == trace->n) {
		for (int i = 0; i < p->n_in; i++)
			steps_behind(trace, position, p->in[i], a, depth + 1);
		return;
	}
	for (int i = 0; i < a->n; i++)
		if (a->step[i] == position[row])
			return;
	if (a->n < MAX_AFTER)
		a->step[a->n++] = position[row];
}

static int publish_after(struct joule_session *s, const struct joule_trace *trace,
			 const int *position, int row)
{
	const struct joule_node *node = trace->rows[row].node;
	struct joule_step_profile *out = &s->steps[position[row]];
	struct after a = { 0 };

	for (int i = 0; i < node->n_in; i++)
		steps_behind(trace, position, node->in[i], &a, 0);
	out->n_after = a.n;
	out->after = joule_arena_dup(&s->step_arena, a.step, (size_t)a.n * sizeof(*a.step));
	return out->after ? 0 : joule_err_nomem(s->log, "profile");
}

static int publish(struct joule_session *s, const struct joule_trace *trace, uint64_t total_ns,
		   struct joule_profile *out)
{
	uint64_t sum = 0;
	int *position, ret = 0;

	s->n_steps = 0;
	joule_arena_finish(&s->step_arena);
	joule_arena_init(&s->step_arena);
	s->steps = joule_arena_array(&s->step_arena, (size_t)trace->n + 1, sizeof(*s->steps));
	position = joule_arena_array(&s->step_arena, (size_t)trace->n + 1, sizeof(*position));
	if (!s->steps || !position)
		return joule_err_nomem(s->log, "profile");
	for (int i = 0; !ret && i < trace->n; i++) {
		position[i] = -1;
		if (!trace->rows[i].runs)
			continue; /* a step without launches, or a branch not taken */
		position[i] = s->n_steps;
		ret = publish_row(s, &trace->rows[i], &s->steps[s->n_steps++]);
		sum += trace->rows[i].ns;
	}
	for (int i = 0; !ret && i < trace->n; i++)
		if (position[i] >= 0)
			ret = publish_after(s, trace, position, i);
	if (ret)
		return ret;
	*out = (struct joule_profile){
		.n_steps = s->n_steps,
		.steps = s->steps,
		.steps_ns = sum,
		.gaps_ns = trace->gaps_ns,
		.total_ns = total_ns,
	};
	/* What is neither a step nor a gap: submitting, waking up, copying. */
	sum += trace->gaps_ns;
	out->host_ns = total_ns > sum ? total_ns - sum : 0;
	out->total_ns = sum + out->host_ns;
	return 0;
}

int joule_session_profile(struct joule_session *session, struct joule_profile *out)
{
	struct joule_session *s = session;
	struct joule_trace trace = { .serial = ++s->profiles };
	bool idle = false;
	uint64_t end;
	int ret;

	memset(out, 0, sizeof(*out));
	if (!atomic_compare_exchange_strong(&s->busy, &idle, true))
		return joule_err(s->log, -EBUSY, "%s: a run is under way", s->model->graph->file);
	atomic_store(&s->cancelled, false);
	s->deadline_ns = 0;
	s->engine.trace = &trace;
	ret = s->engine.hal ? profile_device(s) : profile_cpu(s);
	end = joule_now_ns();
	s->engine.trace = NULL;
	s->trace_node = NULL;
	if (!ret)
		ret = publish(s, &trace, end - s->run_start_ns, out);
	free(trace.rows);
	atomic_store(&s->busy, false);
	return ret;
}
