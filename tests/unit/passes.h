/* SPDX-License-Identifier: MIT */
/* What a pass makes of a model, and that it changes no answer. */
#ifndef TESTS_UNIT_PASSES_H
#define TESTS_UNIT_PASSES_H

#include "graphs.h"

/* A scalar constant of 8 bits. */
struct joule_tensor *test_byte(struct joule_graph *g, enum joule_dtype dtype, int value);

/* x quantized and dequantized again. */
struct joule_tensor *test_quantize(struct joule_graph *g, struct joule_tensor *x, double scale,
				   struct joule_tensor *zero);

struct joule_model *test_model(struct joule_context *context, struct joule_graph *g);

/* Nodes of that operator after all passes but one (NULL: after all). */
int test_count(struct joule_model *model, struct joule_device *device, const char *op,
	       const char *without);

/*
 * Runs the model with and without the pass on the same random inputs, scaled:
 * outputs may differ by tol of their range; 0: not in a single bit.
 */
void test_pass(struct joule_model *model, struct joule_device *device, const char *pass,
	       float scale, double tol);

#endif
