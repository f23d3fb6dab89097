// SPDX-License-Identifier: MIT
/*
 * Finding the smallest arena is NP-hard; greedy orders come close. Each order
 * takes the extents one by one and puts each into the tightest gap between
 * those already placed that are alive at the same time. Networks differ in
 * which order suits them, so several are tried, then the best one is disturbed
 * a bounded number of times, until the lower bound is met.
 */
#include "plan/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DISTURB_BUDGET (20 * 1000 * 1000) /* comparisons, some tens of milliseconds */

struct item {
	uint64_t bytes, key;
	int i;
};

struct placer {
	const struct joule_extent *in;
	int n;
	uint64_t *offset;
	int *done; /* extents placed so far, by offset */
};

uint64_t joule_memory_lower_bound(const struct joule_extent *extents, int n)
{
	uint64_t best = 0;

	/* The live set only grows where something starts. */
	for (int i = 0; i < n; i++) {
		uint64_t sum = 0;

		for (int j = 0; j < n; j++)
			if (extents[j].first <= extents[i].first &&
			    extents[j].last >= extents[i].first)
				sum += extents[j].bytes;
		if (sum > best)
			best = sum;
	}
	return best;
}

int joule_memory_overlap(const struct joule_extent *extents, int n, int *a, int *b)
{
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++) {
			const struct joule_extent *x = &extents[i], *y = &extents[j];

			if (x->first <= y->last && y->first <= x->last &&
			    x->offset < y->offset + y->bytes && y->offset < x->offset + x->bytes) {
				*a = i;
				*b = j;
				return 1;
			}
		}
	return 0;
}

/* The tightest gap that fits among extents alive together, else the end. */
static uint64_t find_gap(const struct placer *p, int n_done, int i)
{
	const struct joule_extent *e = &p->in[i];
	uint64_t end = 0, best = UINT64_MAX, best_gap = UINT64_MAX;

	for (int k = 0; k < n_done; k++) {
		int j = p->done[k];
		const struct joule_extent *o = &p->in[j];

		if (o->first > e->last || e->first > o->last)
			continue;
		if (p->offset[j] > end) {
			uint64_t gap = p->offset[j] - end;

			if (gap >= e->bytes && gap < best_gap) {
				best_gap = gap;
				best = end;
			}
		}
		if (p->offset[j] + o->bytes > end)
			end = p->offset[j] + o->bytes;
	}
	return best != UINT64_MAX ? best : end;
}

static uint64_t place_in_order(struct placer *p, const int *order)
{
	uint64_t size = 0;

	for (int k = 0; k < p->n; k++) {
		int i = order[k], at = k;

		p->offset[i] = find_gap(p, k, i);
		if (p->offset[i] + p->in[i].bytes > size)
			size = p->offset[i] + p->in[i].bytes;
		while (at > 0 && p->offset[p->done[at - 1]] > p->offset[i]) {
			p->done[at] = p->done[at - 1];
			at--;
		}
		p->done[at] = i;
	}
	return size;
}

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->i - y->i;
}

enum { BY_SIZE, BY_AREA, BY_START, BY_PRESSURE, N_ORDERS };

/* Sum of bytes alive when i starts: the crowded moments are placed first. */
static uint64_t pressure(const struct joule_extent *e, int n, int i)
{
	uint64_t best = 0;

	for (int t = e[i].first; t <= e[i].last; t++) {
		uint64_t sum = 0;

		for (int j = 0; j < n; j++)
			if (e[j].first <= t && e[j].last >= t)
				sum += e[j].bytes;
		if (sum > best)
			best = sum;
		if (e[i].last - e[i].first > 64) /* long lives: the start will do */
			break;
	}
	return best;
}

static void make_order(const struct joule_extent *e, int n, int kind, struct item *items,
		       int *order)
{
	for (int i = 0; i < n; i++) {
		items[i].i = i;
		items[i].bytes = e[i].bytes;
		switch (kind) {
		case BY_SIZE:
			items[i].key = e[i].bytes;
			break;
		case BY_AREA:
			items[i].key = e[i].bytes * (uint64_t)(e[i].last - e[i].first + 1);
			break;
		case BY_START:
			items[i].key = UINT64_MAX - (uint64_t)e[i].first;
			break;
		default:
			items[i].key = pressure(e, n, i);
			break;
		}
	}
	qsort(items, (size_t)n, sizeof(*items), compare);
	for (int i = 0; i < n; i++)
		order[i] = items[i].i;
}

struct search {
	struct placer placer;
	uint64_t size, bound;
	uint64_t *best;
	int *order, *best_order;
};

static bool try_order(struct search *s, const int *order)
{
	uint64_t size = place_in_order(&s->placer, order);
	size_t n = (size_t)s->placer.n;

	/* Equal ones are taken too: plateaus are crossed by walking on them. */
	if (size > s->size)
		return false;
	s->size = size;
	memcpy(s->best, s->placer.offset, n * sizeof(*s->best));
	if (order != s->best_order)
		memcpy(s->best_order, order, n * sizeof(*order));
	return true;
}

/*
 * What sticks out above the bound came too late in the order: one such extent,
 * or one alive with it, moves forward; what helps is kept. The generator is
 * fixed, so that a graph always gets the same plan.
 */
static void disturb(struct search *s)
{
	const struct joule_extent *e = s->placer.in;
	int n = s->placer.n;
	int64_t budget = DISTURB_BUDGET / ((int64_t)n * n + 1);
	uint32_t random = 1;

	if (budget > 2000)
		budget = 2000;
	for (; budget > 0 && s->size > s->bound; budget--) {
		int from, to, item, top;

		/* The highest extent in the best placement, from a random start. */
		random = random * 1664525 + 1013904223;
		from = (int)((random >> 8) % (uint32_t)n);
		for (top = 0; top < n; top++) {
			item = s->best_order[(from + top) % n];
			if (s->best[item] + e[item].bytes > s->bound)
				break;
		}
		from = (from + top) % n;
		random = random * 1664525 + 1013904223;
		if (!((random >> 8) & 3)) { /* sometimes its neighbours in time */
			item = s->best_order[from];
			for (int k = 1; k < n; k++) {
				int other = s->best_order[(from + k) % n];

				if (e[other].first <= e[item].last &&
				    e[item].first <= e[other].last) {
					from = (from + k) % n;
					break;
				}
			}
		}
		random = random * 1664525 + 1013904223;
		to = from ? (int)((random >> 8) % (uint32_t)from) : 0;
		memcpy(s->order, s->best_order, (size_t)n * sizeof(*s->order));
		item = s->order[from];
		memmove(&s->order[to + 1], &s->order[to],
			(size_t)(from - to) * sizeof(*s->order));
		s->order[to] = item;
		try_order(s, s->order);
	}
}

int joule_memory_place(struct joule_extent *extents, int n, uint64_t *size)
{
	size_t count = (size_t)n + 1;
	struct item *items = calloc(count, sizeof(*items));
	struct search s = {
		.placer = { .in = extents, .n = n },
		.size = UINT64_MAX,
		.bound = joule_memory_lower_bound(extents, n),
	};
	int ret = -ENOMEM;

	*size = 0;
	s.placer.offset = calloc(count, sizeof(*s.placer.offset));
	s.placer.done = calloc(count, sizeof(*s.placer.done));
	s.best = calloc(count, sizeof(*s.best));
	s.order = calloc(count, sizeof(*s.order));
	s.best_order = calloc(count, sizeof(*s.best_order));
	if (!items || !s.placer.offset || !s.placer.done || !s.best || !s.order || !s.best_order)
		goto out;
	ret = 0;
	if (!n)
		goto out;
	for (int kind = 0; kind < N_ORDERS && s.size > s.bound; kind++) {
		make_order(extents, n, kind, items, s.order);
		try_order(&s, s.order);
	}
	disturb(&s);
	for (int i = 0; i < n; i++)
		extents[i].offset = s.best[i];
	*size = s.size;
out:
	free(items);
	free(s.placer.offset);
	free(s.placer.done);
	free(s.best);
	free(s.order);
	free(s.best_order);
	return ret;
}
