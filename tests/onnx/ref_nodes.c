// SPDX-License-Identifier: MIT
/*
 * Runs the plain reference on folders in the layout of ONNX's backend tests
 * (model.onnx, test_data_set_K/input_I.pb and output_I.pb) or folders of such
 * folders, and compares. One line per test, then "N passed of M".
 *
 * The tolerance is that of ONNX's own backend tests. Control flow needs an
 * executor and counts as unsupported here.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/access.h"
#include "ir/graph.h"
#include "ir/op.h"
#include "onnx/import.h"
#include "onnx/tensor.h"

#define MAX_FILES 256

static struct {
	double rtol, atol;
	bool verbose, quiet;
	int run, passed, failed, unsupported;
	char msg[1024]; /* the last error, for the test's line */
} test = { .rtol = 1e-3, .atol = 1e-7 };

static void keep_message(void *user, enum joule_log_level level, const char *msg)
{
	if (level == JOULE_LOG_ERROR)
		snprintf(test.msg, sizeof(test.msg), "%s", msg);
	if (test.verbose)
		printf("    %s\n", msg);
}

static struct joule_log to_line = { keep_message, NULL, JOULE_LOG_WARN };

/* Reads KIND_0.pb, KIND_1.pb, ... Returns how many, or -errno. */
static int read_set(const char *dir, const char *kind, struct joule_onnx_tensor *out)
{
	char path[4096];
	int n, ret;

	for (n = 0; n < MAX_FILES; n++) {
		snprintf(path, sizeof(path), "%s/%s_%d.pb", dir, kind, n);
		if (access(path, F_OK))
			break;
		ret = joule_onnx_read_tensor(&to_line, path, &out[n]);
		if (ret) {
			while (n--)
				joule_onnx_tensor_finish(&out[n]);
			return ret;
		}
	}
	return n;
}

/* By name where the file has one of the graph's, else in order. */
static int find_input(const struct joule_graph *g, const char *name, int i)
{
	for (int k = 0; *name && k < g->n_inputs; k++)
		if (!strcmp(g->inputs[k]->name, name))
			return k;
	return i;
}

/* ONNX's older test data holds bfloat16 as UINT16. */
static void fix_type(struct joule_view *v, enum joule_dtype dtype)
{
	if (v->dtype == JOULE_U16 && dtype == JOULE_BF16)
		v->dtype = dtype;
}

static int set_inputs(struct joule_graph *g, struct joule_onnx_tensor *in, int n)
{
	if (n != g->n_inputs) {
		snprintf(test.msg, sizeof(test.msg), "%d inputs given, the model has %d", n,
			 g->n_inputs);
		return -EINVAL;
	}
	for (int i = 0; i < n; i++) {
		struct joule_tensor *t = g->inputs[find_input(g, in[i].name, i)];

		fix_type(&in[i].view, t->dtype);
		if (t->dtype && t->dtype != in[i].view.dtype) {
			snprintf(test.msg, sizeof(test.msg), "input %s is %s, the model has %s",
				 t->name, joule_dtype_name(in[i].view.dtype),
				 joule_dtype_name(t->dtype));
			return -EINVAL;
		}
		t->dtype = in[i].view.dtype;
		t->shape = in[i].view.shape;
	}
	return 0;
}

/* Values are given after inference only, so that they are not taken as constants. */
static void set_values(struct joule_graph *g, struct joule_onnx_tensor *in, int n)
{
	for (int i = 0; i < n; i++)
		g->inputs[find_input(g, in[i].name, i)]->data = in[i].view.data;
}

static int run_nodes(struct joule_graph *g)
{
	int ret = 0;

	for (int i = 0; !ret && i < g->n_nodes; i++) {
		struct joule_node *n = g->nodes[i];

		if (n->op->traits & JOULE_OP_CONTROL)
			return joule_node_err(n, -ENOTSUP, "control flow");
		ret = joule_node_infer(n);
		if (ret > 0)
			ret = joule_node_err(n, -EINVAL, "shape is not known at run time");
		if (!ret)
			ret = joule_node_ref(n);
	}
	return ret;
}

/* The number of elements that differ; the largest error goes to *worst. */
static int64_t compare(const struct joule_tensor *got, const struct joule_view *want,
		       double *worst)
{
	int64_t bad = 0, n = joule_shape_count(&want->shape);
	bool whole = joule_dtype_is_int(want->dtype) || want->dtype == JOULE_BOOL;

	for (int64_t i = 0; i < n; i++) {
		double a = joule_get_f64(got->dtype, got->data, i);
		double b = joule_get_f64(want->dtype, want->data, i);
		double d = fabs(a - b);

		if (whole && joule_get_i64(got->dtype, got->data, i) !=
				     joule_get_i64(want->dtype, want->data, i)) {
			bad++;
			*worst = fmax(*worst, d);
			continue;
		}
		if ((isnan(a) && isnan(b)) || a == b)
			continue;
		if (!(d <= test.atol + test.rtol * fabs(b)))
			bad++;
		*worst = isnan(d) ? INFINITY : fmax(*worst, d);
	}
	return bad;
}

static int check_outputs(struct joule_graph *g, struct joule_onnx_tensor *want, int n,
			 double *worst)
{
	for (int i = 0; i < n && i < g->n_outputs; i++) {
		struct joule_tensor *t = g->outputs[i];
		struct joule_view *v = &want[i].view;
		char a[128], b[128];
		int64_t bad;

		fix_type(v, t->dtype);
		if (!t->data || t->dtype != v->dtype || !joule_shape_equal(&t->shape, &v->shape)) {
			snprintf(test.msg, sizeof(test.msg), "output %s is %s%s, should be %s%s",
				 t->name, joule_dtype_name(t->dtype),
				 joule_shape_str(&t->shape, a, sizeof(a)),
				 joule_dtype_name(v->dtype),
				 joule_shape_str(&v->shape, b, sizeof(b)));
			return -EINVAL;
		}
		bad = compare(t, v, worst);
		if (bad) {
			snprintf(test.msg, sizeof(test.msg),
				 "output %s %s: %lld of %lld elements differ, by up to %g",
				 t->name, joule_shape_str(&t->shape, a, sizeof(a)), (long long)bad,
				 (long long)joule_tensor_count(t), *worst);
			return -EINVAL;
		}
	}
	return 0;
}

static int run_graph(struct joule_graph *g, struct joule_onnx_tensor *in, int n_in,
		     struct joule_onnx_tensor *out, int n_out, double *worst)
{
	int ret = set_inputs(g, in, n_in);

	if (!ret)
		ret = joule_graph_infer(g, 0);
	if (!ret)
		ret = joule_graph_verify(g);
	if (!ret) {
		set_values(g, in, n_in);
		ret = run_nodes(g);
	}
	return ret ? ret : check_outputs(g, out, n_out, worst);
}

static int run_set(const char *model, const char *dir, double *worst)
{
	static struct joule_onnx_tensor in[MAX_FILES], out[MAX_FILES];
	struct joule_graph *g;
	int n_in, n_out, ret;

	ret = joule_onnx_load(&to_line, model, &g);
	if (ret)
		return ret;
	n_in = read_set(dir, "input", in);
	n_out = n_in < 0 ? n_in : read_set(dir, "output", out);
	ret = n_out < 0 ? n_out : run_graph(g, in, n_in, out, n_out, worst);
	for (int i = 0; i < n_in; i++)
		joule_onnx_tensor_finish(&in[i]);
	for (int i = 0; i < n_out; i++)
		joule_onnx_tensor_finish(&out[i]);
	joule_graph_destroy(g);
	return ret;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void run_test(const char *dir)
{
	char model[4096], set[4096];
	double worst = 0;
	int ret = 0, sets;

	snprintf(model, sizeof(model), "%s/model.onnx", dir);
	test.run++;
	test.msg[0] = 0;
	for (sets = 0; !ret; sets++) {
		snprintf(set, sizeof(set), "%s/test_data_set_%d", dir, sets);
		if (access(set, F_OK))
			break;
		ret = run_set(model, set, &worst);
	}
	if (!ret && !sets) {
		snprintf(test.msg, sizeof(test.msg), "no test_data_set_0");
		ret = -ENOENT;
	}
	if (!ret) {
		test.passed++;
		if (!test.quiet)
			printf("PASS %s (max error %g)\n", base_name(dir), worst);
	} else if (ret == -ENOTSUP) {
		test.unsupported++;
		printf("UNSUPPORTED %s (%s)\n", base_name(dir), test.msg);
	} else {
		test.failed++;
		printf("FAIL %s (%s)\n", base_name(dir), test.msg);
	}
	fflush(stdout);
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* A test folder, or a folder to look for tests in. */
static int run_path(const char *path)
{
	struct dirent **list;
	char sub[4096];
	int n, ret = 0;

	snprintf(sub, sizeof(sub), "%s/model.onnx", path);
	if (!access(sub, F_OK)) {
		run_test(path);
		return 0;
	}
	n = scandir(path, &list, not_hidden, alphasort);
	if (n < 0) {
		fprintf(stderr, "onnx_ref: %s: %s\n", path, strerror(errno));
		return 1;
	}
	for (int i = 0; i < n; i++) {
		if (list[i]->d_type == DT_DIR || list[i]->d_type == DT_LNK) {
			snprintf(sub, sizeof(sub), "%s/%s", path, list[i]->d_name);
			ret |= run_path(sub);
		}
		free(list[i]);
	}
	free(list);
	return ret;
}

int main(int argc, char **argv)
{
	int opt, ret = 0;

	while ((opt = getopt(argc, argv, "vqr:a:")) != -1) {
		switch (opt) {
		case 'v':
			test.verbose = true;
			break;
		case 'q':
			test.quiet = true;
			break;
		case 'r':
			test.rtol = atof(optarg);
			break;
		case 'a':
			test.atol = atof(optarg);
			break;
		default:
			optind = argc;
			break;
		}
	}
	if (optind >= argc) {
		fprintf(stderr, "usage: onnx_ref [-v] [-q] [-r RTOL] [-a ATOL] DIR...\n"
				"  -v  every message   -q  only tests that do not pass\n");
		return 2;
	}
	for (int i = optind; i < argc; i++)
		ret |= run_path(argv[i]);
	printf("%d passed of %d (%d failed, %d unsupported)\n", test.passed, test.run, test.failed,
	       test.unsupported);
	return ret || test.failed;
}
