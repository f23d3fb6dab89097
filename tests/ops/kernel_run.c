// SPDX-License-Identifier: MIT
#include "kernel_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "ir/op.h"

/* Wide enough for a whole stray vec4 row; keeps the operand 64-aligned. */
#define GUARD_BYTES 1024
#define GUARD	    0xa5
/* Around what is only read: NaN, so that it shows where a kernel lets it in. */
#define GUARD_IN    0xff
/* fp32 and fp16 NaN: an element never written or read before written shows. */
#define POISON 0xff

static int alloc(struct kernel_run *run, size_t bytes, int guard, struct joule_hal_memory **out)
{
	int ret = run->device->ops->memory_alloc(run->device, bytes + 2 * run->guard,
						 JOULE_MEMORY_HOST, out);

	if (!ret)
		memset((*out)->host, guard, bytes + 2 * run->guard);
	return ret;
}

static int alloc_tensor(struct kernel_run *run, const struct joule_tensor *t, bool fill,
			struct joule_hal_memory **out)
{
	size_t bytes = (size_t)joule_tensor_bytes(t);
	int ret = alloc(run, bytes, fill ? GUARD_IN : GUARD, out);

	if (!ret && fill)
		memcpy((char *)(*out)->host + run->guard, t->data, bytes);
	return ret;
}

static size_t memory_bytes(const struct kernel_run *run, const struct joule_hal_memory *m)
{
	return m->bytes - 2 * run->guard;
}

static uint64_t address(const struct kernel_run *run, const struct joule_operand *o)
{
	struct joule_hal_memory *m = NULL;

	switch (o->kind) {
	case JOULE_OPERAND_IN:
		m = run->in[o->index];
		break;
	case JOULE_OPERAND_OUT:
		m = run->out[o->index];
		break;
	case JOULE_OPERAND_SCRATCH:
		m = run->scratch[o->index];
		break;
	case JOULE_OPERAND_CONST:
		m = run->consts[o->index];
		break;
	}
	return m ? m->address + run->guard + o->offset : 0;
}

static int make_program(struct kernel_run *run, bool timestamps)
{
	int n = run->binder.n_dispatches, ret;
	struct joule_hal_cmd *cmds = calloc((size_t)n + 1, sizeof(*cmds));
	uint8_t(*push)[JOULE_MAX_PUSH + 8 * JOULE_MAX_OPERANDS] = calloc((size_t)n + 1, sizeof(*push));
	struct joule_hal_program_params params = { .cmds = cmds, .n_cmds = n,
						   .timestamps = timestamps };

	for (int i = 0; cmds && push && i < n; i++) {
		const struct joule_dispatch *d = run->binder.dispatches[i];

		for (uint32_t j = 0; j < d->n_operands; j++) {
			uint64_t a = address(run, &d->operand[j]);

			memcpy(push[i] + 8 * j, &a, 8);
		}
		memcpy(push[i] + 8 * d->n_operands, d->push, d->push_bytes);
		cmds[i] = (struct joule_hal_cmd){
			.shader = d->shader,
			.local = { d->local[0], d->local[1], d->local[2] },
			.groups = { d->groups[0], d->groups[1], d->groups[2] },
			.n_spec = d->n_spec,
			.spec = d->spec,
			.push_bytes = 8 * d->n_operands + d->push_bytes,
			.push = push[i],
			.barrier = i > 0,
			.label = run->node->op->name,
		};
	}
	ret = cmds && push ? run->device->ops->program_create(run->device, &params, &run->program) :
			     -ENOMEM;
	free(cmds);
	free(push);
	return ret;
}

/* Kernels may read, but not write, a margin around some operands. */
static size_t guard_bytes(const struct joule_binder *b)
{
	uint64_t guard = GUARD_BYTES;

	for (int i = 0; i < b->n_dispatches; i++)
		for (uint32_t k = 0; k < b->dispatches[i]->n_operands; k++)
			guard = JOULE_MAX(guard, b->dispatches[i]->operand[k].margin);
	return (size_t)JOULE_ALIGN_UP(guard, 64);
}

int kernel_run_init(struct kernel_run *run, struct joule_hal_device *device,
		    const struct joule_node *node, const struct joule_caps *caps, bool timestamps)
{
	struct joule_binder *b = &run->binder;
	int ret;

	memset(run, 0, sizeof(*run));
	run->device = device;
	run->node = node;
	joule_arena_init(&run->arena);
	joule_binder_init(b, caps ? caps : &device->caps, &run->arena);
	if (!node->op->bind)
		return joule_bind_refuse(b, "the operator has no kernel");
	ret = node->op->bind(node, b);
	if (ret)
		return ret;
	run->guard = guard_bytes(b);
	run->in = calloc((size_t)node->n_in + 1, sizeof(*run->in));
	run->out = calloc((size_t)node->n_out + 1, sizeof(*run->out));
	run->scratch = calloc((size_t)b->n_scratch + 1, sizeof(*run->scratch));
	run->consts = calloc((size_t)b->n_consts + 1, sizeof(*run->consts));
	if (!run->in || !run->out || !run->scratch || !run->consts)
		return -ENOMEM;
	for (int i = 0; !ret && i < node->n_in; i++)
		if (node->in[i])
			ret = alloc_tensor(run, node->in[i], true, &run->in[i]);
	for (int i = 0; !ret && i < node->n_out; i++)
		if (node->out[i])
			ret = alloc_tensor(run, node->out[i], false, &run->out[i]);
	for (int i = 0; !ret && i < b->n_scratch; i++)
		ret = alloc(run, b->scratch_bytes[i], GUARD, &run->scratch[i]);
	for (int i = 0; !ret && i < b->n_consts; i++) {
		ret = alloc(run, b->consts[i].bytes, GUARD_IN, &run->consts[i]);
		if (!ret)
			memcpy((char *)run->consts[i]->host + run->guard, b->consts[i].data,
			       b->consts[i].bytes);
	}
	return ret ? ret : make_program(run, timestamps);
}

static void free_list(struct kernel_run *run, struct joule_hal_memory **list, int n)
{
	for (int i = 0; list && i < n; i++)
		if (list[i])
			run->device->ops->memory_free(list[i]);
	free(list);
}

void kernel_run_finish(struct kernel_run *run)
{
	if (run->program)
		run->device->ops->program_destroy(run->program);
	free_list(run, run->in, run->node->n_in);
	free_list(run, run->out, run->node->n_out);
	free_list(run, run->scratch, run->binder.n_scratch);
	free_list(run, run->consts, run->binder.n_consts);
	joule_arena_finish(&run->arena);
}

static void poison(const struct kernel_run *run, struct joule_hal_memory *m)
{
	if (m)
		memset((char *)m->host + run->guard, POISON, memory_bytes(run, m));
}

int kernel_run_once(struct kernel_run *run)
{
	const struct joule_hal_ops *ops = run->device->ops;
	int ret;

	for (int i = 0; i < run->node->n_out; i++)
		poison(run, run->out[i]);
	for (int i = 0; i < run->binder.n_scratch; i++)
		poison(run, run->scratch[i]);
	ret = ops->program_submit(run->program);
	return ret ? ret : ops->program_wait(run->program, 120ull * 1000000000);
}

const void *kernel_run_output(const struct kernel_run *run, int i)
{
	return (const char *)run->out[i]->host + run->guard;
}

static bool guard_broken(const struct kernel_run *run, const struct joule_hal_memory *m,
			 unsigned char guard)
{
	const unsigned char *p = m->host;
	const unsigned char *behind = p + m->bytes - run->guard;

	for (size_t i = 0; i < run->guard; i++)
		if (p[i] != guard || behind[i] != guard)
			return true;
	return false;
}

/* Inputs and constants must also be as they were: kernels only read them. */
static bool input_changed(const struct kernel_run *run, const struct joule_hal_memory *m,
			  const void *data)
{
	return memcmp((const char *)m->host + run->guard, data, memory_bytes(run, m)) != 0;
}

const char *kernel_run_guards(const struct kernel_run *run, char *buf, size_t size)
{
	const struct {
		struct joule_hal_memory **list;
		int n;
		const char *what;
		unsigned char guard;
	} kinds[] = {
		{ run->in, run->node->n_in, "input", GUARD_IN },
		{ run->out, run->node->n_out, "output", GUARD },
		{ run->scratch, run->binder.n_scratch, "scratch", GUARD },
		{ run->consts, run->binder.n_consts, "constant", GUARD_IN },
	};

	for (int k = 0; k < 4; k++)
		for (int i = 0; i < kinds[k].n; i++)
			if (kinds[k].list[i] && guard_broken(run, kinds[k].list[i], kinds[k].guard)) {
				snprintf(buf, size, "wrote outside %s %d", kinds[k].what, i);
				return buf;
			}
	for (int i = 0; i < run->node->n_in; i++)
		if (run->in[i] && input_changed(run, run->in[i], run->node->in[i]->data)) {
			snprintf(buf, size, "changed input %d", i);
			return buf;
		}
	return NULL;
}

int kernel_run_ns(struct kernel_run *run, uint64_t *ns)
{
	int n = run->binder.n_dispatches + 1;
	uint64_t *stamps = calloc((size_t)n, sizeof(*stamps));
	int ret = stamps ? run->device->ops->program_timestamps(run->program, stamps, n) : -ENOMEM;

	if (!ret)
		*ns = stamps[n - 1] - stamps[0];
	free(stamps);
	return ret;
}
