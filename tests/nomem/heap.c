// SPDX-License-Identifier: MIT
#include "heap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Sessions have threads of their own. */
static atomic_bool watched, failing, once_only, failed;
static atomic_long left, live, made;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
char *__real_realpath(const char *path, char *resolved);
void __real_free(void *p);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
char *__wrap_realpath(const char *path, char *resolved);
int __wrap_asprintf(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void __wrap_free(void *p);

static bool fails(void)
{
	long at;

	if (!atomic_load(&failing))
		return false;
	at = atomic_fetch_sub(&left, 1);
	if (at > 0 || (at < 0 && atomic_load(&once_only)))
		return false;
	atomic_store(&failed, true);
	errno = ENOMEM;
	return true;
}

static void *count(void *p)
{
	if (p && atomic_load(&watched)) {
		atomic_fetch_add(&live, 1);
		atomic_fetch_add(&made, 1);
	}
	return p;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : count(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
	void *q;

	if (fails())
		return NULL;
	q = __real_realloc(p, n);
	/* A block that only changed its size was counted before. */
	return p ? q : count(q);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : count(__real_aligned_alloc(align, n));
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : count(__real_strdup(s));
}

char *__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : count(__real_strndup(s, n));
}

char *__wrap_realpath(const char *path, char *resolved)
{
	return fails() ? NULL : count(__real_realpath(path, resolved));
}

int __wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int ret;

	if (fails())
		return -1;
	va_start(ap, fmt);
	ret = vasprintf(out, fmt, ap);
	va_end(ap);
	if (ret >= 0)
		count(*out);
	return ret;
}

void __wrap_free(void *p)
{
	if (p && atomic_load(&watched))
		atomic_fetch_sub(&live, 1);
	__real_free(p);
}

void heap_watch(void)
{
	atomic_store(&failing, false);
	atomic_store(&live, 0);
	atomic_store(&made, 0);
	atomic_store(&watched, true);
}

void heap_fail(long n, bool once)
{
	atomic_store(&left, n);
	atomic_store(&once_only, once);
	atomic_store(&failed, false);
	atomic_store(&failing, true);
}

bool heap_succeed(void)
{
	atomic_store(&failing, false);
	return atomic_load(&failed);
}

long heap_end(void)
{
	atomic_store(&watched, false);
	return atomic_load(&live);
}

long heap_made(void)
{
	return atomic_load(&made);
}
