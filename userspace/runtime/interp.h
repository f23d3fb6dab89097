/* SPDX-License-Identifier: MIT */
/*
 * The plain C reference: runs a graph node by node, inferring shapes as they
 * become known, in the caller's thread. The truth that devices are held to.
 */
#ifndef JOULE_RUNTIME_INTERP_H
#define JOULE_RUNTIME_INTERP_H

#include <stdatomic.h>
#include <stdint.h>

#include "ir/graph.h"

struct joule_interp {
	bool keep_all; /* release no value when it is dead */
	/* Optional. Nonzero stops the run and is its result. */
	int (*check)(void *user);
	/* Optional. Called after each node of the outermost graph. */
	void (*done)(void *user, const struct joule_node *node, uint64_t start_ns, uint64_t ns);
	void *user;
	int depth; /* of bodies, while running */
};

/*
 * Inputs (and captures, for a body) must have type, shape and data. Afterwards
 * all outputs have data: owned by them unless constant, input or capture.
 */
int joule_interp_run(struct joule_interp *interp, struct joule_graph *graph);

/* Forgets all values that the last run left, of bodies too. */
void joule_interp_release(struct joule_graph *graph);

/* CLOCK_MONOTONIC. */
uint64_t joule_now_ns(void);

#endif
