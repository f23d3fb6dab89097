// SPDX-License-Identifier: MIT
/* joule profile: where the time of one run went, step by step. */
#include <stdlib.h>
#include <string.h>

#include "inputs.h"
#include "report.h"
#include "table.h"
#include "tool.h"

static const struct table_column columns[] = {
	{ "step", "#", true },
	{ "node", "NODE", false },
	{ "op", "OPERATOR", false },
	{ "onnx_nodes", "ONNX NODES", false },
	{ "kernel", "KERNEL", false },
	{ "device", "DEVICE", false },
	{ "precision", "TYPE", false },
	{ "ms", "MS", true },
	{ "percent", "%", true },
	{ "mmacs", "MMAC", true },
	{ "kbytes", "KB", true },
	{ "gflops", "GFLOP/S", true },
	{ "peak_percent", "% OF PEAK", true },
	{ "bar", "", false }, /* for people, when asked for */
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define BAR	  20

/* How to print. */
struct layout {
	enum table_format format;
	bool sort;
	int top; /* steps shown one by one, 0: all */
	int n_columns;
	struct table_column columns[N_COLUMNS];
};

/* "conv1, relu1"; long lists are cut for people, whole for programs. */
static char *join_origins(const struct joule_step_profile *s, int most)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		return NULL;
	for (int i = 0; i < s->n_origins; i++) {
		if (most && i == most) {
			fprintf(f, " +%d", s->n_origins - i);
			break;
		}
		fprintf(f, "%s%s", i ? ", " : "", s->origins[i]);
	}
	fclose(f);
	return text;
}

static int bar_length(uint64_t ns, uint64_t total)
{
	return total ? (int)(BAR * (double)ns / (double)total + 0.5) : 0;
}

static void add_step(struct table *table, const struct joule_profile *p, int i, double peak,
		     bool human)
{
	const struct joule_step_profile *s = &p->steps[i];
	char *origins = join_origins(s, human ? 3 : 0);
	double gflops = s->ns ? 2.0 * (double)s->macs / (double)s->ns : 0;

	if (!table_row(table)) {
		table_set(table, "step", "%d", i);
		table_set(table, "node", "%s", s->name);
		table_set(table, "op", "%s", s->op);
		table_set(table, "onnx_nodes", "%s", origins ? origins : "");
		table_set(table, "kernel", "%s%s%s", s->kernel, s->reason ? ": " : "",
			  s->reason ? s->reason : "");
		table_set(table, "device", "%s", s->device);
		table_set(table, "precision", "%s", s->precision);
		table_set(table, "ms", "%.4f", (double)s->ns / 1e6);
		table_set(table, "percent", "%.1f", 100.0 * (double)s->ns / (double)p->total_ns);
		table_set(table, "bar", "%.*s", bar_length(s->ns, p->total_ns),
			  "####################");
		table_set(table, "kbytes", "%.1f", (double)s->bytes / 1e3);
		if (s->macs) {
			table_set(table, "mmacs", "%.3f", (double)s->macs / 1e6);
			table_set(table, "gflops", "%.2f", gflops);
			if (peak > 0)
				table_set(table, "peak_percent", "%.1f", 100.0 * gflops / peak);
		}
	}
	free(origins);
}

static void add_rest(struct table *table, const char *what, uint64_t ns, uint64_t total)
{
	if (table_row(table))
		return;
	table_set(table, "node", "%s", what);
	table_set(table, "ms", "%.4f", (double)ns / 1e6);
	table_set(table, "percent", "%.1f", 100.0 * (double)ns / (double)total);
	if (ns < total)
		table_set(table, "bar", "%.*s", bar_length(ns, total), "####################");
}

struct by_time {
	uint64_t ns;
	int step;
};

static int slower_first(const void *a, const void *b)
{
	const struct by_time *x = a, *y = b;

	return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : x->step - y->step;
}

static int print(const struct joule_profile *p, const struct joule_device_peak *peak,
		 const struct layout *l)
{
	struct table *table = table_create(l->columns, l->n_columns);
	struct by_time *order = calloc((size_t)p->n_steps + 1, sizeof(*order));
	bool human = l->format == TABLE_TEXT || l->format == TABLE_MARKDOWN;
	int shown = l->top && l->top < p->n_steps ? l->top : p->n_steps;
	int ret = TOOL_NO_MEMORY;
	uint64_t others = 0;
	char text[64];

	if (table && order) {
		for (int i = 0; i < p->n_steps; i++)
			order[i] = (struct by_time){ l->sort ? p->steps[i].ns : 0, i };
		qsort(order, (size_t)p->n_steps, sizeof(*order), slower_first);
		for (int i = 0; i < shown; i++)
			add_step(table, p, order[i].step, peak ? peak->fma_gflops : 0, human);
		for (int i = shown; i < p->n_steps; i++)
			others += p->steps[order[i].step].ns;
		snprintf(text, sizeof(text), "(%d other steps)", p->n_steps - shown);
		if (shown < p->n_steps)
			add_rest(table, text, others, p->total_ns);
		add_rest(table, "(gaps on the device)", p->gaps_ns, p->total_ns);
		add_rest(table, "(host: submit, wait, copies)", p->host_ns, p->total_ns);
		add_rest(table, "(total)", p->total_ns, p->total_ns);
		ret = tool_exit_code(table_print(table, l->format, "joule.profile/1", stdout));
	}
	free(order);
	table_destroy(table);
	return ret;
}

static int profile(const struct tool_options *options, const char *path, int warmup,
		   const char *html, const struct layout *layout)
{
	struct joule_device_peak peak, *peak_known = NULL;
	struct joule_session_params params;
	struct joule_session *session = NULL;
	struct joule_profile p;
	struct inputs inputs = { 0 };
	struct tool_model m;
	int ret;

	ret = tool_model_open(options, path, &m);
	if (ret)
		return ret;
	tool_session_params(options, &params);
	params.profile = true;
	params.random_weights = true;
	ret = tool_exit_code(joule_session_create(m.model, m.device, &params, &session));
	if (!ret)
		ret = tool_exit_code(inputs_random(m.model, options, 0, &inputs));
	if (!ret)
		ret = tool_exit_code(inputs_set(&inputs, session));
	for (int i = 0; !ret && i < warmup; i++)
		ret = tool_exit_code(joule_session_run(session, 0));
	if (!ret)
		ret = tool_exit_code(joule_session_profile(session, &p));
	if (!ret) {
		struct joule_device_info info;

		joule_device_get_info(m.device, &info);
		if (strcmp(info.type, "reference") &&
		    !joule_device_measure_peak(m.device, &peak))
			peak_known = &peak;
		ret = print(&p, peak_known, layout);
		if (!ret && html)
			ret = report_write(html, path, &m, session, &p, peak_known);
	}
	inputs_finish(&inputs);
	joule_session_destroy(session);
	tool_model_close(&m);
	return ret;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		TOOL_LONG_OPTIONS,
		{ "format", required_argument, NULL, 'f' },
		{ "html", required_argument, NULL, 'o' },
		{ "sort", no_argument, NULL, 's' },
		{ "top", required_argument, NULL, 't' },
		{ "columns", required_argument, NULL, 'c' },
		{ "warmup", required_argument, NULL, 'w' },
		{ 0 },
	};
	struct layout l = { .n_columns = N_COLUMNS - 1 };
	struct tool_options options = { 0 };
	const char *html = NULL;
	double number;
	int opt, ret, warmup = 3;

	memcpy(l.columns, columns, sizeof(columns));
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		ret = 0;
		if (opt == 'f' && table_format_parse(optarg, &l.format)) {
			ret = tool_usage(&tool_profile, "no format '%s'", optarg);
		} else if (opt == 'o') {
			html = optarg;
		} else if (opt == 's') {
			l.sort = true;
		} else if (opt == 't') {
			ret = tool_number(&tool_profile, "top", 1, 1e8, &number);
			l.top = (int)number;
			l.sort = true;
		} else if (opt == 'c') {
			l.n_columns = table_pick(columns, N_COLUMNS, optarg, l.columns, N_COLUMNS);
			if (l.n_columns < 0)
				ret = tool_usage(&tool_profile, "no such columns: '%s'", optarg);
		} else if (opt == 'w') {
			ret = tool_number(&tool_profile, "warmup", 0, 1e8, &number);
			warmup = (int)number;
		} else if (opt != 'f') {
			ret = tool_option(&tool_profile, &options, opt);
		}
		if (ret)
			return ret;
	}
	if (optind + 1 != argc)
		return tool_usage(&tool_profile, "give one model");
	return profile(&options, argv[optind], warmup, html, &l);
}

const struct tool_command tool_profile = {
	.name = "profile",
	.arguments = "[OPTION]... MODEL.onnx",
	.summary = "Shows where the time of a run goes, step by step",
	.help = "  --html FILE        a self-contained page with graph and timeline\n"
		"  --sort             slowest first\n"
		"  --top N            the N slowest, the others in one row\n"
		"  --columns LIST     of step node op onnx_nodes kernel device precision ms percent\n"
		"                     mmacs kbytes gflops peak_percent, and bar\n"
		"  --warmup N         runs before the profiled one (3)\n"
		"  --format F         text (default), md, csv, json\n" TOOL_HELP_OPTIONS,
	.run = run,
};
