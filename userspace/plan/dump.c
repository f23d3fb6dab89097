// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "ir/op.h"
#include "plan/plan.h"

static const char *const regions[] = {
	[JOULE_REGION_NONE] = "none",	  [JOULE_REGION_WEIGHTS] = "weight",
	[JOULE_REGION_DEVICE] = "device", [JOULE_REGION_HOST] = "host",
	[JOULE_REGION_EXTERNAL] = "ext",
};

static const char *access_name(uint8_t access)
{
	static const char *const names[] = { "", "r", "w", "rw" };

	return names[access & 3];
}

static void dump_place(const struct joule_place *place, uint64_t offset, FILE *to)
{
	fprintf(to, "%s", regions[place->region]);
	if (place->region == JOULE_REGION_WEIGHTS || place->region == JOULE_REGION_EXTERNAL)
		fprintf(to, "%d", place->index);
	fprintf(to, "+%" PRIu64, place->offset + offset);
}

static void dump_dispatch(const struct joule_plan_dispatch *pd, FILE *to)
{
	const struct joule_dispatch *d = pd->dispatch;

	fprintf(to, "        %s%s %ux%ux%u of %ux%ux%u", pd->barrier ? "| " : "  ", d->shader,
		d->groups[0], d->groups[1], d->groups[2], d->local[0], d->local[1], d->local[2]);
	for (uint32_t i = 0; i < d->n_operands; i++) {
		fprintf(to, " %s:", access_name(d->operand[i].access));
		dump_place(&pd->place[i], d->operand[i].offset, to);
	}
	if (d->n_spec) {
		fprintf(to, " spec");
		for (uint32_t i = 0; i < d->n_spec; i++)
			fprintf(to, " %u", d->spec[i]);
	}
	fputc('\n', to);
}

static void dump_operands(const struct joule_plan *plan, const struct joule_node *n, FILE *to)
{
	for (int i = 0; i < n->n_in + n->n_out; i++) {
		const struct joule_tensor *t = i < n->n_in ? n->in[i] : n->out[i - n->n_in];
		const struct joule_place *place;
		char buf[128];

		if (i == n->n_in)
			fprintf(to, " ->");
		if (!t)
			continue;
		place = joule_plan_place(plan, t);
		fprintf(to, " %s:%s%s", t->name, joule_dtype_name(t->dtype),
			joule_shape_str(&t->shape, buf, sizeof(buf)));
		if (place) {
			fputc('@', to);
			dump_place(place, 0, to);
		}
	}
	fputc('\n', to);
}

void joule_plan_dump(const struct joule_plan *plan, FILE *to)
{
	uint64_t peak = plan->device_bytes + plan->host_bytes;

	for (int i = 0; i < plan->n_steps; i++) {
		const struct joule_plan_step *s = &plan->steps[i];

		fprintf(to, "%4d %s %s %s [%s]", i, s->kind == JOULE_STEP_HOST ? "host" : "dev ",
			s->op, s->name, s->precision);
		if (s->reason)
			fprintf(to, " (%s)", s->reason);
		dump_operands(plan, s->node, to);
		for (int k = 0; k < s->n_dispatches; k++) {
			if (plan->dispatches[s->first_dispatch + k].split)
				fprintf(to, "        --- new submission\n");
			dump_dispatch(&plan->dispatches[s->first_dispatch + k], to);
		}
	}
	fprintf(to, "steps %d (%d on the host), launches %d, barriers %d, splits %d, MACs %" PRId64
		    "\n",
		plan->n_steps, plan->host_steps, plan->n_dispatches, plan->barriers, plan->splits,
		plan->macs);
	fprintf(to, "weights %" PRIu64 " bytes in %d, arena %" PRIu64 " bytes (device %" PRIu64
		    ", host %" PRIu64 "), lower bound %" PRIu64 " (x%.3f)\n",
		plan->weight_bytes, plan->n_weights, peak, plan->device_bytes, plan->host_bytes,
		plan->lower_bound_bytes,
		plan->lower_bound_bytes ? (double)peak / (double)plan->lower_bound_bytes : 1.0);
	for (int i = 0; i < plan->n_externals; i++)
		fprintf(to, "ext%d %s %" PRIu64 " bytes%s\n", i, plan->externals[i].tensor->name,
			plan->externals[i].bytes, plan->externals[i].host ? ", host" : "");
	for (int i = 0; i < plan->n_buffers; i++)
		fprintf(to, "buffer %s %s +%" PRIu64 " %" PRIu64 " bytes, steps %d..%d\n",
			plan->buffers[i].name, plan->buffers[i].host ? "host" : "device",
			plan->buffers[i].offset, plan->buffers[i].bytes, plan->buffers[i].first,
			plan->buffers[i].last);
}
