// SPDX-License-Identifier: MIT
/*
 * Weights that a file leaves out, as constants of one value, get pseudo-random
 * ones of the size that keeps activations in range (He's: variance 2 / inputs),
 * so that a benchmark meets neither denormals nor shortcuts for zeros.
 */
#include <math.h>
#include <string.h>

#include "ir/access.h"
#include "passes/passes.h"

static void fill(struct joule_tensor *t, uint64_t seed)
{
	int64_t n = joule_tensor_count(t), inputs = 1;
	double range;

	for (int d = 1; d < t->shape.rank; d++)
		inputs *= t->shape.dims[d];
	range = t->shape.rank > 1 ? sqrt(6.0 / (double)inputs) : 0.1;
	for (int64_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		joule_set_f64(t->dtype, t->data, i,
			      ((double)(seed >> 40) / (double)(1 << 23) - 1.0) * range);
	}
}

void joule_random_weights(struct joule_graph *graph)
{
	for (int i = 0; i < graph->n_tensors; i++) {
		struct joule_tensor *t = graph->tensors[i];

		/* What this graph folded itself is its own to change. */
		if (!(t->flags & JOULE_TENSOR_FILLED) || !t->owned ||
		    !joule_dtype_is_float(t->dtype))
			continue;
		fill(t, (uint64_t)i + 1);
		t->flags &= ~(unsigned int)JOULE_TENSOR_FILLED;
	}
}
