/* SPDX-License-Identifier: MIT */
/*
 * Resizing one axis: for each output coordinate the input coordinates that it
 * is made of, and their weights.
 */
#ifndef JOULE_OPS_RESIZE_AXIS_H
#define JOULE_OPS_RESIZE_AXIS_H

#include "ir/graph.h"

enum joule_resize_mode { JOULE_RESIZE_NEAREST, JOULE_RESIZE_LINEAR, JOULE_RESIZE_CUBIC };

enum joule_resize_coord {
	JOULE_COORD_HALF_PIXEL,
	JOULE_COORD_ALIGN_CORNERS,
	JOULE_COORD_ASYMMETRIC,
	JOULE_COORD_TF_HALF_PIXEL_FOR_NN,
	JOULE_COORD_TF_CROP_AND_RESIZE,
	JOULE_COORD_PYTORCH_HALF_PIXEL,
	JOULE_COORD_HALF_PIXEL_SYMMETRIC,
};

enum joule_resize_round {
	JOULE_ROUND_PREFER_FLOOR,
	JOULE_ROUND_PREFER_CEIL,
	JOULE_ROUND_FLOOR,
	JOULE_ROUND_CEIL,
};

struct joule_resize_params {
	enum joule_resize_mode mode;
	enum joule_resize_coord coord;
	enum joule_resize_round round; /* of nearest */
	float cubic_a;
	bool exclude_outside, antialias;
};

/*
 * taps inputs for each output; index[o * taps + t] is -1 (in all of an output's
 * taps) where it lies outside the region and gets the extrapolation value.
 */
struct joule_resize_axis {
	int64_t in, out;
	double scale;
	double roi_start, roi_end;
	int taps;
	int32_t *index;
	double *weight;
};

/*
 * Fills taps, index and weight from the rest. in and out are at least 1.
 * -ENOMEM; -EOVERFLOW when a filter would be absurdly long.
 */
int joule_resize_axis_make(struct joule_resize_axis *axis, const struct joule_resize_params *p);
void joule_resize_axis_finish(struct joule_resize_axis *axis);

/* Whether the axis stays as it is. */
bool joule_resize_axis_plain(const struct joule_resize_axis *axis,
			     const struct joule_resize_params *p);

#endif
