// SPDX-License-Identifier: MIT
/* joule bench: how fast, in how much memory, and whether that meets a limit. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "table.h"

#define MAX_SWEEP 16

static const struct table_column columns[] = {
	{ "model", "MODEL", false },
	{ "device", "DEVICE", false },
	{ "precision", "TYPE", false },
	{ "batch", "BATCH", true },
	{ "p50_ms", "P50 MS", true },
	{ "p90_ms", "P90", true },
	{ "p99_ms", "P99", true },
	{ "min_ms", "MIN", true },
	{ "mean_ms", "MEAN", true },
	{ "runs", "RUNS", true },
	{ "with_transfer_p50_ms", "+COPIES", true },
	{ "per_second", "PER S", true },
	{ "open_ms", "OPEN MS", true },
	{ "compile_ms", "COMPILE", true },
	{ "first_ms", "FIRST", true },
	{ "gmacs", "GMAC", true },
	{ "gflops", "GFLOP/S", true },
	{ "peak_percent", "% OF PEAK", true },
	{ "peak_gflops", "PEAK", true },
	{ "bandwidth_gbytes", "GB/S", true },
	{ "device_bytes", "DEVICE MEM", true },
	{ "arena_bytes", "ARENA", true },
	{ "arena_lower_bound_bytes", "BOUND", true },
	{ "weight_bytes", "WEIGHTS", true },
	{ "host_peak_bytes", "HOST MEM", true },
	{ "launches", "LAUNCHES", true },
	{ "host_steps", "CPU STEPS", true },
	{ "kind", "KIND", false },
	{ "warning", "WARNING", false },
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_row(struct table *t, const struct bench_case *c, const struct bench_result *r)
{
	static const char *const precisions[] = { "fp32", "fp16", "fp16-math" };
	double gflops = 2 * r->macs / r->p50_ms / 1e6;

	if (table_row(t))
		return;
	table_set(t, "model", "%s", base_name(c->path));
	table_set(t, "device", "%s", r->device);
	table_set(t, "precision", "%s", precisions[c->options.precision]);
	table_set(t, "batch", "%d", c->batch ? c->batch : 1);
	table_set(t, "p50_ms", "%.3f", r->p50_ms);
	table_set(t, "p90_ms", "%.3f", r->p90_ms);
	table_set(t, "p99_ms", "%.3f", r->p99_ms);
	table_set(t, "min_ms", "%.3f", r->min_ms);
	table_set(t, "mean_ms", "%.3f", r->mean_ms);
	table_set(t, "runs", "%d", r->runs);
	table_set(t, "with_transfer_p50_ms", "%.3f", r->transfer_p50_ms);
	table_set(t, "per_second", "%.2f", 1e3 / r->p50_ms * (c->batch ? c->batch : 1));
	table_set(t, "open_ms", "%.1f", r->open_ms);
	table_set(t, "compile_ms", "%.1f", r->compile_ms);
	table_set(t, "first_ms", "%.3f", r->first_ms);
	table_set(t, "gmacs", "%.4f", r->macs / 1e9);
	table_set(t, "gflops", "%.2f", gflops);
	if (r->peak.fma_gflops > 0) {
		table_set(t, "peak_percent", "%.1f", 100 * gflops / r->peak.fma_gflops);
		table_set(t, "peak_gflops", "%.1f", r->peak.fma_gflops);
		table_set(t, "bandwidth_gbytes", "%.1f", r->peak.bandwidth_gbytes);
	}
	table_set(t, "device_bytes", "%llu", (unsigned long long)r->device_bytes);
	table_set(t, "arena_bytes", "%llu", (unsigned long long)r->arena_bytes);
	table_set(t, "arena_lower_bound_bytes", "%llu", (unsigned long long)r->lower_bound_bytes);
	table_set(t, "weight_bytes", "%llu", (unsigned long long)r->weight_bytes);
	table_set(t, "host_peak_bytes", "%llu", (unsigned long long)r->host_peak_bytes);
	table_set(t, "launches", "%d", r->launches);
	table_set(t, "host_steps", "%d", r->host_steps);
	table_set(t, "kind", "measured");
	table_set(t, "warning", "%s", r->warning);
}

/* For people: the few columns that fit a terminal, then what else there is to say. */
static void print_human(const struct bench_case *c, const struct bench_result *r)
{
	double gflops = 2 * r->macs / r->p50_ms / 1e6;

	printf("%s  batch %d  %s\n", base_name(c->path), c->batch ? c->batch : 1, r->device);
	printf("  latency     p50 %.2f ms   p90 %.2f   p99 %.2f   min %.2f   (%d runs)\n", r->p50_ms,
	       r->p90_ms, r->p99_ms, r->min_ms, r->runs);
	printf("              with copies in and out p50 %.2f ms;  %.1f inferences/s\n",
	       r->transfer_p50_ms, 1e3 / r->p50_ms * (c->batch ? c->batch : 1));
	printf("  start       ready in %.1f ms (pipelines %.1f), first inference %.2f ms\n",
	       r->open_ms, r->compile_ms, r->first_ms);
	printf("  work        %.3f GMAC, %.1f GFLOP/s", r->macs / 1e9, gflops);
	if (r->peak.fma_gflops > 0)
		printf(" = %.1f %% of the measured %.1f GFLOP/s; memory %.1f GB/s",
		       100 * gflops / r->peak.fma_gflops, r->peak.fma_gflops,
		       r->peak.bandwidth_gbytes);
	printf("\n  memory      device %.2f MiB: weights %.2f, activations %.2f (lower bound %.2f); "
	       "host peak %.1f MiB\n",
	       (double)r->device_bytes / 0x1p20, (double)r->weight_bytes / 0x1p20,
	       (double)r->arena_bytes / 0x1p20, (double)r->lower_bound_bytes / 0x1p20,
	       (double)r->host_peak_bytes / 0x1p20);
	printf("  plan        %d steps, %d on the CPU, %d launches\n", r->steps, r->host_steps,
	       r->launches);
	if (*r->warning)
		printf("  warning     %s\n", r->warning);
}

/* "1,4,8" into numbers. */
static int parse_batches(const char *text, int *out)
{
	int n = 0;

	while (*text && n < MAX_SWEEP) {
		char *end;
		long v = strtol(text, &end, 10);

		if (end == text || v < 1 || v > 65536 || (*end && *end != ','))
			return -1;
		out[n++] = (int)v;
		text = *end ? end + 1 : end;
	}
	return n ? n : -1;
}

static int parse_precisions(const char *text, enum joule_precision *out)
{
	static const char *const names[] = { "fp32", "fp16", "fp16-math" };
	int n = 0;

	while (*text && n < MAX_SWEEP) {
		size_t len = strcspn(text, ",");
		int i = 0;

		while (i < 3 && (strlen(names[i]) != len || strncmp(names[i], text, len)))
			i++;
		if (i == 3)
			return -1;
		out[n++] = (enum joule_precision)i;
		text += len + (text[len] == ',');
	}
	return n ? n : -1;
}

struct sweep {
	struct bench_case base;
	enum table_format format;
	int n_batches, batches[MAX_SWEEP];
	int n_precisions;
	enum joule_precision precisions[MAX_SWEEP];
	double max_p50, max_p99, max_first;
	struct table *table;
	int worst_exit;
	bool missed;
};

static void gate(struct sweep *s, const struct bench_case *c, const char *what, double value,
		 double limit)
{
	if (limit <= 0 || value <= limit)
		return;
	s->missed = true;
	fprintf(stderr, "joule: %s: %s %.3f ms is over the limit of %.3f ms\n", base_name(c->path),
		what, value, limit);
}

static void run_case(struct sweep *s, const struct bench_case *c)
{
	struct bench_result r;

	bench_run(c, &r);
	if (r.exit_code) {
		if (!s->worst_exit)
			s->worst_exit = r.exit_code;
		return;
	}
	add_row(s->table, c, &r);
	if (s->format == TABLE_TEXT)
		print_human(c, &r);
	gate(s, c, "p50", r.p50_ms, s->max_p50);
	gate(s, c, "p99", r.p99_ms, s->max_p99);
	gate(s, c, "first inference", r.first_ms, s->max_first);
}

static int run_sweep(struct sweep *s, int n, char **paths)
{
	int ret = 0;

	for (int i = 0; i < n; i++)
		for (int p = 0; p < s->n_precisions; p++)
			for (int b = 0; b < s->n_batches; b++) {
				struct bench_case c = s->base;

				c.path = paths[i];
				c.options.precision = s->precisions[p];
				c.batch = s->batches[b];
				run_case(s, &c);
			}
	if (s->format != TABLE_TEXT)
		ret = tool_exit_code(table_print(s->table, s->format, "joule.bench/1", stdout));
	if (!ret)
		ret = s->worst_exit ? s->worst_exit : s->missed ? TOOL_NEGATIVE : TOOL_OK;
	return ret;
}

static int run(int argc, char **argv)
{
	/* TOOL_LONG_OPTIONS comes last: the first match counts, and precision is a list here. */
	static const struct option longs[] = {
		{ "precision", required_argument, NULL, 'p' },
		{ "batch", required_argument, NULL, 'b' },
		{ "format", required_argument, NULL, 'f' },
		{ "runs", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "warmup", required_argument, NULL, 'w' },
		{ "max-p50", required_argument, NULL, '5' },
		{ "max-p99", required_argument, NULL, '9' },
		{ "max-first", required_argument, NULL, '1' },
		TOOL_LONG_OPTIONS,
		{ 0 },
	};
	struct sweep s = { .base = { .warmup = 5, .runs = 20, .min_seconds = 2 },
			   .n_batches = 1, .n_precisions = 1 };
	double number;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		ret = 0;
		if (opt == 'p') {
			s.n_precisions = parse_precisions(optarg, s.precisions);
			if (s.n_precisions < 0)
				ret = tool_usage(&tool_bench, "bad precisions '%s'", optarg);
		} else if (opt == 'b') {
			s.n_batches = parse_batches(optarg, s.batches);
			if (s.n_batches < 0)
				ret = tool_usage(&tool_bench, "bad batches '%s'", optarg);
		} else if (opt == 'f') {
			if (table_format_parse(optarg, &s.format))
				ret = tool_usage(&tool_bench, "no format '%s'", optarg);
		} else if (opt == 'n') {
			ret = tool_number(&tool_bench, "runs", 1, 1e8, &number);
			s.base.runs = (int)number;
		} else if (opt == 't') {
			ret = tool_number(&tool_bench, "seconds", 0, 1e6, &s.base.min_seconds);
		} else if (opt == 'w') {
			ret = tool_number(&tool_bench, "warmup", 0, 1e8, &number);
			s.base.warmup = (int)number;
		} else if (opt == '5') {
			ret = tool_number(&tool_bench, "max-p50", 1e-9, 1e12, &s.max_p50);
		} else if (opt == '9') {
			ret = tool_number(&tool_bench, "max-p99", 1e-9, 1e12, &s.max_p99);
		} else if (opt == '1') {
			ret = tool_number(&tool_bench, "max-first", 1e-9, 1e12, &s.max_first);
		} else {
			ret = tool_option(&tool_bench, &s.base.options, opt);
		}
		if (ret)
			return ret;
	}
	if (optind == argc)
		return tool_usage(&tool_bench, "no model given");
	s.table = table_create(columns, sizeof(columns) / sizeof(columns[0]));
	if (!s.table)
		return TOOL_NO_MEMORY;
	ret = run_sweep(&s, argc - optind, argv + optind);
	table_destroy(s.table);
	return ret;
}

const struct tool_command tool_bench = {
	.name = "bench",
	.arguments = "[OPTION]... MODEL.onnx...",
	.summary = "Measures latency, start-up and memory",
	.help = "  --runs N           at least N timed runs (20)\n"
		"  --seconds S        and at least S seconds of them (2)\n"
		"  --warmup N         runs before that (5)\n"
		"  --precision LIST   a row for each, e.g. fp32,fp16\n"
		"  --batch LIST       a row for each first dimension of the inputs, e.g. 1,4\n"
		"  --max-p50 MS       a gate: exit code 1 if the median of a row is above it;\n"
		"  --max-p99 MS       the same for the 99th percentile,\n"
		"  --max-first MS     and for the first inference after start-up\n"
		"  --format F         text (default), md, csv, json\n" TOOL_HELP_OPTIONS,
	.run = run,
};
