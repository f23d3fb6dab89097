// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/op.h"
#include "plan/barrier.h"
#include "plan/build.h"
#include "plan/memory.h"

static bool runs(const struct joule_build_node *bn)
{
	return bn->kind == JOULE_BUILD_DEVICE || bn->kind == JOULE_BUILD_HOST;
}

/* Shader names of a step, each once, "conv_f32 x2 + add_f32". */
static const char *kernel_names(struct joule_arena *arena, const struct joule_binder *binder)
{
	const char *text = NULL;

	for (int i = 0; i < binder->n_dispatches; i++) {
		const char *name = binder->dispatches[i]->shader;
		int times = 0;
		bool before = false;

		for (int j = 0; j < binder->n_dispatches; j++)
			if (!strcmp(binder->dispatches[j]->shader, name)) {
				before |= j < i;
				times++;
			}
		if (before)
			continue;
		if (times > 1)
			text = joule_arena_printf(arena, "%s%s%s x%d", text ? text : "",
						  text ? " + " : "", name, times);
		else
			text = joule_arena_printf(arena, "%s%s%s", text ? text : "",
						  text ? " + " : "", name);
		if (!text)
			return NULL;
	}
	return text ? text : "none";
}

static const char *precision(const struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i])
			return joule_dtype_name(node->out[i]->dtype);
	return "none";
}

static int make_step(struct joule_build *b, const struct joule_build_node *bn)
{
	struct joule_plan *p = b->plan;
	struct joule_plan_step *s = &p->steps[p->n_steps++];
	struct joule_node *node = bn->node;
	bool host = bn->kind == JOULE_BUILD_HOST;
	struct joule_cost cost;

	joule_node_cost(node, &cost);
	*s = (struct joule_plan_step){
		.kind = host ? JOULE_STEP_HOST : JOULE_STEP_DEVICE,
		.node = node,
		.name = node->name,
		.op = node->op->name,
		.kernel = host ? "reference" : kernel_names(&p->arena, &bn->binder),
		.reason = bn->reason,
		.precision = precision(node),
		.n_origins = node->n_origins,
		.origins = node->origins,
		.macs = cost.macs,
		.bytes = cost.bytes,
		.first_dispatch = p->n_dispatches,
	};
	p->macs += cost.macs;
	p->host_steps += host;
	return s->kernel ? 0 : joule_err_nomem(b->graph->log, "plan");
}

static int operand_place(struct joule_build *b, const struct joule_build_node *bn,
			 const struct joule_operand *o, int first_const, struct joule_place *out)
{
	const struct joule_node *n = bn->node;
	const struct joule_tensor *t = NULL;

	switch ((enum joule_operand_kind)o->kind) {
	case JOULE_OPERAND_IN:
		t = joule_node_in(n, o->index);
		break;
	case JOULE_OPERAND_OUT:
		t = joule_node_out(n, o->index);
		break;
	case JOULE_OPERAND_SCRATCH:
		if (o->index < bn->binder.n_scratch)
			*out = b->buffers[bn->first_scratch + o->index].place;
		break;
	case JOULE_OPERAND_CONST:
		if (o->index < bn->binder.n_consts)
			*out = (struct joule_place){
				.region = JOULE_REGION_WEIGHTS,
				.index = first_const + o->index,
				.bytes = bn->binder.consts[o->index].bytes,
			};
		break;
	}
	if (t)
		*out = b->buffers[t->index].place;
	if (!out->region || o->offset > out->bytes)
		return joule_node_err(n, -EINVAL, "its kernel names an operand that is not there");
	return 0;
}

static int make_dispatches(struct joule_build *b, const struct joule_build_node *bn)
{
	struct joule_plan *p = b->plan;
	int first_const = p->n_weights, ret;

	for (int i = 0; i < bn->binder.n_consts; i++)
		p->weights[p->n_weights++] = (struct joule_plan_weight){
			.data = bn->binder.consts[i].data,
			.bytes = bn->binder.consts[i].bytes,
			.packed = true,
			.name = bn->node->name,
		};
	for (int i = 0; i < bn->binder.n_dispatches; i++) {
		struct joule_plan_dispatch *pd = &p->dispatches[p->n_dispatches++];
		struct joule_dispatch *d;

		d = joule_arena_dup(&p->arena, bn->binder.dispatches[i], sizeof(*d));
		if (d)
			d->shader = joule_arena_strdup(&p->arena, d->shader);
		if (!d || !d->shader)
			return joule_err_nomem(b->graph->log, "plan");
		pd->dispatch = d;
		pd->step = p->n_steps - 1;
		for (uint32_t k = 0; k < d->n_operands; k++) {
			ret = operand_place(b, bn, &d->operand[k], first_const, &pd->place[k]);
			if (ret)
				return ret;
		}
	}
	p->steps[p->n_steps - 1].n_dispatches = bn->binder.n_dispatches;
	return 0;
}

static int make_steps(struct joule_build *b)
{
	struct joule_plan *p = b->plan;
	size_t dispatches = 1;
	int ret = 0;

	for (int i = 0; i < b->n_nodes; i++)
		dispatches += (size_t)b->nodes[i].binder.n_dispatches;
	p->steps = joule_arena_array(&p->arena, (size_t)b->n_nodes + 1, sizeof(*p->steps));
	p->dispatches = joule_arena_array(&p->arena, dispatches, sizeof(*p->dispatches));
	if (!p->steps || !p->dispatches)
		return joule_err_nomem(b->graph->log, "plan");
	for (int i = 0; !ret && i < b->n_nodes; i++) {
		const struct joule_build_node *bn = &b->nodes[i];

		if (!runs(bn))
			continue;
		ret = make_step(b, bn);
		if (!ret && bn->kind == JOULE_BUILD_DEVICE)
			ret = make_dispatches(b, bn);
	}
	return ret;
}

/* Arenas, each weight and each external tensor are spaces of their own. */
static uint32_t space_of(const struct joule_place *place)
{
	return (uint32_t)place->region << 24 ^ (uint32_t)place->index;
}

/*
 * A tensor's place tells how far a launch may reach. Externals might share
 * memory with each other (an output bound to an input's memory), so they count
 * as one space when something writes to one.
 */
static int set_barriers(struct joule_build *b)
{
	struct joule_plan *p = b->plan;
	struct joule_barriers tracker;
	int ret = 0;

	joule_barriers_init(&tracker);
	for (int i = 0; i < p->n_dispatches; i++) {
		struct joule_plan_dispatch *d = &p->dispatches[i];
		struct joule_range ranges[JOULE_MAX_OPERANDS];
		int n = 0;

		/* The host ran in between, so all before has been waited for. */
		if (i && d->step != d[-1].step)
			for (int s = d[-1].step; s < d->step; s++)
				if (p->steps[s].kind == JOULE_STEP_HOST)
					joule_barriers_reset(&tracker);
		for (uint32_t k = 0; k < d->dispatch->n_operands; k++) {
			const struct joule_place *place = &d->place[k];

			if (place->region == JOULE_REGION_WEIGHTS)
				continue;
			ranges[n++] = (struct joule_range){
				.space = space_of(place),
				.start = place->offset + d->dispatch->operand[k].offset,
				.end = place->offset + place->bytes,
				.access = d->dispatch->operand[k].access,
			};
		}
		ret = joule_barriers_add(&tracker, ranges, n);
		if (ret < 0)
			break;
		d->barrier = ret;
		p->barriers += ret;
	}
	joule_barriers_finish(&tracker);
	return ret < 0 ? joule_err_nomem(b->graph->log, "plan") : 0;
}

static void set_splits(struct joule_build *b)
{
	struct joule_plan *p = b->plan;
	int64_t work = 0, limit = b->params->split_work;

	for (int i = 0; limit && i < p->n_steps; i++) {
		const struct joule_plan_step *s = &p->steps[i];
		int64_t cost = s->macs + s->bytes * 2;

		if (s->kind != JOULE_STEP_DEVICE || !s->n_dispatches) {
			work = 0;
			continue;
		}
		if (work && work + cost > limit) {
			p->dispatches[s->first_dispatch].split = true;
			p->splits++;
			work = 0;
		}
		work += cost;
	}
}

/* Positions of nodes to numbers of steps, and the tensors' places. */
static int publish(struct joule_build *b)
{
	struct joule_plan *p = b->plan;
	int *step_at = joule_arena_array(&p->arena, (size_t)b->n_nodes + 2, sizeof(*step_at));
	int steps = 0;

	p->places = joule_arena_array(&p->arena, (size_t)b->graph->n_tensors + 1,
				      sizeof(*p->places));
	p->buffers = joule_arena_array(&p->arena, (size_t)b->n_buffers + 1, sizeof(*p->buffers));
	if (!step_at || !p->places || !p->buffers)
		return joule_err_nomem(b->graph->log, "plan");
	p->n_places = b->graph->n_tensors;
	for (int i = 0; i < p->n_places; i++)
		p->places[i] = b->buffers[i].place;
	for (int i = 0; i <= b->n_nodes; i++) {
		step_at[i] = steps;
		if (i < b->n_nodes && runs(&b->nodes[i]))
			steps++;
	}
	for (int i = 0; i < b->n_buffers; i++) {
		const struct joule_build_buffer *buf = &b->buffers[i];

		if (buf->parent >= 0 || buf->fixed || buf->first < 0)
			continue;
		p->buffers[p->n_buffers++] = (struct joule_plan_buffer){
			.name = buf->tensor ? buf->tensor->name : "scratch",
			.bytes = buf->bytes,
			.offset = buf->place.offset,
			.first = step_at[buf->root_first],
			/* A life that ends where nothing runs has ended a step before. */
			.last = step_at[buf->root_last] -
				(buf->root_last < b->n_nodes && !runs(&b->nodes[buf->root_last])),
			.host = buf->place.region == JOULE_REGION_HOST,
		};
	}
	for (int i = 0; i < p->n_weights; i++)
		p->weight_bytes += p->weights[i].bytes;
	return 0;
}

int joule_plan_create(const struct joule_graph *graph, const struct joule_plan_params *params,
		      struct joule_plan **out)
{
	struct joule_plan *p = calloc(1, sizeof(*p));
	struct joule_build b = { .plan = p, .params = params, .graph = graph };
	int ret;

	*out = NULL;
	if (!p)
		return joule_err_nomem(graph->log, "plan");
	p->graph = graph;
	joule_arena_init(&p->arena);
	joule_arena_init(&p->blobs);
	ret = joule_build_lower(&b);
	if (!ret)
		ret = joule_build_order(&b);
	if (!ret)
		ret = joule_build_buffers(&b);
	if (!ret)
		ret = make_steps(&b);
	if (!ret)
		ret = set_barriers(&b);
	if (!ret) {
		set_splits(&b);
		ret = publish(&b);
	}
	free(b.nodes);
	free(b.buffers);
	free(b.in_arena);
	if (ret) {
		joule_plan_destroy(p);
		return ret;
	}
	*out = p;
	return 0;
}

void joule_plan_destroy(struct joule_plan *plan)
{
	if (!plan)
		return;
	joule_arena_finish(&plan->arena);
	joule_arena_finish(&plan->blobs);
	free(plan);
}

void joule_plan_drop_blobs(struct joule_plan *plan)
{
	joule_arena_finish(&plan->blobs);
	for (int i = 0; i < plan->n_weights; i++)
		if (plan->weights[i].packed)
			plan->weights[i].data = NULL;
}

const struct joule_place *joule_plan_place(const struct joule_plan *plan,
					   const struct joule_tensor *tensor)
{
	if (tensor->index >= (uint32_t)plan->n_places ||
	    plan->places[tensor->index].region == JOULE_REGION_NONE)
		return NULL;
	return &plan->places[tensor->index];
}

int joule_plan_check(const struct joule_plan *plan)
{
	struct joule_extent *e = calloc((size_t)plan->n_buffers + 1, sizeof(*e));
	int ret = 0, a, c;

	if (!e)
		return joule_err_nomem(plan->graph->log, "plan check");
	for (int i = 0; i < plan->n_buffers; i++) {
		const struct joule_plan_buffer *buf = &plan->buffers[i];
		uint64_t size = buf->host ? plan->host_bytes : plan->device_bytes;
		/* One address space for both arenas keeps them apart. */
		uint64_t base = buf->host ? 0 : plan->host_bytes;

		if (buf->bytes > size || buf->offset > size - buf->bytes)
			ret = joule_err(plan->graph->log, -EINVAL,
					"%s: %s lies outside its arena", plan->graph->file,
					buf->name);
		if (buf->offset % JOULE_PLAN_ALIGN)
			ret = joule_err(plan->graph->log, -EINVAL, "%s: %s is not aligned",
					plan->graph->file, buf->name);
		e[i] = (struct joule_extent){ .bytes = buf->bytes,
					      .first = buf->first,
					      .last = buf->last,
					      .offset = base + buf->offset };
	}
	if (!ret && joule_memory_overlap(e, plan->n_buffers, &a, &c))
		ret = joule_err(plan->graph->log, -EINVAL, "%s: %s and %s overlap",
				plan->graph->file, plan->buffers[a].name, plan->buffers[c].name);
	free(e);
	return ret;
}
