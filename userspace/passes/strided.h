/* SPDX-License-Identifier: MIT */
/* What reshapes and transposes make of a tensor, as strides. Internal to passes/. */
#ifndef JOULE_PASSES_STRIDED_H
#define JOULE_PASSES_STRIDED_H

#include "ir/graph.h"

/* Elements of source, seen as dims[] with strides[]; the strides of unit dimensions mean nothing. */
struct joule_strided {
	struct joule_tensor *source;
	int rank;
	int64_t dims[JOULE_MAX_RANK], strides[JOULE_MAX_RANK];
	double factor; /* of products with scalar constants on the way */
};

/*
 * t seen as dims[], from as far up as views, transposes and products with
 * scalar constants lead. Falls back on t itself. False if the dims are not t's
 * number of elements, or shapes are open.
 */
bool joule_strided_trace(struct joule_tensor *t, const int64_t *dims, int rank,
			 struct joule_strided *out);

/* Are the strides those? Unit dimensions may have any. */
bool joule_strided_is(const struct joule_strided *s, const int64_t *strides);

#endif
