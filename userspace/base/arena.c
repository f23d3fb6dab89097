// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define ARENA_ALIGN 64
/* A first block for the many small arenas, then doubling. */
#define ARENA_FIRST_BYTES (4 * 1024 - 128)
#define ARENA_BLOCK_BYTES (64 * 1024 - 128)

struct joule_arena_block {
	struct joule_arena_block *next;
	void *start; /* what calloc() gave */
	size_t used, size;
	_Alignas(ARENA_ALIGN) unsigned char data[];
};

void joule_arena_init(struct joule_arena *arena)
{
	arena->head = NULL;
}

void joule_arena_finish(struct joule_arena *arena)
{
	struct joule_arena_block *b = arena->head, *next;

	for (; b; b = next) {
		next = b->next;
		free(b->start);
	}
	arena->head = NULL;
}

/* calloc() knows of pages that are zero anyway, and does not touch them. */
static struct joule_arena_block *block_create(size_t size)
{
	struct joule_arena_block *b;
	size_t total;
	void *start;

	if (!joule_add_size(size, sizeof(*b) + ARENA_ALIGN, &total))
		return NULL;
	start = calloc(1, total);
	if (!start)
		return NULL;
	b = (void *)JOULE_ALIGN_UP((uintptr_t)start, ARENA_ALIGN);
	b->start = start;
	b->size = size;
	return b;
}

void *joule_arena_alloc(struct joule_arena *arena, size_t bytes)
{
	/* Small objects need 16; buffers of a cache line or more get a line. */
	size_t align = bytes >= ARENA_ALIGN ? ARENA_ALIGN : 16;
	struct joule_arena_block *b = arena->head;
	size_t at;

	if (bytes > SIZE_MAX / 2)
		return NULL;
	at = b ? JOULE_ALIGN_UP(b->used, align) : 0;
	if (!b || at > b->size || bytes > b->size - at) {
		size_t size = b ? JOULE_MIN(b->size * 2, (size_t)ARENA_BLOCK_BYTES) :
				  (size_t)ARENA_FIRST_BYTES;
		struct joule_arena_block *fresh;

		fresh = block_create(JOULE_MAX(bytes, size));
		if (!fresh)
			return NULL;
		/* A big object must not hide the room left in the current block. */
		if (b && bytes > size / 2) {
			fresh->next = b->next;
			b->next = fresh;
		} else {
			fresh->next = b;
			arena->head = fresh;
		}
		b = fresh;
		at = 0;
	}
	b->used = at + bytes;
	return b->data + at;
}

void *joule_arena_array(struct joule_arena *arena, size_t n, size_t size)
{
	size_t bytes;

	if (!joule_mul_size(n, size, &bytes))
		return NULL;
	return joule_arena_alloc(arena, bytes);
}

void *joule_arena_dup(struct joule_arena *arena, const void *data, size_t bytes)
{
	void *p = joule_arena_alloc(arena, bytes);

	if (p && bytes)
		memcpy(p, data, bytes);
	return p;
}

char *joule_arena_strndup(struct joule_arena *arena, const char *s, size_t len)
{
	char *p;

	if (len == SIZE_MAX)
		return NULL;
	p = joule_arena_alloc(arena, len + 1);
	if (p && len)
		memcpy(p, s, len);
	return p;
}

char *joule_arena_strdup(struct joule_arena *arena, const char *s)
{
	return joule_arena_strndup(arena, s, strlen(s));
}

char *joule_arena_printf(struct joule_arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	p = joule_arena_alloc(arena, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
