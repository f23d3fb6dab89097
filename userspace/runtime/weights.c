// SPDX-License-Identifier: MIT
/*
 * Weights on the device, each once for a session however many plans use it,
 * known by a hash of their bytes: what passes and bind() made has no address
 * that would last.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "runtime/engine.h"

#define CHUNK_BYTES  ((size_t)256 << 20) /* of one allocation */
#define UPLOAD_BYTES ((size_t)4 << 20)   /* of one copy where the host cannot reach it */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

struct key {
	uint64_t v[2];
};

/* Two independent sums of 64 bits: equal by chance once in 2^128. */
static struct key content_key(const struct joule_plan_weight *w)
{
	const unsigned char *p = w->data;
	uint64_t a = w->bytes, b = ~w->bytes, v;
	uint64_t i = 0;

	for (; i + 8 <= w->bytes; i += 8) {
		memcpy(&v, p + i, 8);
		a = mix(a, v);
		b = mix(b + 0x2545f4914f6cdd1du, v ^ (b >> 17));
	}
	for (; i < w->bytes; i++) {
		a = mix(a, p[i]);
		b = mix(b + 0x2545f4914f6cdd1du, p[i]);
	}
	return (struct key){ { a, b } };
}

static struct joule_weight_entry *find(struct joule_engine *e, const uint64_t key[2],
				       uint64_t bytes)
{
	size_t mask = (size_t)e->cap_weights - 1, i = key[0] & mask;

	while (e->weights[i].bytes &&
	       (e->weights[i].key[0] != key[0] || e->weights[i].key[1] != key[1] ||
		e->weights[i].bytes != bytes))
		i = (i + 1) & mask;
	return &e->weights[i];
}

static int grow(struct joule_engine *e, int more)
{
	struct joule_weight_entry *old = e->weights;
	int cap = e->cap_weights ? e->cap_weights : 64, old_cap = e->cap_weights;

	while (cap < (e->n_weights + more) * 2)
		cap *= 2;
	if (cap == old_cap)
		return 0;
	e->weights = calloc((size_t)cap, sizeof(*e->weights));
	if (!e->weights) {
		e->weights = old;
		return joule_err_nomem(e->log, "weight table");
	}
	e->cap_weights = cap;
	for (int i = 0; i < old_cap; i++)
		if (old[i].bytes)
			*find(e, old[i].key, old[i].bytes) = old[i];
	free(old);
	return 0;
}

struct upload {
	struct joule_engine *engine;
	const struct joule_plan *plan;
	struct key *keys;
	int *fresh; /* weights to upload */
	int n_fresh;
	struct joule_slot *slots;
};

/* Small weights are gathered so that one copy carries many of them. */
static int write_staged(struct upload *u, struct joule_hal_memory *memory, int first, int end)
{
	unsigned char *stage = malloc(UPLOAD_BYTES);
	size_t start = 0, used = 0;
	int ret = stage ? 0 : joule_err_nomem(u->engine->log, "upload");
	const struct joule_hal_ops *ops = u->engine->hal->ops;

	for (int i = first; !ret && i < end; i++) {
		const struct joule_plan_weight *w = &u->plan->weights[u->fresh[i]];
		size_t at = u->slots[u->fresh[i]].offset;

		if (used && (at + w->bytes - start > UPLOAD_BYTES)) {
			ret = ops->memory_write(memory, start, stage, used);
			used = 0;
		}
		if (!ret && w->bytes > UPLOAD_BYTES) {
			ret = ops->memory_write(memory, at, w->data, w->bytes);
			continue;
		}
		if (!used)
			start = at;
		memcpy(stage + (at - start), w->data, w->bytes);
		used = at + w->bytes - start;
	}
	if (!ret && used)
		ret = ops->memory_write(memory, start, stage, used);
	free(stage);
	return ret;
}

static int write_chunk(struct upload *u, int first, int end, size_t bytes)
{
	struct joule_engine *e = u->engine;
	struct joule_hal_memory *memory, **list;
	int ret;

	list = realloc(e->weight_memory, ((size_t)e->n_weight_memory + 1) * sizeof(*list));
	if (!list)
		return joule_err_nomem(e->log, "weights");
	e->weight_memory = list;
	ret = joule_engine_alloc(e, bytes + JOULE_PLAN_TAIL, JOULE_MEMORY_DEVICE, &memory);
	if (ret)
		return ret;
	e->weight_memory[e->n_weight_memory++] = memory;
	for (int i = first; i < end; i++) {
		struct joule_slot *slot = &u->slots[u->fresh[i]];

		*slot = joule_slot_at(memory, slot->offset);
		if (memory->host)
			memcpy(slot->host, u->plan->weights[u->fresh[i]].data,
			       u->plan->weights[u->fresh[i]].bytes);
	}
	if (memory->host)
		return memory->coherent ? 0 : e->hal->ops->memory_flush(memory, 0, bytes);
	return write_staged(u, memory, first, end);
}

/* Lays the fresh weights out in chunks and fills those. */
static int write_all(struct upload *u)
{
	size_t limit = CHUNK_BYTES, at = 0;
	int first = 0, ret = 0;

	if (u->engine->hal->caps.max_buffer_bytes)
		limit = JOULE_MIN(limit, (size_t)u->engine->hal->caps.max_buffer_bytes -
						 JOULE_PLAN_TAIL);
	for (int i = 0; !ret && i < u->n_fresh; i++) {
		size_t bytes = u->plan->weights[u->fresh[i]].bytes;

		if (i > first && at + bytes > limit) {
			ret = write_chunk(u, first, i, at);
			first = i;
			at = 0;
		}
		u->slots[u->fresh[i]].offset = at;
		at = JOULE_ALIGN_UP(at + bytes, (size_t)JOULE_PLAN_ALIGN);
	}
	if (!ret && first < u->n_fresh)
		ret = write_chunk(u, first, u->n_fresh, at);
	return ret;
}

int joule_engine_upload(struct joule_engine *engine, const struct joule_plan *plan,
			struct joule_slot *slots)
{
	struct upload u = { .engine = engine, .plan = plan, .slots = slots };
	int ret = grow(engine, plan->n_weights);

	if (ret)
		return ret;
	u.fresh = calloc((size_t)plan->n_weights + 1, sizeof(*u.fresh));
	u.keys = calloc((size_t)plan->n_weights + 1, sizeof(*u.keys));
	if (!u.fresh || !u.keys) {
		ret = joule_err_nomem(engine->log, "weights");
		goto out;
	}
	for (int i = 0; i < plan->n_weights; i++) {
		const struct joule_plan_weight *w = &plan->weights[i];
		struct joule_weight_entry *entry;

		if (!w->bytes)
			continue;
		u.keys[i] = content_key(w);
		entry = find(engine, u.keys[i].v, w->bytes);
		if (entry->bytes)
			slots[i] = entry->slot;
		else
			u.fresh[u.n_fresh++] = i;
	}
	ret = write_all(&u);
	for (int k = 0; !ret && k < u.n_fresh; k++) {
		const struct joule_plan_weight *w = &plan->weights[u.fresh[k]];
		const struct key *key = &u.keys[u.fresh[k]];
		struct joule_weight_entry *entry = find(engine, key->v, w->bytes);

		if (!entry->bytes)
			engine->n_weights++;
		entry->key[0] = key->v[0];
		entry->key[1] = key->v[1];
		entry->bytes = w->bytes;
		entry->slot = slots[u.fresh[k]];
		engine->weight_bytes += w->bytes;
	}
out:
	free(u.fresh);
	free(u.keys);
	return ret;
}

void joule_engine_finish(struct joule_engine *engine)
{
	for (int i = 0; i < engine->n_weight_memory; i++)
		joule_engine_free(engine, engine->weight_memory[i]);
	free(engine->weight_memory);
	free(engine->weights);
	memset(engine, 0, sizeof(*engine));
}
