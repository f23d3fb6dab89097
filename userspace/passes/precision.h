/* SPDX-License-Identifier: MIT */
/*
 * fp16 storage: activations and weights as halves, arithmetic as the kernels
 * do it (fp32 accumulation). Nodes whose kernel refuses halves, whose values
 * tend to leave their range, or that the caller names stay fp32, with Cast
 * nodes at the borders. Graph inputs and outputs keep their types.
 */
#ifndef JOULE_PASSES_PRECISION_H
#define JOULE_PASSES_PRECISION_H

#include "hal/dispatch.h"
#include "ir/graph.h"

struct joule_precision_params {
	const struct joule_caps *caps;
	bool f16_arithmetic, deterministic; /* as the plan will bind */
	const char *const *keep;  /* names of nodes to stay fp32, NULL-terminated, or NULL */
};

/* After all other passes, shapes inferred. What stays fp32 is logged with its reason. */
int joule_precision_f16(struct joule_graph *graph, const struct joule_precision_params *params);

#endif
