// SPDX-License-Identifier: MIT
#include "ir/access.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/half.h"

static int nibble(const void *data, int64_t i)
{
	return ((const uint8_t *)data)[i / 2] >> (i & 1 ? 4 : 0) & 15;
}

double joule_get_f64(enum joule_dtype dtype, const void *data, int64_t i)
{
	switch (dtype) {
	case JOULE_F32:
		return ((const float *)data)[i];
	case JOULE_F64:
		return ((const double *)data)[i];
	case JOULE_F16:
		return joule_f32_from_f16(((const uint16_t *)data)[i]);
	case JOULE_BF16:
		return joule_f32_from_bf16(((const uint16_t *)data)[i]);
	case JOULE_U64:
		return (double)((const uint64_t *)data)[i];
	default:
		return (double)joule_get_i64(dtype, data, i);
	}
}

int64_t joule_get_i64(enum joule_dtype dtype, const void *data, int64_t i)
{
	double v;

	switch (dtype) {
	case JOULE_I64:
	case JOULE_U64:
		return ((const int64_t *)data)[i];
	case JOULE_I32:
		return ((const int32_t *)data)[i];
	case JOULE_U32:
		return ((const uint32_t *)data)[i];
	case JOULE_I16:
		return ((const int16_t *)data)[i];
	case JOULE_U16:
		return ((const uint16_t *)data)[i];
	case JOULE_I8:
		return ((const int8_t *)data)[i];
	case JOULE_U8:
	case JOULE_BOOL:
		return ((const uint8_t *)data)[i];
	case JOULE_U4:
		return nibble(data, i);
	case JOULE_I4:
		return (nibble(data, i) ^ 8) - 8;
	case JOULE_F32:
	case JOULE_F64:
	case JOULE_F16:
	case JOULE_BF16:
		v = joule_get_f64(dtype, data, i);
		if (isnan(v))
			return 0;
		if (v >= 0x1p63)
			return INT64_MAX;
		return v < -0x1p63 ? INT64_MIN : (int64_t)v;
	case JOULE_DTYPE_NONE:
	case JOULE_DTYPE_COUNT:
		break;
	}
	return 0;
}

void joule_set_i64(enum joule_dtype dtype, void *data, int64_t i, int64_t v)
{
	uint8_t *byte;

	switch (dtype) {
	case JOULE_I64:
	case JOULE_U64:
		((int64_t *)data)[i] = v;
		break;
	case JOULE_I32:
	case JOULE_U32:
		((uint32_t *)data)[i] = (uint32_t)v;
		break;
	case JOULE_I16:
	case JOULE_U16:
		((uint16_t *)data)[i] = (uint16_t)v;
		break;
	case JOULE_I8:
	case JOULE_U8:
		((uint8_t *)data)[i] = (uint8_t)v;
		break;
	case JOULE_BOOL:
		((uint8_t *)data)[i] = v != 0;
		break;
	case JOULE_I4:
	case JOULE_U4:
		byte = (uint8_t *)data + i / 2;
		*byte = i & 1 ? (uint8_t)((*byte & 15) | (v & 15) << 4) :
				(uint8_t)((*byte & 0xf0) | (v & 15));
		break;
	default:
		joule_set_f64(dtype, data, i, (double)v);
	}
}

/* Lowest and highest value of an integer type, as doubles. */
static void int_range(enum joule_dtype dtype, double *lo, double *hi)
{
	int bits = (int)joule_dtype_bits(dtype);

	if (joule_dtype_is_unsigned(dtype)) {
		*lo = 0;
		*hi = ldexp(1, bits) - 1;
	} else {
		*lo = -ldexp(1, bits - 1);
		*hi = ldexp(1, bits - 1) - 1;
	}
}

void joule_set_f64(enum joule_dtype dtype, void *data, int64_t i, double v)
{
	double lo, hi;

	switch (dtype) {
	case JOULE_F32:
		((float *)data)[i] = (float)v;
		return;
	case JOULE_F64:
		((double *)data)[i] = v;
		return;
	case JOULE_F16:
		((uint16_t *)data)[i] = joule_f16_from_f64(v);
		return;
	case JOULE_BF16:
		((uint16_t *)data)[i] = joule_bf16_from_f32((float)v);
		return;
	case JOULE_BOOL:
		((uint8_t *)data)[i] = v != 0;
		return;
	default:
		break;
	}
	int_range(dtype, &lo, &hi);
	if (isnan(v))
		v = 0;
	v = trunc(v);
	/* 2^63 - 1 and 2^64 - 1 are no doubles: compare before converting. */
	if (dtype == JOULE_U64)
		((uint64_t *)data)[i] = v <= 0 ? 0 : v >= 0x1p64 ? UINT64_MAX : (uint64_t)v;
	else if (dtype == JOULE_I64)
		((int64_t *)data)[i] = v >= 0x1p63 ? INT64_MAX :
				       v < -0x1p63 ? INT64_MIN :
						     (int64_t)v;
	else
		joule_set_i64(dtype, data, i, (int64_t)(v < lo ? lo : v > hi ? hi : v));
}

bool joule_dtype_is_float(enum joule_dtype dtype)
{
	return dtype == JOULE_F32 || dtype == JOULE_F16 || dtype == JOULE_BF16 ||
	       dtype == JOULE_F64;
}

bool joule_dtype_is_unsigned(enum joule_dtype dtype)
{
	return dtype == JOULE_U8 || dtype == JOULE_U16 || dtype == JOULE_U32 ||
	       dtype == JOULE_U64 || dtype == JOULE_U4;
}

bool joule_dtype_is_int(enum joule_dtype dtype)
{
	return dtype != JOULE_DTYPE_NONE && dtype != JOULE_BOOL && !joule_dtype_is_float(dtype);
}

int joule_tensor_ints(const struct joule_tensor *t, int64_t *out, int max)
{
	int64_t n;

	if (!t->data)
		return -ENODATA;
	n = joule_tensor_count(t);
	if (t->shape.rank > 1 || n < 0 || n > max ||
	    (!joule_dtype_is_int(t->dtype) && t->dtype != JOULE_BOOL))
		return -EINVAL;
	for (int i = 0; i < n; i++)
		out[i] = joule_get_i64(t->dtype, t->data, i);
	return (int)n;
}

bool joule_shape_plausible(const struct joule_shape *shape)
{
	int64_t n = 1;

	for (int i = 0; i < shape->rank; i++)
		if (shape->dims[i] > 0 && (!joule_mul_i64(n, shape->dims[i], &n) || n >= 1ll << 48))
			return false;
	return true;
}

void joule_shape_strides(const struct joule_shape *shape, int64_t *strides)
{
	int64_t s = 1;

	for (int i = shape->rank - 1; i >= 0; i--) {
		strides[i] = s;
		s *= shape->dims[i];
	}
}

int joule_shape_broadcast(const struct joule_shape *a, const struct joule_shape *b,
			  struct joule_shape *out)
{
	struct joule_shape r = { .rank = a->rank > b->rank ? a->rank : b->rank };

	for (int i = 0; i < r.rank; i++) {
		int ia = i - (r.rank - a->rank), ib = i - (r.rank - b->rank);
		int64_t da = ia >= 0 ? a->dims[ia] : 1, db = ib >= 0 ? b->dims[ib] : 1;

		if (da != db && da != 1 && db != 1)
			return -EINVAL;
		r.dims[i] = da == 1 ? db : da;
	}
	*out = r;
	return 0;
}

void joule_broadcast_strides(const struct joule_shape *from, const struct joule_shape *to,
			     int64_t *strides)
{
	int64_t own[JOULE_MAX_RANK];

	joule_shape_strides(from, own);
	for (int i = 0; i < to->rank; i++) {
		int j = i - (to->rank - from->rank);

		strides[i] = j < 0 || from->dims[j] == 1 ? 0 : own[j];
	}
}

int joule_node_axis(const struct joule_node *node, int64_t axis, int rank)
{
	if (axis < -rank || axis >= rank)
		return joule_node_err(node, -EINVAL, "axis %lld is outside [%d, %d]",
				      (long long)axis, -rank, rank - 1);
	return (int)(axis < 0 ? axis + rank : axis);
}
