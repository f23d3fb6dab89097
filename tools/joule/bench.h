/* SPDX-License-Identifier: MIT */
/* One benchmark: a model on a device with a precision and a batch size. */
#ifndef TOOLS_JOULE_BENCH_H
#define TOOLS_JOULE_BENCH_H

#include "tool.h"

struct bench_case {
	const char *path;
	struct tool_options options;
	int batch;          /* 0: as the model says */
	int warmup, runs;
	double min_seconds; /* goes on until both runs and seconds are reached */
};

/*
 * All measured in one process of its own, so that memory and caches of one
 * case do not touch another's. Times in ms. Plain data: it crosses a pipe.
 */
struct bench_result {
	int exit_code;      /* everything below is valid when 0 */
	char device[256], driver[256];
	double open_ms;     /* from nothing to ready: file, device, plan, weights, pipelines */
	double compile_ms;  /* of that, pipelines */
	double first_ms;    /* the first inference after ready */
	int runs;
	double min_ms, mean_ms, p50_ms, p90_ms, p99_ms, max_ms; /* submit to done */
	double transfer_p50_ms; /* the same with setting inputs and reading outputs */
	double macs;
	uint64_t device_bytes, arena_bytes, lower_bound_bytes, weight_bytes, host_peak_bytes;
	int steps, host_steps, launches;
	struct joule_device_peak peak; /* zero on the reference */
	char warning[256];  /* what may have spoiled the figures */
};

/* Runs the case in a child process. */
void bench_run(const struct bench_case *c, struct bench_result *out);

#endif
