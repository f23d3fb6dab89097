/* SPDX-License-Identifier: MIT */
/* The values that 8-bit quantization leaves. Internal to passes/. */
#ifndef JOULE_PASSES_GRID_H
#define JOULE_PASSES_GRID_H

#include "ir/elementwise.h"
#include "ir/graph.h"

/* scale * (q - zero) for all q of 8 bits. */
struct joule_grid {
	float scale;
	int64_t zero;
	bool is_signed;
};

/* Is an integer attribute absent, or at its default of 0? */
bool joule_attr_is_zero(const struct joule_node *node, const char *attr);

/*
 * The grid of a QuantizeLinear or DequantizeLinear between real and the
 * integers: one constant fp32 scale and zero point for all. False if it is not so.
 */
bool joule_grid_read(const struct joule_node *node, const struct joule_tensor *real,
		     const struct joule_tensor *integers, struct joule_grid *grid);

/* The lowest integer, less the zero point. */
float joule_grid_low(const struct joule_grid *grid);

/*
 * Is clip a Clip or Relu that changes nothing before that step, which must never
 * fall? Such a step commutes with a clip, so it is, if the step makes its lowest
 * and highest value of the bounds.
 */
bool joule_clip_is_superfluous(const struct joule_node *clip, const struct joule_ew_step *step);

#endif
