// SPDX-License-Identifier: MIT
/* joule diverge: the first tensor at which a device leaves the reference. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <joule/tensor_file.h>

#include "compare.h"
#include "inputs.h"
#include "table.h"
#include "tool.h"

static const struct table_column columns[] = {
	{ "tensor", "TENSOR", false },	   { "node", "NODE", false },
	{ "op", "OPERATOR", false },	   { "device", "DEVICE", false },
	{ "max_abs", "MAX ABS", true },	   { "max_range", "OF RANGE", true },
	{ "result", "", false },
};

struct diverge {
	struct tool_options options;
	struct compare_params params;
	enum table_format format;
	bool all;
	const char *set; /* folder with input_0.pb ..., or NULL */
};

/* The recorded inputs of a test set, or random ones. */
static int get_inputs(const struct diverge *d, const struct tool_model *m, struct inputs *out)
{
	int n = joule_model_inputs(m->model), ret = 0;

	if (!d->set)
		return inputs_random(m->model, &d->options, 0, out);
	out->n = 0;
	out->views = calloc((size_t)n + 1, sizeof(*out->views));
	if (!out->views)
		return -ENOMEM;
	for (int i = 0; !ret && i < n; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/input_%d.pb", d->set, i);
		ret = joule_tensor_file_read(m->context, path, &out->views[i]);
		out->n += !ret;
	}
	return ret;
}

static int open_session(const struct diverge *d, struct tool_model *m, struct joule_device *device,
			const struct inputs *inputs, struct joule_session **out)
{
	struct joule_session_params params;
	int ret;

	tool_session_params(&d->options, &params);
	params.keep_all = true;
	ret = joule_session_create(m->model, device, &params, out);
	if (!ret)
		ret = inputs_set(inputs, *out);
	if (!ret)
		ret = joule_session_run(*out, 0);
	return ret;
}

/* Every tensor both sessions have, in the order the device computes them. */
static int compare_all(const struct diverge *d, struct joule_session *device,
		       struct joule_session *reference, struct table *table)
{
	int n = joule_session_tensors(device, NULL, 0), bad = 0, compared = 0;
	struct joule_tensor_info *list = calloc((size_t)n + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	n = joule_session_tensors(device, list, n);
	for (int i = 0; i < n && (d->all || !bad); i++) {
		struct joule_view got, want;
		struct compare_result r;

		if (joule_session_tensor(device, list[i].name, &got) ||
		    joule_session_tensor(reference, list[i].name, &want))
			continue;
		compare_views(&got, &want, &d->params, &r);
		compared++;
		bad += !r.passed;
		if ((!d->all && r.passed) || table_row(table))
			continue;
		table_set(table, "tensor", "%s", list[i].name);
		table_set(table, "node", "%s", list[i].node);
		table_set(table, "op", "%s", list[i].op);
		table_set(table, "device", "%s", list[i].device);
		table_set(table, "max_abs", "%.3g", r.max_abs);
		table_set(table, "max_range", "%.3g", r.max_range);
		table_set(table, "result", "%s",
			  r.why ? r.why : r.passed ? "ok" : "DIVERGES");
	}
	free(list);
	if (d->format == TABLE_TEXT && !bad)
		printf("no divergence: %d tensors compared\n", compared);
	return bad ? 1 : 0;
}

static int diverge(const struct diverge *d, const char *path)
{
	struct joule_session *device = NULL, *reference = NULL;
	struct joule_device *cpu = NULL;
	struct inputs inputs = { 0 };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(columns[0]));
	struct tool_model m;
	int ret = tool_model_open(&d->options, path, &m), bad;

	if (ret || !table) {
		table_destroy(table);
		return ret ? ret : TOOL_NO_MEMORY;
	}
	ret = get_inputs(d, &m, &inputs);
	if (!ret)
		ret = joule_device_open(m.context, "cpu", &cpu);
	if (!ret)
		ret = open_session(d, &m, cpu, &inputs, &reference);
	if (!ret)
		ret = open_session(d, &m, m.device, &inputs, &device);
	bad = ret ? ret : compare_all(d, device, reference, table);
	if (bad >= 0 && (bad || d->all || d->format != TABLE_TEXT))
		ret = table_print(table, d->format, "joule.diverge/1", stdout);
	joule_session_destroy(device);
	joule_session_destroy(reference);
	joule_device_close(cpu);
	inputs_finish(&inputs);
	table_destroy(table);
	tool_model_close(&m);
	return bad < 0 ? tool_exit_code(bad) : ret ? tool_exit_code(ret) : bad ? TOOL_NEGATIVE : TOOL_OK;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		TOOL_LONG_OPTIONS,
		{ "all", no_argument, NULL, 'a' },
		{ "format", required_argument, NULL, 'f' },
		{ "range-tol", required_argument, NULL, 'g' },
		{ "inputs", required_argument, NULL, 'i' },
		{ 0 },
	};
	struct diverge d = { .params = { .rtol = 1e-3, .atol = 1e-7 } };
	double range_tol = -1;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		ret = 0;
		if (opt == 'a')
			d.all = true;
		else if (opt == 'f' && table_format_parse(optarg, &d.format))
			ret = tool_usage(&tool_diverge, "no format '%s'", optarg);
		else if (opt == 'g')
			ret = tool_number(&tool_diverge, "range-tol", 0, 1e6, &range_tol);
		else if (opt == 'i')
			d.set = optarg;
		else if (opt != 'f')
			ret = tool_option(&tool_diverge, &d.options, opt);
		if (ret)
			return ret;
	}
	if (optind + 1 != argc)
		return tool_usage(&tool_diverge, "give one model");
	/* The reference has no halves to compare with: it computes in fp32. */
	d.params.any_float = d.options.precision != JOULE_PRECISION_FP32;
	d.params.range_tol = range_tol >= 0 ? range_tol : d.params.any_float ? 1e-2 : 2e-4;
	return diverge(&d, argv[optind]);
}

const struct tool_command tool_diverge = {
	.name = "diverge",
	.arguments = "[OPTION]... MODEL.onnx",
	.summary = "Finds the first node whose output leaves the reference",
	.help = "  --inputs FOLDER    input_0.pb ... from there (default: random values)\n"
		"  --all              every tensor, not only the first that diverges\n"
		"  --range-tol X      allowed error as a share of a tensor's range (2e-4; fp16 1e-2)\n"
		"  --format F         text (default), md, csv, json\n" TOOL_HELP_OPTIONS,
	.run = run,
};
