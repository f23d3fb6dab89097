// SPDX-License-Identifier: MIT
#include "compare.h"

#include <math.h>
#include <string.h>

static double from_half(uint16_t h)
{
	int exp = h >> 10 & 31, man = h & 1023;
	double v = exp == 31 ? (man ? NAN : INFINITY) :
		   exp	     ? ldexp(1024 + man, exp - 25) :
			       ldexp(man, -24);

	return h & 0x8000 ? -v : v;
}

static double from_bf16(uint16_t h)
{
	uint32_t u = (uint32_t)h << 16;
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

double view_get(const struct joule_view *view, int64_t i)
{
	const void *p = view->data;
	int nibble;

	switch (view->dtype) {
	case JOULE_F32:
		return ((const float *)p)[i];
	case JOULE_F64:
		return ((const double *)p)[i];
	case JOULE_F16:
		return from_half(((const uint16_t *)p)[i]);
	case JOULE_BF16:
		return from_bf16(((const uint16_t *)p)[i]);
	case JOULE_I8:
		return ((const int8_t *)p)[i];
	case JOULE_U8:
	case JOULE_BOOL:
		return ((const uint8_t *)p)[i];
	case JOULE_I16:
		return ((const int16_t *)p)[i];
	case JOULE_U16:
		return ((const uint16_t *)p)[i];
	case JOULE_I32:
		return ((const int32_t *)p)[i];
	case JOULE_U32:
		return ((const uint32_t *)p)[i];
	case JOULE_I64:
		return (double)((const int64_t *)p)[i];
	case JOULE_U64:
		return (double)((const uint64_t *)p)[i];
	case JOULE_I4:
	case JOULE_U4:
		nibble = ((const uint8_t *)p)[i / 2] >> (i & 1 ? 4 : 0) & 15;
		return view->dtype == JOULE_I4 ? (nibble ^ 8) - 8 : nibble;
	case JOULE_DTYPE_NONE:
	case JOULE_DTYPE_COUNT:
		break;
	}
	return NAN;
}

static bool is_float(enum joule_dtype dtype)
{
	return dtype == JOULE_F32 || dtype == JOULE_F64 || dtype == JOULE_F16 ||
	       dtype == JOULE_BF16;
}

static int64_t top1(const struct joule_view *view, int64_t count)
{
	int64_t best = 0;

	for (int64_t i = 1; i < count; i++)
		if (view_get(view, i) > view_get(view, best))
			best = i;
	return best;
}

void compare_views(const struct joule_view *got, const struct joule_view *expected,
		   const struct compare_params *params, struct compare_result *r)
{
	double lo = INFINITY, hi = -INFINITY, sum = 0;
	bool exact = !is_float(expected->dtype);

	memset(r, 0, sizeof(*r));
	if (got->dtype != expected->dtype &&
	    !(params->any_float && is_float(got->dtype) && is_float(expected->dtype))) {
		r->why = "element types differ";
		return;
	}
	if (!joule_shape_equal(&got->shape, &expected->shape)) {
		r->why = "shapes differ";
		return;
	}
	r->count = joule_shape_count(&expected->shape);
	for (int64_t i = 0; i < r->count; i++) {
		double want = view_get(expected, i), have = view_get(got, i);
		double err = fabs(have - want);

		if (isfinite(want)) {
			lo = fmin(lo, want);
			hi = fmax(hi, want);
		}
		if (have == want || (isnan(have) && isnan(want))) {
			r->equal++;
			continue;
		}
		if (isnan(err))
			err = INFINITY;
		sum += err;
		r->outside += err > (exact ? 0 : params->atol + params->rtol * fabs(want));
		if (err > r->max_abs) {
			r->max_abs = err;
			r->worst = i;
			r->got = have;
			r->expected = want;
		}
	}
	r->mean_abs = r->count ? sum / (double)r->count : 0;
	r->max_range = !r->max_abs ? 0 : hi > lo ? r->max_abs / (hi - lo) : INFINITY;
	r->passed = !r->outside || (!exact && r->max_range <= params->range_tol);
	if (params->min_equal_percent > 0)
		r->passed = r->count == 0 || 100.0 * (double)r->equal / (double)r->count >=
						     params->min_equal_percent;
	if (params->same_top1) {
		r->top1_differs = top1(got, r->count) != top1(expected, r->count);
		r->passed &= !r->top1_differs;
	}
}
