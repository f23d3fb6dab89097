/* SPDX-License-Identifier: MIT */
/* Placing buffers with lifetimes into one arena. Pure arithmetic. */
#ifndef JOULE_PLAN_MEMORY_H
#define JOULE_PLAN_MEMORY_H

#include <stdint.h>

struct joule_extent {
	uint64_t bytes;  /* rounded up to align by the caller */
	int first, last; /* alive from first to last, both included */
	uint64_t offset; /* out */
};

/*
 * Gives every extent an offset such that no two alive together overlap; *size
 * is the arena's. Tries several orders and keeps the best. -ENOMEM.
 */
int joule_memory_place(struct joule_extent *extents, int n, uint64_t *size);

/* The largest sum of bytes alive at once: no placement can be smaller. */
uint64_t joule_memory_lower_bound(const struct joule_extent *extents, int n);

/* The pair that overlaps in time and place, if any: 1 and *a, *b; else 0. */
int joule_memory_overlap(const struct joule_extent *extents, int n, int *a, int *b);

#endif
