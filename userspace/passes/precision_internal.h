/* SPDX-License-Identifier: MIT */
#ifndef JOULE_PASSES_PRECISION_INTERNAL_H
#define JOULE_PASSES_PRECISION_INTERNAL_H

#include "passes/precision.h"

struct joule_precision {
	struct joule_graph *graph;
	const struct joule_precision_params *params;
	int n_nodes, n_tensors;      /* before the rewrite added some */
	bool *half;                  /* by node: runs in fp16 */
	struct joule_tensor **halves; /* by tensor: a constant as halves, or the Cast's result */
	struct joule_tensor **wholes; /* by tensor: the Cast back */
};

/* precision_choose.c: fills half[]. */
int joule_precision_choose(struct joule_precision *p);

/* The fp32 constant as halves, made once. NULL: out of memory. */
struct joule_tensor *joule_precision_const(struct joule_precision *p, struct joule_tensor *t);

#endif
