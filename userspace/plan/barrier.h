/* SPDX-License-Identifier: MIT */
/* Which launches must wait for earlier ones. Pure arithmetic on ranges. */
#ifndef JOULE_PLAN_BARRIER_H
#define JOULE_PLAN_BARRIER_H

#include <stdbool.h>
#include <stdint.h>

struct joule_range {
	uint32_t space; /* ranges of different spaces never meet */
	uint64_t start, end;
	uint8_t access; /* enum joule_access */
};

struct joule_barriers {
	int n, cap;
	struct joule_range *ranges; /* touched since the last barrier */
};

void joule_barriers_init(struct joule_barriers *b);
void joule_barriers_finish(struct joule_barriers *b);

/* Everything before is done: the start of a recording. */
void joule_barriers_reset(struct joule_barriers *b);

/*
 * A launch touches these ranges. 1 when a barrier has to go before it (read
 * after write, write after read, write after write); 0 when not; -ENOMEM.
 */
int joule_barriers_add(struct joule_barriers *b, const struct joule_range *ranges, int n);

#endif
