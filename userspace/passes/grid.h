/* SPDX-License-Identifier: MIT */
/* The values that 8-bit quantization leaves. Internal to passes/. */
#ifndef JOULE_PASSES_GRID_H
#define JOULE_PASSES_GRID_H

#include "ir/elementwise.h"
#include "ir/graph.h"

/* A float holds every integer up to here, so sums below it are exact. */
#define JOULE_F32_EXACT ((int64_t)1 << 24)

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
 * 8-bit integers as floats, less their zero point (NULL: 0), by a new
 * DequantizeLinear. NULL on error, logged.
 */
struct joule_tensor *joule_grid_integers(struct joule_graph *graph, struct joule_tensor *integers,
					 struct joule_tensor *zero,
					 const struct joule_node *origin);

/* A new fp32 constant of rank 0. NULL on error, logged. */
struct joule_tensor *joule_scalar_const(struct joule_graph *graph, float v);

/*
 * Is clip a Clip or Relu that changes nothing before that step, which must never
 * fall? Such a step commutes with a clip, so it is, if the step makes its lowest
 * and highest value of the bounds.
 */
bool joule_clip_is_superfluous(const struct joule_node *clip, const struct joule_ew_step *step);

#endif
