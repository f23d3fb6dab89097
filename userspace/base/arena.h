/* SPDX-License-Identifier: MIT */
/*
 * Memory that lives and dies together: a chain of blocks, freed at once. One
 * thread at a time. Blocks are zeroed and aligned for any type.
 */
#ifndef JOULE_BASE_ARENA_H
#define JOULE_BASE_ARENA_H

#include <stddef.h>

struct joule_arena_block;

struct joule_arena {
	struct joule_arena_block *head;
};

void joule_arena_init(struct joule_arena *arena);
void joule_arena_finish(struct joule_arena *arena);

/* Zeroed memory, or NULL when there is none (or bytes is absurd). */
void *joule_arena_alloc(struct joule_arena *arena, size_t bytes);

/* n * size with the product checked. */
void *joule_arena_array(struct joule_arena *arena, size_t n, size_t size);

/* Copies; NULL when out of memory. The string form takes a length. */
void *joule_arena_dup(struct joule_arena *arena, const void *data, size_t bytes);
char *joule_arena_strndup(struct joule_arena *arena, const char *s, size_t len);
char *joule_arena_strdup(struct joule_arena *arena, const char *s);

__attribute__((format(printf, 2, 3))) char *joule_arena_printf(struct joule_arena *arena,
							       const char *fmt, ...);

#endif
