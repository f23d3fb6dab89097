// SPDX-License-Identifier: MIT
#include "ops/resize_axis.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/checked.h"

/* Where output coordinate x lies in the input. */
static double source_of(const struct joule_resize_axis *a, const struct joule_resize_params *p,
			int64_t x)
{
	double in = (double)a->in, length = a->scale * in, v;

	switch (p->coord) {
	case JOULE_COORD_ALIGN_CORNERS:
		return length == 1 ? 0 : (double)x * (in - 1) / (length - 1);
	case JOULE_COORD_ASYMMETRIC:
		return (double)x / a->scale;
	case JOULE_COORD_TF_HALF_PIXEL_FOR_NN:
		return ((double)x + 0.5) / a->scale;
	case JOULE_COORD_TF_CROP_AND_RESIZE:
		if (a->out == 1)
			v = (a->roi_end - a->roi_start) * (in - 1) / 2;
		else
			v = (double)x * (a->roi_end - a->roi_start) * (in - 1) /
			    (double)(a->out - 1);
		return v + a->roi_start * (in - 1);
	case JOULE_COORD_PYTORCH_HALF_PIXEL:
		return a->out == 1 ? 0 : ((double)x + 0.5) / a->scale - 0.5;
	case JOULE_COORD_HALF_PIXEL_SYMMETRIC:
		/* The centres of both meet, also where the length was rounded. */
		return in / 2 * (1 - (double)a->out / length) + ((double)x + 0.5) / a->scale - 0.5;
	case JOULE_COORD_HALF_PIXEL:
		break;
	}
	return ((double)x + 0.5) / a->scale - 0.5;
}

static int64_t nearest(double x, enum joule_resize_round round)
{
	switch (round) {
	case JOULE_ROUND_PREFER_FLOOR:
		return (int64_t)ceil(x - 0.5);
	case JOULE_ROUND_PREFER_CEIL:
		return (int64_t)floor(x + 0.5);
	case JOULE_ROUND_FLOOR:
		return (int64_t)floor(x);
	case JOULE_ROUND_CEIL:
		break;
	}
	return (int64_t)ceil(x);
}

/* The filter at distance x, in units of input pixels. */
static double filter(const struct joule_resize_params *p, double x)
{
	double a = p->cubic_a;

	x = fabs(x);
	if (p->mode == JOULE_RESIZE_LINEAR)
		return x < 1 ? 1 - x : 0;
	if (x <= 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

bool joule_resize_axis_plain(const struct joule_resize_axis *a,
			     const struct joule_resize_params *p)
{
	if (p->coord == JOULE_COORD_TF_CROP_AND_RESIZE &&
	    (a->roi_start != 0 || a->roi_end != 1))
		return false;
	return a->in == a->out && a->scale == 1;
}

static int64_t clamp(int64_t v, int64_t n)
{
	return v < 0 ? 0 : v >= n ? n - 1 : v;
}

static void make_taps(struct joule_resize_axis *a, const struct joule_resize_params *p, int64_t o,
		      double stretch)
{
	int32_t *index = a->index + o * a->taps;
	double *weight = a->weight + o * a->taps, x = source_of(a, p, o), sum = 0;
	/* Of the two pixels around x; x itself is the right one. */
	int64_t base = (int64_t)ceil(x) - 1;
	int64_t first = base + 1 - a->taps / 2;

	if (p->coord == JOULE_COORD_TF_CROP_AND_RESIZE && (x < 0 || x > (double)(a->in - 1))) {
		for (int t = 0; t < a->taps; t++)
			index[t] = -1;
		return;
	}
	if (p->mode == JOULE_RESIZE_NEAREST) {
		index[0] = (int32_t)clamp(nearest(x, p->round), a->in);
		weight[0] = 1;
		return;
	}
	for (int t = 0; t < a->taps; t++) {
		int64_t i = first + t;

		index[t] = (int32_t)clamp(i, a->in);
		weight[t] = filter(p, ((double)i - x) * stretch);
		if (p->exclude_outside && (i < 0 || i >= a->in))
			weight[t] = 0;
		sum += weight[t];
	}
	for (int t = 0; t < a->taps && (p->antialias || p->exclude_outside) && sum != 0; t++)
		weight[t] /= sum;
}

int joule_resize_axis_make(struct joule_resize_axis *a, const struct joule_resize_params *p)
{
	double stretch = p->antialias && a->scale < 1 ? a->scale : 1;
	double reach = p->mode == JOULE_RESIZE_CUBIC ? 2 : 1, half;
	int64_t n;

	/* Taps are symmetric about the gap that x lies in. */
	half = -floor(-reach / stretch);
	if (!(half < 1 << 20) || a->in > INT32_MAX)
		return -EOVERFLOW;
	a->taps = p->mode == JOULE_RESIZE_NEAREST ? 1 : 2 * (int)half;
	if (!joule_mul_i64(a->out, a->taps, &n) || n > INT32_MAX)
		return -EOVERFLOW;
	a->index = calloc((size_t)n, sizeof(*a->index));
	a->weight = calloc((size_t)n, sizeof(*a->weight));
	if (!a->index || !a->weight)
		return -ENOMEM;
	for (int64_t o = 0; o < a->out; o++)
		make_taps(a, p, o, stretch);
	return 0;
}

void joule_resize_axis_finish(struct joule_resize_axis *a)
{
	free(a->index);
	free(a->weight);
	a->index = NULL;
	a->weight = NULL;
}
