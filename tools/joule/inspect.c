// SPDX-License-Identifier: MIT
/* joule inspect: the graph before and after passes, and the plan. */
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "tool.h"
#include "utf8.h"

static const char *human_bytes(uint64_t bytes, char *buf, size_t size)
{
	if (bytes < 1 << 20)
		snprintf(buf, size, "%.1f KiB", (double)bytes / 0x1p10);
	else
		snprintf(buf, size, "%.2f MiB", (double)bytes / 0x1p20);
	return buf;
}

static void print_values(const struct joule_model *model)
{
	struct joule_value_info info;
	char shape[128];

	for (int i = 0; !joule_model_input(model, i, &info); i++)
		printf("input   %s %s %s\n", info.name, joule_dtype_name(info.dtype),
		       joule_shape_str(&info.shape, shape, sizeof(shape)));
	for (int i = 0; !joule_model_output(model, i, &info); i++)
		printf("output  %s %s %s\n", info.name, joule_dtype_name(info.dtype),
		       joule_shape_str(&info.shape, shape, sizeof(shape)));
}

static int make_counts(struct joule_session *session, struct table **out)
{
	static const struct table_column columns[] = {
		{ "op", "OPERATOR", false },
		{ "before", "BEFORE", true },
		{ "after", "AFTER", true },
	};
	struct joule_op_count *list;
	struct table *table = table_create(columns, 3);
	int n = joule_session_op_counts(session, NULL, 0);

	*out = table;
	list = calloc((size_t)(n > 0 ? n : 1), sizeof(*list));
	if (!list || !table) {
		free(list);
		return TOOL_NO_MEMORY;
	}
	n = joule_session_op_counts(session, list, n);
	for (int i = 0; i < n && !table_row(table); i++) {
		table_set(table, "op", "%s", list[i].op);
		table_set(table, "before", "%d", list[i].before);
		table_set(table, "after", "%d", list[i].after);
	}
	free(list);
	return TOOL_OK;
}

/* For people: the sum below. */
static void add_total(struct joule_session *session, struct table *table)
{
	int n = joule_session_op_counts(session, NULL, 0), before = 0, after = 0;
	struct joule_op_count *list = calloc((size_t)(n > 0 ? n : 1), sizeof(*list));

	n = list ? joule_session_op_counts(session, list, n) : 0;
	for (int i = 0; i < n; i++) {
		before += list[i].before;
		after += list[i].after;
	}
	free(list);
	if (table_row(table))
		return;
	table_set(table, "op", "total");
	table_set(table, "before", "%d", before);
	table_set(table, "after", "%d", after);
}

static json_t *values_json(const struct joule_model *model,
			   int (*get)(const struct joule_model *, int, struct joule_value_info *))
{
	json_t *list = json_array();
	struct joule_value_info info;

	for (int i = 0; !get(model, i, &info); i++) {
		json_t *dims = json_array();

		for (int d = 0; d < info.shape.rank; d++)
			json_array_append_new(dims, info.shape.dims[d] < 0 ?
							    json_null() :
							    json_integer(info.shape.dims[d]));
		json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "name",
						      utf8_json(info.name), "dtype",
						      joule_dtype_name(info.dtype), "shape", dims));
	}
	return list;
}

static int print_json(const struct tool_model *m, struct joule_session *session,
		      struct table *counts)
{
	struct joule_session_stats s = { 0 };
	json_t *root;
	int ret;

	joule_session_get_stats(session, &s);
	root = json_pack("{s:s, s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I}",
			 "schema", "joule.inspect/1", "inputs",
			 values_json(m->model, joule_model_input), "outputs",
			 values_json(m->model, joule_model_output), "rows", table_rows(counts),
			 "steps", s.steps, "host_steps", s.host_steps, "launches", s.launches,
			 "barriers", s.barriers, "submissions", s.submissions, "macs",
			 (json_int_t)s.macs, "weight_bytes", (json_int_t)s.weight_bytes,
			 "arena_bytes", (json_int_t)s.arena_bytes, "arena_lower_bound_bytes",
			 (json_int_t)s.arena_lower_bound_bytes, "device_bytes",
			 (json_int_t)s.device_bytes);
	ret = !root ? TOOL_NO_MEMORY : json_dumpf(root, stdout, JSON_INDENT(2)) ? TOOL_IO : 0;
	printf("\n");
	json_decref(root);
	return ret;
}

static int print_human(const struct tool_model *m, struct joule_session *session,
		       struct table *counts)
{
	struct joule_device_info device;
	struct joule_session_stats s;
	char a[32], b[32], c[32], d[32];
	int ret;

	add_total(session, counts);
	print_values(m->model);
	printf("\n");
	ret = tool_exit_code(table_print(counts, TABLE_TEXT, "joule.inspect/1", stdout));
	if (ret || joule_session_get_stats(session, &s))
		return ret;
	joule_device_get_info(m->device, &device);
	if (!strcmp(device.type, "reference")) {
		printf("\n%d nodes, run one after the other by the plain C reference; nothing is "
		       "planned\n", s.steps);
		return 0;
	}
	printf("\n%d steps, %d of them on the CPU; %d kernel launches, %d barriers, %d submissions\n",
	       s.steps, s.host_steps, s.launches, s.barriers, s.submissions);
	printf("%.3f GMAC; weights %s, activations %s (lower bound %s), device memory %s\n",
	       (double)s.macs / 1e9, human_bytes(s.weight_bytes, a, sizeof(a)),
	       human_bytes(s.arena_bytes, b, sizeof(b)),
	       human_bytes(s.arena_lower_bound_bytes, c, sizeof(c)),
	       human_bytes(s.device_bytes, d, sizeof(d)));
	return 0;
}

static int print_session(const struct tool_model *m, struct joule_session *session,
			 const char *stage, enum table_format format)
{
	struct table *counts;
	int ret;

	if (stage)
		return tool_exit_code(joule_session_dump(session, stage, stdout));
	ret = make_counts(session, &counts);
	if (!ret && format == TABLE_TEXT)
		ret = print_human(m, session, counts);
	else if (!ret && format == TABLE_JSON)
		ret = print_json(m, session, counts);
	else if (!ret)
		ret = tool_exit_code(table_print(counts, format, "joule.inspect/1", stdout));
	table_destroy(counts);
	return ret;
}

static int list_passes(enum table_format format)
{
	static const struct table_column columns[] = {
		{ "pass", "PASS", false },
		{ "description", "WHAT IT DOES", false },
	};
	struct table *table = table_create(columns, 2);
	const char *name, *description;

	for (int i = 0; table && !joule_pass_info(i, &name, &description); i++) {
		table_row(table);
		table_set(table, "pass", "%s", name);
		table_set(table, "description", "%s", description);
	}
	if (table)
		table_print(table, format, "joule.passes/1", stdout);
	table_destroy(table);
	return table ? TOOL_OK : TOOL_NO_MEMORY;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		TOOL_LONG_OPTIONS,
		{ "stage", required_argument, NULL, 's' },
		{ "passes", no_argument, NULL, 'p' },
		{ "format", required_argument, NULL, 'f' },
		{ 0 },
	};
	struct joule_session_params params;
	struct tool_options options = { 0 };
	struct joule_session *session = NULL;
	enum table_format format = TABLE_TEXT;
	const char *stage = NULL;
	bool passes = false;
	struct tool_model m;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		ret = 0;
		if (opt == 'p')
			passes = true;
		else if (opt == 's')
			stage = optarg;
		else if (opt == 'f' && table_format_parse(optarg, &format))
			ret = tool_usage(&tool_inspect, "no format '%s'", optarg);
		else if (opt != 'f')
			ret = tool_option(&tool_inspect, &options, opt);
		if (ret)
			return ret;
	}
	if (passes)
		return list_passes(format);
	if (optind + 1 != argc)
		return tool_usage(&tool_inspect, "give one model");
	if (stage && strcmp(stage, "graph") && strcmp(stage, "passes") && strcmp(stage, "plan"))
		return tool_usage(&tool_inspect, "no stage '%s'", stage);
	ret = tool_model_open(&options, argv[optind], &m);
	if (ret)
		return ret;
	if (stage && !strcmp(stage, "graph")) {
		joule_model_dump(m.model, stdout);
	} else {
		tool_session_params(&options, &params);
		ret = tool_exit_code(joule_session_create(m.model, m.device, &params, &session));
		if (!ret)
			ret = print_session(&m, session, stage, format);
	}
	joule_session_destroy(session);
	tool_model_close(&m);
	return ret;
}

const struct tool_command tool_inspect = {
	.name = "inspect",
	.arguments = "[OPTION]... MODEL.onnx",
	.summary = "Shows a model's graph, what the passes made of it, and the plan",
	.help = "  --stage graph      the graph as read from the file\n"
		"  --stage passes     the graph after the passes\n"
		"  --stage plan       steps, kernels, memory and barriers\n"
		"  --passes           lists the passes\n"
		"  --format F         text (default), md, csv, json\n" TOOL_HELP_OPTIONS,
	.run = run,
};
