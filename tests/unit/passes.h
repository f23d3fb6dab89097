/* SPDX-License-Identifier: MIT */
/* What a pass makes of a model, and that it changes no answer. */
#ifndef TESTS_UNIT_PASSES_H
#define TESTS_UNIT_PASSES_H

#include "graphs.h"

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
