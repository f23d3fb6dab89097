/* SPDX-License-Identifier: MIT */
/* Error statistics of one tensor against the expected one. */
#ifndef TOOLS_JOULE_COMPARE_H
#define TOOLS_JOULE_COMPARE_H

#include <joule/types.h>

/*
 * A tensor passes when each element is within atol + rtol * |expected|, or
 * when the largest error is within range_tol of the expected tensor's range
 * (max - min of its finite values). NaN matches NaN, infinities their like.
 */
struct compare_params {
	double rtol, atol, range_tol;
	/*
	 * For quantized results, which may differ by a step here and there: if
	 * not 0, this share of elements must be equal, and that is all.
	 */
	double min_equal_percent;
	bool same_top1; /* the largest element must be in the same place */
	bool any_float; /* floating-point types of different widths are compared by value */
};

struct compare_result {
	bool passed;
	const char *why;       /* set when types or shapes differ: nothing was compared */
	int64_t count, equal, outside; /* elements: all, bit for bit, beyond the tolerance */
	double max_abs, mean_abs, max_range; /* the last as a share of the range */
	int64_t worst;         /* index of the largest error */
	double got, expected;  /* there */
	bool top1_differs;
};

void compare_views(const struct joule_view *got, const struct joule_view *expected,
		   const struct compare_params *params, struct compare_result *out);

/* Element i as double, whatever the type. */
double view_get(const struct joule_view *view, int64_t i);

#endif
