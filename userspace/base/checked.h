/* SPDX-License-Identifier: MIT */
/* Checked arithmetic: each returns false and leaves *out alone on overflow. */
#ifndef JOULE_BASE_CHECKED_H
#define JOULE_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool joule_mul_i64(int64_t a, int64_t b, int64_t *out)
{
	int64_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline bool joule_add_i64(int64_t a, int64_t b, int64_t *out)
{
	int64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline bool joule_mul_size(size_t a, size_t b, size_t *out)
{
	size_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline bool joule_add_size(size_t a, size_t b, size_t *out)
{
	size_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

#define JOULE_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define JOULE_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define JOULE_MAX(a, b)    ((a) > (b) ? (a) : (b))
#define JOULE_DIV_UP(a, b) (((a) + (b)-1) / (b))
#define JOULE_ALIGN_UP(a, b) (JOULE_DIV_UP(a, b) * (b))

#endif
