// SPDX-License-Identifier: MIT
/* joule verify: models against recorded inputs and outputs. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <joule/tensor_file.h>

#include "compare.h"
#include "table.h"
#include "tool.h"

static const struct table_column columns[] = {
	{ "test", "TEST", false },	   { "set", "SET", false },
	{ "output", "OUTPUT", false },	   { "result", "RESULT", false },
	{ "max_abs", "MAX ABS", true },	   { "mean_abs", "MEAN ABS", true },
	{ "max_range", "OF RANGE", true }, { "equal_percent", "EQUAL %", true },
	{ "note", "NOTE", false },
};

struct verify {
	struct tool_options options;
	struct compare_params params;
	struct joule_context *context;
	struct joule_device *device;
	struct table *table;
	bool summary, on_cpu, allow_host;
	int passed, total, first_error;
};

static bool exists(const char *dir, const char *name)
{
	char path[4096];

	return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
	       !access(path, R_OK);
}

/* "DIR/input_3.pb"; NULL when out of memory. The caller frees it. */
static char *tensor_path(const char *dir, const char *what, int i)
{
	char *path;

	return asprintf(&path, "%s/%s_%d.pb", dir, what, i) < 0 ? NULL : path;
}

static void row(struct verify *v, const char *test, const char *set, const char *output,
		const char *result)
{
	if (table_row(v->table))
		return;
	table_set(v->table, "test", "%s", test);
	table_set(v->table, "set", "%s", set);
	table_set(v->table, "output", "%s", output);
	table_set(v->table, "result", "%s", result);
}

/* input_0.pb, input_1.pb ... : a missing file in between is an omitted optional input. */
static int set_inputs(struct verify *v, struct joule_session *session,
		      const struct joule_model *model, const char *set)
{
	int n = joule_model_inputs(model), ret = 0;

	for (int i = 0; !ret && i < n; i++) {
		struct joule_view view;
		char *path = tensor_path(set, "input", i);

		ret = path ? joule_tensor_file_read(v->context, path, &view) : -ENOMEM;
		free(path);
		if (ret)
			break;
		ret = joule_session_set_input(session, i, &view);
		joule_view_free(&view);
	}
	return ret;
}

static int check_outputs(struct verify *v, struct joule_session *session,
			 const struct joule_model *model, const char *test, const char *set)
{
	const char *set_name = strrchr(set, '_') ? strrchr(set, '_') + 1 : set;
	int n = joule_model_outputs(model), ret = 0;
	bool passed = true;

	for (int i = 0; !ret && i < n; i++) {
		struct joule_view got, want;
		struct joule_value_info info;
		struct compare_result r;
		char *path = tensor_path(set, "output", i);

		if (path && access(path, R_OK)) {
			free(path);
			continue;
		}
		ret = path ? joule_tensor_file_read(v->context, path, &want) : -ENOMEM;
		free(path);
		if (ret)
			break;
		ret = joule_session_output(session, i, &got);
		if (!ret) {
			char a[128], b[128];

			compare_views(&got, &want, &v->params, &r);
			joule_model_output(model, i, &info);
			row(v, test, set_name, info.name, r.passed ? "pass" : "FAIL");
			if (r.why) {
				table_set(v->table, "note", "%s: %s %s, expected %s %s", r.why,
					  joule_dtype_name(got.dtype),
					  joule_shape_str(&got.shape, a, sizeof(a)),
					  joule_dtype_name(want.dtype),
					  joule_shape_str(&want.shape, b, sizeof(b)));
			} else {
				table_set(v->table, "max_abs", "%.3g", r.max_abs);
				table_set(v->table, "mean_abs", "%.3g", r.mean_abs);
				table_set(v->table, "max_range", "%.3g", r.max_range);
				if (r.count)
					table_set(v->table, "equal_percent", "%.2f",
						  100.0 * (double)r.equal / (double)r.count);
				if (r.top1_differs)
					table_set(v->table, "note", "top-1 differs");
				else if (!r.passed)
					table_set(v->table, "note",
						  "[%lld] is %.9g, expected %.9g; %lld outside",
						  (long long)r.worst, r.got, r.expected,
						  (long long)r.outside);
			}
			passed &= r.passed;
		}
		joule_view_free(&want);
	}
	return ret ? ret : !passed;
}

static int calibrate(struct joule_session *session)
{
	int ret = joule_session_calibrate(session, 0);

	return ret < 0 ? ret : 0;
}

/* A model's folder: passes when all its sets do. */
static void verify_dir(struct verify *v, const char *dir)
{
	const char *name = strrchr(dir, '/') && strrchr(dir, '/')[1] ? strrchr(dir, '/') + 1 : dir;
	struct joule_session_params params;
	struct joule_session_stats stats;
	struct joule_session *session = NULL;
	struct joule_model *model = NULL;
	char path[4096];
	int ret, sets = 0, failed = 0;

	tool_session_params(&v->options, &params);
	v->total++;
	snprintf(path, sizeof(path), "%s/model.onnx", dir);
	tool_subject(dir);
	ret = joule_model_load(v->context, path, &model);
	if (!ret)
		ret = joule_session_create(model, v->device, &params, &session);
	for (int k = 0; !ret; k++) {
		snprintf(path, sizeof(path), "%s/test_data_set_%d", dir, k);
		if (access(path, R_OK))
			break;
		sets++;
		ret = set_inputs(v, session, model, path);
		/* The first set serves to find out what fp16 does not suit. */
		if (!ret && !k)
			ret = calibrate(session);
		if (!ret)
			ret = joule_session_run(session, 0);
		if (!ret)
			ret = check_outputs(v, session, model, name, path);
		if (ret == 1) {
			failed++;
			ret = 0;
		}
	}
	/* What the CPU computed is no evidence for the device. */
	if (!ret && !v->on_cpu && !joule_session_get_stats(session, &stats) &&
	    stats.host_float_steps) {
		row(v, name, "", "", "ON CPU");
		table_set(v->table, "note", "%d floating-point steps ran on the CPU",
			  stats.host_float_steps);
		failed += !v->allow_host;
	}
	joule_session_destroy(session);
	joule_model_destroy(model);
	tool_subject(NULL);
	if (ret) {
		row(v, name, "", "", ret == -ENOTSUP ? "UNSUPPORTED" : "ERROR");
		table_set(v->table, "note", "%s", strerror(-ret));
		if (!v->first_error)
			v->first_error = ret;
	} else if (!sets) {
		row(v, name, "", "", "ERROR");
		table_set(v->table, "note", "no test_data_set_0");
	}
	v->passed += !ret && sets && !failed;
	if (v->summary)
		printf("%s %s\n", !ret && sets && !failed ? "pass" : "FAIL", name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int verify_path(struct verify *v, const char *path)
{
	struct dirent **list;
	int n, found = 0;

	if (exists(path, "model.onnx")) {
		verify_dir(v, path);
		return 0;
	}
	n = scandir(path, &list, NULL, by_name);
	if (n < 0) {
		tool_error("%s: %s", path, strerror(errno));
		return TOOL_IO;
	}
	for (int i = 0; i < n; i++) {
		char sub[4096];

		if (list[i]->d_name[0] != '.' &&
		    snprintf(sub, sizeof(sub), "%s/%s", path, list[i]->d_name) <
			    (int)sizeof(sub) &&
		    exists(sub, "model.onnx")) {
			verify_dir(v, sub);
			found++;
		}
		free(list[i]);
	}
	free(list);
	if (!found)
		tool_error("%s: no model.onnx in it or in a folder of it", path);
	return found ? 0 : TOOL_IO;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		TOOL_LONG_OPTIONS,
		{ "summary", no_argument, NULL, 's' },
		{ "allow-host", no_argument, NULL, 'h' },
		{ "format", required_argument, NULL, 'f' },
		{ "rtol", required_argument, NULL, 'r' },
		{ "atol", required_argument, NULL, 'a' },
		{ "range-tol", required_argument, NULL, 'g' },
		{ "min-equal", required_argument, NULL, 'e' },
		{ "same-top1", no_argument, NULL, 't' },
		{ 0 },
	};
	/* rtol and atol are those of ONNX's own backend tests. */
	struct verify v = { .params = { .rtol = 1e-3, .atol = 1e-7, .range_tol = 2e-4 } };
	enum table_format format = TABLE_TEXT;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		ret = 0;
		if (opt == 's')
			v.summary = true;
		else if (opt == 'h')
			v.allow_host = true;
		else if (opt == 'f' && table_format_parse(optarg, &format))
			ret = tool_usage(&tool_verify, "no format '%s'", optarg);
		else if (opt == 'r')
			ret = tool_number(&tool_verify, "rtol", 0, 1e6, &v.params.rtol);
		else if (opt == 'a')
			ret = tool_number(&tool_verify, "atol", 0, 1e30, &v.params.atol);
		else if (opt == 'g')
			ret = tool_number(&tool_verify, "range-tol", 0, 1e6, &v.params.range_tol);
		else if (opt == 'e')
			ret = tool_number(&tool_verify, "min-equal", 0, 100,
					  &v.params.min_equal_percent);
		else if (opt == 't')
			v.params.same_top1 = true;
		else if (opt != 'f')
			ret = tool_option(&tool_verify, &v.options, opt);
		if (ret)
			return ret;
	}
	if (optind == argc)
		return tool_usage(&tool_verify, "no folder given");
	setvbuf(stdout, NULL, _IOLBF, 0);
	ret = tool_context(&v.options, &v.context);
	if (!ret)
		ret = tool_exit_code(joule_device_open(v.context, v.options.device, &v.device));
	if (!ret) {
		struct joule_device_info info;

		joule_device_get_info(v.device, &info);
		v.on_cpu = !strcmp(info.type, "reference");
	}
	v.table = table_create(columns, sizeof(columns) / sizeof(columns[0]));
	if (!ret && !v.table)
		ret = TOOL_NO_MEMORY;
	for (int i = optind; !ret && i < argc; i++)
		ret = verify_path(&v, argv[i]);
	if (!ret && !v.summary)
		ret = tool_exit_code(table_print(v.table, format, "joule.verify/1", stdout));
	if (!ret && (v.summary || format == TABLE_TEXT))
		printf("%d passed of %d\n", v.passed, v.total);
	table_destroy(v.table);
	joule_device_close(v.device);
	joule_context_destroy(v.context);
	if (ret)
		return ret;
	return v.passed == v.total ? TOOL_OK :
	       v.first_error && v.total == 1 ? tool_exit_code(v.first_error) : TOOL_NEGATIVE;
}

const struct tool_command tool_verify = {
	.name = "verify",
	.arguments = "[OPTION]... FOLDER...",
	.summary = "Compares a model's outputs with recorded ones",
	.help = "  FOLDER             holds model.onnx and test_data_set_0/{input,output}_0.pb ...,\n"
		"                     or is a folder of such folders\n"
		"  --summary          a line a test, and at the end N passed of M\n"
		"  --allow-host       floating-point steps that ran on the CPU are no failure\n"
		"  --format F         text (default), md, csv, json\n"
		"  --rtol, --atol X   an element may be off by atol + rtol * |expected| (1e-3, 1e-7)\n"
		"  --range-tol X      or the largest error by X of the output's range (2e-4)\n"
		"  --min-equal P      instead: P percent of the elements must be equal\n"
		"  --same-top1        the largest element must be the same\n"
		TOOL_HELP_OPTIONS,
	.run = run,
};
