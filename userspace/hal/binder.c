// SPDX-License-Identifier: MIT
#include "hal/binder.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

void joule_binder_init(struct joule_binder *b, const struct joule_caps *caps,
		       struct joule_arena *arena)
{
	memset(b, 0, sizeof(*b));
	b->caps = caps;
	b->arena = arena;
}

/* Room for one more in an arena-backed list; the old copy stays until the arena goes. */
static int grow(struct joule_binder *b, void **list, int n, int *cap, size_t size)
{
	void *fresh;

	if (b->err)
		return b->err;
	if (n < *cap)
		return 0;
	fresh = joule_arena_array(b->arena, *cap ? (size_t)*cap * 2 : 4, size);
	if (!fresh)
		return b->err = -ENOMEM;
	if (n)
		memcpy(fresh, *list, (size_t)n * size);
	*list = fresh;
	*cap = *cap ? *cap * 2 : 4;
	return 0;
}

__attribute__((format(printf, 2, 0))) static char *format(struct joule_binder *b, const char *fmt, va_list ap)
{
	char line[256], *p;

	vsnprintf(line, sizeof(line), fmt, ap);
	p = joule_arena_strdup(b->arena, line);
	if (!p)
		b->err = -ENOMEM;
	return p;
}

struct joule_dispatch *joule_bind(struct joule_binder *b, const char *shader_fmt, ...)
{
	struct joule_dispatch *d;
	va_list ap;

	if (grow(b, (void **)&b->dispatches, b->n_dispatches, &b->cap_dispatches,
		 sizeof(*b->dispatches)))
		return NULL;
	d = joule_arena_alloc(b->arena, sizeof(*d));
	if (!d) {
		b->err = -ENOMEM;
		return NULL;
	}
	va_start(ap, shader_fmt);
	d->shader = format(b, shader_fmt, ap);
	va_end(ap);
	if (!d->shader)
		return NULL;
	for (int i = 0; i < 3; i++)
		d->local[i] = d->groups[i] = 1;
	b->dispatches[b->n_dispatches++] = d;
	return d;
}

/* An overfull list is left one too long, which joule_bind_end() reports. */
static void add_operand(struct joule_dispatch *d, struct joule_operand operand, uint8_t access)
{
	if (!d)
		return;
	operand.access = access;
	if (d->n_operands < JOULE_MAX_OPERANDS)
		d->operand[d->n_operands] = operand;
	d->n_operands++;
}

void joule_bind_read(struct joule_dispatch *d, struct joule_operand operand)
{
	add_operand(d, operand, JOULE_READ);
}

void joule_bind_read_around(struct joule_dispatch *d, struct joule_operand operand,
			    uint64_t margin)
{
	operand.margin = margin;
	add_operand(d, operand, JOULE_READ);
}

bool joule_bind_margin(const struct joule_binder *b, int in)
{
	return in < 64 && !(b->no_margin >> in & 1);
}

void joule_bind_write(struct joule_dispatch *d, struct joule_operand operand)
{
	add_operand(d, operand, JOULE_WRITE);
}

void joule_bind_read_write(struct joule_dispatch *d, struct joule_operand operand)
{
	add_operand(d, operand, JOULE_READ | JOULE_WRITE);
}

struct joule_operand joule_bind_scratch(struct joule_binder *b, uint64_t bytes)
{
	struct joule_operand operand = { .kind = JOULE_OPERAND_SCRATCH };

	if (grow(b, (void **)&b->scratch_bytes, b->n_scratch, &b->cap_scratch,
		 sizeof(*b->scratch_bytes)))
		return operand;
	operand.index = (uint16_t)b->n_scratch;
	b->scratch_bytes[b->n_scratch++] = bytes;
	return operand;
}

struct joule_operand joule_bind_const(struct joule_binder *b, size_t bytes, void **data)
{
	struct joule_operand operand = { .kind = JOULE_OPERAND_CONST };
	void *p;

	*data = NULL;
	if (grow(b, (void **)&b->consts, b->n_consts, &b->cap_consts, sizeof(*b->consts)))
		return operand;
	p = joule_arena_alloc(b->arena, bytes);
	if (!p) {
		b->err = -ENOMEM;
		return operand;
	}
	operand.index = (uint16_t)b->n_consts;
	b->consts[b->n_consts++] = (struct joule_bind_const){ .data = p, .bytes = bytes };
	*data = p;
	return operand;
}

void joule_bind_u32(struct joule_dispatch *d, uint32_t v)
{
	if (!d)
		return;
	if (d->push_bytes + sizeof(v) <= sizeof(d->push))
		memcpy(d->push + d->push_bytes, &v, sizeof(v));
	d->push_bytes += sizeof(v);
}

void joule_bind_i32(struct joule_dispatch *d, int32_t v)
{
	joule_bind_u32(d, (uint32_t)v);
}

void joule_bind_f32(struct joule_dispatch *d, float v)
{
	uint32_t u;

	memcpy(&u, &v, sizeof(u));
	joule_bind_u32(d, u);
}

void joule_bind_spec(struct joule_dispatch *d, uint32_t v)
{
	if (!d)
		return;
	if (d->n_spec < JOULE_MAX_SPEC)
		d->spec[d->n_spec] = v;
	d->n_spec++;
}

void joule_bind_spec_f32(struct joule_dispatch *d, float v)
{
	uint32_t u;

	memcpy(&u, &v, sizeof(u));
	joule_bind_spec(d, u);
}

void joule_bind_local(struct joule_dispatch *d, uint32_t x, uint32_t y, uint32_t z)
{
	if (!d)
		return;
	d->local[0] = x;
	d->local[1] = y;
	d->local[2] = z;
}

void joule_bind_groups(struct joule_dispatch *d, uint64_t x, uint64_t y, uint64_t z)
{
	uint64_t v[3] = { x, y, z };

	for (int i = 0; d && i < 3; i++)
		d->groups[i] = v[i] > UINT32_MAX ? UINT32_MAX : (uint32_t)v[i];
}

void joule_bind_grid(struct joule_binder *b, struct joule_dispatch *d, uint32_t local,
		     uint64_t threads)
{
	uint64_t groups = JOULE_DIV_UP(threads, local), limit = b->caps->max_groups[0];
	uint64_t rows;

	if (!groups)
		groups = 1;
	rows = JOULE_DIV_UP(groups, limit);
	joule_bind_local(d, local, 1, 1);
	joule_bind_groups(d, JOULE_DIV_UP(groups, rows), rows, 1);
}

int joule_bind_refuse(struct joule_binder *b, const char *fmt, ...)
{
	va_list ap;

	if (b->err)
		return b->err;
	va_start(ap, fmt);
	b->refusal = format(b, fmt, ap);
	va_end(ap);
	if (!b->err)
		b->err = -ENOTSUP;
	return b->err;
}

static int check(struct joule_binder *b, const struct joule_dispatch *d)
{
	const struct joule_caps *caps = b->caps;
	uint64_t invocations = 1;

	if (d->n_operands > JOULE_MAX_OPERANDS)
		return joule_bind_refuse(b, "%s: %u operands, the most is %d", d->shader,
					 d->n_operands, JOULE_MAX_OPERANDS);
	if (d->n_spec > JOULE_MAX_SPEC)
		return joule_bind_refuse(b, "%s: %u specialization constants, the most is %d",
					 d->shader, d->n_spec, JOULE_MAX_SPEC);
	if (d->n_operands * 8 + d->push_bytes > caps->max_push_bytes)
		return joule_bind_refuse(b, "%s: %u bytes of push constants, the device has %u",
					 d->shader, d->n_operands * 8 + d->push_bytes,
					 caps->max_push_bytes);
	for (int i = 0; i < 3; i++) {
		invocations *= d->local[i];
		if (d->local[i] > caps->max_local[i] || d->groups[i] > caps->max_groups[i])
			return joule_bind_refuse(b, "%s: grid %ux%ux%u of %ux%ux%u is too large",
						 d->shader, d->groups[0], d->groups[1],
						 d->groups[2], d->local[0], d->local[1],
						 d->local[2]);
	}
	if (invocations > caps->max_invocations)
		return joule_bind_refuse(b, "%s: workgroup of %llu, the device has %u", d->shader,
					 (unsigned long long)invocations, caps->max_invocations);
	return 0;
}

int joule_bind_end(struct joule_binder *b)
{
	for (int i = 0; !b->err && i < b->n_dispatches; i++)
		check(b, b->dispatches[i]);
	return b->err;
}
