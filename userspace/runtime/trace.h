/* SPDX-License-Identifier: MIT */
/* What a profiled run gathers: a row for each step, in order of first execution. */
#ifndef JOULE_RUNTIME_TRACE_H
#define JOULE_RUNTIME_TRACE_H

#include <stdint.h>

#include "plan/plan.h"

struct joule_trace_row {
	const struct joule_node *node;
	const struct joule_plan_step *step; /* NULL: control flow or a late shape, on the host */
	const char *reason;
	uint64_t start_ns, ns; /* sums when it ran several times */
	int launches, runs;
	int64_t bytes, macs;
};

struct joule_trace {
	uint64_t serial;   /* tells one traced run from the next */
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	int n, cap;
	struct joule_trace_row *rows;
	uint64_t gaps_ns;  /* device idle between launches of one recording */
};

/* n rows in a row; the index of the first, or -ENOMEM. */
int joule_trace_reserve(struct joule_trace *trace, int n);

/* Adds one execution to a row; start_ns is CLOCK_MONOTONIC. */
void joule_trace_add(struct joule_trace *trace, int row, uint64_t start_ns, uint64_t ns,
		     int launches);

#endif
