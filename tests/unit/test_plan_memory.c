// SPDX-License-Identifier: MIT
/* The planner's arithmetic: placement on random lives, barriers on ranges. */
#include "hal/dispatch.h"
#include "plan/barrier.h"
#include "plan/memory.h"
#include "test.h"

static uint32_t state = 12345;

static uint32_t rnd(uint32_t n)
{
	state = state * 1664525 + 1013904223;
	return (state >> 8) % n;
}

static void check_random(int n, int steps, double most)
{
	struct joule_extent *e = calloc((size_t)n, sizeof(*e));
	uint64_t size, bound;
	int a, b;

	CHECK(e);
	for (int i = 0; i < n; i++) {
		e[i].bytes = 64 * (1 + rnd(1000));
		e[i].first = (int)rnd((uint32_t)steps);
		e[i].last = e[i].first + (int)rnd(6);
	}
	CHECK_EQ(joule_memory_place(e, n, &size), 0);
	CHECK(!joule_memory_overlap(e, n, &a, &b));
	bound = joule_memory_lower_bound(e, n);
	CHECK(size >= bound);
	CHECK((double)size <= most * (double)bound);
	for (int i = 0; i < n; i++)
		CHECK(e[i].offset % 64 == 0 && e[i].offset + e[i].bytes <= size);
	free(e);
}

/* A chain keeps two buffers alive at a time: the bound has to be met exactly. */
static void check_chain(void)
{
	struct joule_extent e[50];
	uint64_t size;

	for (int i = 0; i < 50; i++)
		e[i] = (struct joule_extent){ .bytes = 64 * (uint64_t)(1 + i % 7),
					      .first = i,
					      .last = i + 1 };
	CHECK_EQ(joule_memory_place(e, 50, &size), 0);
	CHECK_EQ(size, joule_memory_lower_bound(e, 50));
	CHECK_EQ(joule_memory_place(e, 0, &size), 0);
	CHECK_EQ(size, 0);
}

static int add(struct joule_barriers *b, uint32_t space, uint64_t start, uint64_t end,
	       uint8_t access)
{
	struct joule_range r = { .space = space, .start = start, .end = end, .access = access };

	return joule_barriers_add(b, &r, 1);
}

static void check_barriers(void)
{
	struct joule_barriers b;

	joule_barriers_init(&b);
	CHECK_EQ(add(&b, 1, 0, 64, JOULE_WRITE), 0);
	CHECK_EQ(add(&b, 1, 64, 128, JOULE_WRITE), 0); /* beside it */
	CHECK_EQ(add(&b, 2, 0, 64, JOULE_WRITE), 0);   /* elsewhere */
	CHECK_EQ(add(&b, 1, 32, 48, JOULE_READ), 1);   /* read after write */
	CHECK_EQ(add(&b, 1, 64, 128, JOULE_READ), 0);  /* waited for already */
	CHECK_EQ(add(&b, 1, 32, 48, JOULE_READ), 0);   /* two readers */
	CHECK_EQ(add(&b, 1, 0, 64, JOULE_WRITE), 1);   /* write after read */
	CHECK_EQ(add(&b, 1, 63, 64, JOULE_WRITE), 1);  /* write after write */
	joule_barriers_reset(&b);
	CHECK_EQ(add(&b, 1, 0, 64, JOULE_READ | JOULE_WRITE), 0);
	CHECK_EQ(add(&b, 1, 0, 64, JOULE_READ), 1);
	joule_barriers_finish(&b);
}

int main(void)
{
	check_chain();
	check_barriers();
	for (int i = 0; i < 30; i++)
		check_random(1 + (int)rnd(120), 100, 1.15);
	check_random(600, 400, 1.15);
	return 0;
}
