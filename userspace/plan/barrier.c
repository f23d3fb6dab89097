// SPDX-License-Identifier: MIT
#include "plan/barrier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/dispatch.h"

void joule_barriers_init(struct joule_barriers *b)
{
	memset(b, 0, sizeof(*b));
}

void joule_barriers_finish(struct joule_barriers *b)
{
	free(b->ranges);
	memset(b, 0, sizeof(*b));
}

void joule_barriers_reset(struct joule_barriers *b)
{
	b->n = 0;
}

static bool conflict(const struct joule_range *a, const struct joule_range *b)
{
	return a->space == b->space && a->start < b->end && b->start < a->end &&
	       ((a->access | b->access) & JOULE_WRITE);
}

int joule_barriers_add(struct joule_barriers *b, const struct joule_range *ranges, int n)
{
	int barrier = 0;

	for (int i = 0; i < b->n && !barrier; i++)
		for (int j = 0; j < n && !barrier; j++)
			barrier = conflict(&b->ranges[i], &ranges[j]);
	if (barrier)
		b->n = 0;
	if (b->n + n > b->cap) {
		int cap = (b->n + n) * 2;
		struct joule_range *fresh;

		fresh = realloc(b->ranges, (size_t)cap * sizeof(*fresh));
		if (!fresh)
			return -ENOMEM;
		b->ranges = fresh;
		b->cap = cap;
	}
	if (n)
		memcpy(&b->ranges[b->n], ranges, (size_t)n * sizeof(*ranges));
	b->n += n;
	return barrier;
}
