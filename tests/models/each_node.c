// SPDX-License-Identifier: MIT
/*
 * each_node [-d DEVICE] [-v] [--float] FOLDER|MODEL.onnx ...
 *
 * Each node of a model by itself, after the passes: the plain reference runs
 * over the recorded input, and the kernels of every quantized node (one that
 * touches 8-bit integers) are fed what the reference fed it. 8-bit results must
 * lie within one quantum of the reference's, 32-bit sums must be equal. Where
 * float nodes lie between one 8-bit tensor and the next, the whole group is run
 * on the device too, each node taking what the device made before. --float
 * checks all other floating-point nodes, to FLOAT_TOL of the output's range.
 *
 * The plan of each model must check, and its memory stay within ARENA_LIMIT of
 * the lower bound.
 *
 * FOLDER has model.onnx and test_data_set_0; one without quantized nodes is
 * passed over unless --float is given. Of a file MODEL.onnx only the plan is
 * checked.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <joule/joule.h>
#include <joule/tensor_file.h>

#include "../ops/kernel_run.h"
#include "hal/vulkan/vulkan.h"
#include "ir/access.h"
#include "ir/op.h"
#include "onnx/import.h"
#include "plan/plan.h"
#include "runtime/engine.h"
#include "runtime/interp.h"

#define FLOAT_TOL   2e-4
#define ARENA_LIMIT 1.15

static struct {
	struct joule_log log;
	struct joule_context *context;
	struct joule_hal_device *device;
	bool floats, verbose;
	char message[512];
	int passed, failed;
	/* Of the model at hand: */
	const char *model;
	struct joule_graph *graph;
	void **truth;  /* by tensor: the reference's value */
	bool *in_group; /* by node */
	int nodes, groups, bad, host, worst;
	int64_t values, off_by_one;
	double worst_float, arena;
} t;

static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	snprintf(t.message, sizeof(t.message), "%s", msg);
	if (t.verbose)
		fprintf(stderr, "  %s\n", msg);
}

static int fail(const struct joule_node *node, const char *what, const char *detail)
{
	if (t.bad++ < 10)
		printf("FAIL %s: %s (%s), %s: %s\n", t.model, node->name, node->op->name, what,
		       detail);
	return -1;
}

static bool is_byte(const struct joule_tensor *x)
{
	return x && (x->dtype == JOULE_U8 || x->dtype == JOULE_I8);
}

static bool makes_bytes(const struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++)
		if (is_byte(node->out[i]))
			return true;
	return false;
}

static bool is_quantized(const struct joule_node *node)
{
	for (int i = 0; i < node->n_in; i++)
		if (is_byte(node->in[i]))
			return true;
	return makes_bytes(node);
}

static bool makes_floats(const struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i] && joule_dtype_is_float(node->out[i]->dtype))
			return true;
	return false;
}

/* ---- comparison ---- */

static int compare_ints(const struct joule_node *node, const char *what,
			const struct joule_tensor *x, const void *truth, int allowed)
{
	int64_t n = joule_tensor_count(x), worst = 0, at = 0;
	char text[160];

	t.values += n;
	for (int64_t i = 0; i < n; i++) {
		int64_t d = joule_get_i64(x->dtype, x->data, i) - joule_get_i64(x->dtype, truth, i);

		d = d < 0 ? -d : d;
		t.off_by_one += d != 0;
		if (d > worst) {
			worst = d;
			at = i;
		}
	}
	t.worst = worst > t.worst ? (int)worst : t.worst;
	if (worst <= allowed)
		return 0;
	snprintf(text, sizeof(text), "%s[%lld of %lld] is %lld, the reference's %lld", x->name,
		 (long long)at, (long long)n, (long long)joule_get_i64(x->dtype, x->data, at),
		 (long long)joule_get_i64(x->dtype, truth, at));
	return fail(node, what, text);
}

static int compare_floats(const struct joule_node *node, const char *what,
			  const struct joule_tensor *x, const void *truth)
{
	int64_t n = joule_tensor_count(x), at = 0;
	double lo = INFINITY, hi = -INFINITY, worst = 0, scale;
	char text[160];

	for (int64_t i = 0; i < n; i++) {
		double w = joule_get_f64(x->dtype, truth, i);

		if (isfinite(w)) {
			lo = fmin(lo, w);
			hi = fmax(hi, w);
		}
	}
	scale = fmax(hi - lo, fmax(fabs(hi), fabs(lo)));
	scale = scale > 0 && isfinite(scale) ? scale : 1;
	for (int64_t i = 0; i < n; i++) {
		double w = joule_get_f64(x->dtype, truth, i), g = joule_get_f64(x->dtype, x->data, i);
		double e = w == g || (isnan(w) && isnan(g)) ? 0 : fabs(w - g) / scale;

		if (isnan(e) || e > worst) {
			worst = isnan(e) ? INFINITY : e;
			at = i;
		}
	}
	t.worst_float = fmax(t.worst_float, worst);
	if (worst <= FLOAT_TOL)
		return 0;
	snprintf(text, sizeof(text), "%s[%lld of %lld] is %g, the reference's %g (%.3g of range)",
		 x->name, (long long)at, (long long)n, joule_get_f64(x->dtype, x->data, at),
		 joule_get_f64(x->dtype, truth, at), worst);
	return fail(node, what, text);
}

static int compare(const struct joule_node *node, const char *what)
{
	int ret = 0;

	for (int i = 0; !ret && i < node->n_out; i++) {
		const struct joule_tensor *x = node->out[i];

		if (!x || !t.truth[x->index])
			continue;
		if (joule_dtype_is_float(x->dtype))
			ret = compare_floats(node, what, x, t.truth[x->index]);
		else
			ret = compare_ints(node, what, x, t.truth[x->index], is_byte(x));
	}
	return ret;
}

/* ---- one node on the device, reading and writing tensors' data ---- */

static void forget(struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++) {
		struct joule_tensor *x = node->out[i];

		if (!x || x->data == t.truth[x->index])
			continue;
		free(x->data);
		x->data = t.truth[x->index];
	}
}

static int own_outputs(struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++) {
		struct joule_tensor *x = node->out[i];

		if (!x)
			continue;
		x->data = calloc(1, (size_t)joule_tensor_bytes(x) + 1);
		if (!x->data)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Outputs get new data. What has no kernel runs as it would in a session, by
 * the reference.
 */
static int run_node(struct joule_node *node, bool *on_host)
{
	struct kernel_run run;
	char text[160];
	int ret = own_outputs(node);

	*on_host = true;
	if (ret || (node->op->traits & (JOULE_OP_VIEW | JOULE_OP_HOST)))
		return ret ? ret : joule_node_ref(node);
	ret = kernel_run_init(&run, t.device, node, NULL, false);
	if (ret == -ENOTSUP && run.binder.refusal) {
		ret = is_quantized(node) ? fail(node, "no kernel", run.binder.refusal) :
					   joule_node_ref(node);
		kernel_run_finish(&run);
		return ret;
	}
	*on_host = false;
	if (!ret)
		ret = kernel_run_once(&run);
	if (ret)
		fail(node, "kernel", t.message);
	else if (kernel_run_guards(&run, text, sizeof(text)))
		ret = fail(node, "kernel", text);
	for (int i = 0; !ret && i < node->n_out; i++)
		if (node->out[i])
			memcpy(node->out[i]->data, kernel_run_output(&run, i),
			       (size_t)joule_tensor_bytes(node->out[i]));
	kernel_run_finish(&run);
	return ret;
}

/* ---- a node, a group ---- */

static void check_node(struct joule_node *node)
{
	bool on_host;
	int ret = run_node(node, &on_host);

	if (!ret && !on_host)
		ret = compare(node, "by itself");
	t.nodes += !on_host;
	t.host += on_host;
	if (t.verbose)
		printf("  %-40s %-20s %s\n", node->name, node->op->name,
		       on_host ? "host" : ret ? "FAILED" : "ok");
	forget(node);
}

/* Marks the nodes that lie between other types and what `node` reads. */
static int mark_group(const struct joule_node *node)
{
	int n = 1;

	if (t.in_group[node->index])
		return 0;
	t.in_group[node->index] = true;
	for (int i = 0; i < node->n_in; i++) {
		const struct joule_tensor *x = node->in[i];

		if (x && joule_dtype_is_float(x->dtype) && x->producer)
			n += mark_group(x->producer);
	}
	return n;
}

static void check_group(struct joule_node *last)
{
	int ret = 0;

	memset(t.in_group, 0, (size_t)t.graph->n_nodes * sizeof(*t.in_group));
	if (mark_group(last) == 1)
		return; /* the same as by itself */
	for (int i = 0; !ret && i < t.graph->n_nodes; i++) {
		bool on_host;

		if (t.in_group[i])
			ret = run_node(t.graph->nodes[i], &on_host);
	}
	if (!ret)
		compare(last, "with the float nodes before it");
	t.groups++;
	for (int i = 0; i < t.graph->n_nodes; i++)
		if (t.in_group[i])
			forget(t.graph->nodes[i]);
}

/* ---- the plan ---- */

static bool known(struct joule_tensor *const *list, int n)
{
	for (int i = 0; i < n; i++)
		if (list[i] && (!list[i]->dtype || joule_tensor_bytes(list[i]) < 0))
			return false;
	return true;
}

/* Of what can be planned before the first run. */
static int check_plan(bool unified)
{
	struct joule_node **nodes = calloc((size_t)t.graph->n_nodes + 1, sizeof(struct joule_node *));
	struct joule_plan_params params = { .caps = &t.device->caps, .unified = unified,
					    .nodes = nodes };
	struct joule_plan *plan;
	double ratio;
	int ret;

	if (!nodes)
		return -ENOMEM;
	for (int i = 0; i < t.graph->n_nodes; i++) {
		struct joule_node *n = t.graph->nodes[i];

		if (!(n->op->traits & (JOULE_OP_CONTROL | JOULE_OP_LATE_SHAPE)) &&
		    known(n->in, n->n_in) && known(n->out, n->n_out))
			nodes[params.n_nodes++] = n;
	}
	ret = joule_plan_create(t.graph, &params, &plan);
	free(nodes);
	if (ret)
		return ret;
	ret = joule_plan_check(plan);
	ratio = plan->lower_bound_bytes ? (double)(plan->device_bytes + plan->host_bytes) /
						  (double)plan->lower_bound_bytes : 1;
	/* Two arenas have two peaks; a few hundred bytes are alignment. */
	if (unified)
		t.arena = ratio;
	if (!ret && unified && ratio > ARENA_LIMIT && plan->lower_bound_bytes > 65536 && !t.bad++)
		printf("FAIL %s: the arena takes %.3f times the lower bound of %llu bytes\n", t.model,
		       ratio, (unsigned long long)plan->lower_bound_bytes);
	joule_plan_destroy(plan);
	return ret;
}

/* ---- a model ---- */

static bool is_file(const char *path)
{
	size_t n = strlen(path);

	return n > 5 && !strcmp(path + n - 5, ".onnx");
}

static int load(const char *folder)
{
	struct joule_engine engine;
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), is_file(folder) ? "%s" : "%s/model.onnx", folder);
	ret = joule_onnx_load(&t.log, path, &t.graph);
	for (int i = 0; !ret && !is_file(folder) && i < t.graph->n_inputs; i++) {
		struct joule_tensor *x = t.graph->inputs[i];
		struct joule_view view;

		snprintf(path, sizeof(path), "%s/test_data_set_0/input_%d.pb", folder, i);
		ret = joule_tensor_file_read(t.context, path, &view);
		if (ret)
			break;
		x->dtype = view.dtype;
		x->shape = view.shape;
		ret = joule_tensor_alloc(x);
		if (!ret)
			memcpy(x->data, view.data, view.bytes);
		joule_view_free(&view);
	}
	if (ret)
		return ret;
	/* Inputs are not constants: their values must not be seen by the passes. */
	t.truth = calloc((size_t)t.graph->n_inputs + 1, sizeof(*t.truth));
	if (!t.truth)
		return -ENOMEM;
	for (int i = 0; i < t.graph->n_inputs; i++) {
		t.truth[i] = t.graph->inputs[i]->data;
		t.graph->inputs[i]->data = NULL;
	}
	joule_engine_init(&engine, t.device);
	ret = joule_engine_rewrite(&engine, t.graph);
	for (int i = 0; i < t.graph->n_inputs; i++)
		t.graph->inputs[i]->data = t.truth[i];
	free(t.truth);
	t.truth = NULL;
	return ret;
}

static int check_graph(void)
{
	struct joule_interp interp = { .keep_all = true };
	struct joule_graph *g = t.graph;
	int ret = joule_interp_run(&interp, g);

	if (ret)
		return ret;
	t.truth = calloc((size_t)g->n_tensors + 1, sizeof(*t.truth));
	t.in_group = calloc((size_t)g->n_nodes + 1, sizeof(*t.in_group));
	if (!t.truth || !t.in_group)
		return -ENOMEM;
	for (int i = 0; i < g->n_tensors; i++)
		t.truth[i] = g->tensors[i]->data;
	for (int i = 0; i < g->n_nodes; i++) {
		struct joule_node *node = g->nodes[i];

		if (node->op->traits & (JOULE_OP_CONTROL | JOULE_OP_LATE_SHAPE | JOULE_OP_RANDOM))
			continue;
		if (is_quantized(node) || (t.floats && makes_floats(node)))
			check_node(node);
		if (makes_bytes(node))
			check_group(node);
	}
	return 0;
}

static bool any_quantized(void)
{
	for (int i = 0; i < t.graph->n_nodes; i++)
		if (is_quantized(t.graph->nodes[i]))
			return true;
	return false;
}

static void check_model(const char *folder)
{
	const char *slash;
	char *name = strdup(folder);
	int ret;

	while (*name && name[strlen(name) - 1] == '/')
		name[strlen(name) - 1] = 0;
	slash = strrchr(name, '/');
	t.model = slash ? slash + 1 : name;
	t.graph = NULL;
	t.nodes = t.groups = t.bad = t.host = t.worst = 0;
	t.values = t.off_by_one = 0;
	t.worst_float = t.arena = 0;
	ret = load(folder);
	if (!ret)
		ret = check_plan(true);
	if (!ret)
		ret = check_plan(false);
	if (!ret && !is_file(folder) && (t.floats || any_quantized()))
		ret = check_graph();
	if (ret && t.bad++ == 0)
		printf("FAIL %s: %s (%s)\n", t.model, strerror(-ret), t.message);
	if (t.bad > 10)
		printf("     ... and %d more\n", t.bad - 10);
	if (!t.bad && is_file(folder))
		printf("PASS %s: arena %.3f of the lower bound\n", t.model, t.arena);
	else if (!t.bad && t.nodes)
		printf("PASS %s: %d nodes, %d groups; integers at most %d off, %lld of %lld off; "
		       "floats at most %.1e of range; %d views or host nodes; arena %.3f of the "
		       "lower bound\n", t.model, t.nodes, t.groups, t.worst, (long long)t.off_by_one,
		       (long long)t.values, t.worst_float, t.host, t.arena);
	t.passed += !t.bad && (t.nodes || is_file(folder));
	t.failed += t.bad != 0;
	if (t.graph) {
		joule_interp_release(t.graph);
		for (int i = 0; i < t.graph->n_inputs; i++)
			joule_tensor_release(t.graph->inputs[i]);
		joule_graph_destroy(t.graph);
	}
	free(t.truth);
	free(t.in_group);
	t.truth = NULL;
	t.in_group = NULL;
	free(name);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "float", no_argument, NULL, 'f' }, { 0 } };
	struct joule_vulkan_params params = { 0 };
	struct joule_context_params context = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "d:v", options, NULL)) >= 0) {
		if (opt == 'd')
			params.name = optarg;
		else if (opt == 'f')
			t.floats = true;
		else if (opt == 'v')
			t.verbose = true;
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	t.log = (struct joule_log){ .fn = on_log, .level = JOULE_LOG_WARN };
	context.log = t.log;
	if (joule_context_create(&context, &t.context))
		return 1;
	if (joule_vulkan_open(&t.log, &params, &t.device)) {
		printf("SKIP each node: skipped: %s\n", t.message);
	} else {
		for (int i = optind; i < argc; i++)
			check_model(argv[i]);
		t.device->ops->destroy(t.device);
	}
	joule_context_destroy(t.context);
	printf("%d passed, %d failed\n", t.passed, t.failed);
	return t.failed != 0;
}
