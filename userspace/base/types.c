// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include <joule/types.h>

#include "base/checked.h"

static const struct {
	const char *name;
	unsigned int bits;
} dtypes[JOULE_DTYPE_COUNT] = {
	[JOULE_DTYPE_NONE] = { "none", 0 },
	[JOULE_F32] = { "f32", 32 },   [JOULE_F16] = { "f16", 16 },   [JOULE_BF16] = { "bf16", 16 },
	[JOULE_F64] = { "f64", 64 },   [JOULE_I8] = { "i8", 8 },      [JOULE_U8] = { "u8", 8 },
	[JOULE_I16] = { "i16", 16 },   [JOULE_U16] = { "u16", 16 },   [JOULE_I32] = { "i32", 32 },
	[JOULE_U32] = { "u32", 32 },   [JOULE_I64] = { "i64", 64 },   [JOULE_U64] = { "u64", 64 },
	[JOULE_BOOL] = { "bool", 8 },  [JOULE_I4] = { "i4", 4 },      [JOULE_U4] = { "u4", 4 },
};

const char *joule_dtype_name(enum joule_dtype dtype)
{
	return (unsigned int)dtype < JOULE_DTYPE_COUNT ? dtypes[dtype].name : "none";
}

unsigned int joule_dtype_bits(enum joule_dtype dtype)
{
	return (unsigned int)dtype < JOULE_DTYPE_COUNT ? dtypes[dtype].bits : 0;
}

enum joule_dtype joule_dtype_parse(const char *name)
{
	for (int i = 1; i < JOULE_DTYPE_COUNT; i++)
		if (!strcmp(dtypes[i].name, name))
			return (enum joule_dtype)i;
	return JOULE_DTYPE_NONE;
}

int64_t joule_shape_count(const struct joule_shape *shape)
{
	bool overflow = false;
	int64_t n = 1;

	if (shape->rank < 0 || shape->rank > JOULE_MAX_RANK)
		return -1;
	for (int i = 0; i < shape->rank; i++) {
		if (shape->dims[i] < 0)
			return -1;
		/* [huge, huge, 0] is empty, whatever its other factors make. */
		if (!shape->dims[i])
			return 0;
		overflow |= !joule_mul_i64(n, shape->dims[i], &n);
	}
	return overflow ? -1 : n;
}

bool joule_shape_equal(const struct joule_shape *a, const struct joule_shape *b)
{
	if (a->rank < 0 || a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dims[i] != b->dims[i])
			return false;
	return true;
}

char *joule_shape_str(const struct joule_shape *shape, char *buf, size_t size)
{
	size_t at = 0;

	if (!size)
		return buf;
	if (shape->rank < 0) {
		snprintf(buf, size, "[?...]");
		return buf;
	}
	for (int i = -1; i <= shape->rank && at < size; i++) {
		int n;

		if (i < 0)
			n = snprintf(buf + at, size - at, "[");
		else if (i == shape->rank)
			n = snprintf(buf + at, size - at, "]");
		else if (shape->dims[i] < 0)
			n = snprintf(buf + at, size - at, i ? ",?" : "?");
		else
			n = snprintf(buf + at, size - at, i ? ",%lld" : "%lld",
				     (long long)shape->dims[i]);
		at += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

int64_t joule_array_bytes(enum joule_dtype dtype, const struct joule_shape *shape)
{
	int64_t n = joule_shape_count(shape), bits = joule_dtype_bits(dtype);

	if (n < 0 || !bits || !joule_mul_i64(n, bits, &n) || !joule_add_i64(n, 7, &n))
		return -1;
	return n / 8;
}
