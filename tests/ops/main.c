// SPDX-License-Identifier: MIT
/*
 * run_ops [-d DEVICE] [-f OPERATOR] [-v] [--bench] [--coverage] [--used FILE] FILE.rows ...
 *
 * Each row: infer against reference, reference under guard bytes, then the
 * kernels in fp32 and fp16 against the reference. --coverage fails for operators
 * and shaders that no row reaches. Without a Vulkan device (or with -d none) the
 * kernels are skipped, said so.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hal/shader_table.h"
#include "hal/vulkan/vulkan.h"
#include "ir/access.h"
#include "kernel_run.h"
#include "row.h"

static struct {
	struct joule_log log;
	struct joule_hal_device *device;
	const char *filter;
	bool verbose, bench, coverage, quiet_log;
	int rows, passed, failed, kernels, host, no16;
	bool *shader_used;
	const char *used_path; /* names of shaders launched, kept from run to run */
	char last_message[512];
} t;

static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	snprintf(t.last_message, sizeof(t.last_message), "%s", msg);
	if (t.verbose && !t.quiet_log)
		fprintf(stderr, "  %s\n", msg);
}

__attribute__((format(printf, 3, 4))) static int fail(const struct row *row, const char *what,
						      const char *fmt, ...)
{
	va_list ap;

	printf("FAIL %s:%d [%s] ", row->file, row->line, what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n     %s\n", row->text);
	return -1;
}

/* ---- the reference, under guard bytes ---- */

#define GUARD_BYTES 64

static int guarded_ref(const struct row *row, struct joule_node *node)
{
	struct joule_shape shapes[16];
	int ret;

	for (int i = 0; i < node->n_out && i < 16; i++) {
		struct joule_tensor *o = node->out[i];

		if (!o || (node->op->traits & JOULE_OP_LATE_SHAPE))
			continue;
		size_t bytes = (size_t)joule_tensor_bytes(o);
		char *p = malloc(bytes + 2 * GUARD_BYTES);

		if (!p)
			return -ENOMEM;
		memset(p, 0xa5, bytes + 2 * GUARD_BYTES);
		memset(p + GUARD_BYTES, 0, bytes);
		o->data = p + GUARD_BYTES;
		shapes[i] = o->shape;
	}
	ret = joule_node_ref(node);
	for (int i = 0; i < node->n_out && i < 16; i++) {
		struct joule_tensor *o = node->out[i];
		bool broken = false;

		if (!o || (node->op->traits & JOULE_OP_LATE_SHAPE))
			continue;
		size_t bytes = (size_t)joule_array_bytes(o->dtype, &shapes[i]);
		unsigned char *p = (unsigned char *)o->data - GUARD_BYTES;
		void *copy = malloc(bytes ? bytes : 1);

		for (int k = 0; k < GUARD_BYTES; k++)
			broken |= p[k] != 0xa5 || p[GUARD_BYTES + bytes + k] != 0xa5;
		if (copy)
			memcpy(copy, o->data, bytes);
		free(p);
		o->data = copy;
		o->owned = true;
		if (!ret && broken)
			ret = fail(row, "ref", "the reference wrote outside output %d", i);
		if (!ret && !joule_shape_equal(&o->shape, &shapes[i]))
			ret = fail(row, "ref", "the reference changed output %d's shape", i);
	}
	return ret;
}

/* ---- comparison ---- */

static int compare(const struct row *row, const char *what, const struct joule_tensor *want,
		   const void *got, double tol)
{
	int64_t n = joule_tensor_count(want), worst = 0;
	double lo = INFINITY, hi = -INFINITY, err = 0;
	bool exact = !joule_dtype_is_float(want->dtype);

	for (int64_t i = 0; i < n; i++) {
		double w = joule_get_f64(want->dtype, want->data, i);

		if (isfinite(w)) {
			lo = fmin(lo, w);
			hi = fmax(hi, w);
		}
	}
	/* The range, or the magnitude where all values are alike. */
	double scale = fmax(hi - lo, fmax(fabs(hi), fabs(lo)));

	if (!(scale > 0) || !isfinite(scale))
		scale = 1;
	for (int64_t i = 0; i < n; i++) {
		double w = joule_get_f64(want->dtype, want->data, i);
		double g = joule_get_f64(want->dtype, got, i);
		double e = isnan(w) && isnan(g) ? 0 : w == g ? 0 : fabs(w - g) / scale;

		/* Beyond fp16's largest number both signs of infinity are right. */
		if (isnan(e) || e > err) {
			err = isnan(e) ? INFINITY : e;
			worst = i;
		}
	}
	if (err > (exact ? 0 : tol))
		return fail(row, what, "%s[%lld of %lld]: %g, should be %g (error %.3g of range, "
			    "allowed %.3g)", want->name, (long long)worst, (long long)n,
			    joule_get_f64(want->dtype, got, worst),
			    joule_get_f64(want->dtype, want->data, worst), err, exact ? 0 : tol);
	if (t.verbose)
		printf("  %-5s error %.2g of range\n", what, err);
	return 0;
}

/* ---- kernels ---- */

static void mark_shaders(const struct joule_binder *b)
{
	for (int i = 0; i < b->n_dispatches; i++) {
		const struct joule_shader *s = joule_shader_find(b->dispatches[i]->shader);

		if (s)
			t.shader_used[s - joule_shaders] = true;
	}
}

static int bench(struct kernel_run *run, const struct row *row, const char *what)
{
	struct joule_cost cost = { 0 };
	uint64_t best = UINT64_MAX, ns;

	for (int i = 0; i < 20; i++)
		if (!kernel_run_once(run) && !kernel_run_ns(run, &ns) && ns < best)
			best = ns;
	if (run->node->op->cost)
		run->node->op->cost(run->node, &cost);
	printf("%10.3f us %8.2f GFLOP/s %d launches %s %s  %s\n", best / 1e3,
	       2.0 * (double)cost.macs / (double)best, run->binder.n_dispatches, what,
	       run->binder.n_dispatches ? run->binder.dispatches[run->binder.n_dispatches - 1]->shader : "-",
	       row->text);
	return 0;
}

static int run_kernels(const struct row *row, const struct joule_node *node, const char *what,
		       double tol, const struct joule_caps *caps)
{
	struct kernel_run run;
	char buf[128];
	int ret = kernel_run_init(&run, t.device, node, caps, t.bench);
	bool refused = ret == -ENOTSUP && run.binder.refusal;

	mark_shaders(&run.binder);
	if (refused) {
		bool f16 = !strncmp(what, "fp16", 4);

		t.host += !f16;
		t.no16 += f16;
		if (row->host || f16) {
			ret = 0;
			if (t.verbose)
				printf("  %s: on the host: %s\n", what, run.binder.refusal);
		} else {
			ret = fail(row, what, "no kernel: %s", run.binder.refusal);
		}
		kernel_run_finish(&run);
		return ret;
	}
	if (!ret && row->host)
		ret = fail(row, what, "has a kernel, the row says host");
	else if (ret)
		ret = fail(row, what, "cannot be made ready: %s (%s)", strerror(-ret),
			   t.last_message);
	for (int pass = 0; !ret && pass < 2; pass++) {
		ret = kernel_run_once(&run);
		if (ret) {
			fail(row, what, "run: %s (%s)", strerror(-ret), t.last_message);
			break;
		}
		for (int i = 0; !ret && i < node->n_out; i++)
			if (node->out[i])
				ret = compare(row, what, node->out[i], kernel_run_output(&run, i),
					      tol);
		if (!ret && kernel_run_guards(&run, buf, sizeof(buf)))
			ret = fail(row, what, "%s", buf);
	}
	t.kernels += !ret;
	if (!ret && t.bench)
		bench(&run, row, what);
	kernel_run_finish(&run);
	return ret;
}

static bool same_launch(const struct joule_dispatch *a, const struct joule_dispatch *b)
{
	return !strcmp(a->shader, b->shader) && a->n_spec == b->n_spec &&
	       a->push_bytes == b->push_bytes &&
	       !memcmp(a->local, b->local, sizeof(a->local)) &&
	       !memcmp(a->groups, b->groups, sizeof(a->groups)) &&
	       !memcmp(a->spec, b->spec, a->n_spec * sizeof(*a->spec)) &&
	       !memcmp(a->push, b->push, a->push_bytes);
}

/* Does the node get the same launches from either device? */
static bool same_launches(const struct joule_node *node, const struct joule_caps *one,
			  const struct joule_caps *other)
{
	const struct joule_caps *caps[2] = { one, other };
	struct joule_arena arena[2];
	struct joule_binder b[2];
	bool same;
	int ret[2];

	for (int i = 0; i < 2; i++) {
		joule_arena_init(&arena[i]);
		joule_binder_init(&b[i], caps[i], &arena[i]);
		ret[i] = node->op->bind ? node->op->bind(node, &b[i]) : -ENOTSUP;
	}
	same = ret[0] == ret[1] && b[0].n_dispatches == b[1].n_dispatches;
	for (int i = 0; same && i < b[0].n_dispatches; i++)
		same = same_launch(b[0].dispatches[i], b[1].dispatches[i]);
	for (int i = 0; i < 2; i++)
		joule_arena_finish(&arena[i]);
	return same;
}

/*
 * Where Vulkan is done by the CPU, kernels are laid out for that; here they run
 * once more as a graphics card would get them, wherever that makes a difference.
 */
static int run_as_gpu(const struct row *row, const struct joule_node *node, bool half)
{
	struct joule_caps caps = t.device->caps;

	caps.kind = JOULE_DEVICE_VULKAN_DISCRETE;
	caps.arithmetic_i64 = false;
	if (t.device->caps.kind != JOULE_DEVICE_VULKAN_CPU || t.bench || row->host ||
	    same_launches(node, &t.device->caps, &caps))
		return 0;
	return run_kernels(row, node, half ? "fp16 as a GPU" : "fp32 as a GPU",
			   half ? row->tol16 : row->tol, &caps);
}

/* ---- a row ---- */

static int run_precision(const struct row *row, bool half)
{
	const char *what = half ? "fp16" : "fp32";
	struct joule_graph *g;
	struct joule_node *node;
	int ret = row_build(row, half, 1, &t.log, &g);

	if (ret)
		return row->refuse ? 0 : fail(row, what, "cannot be built: %s (%s)", strerror(-ret), t.last_message);
	node = g->nodes[0];
	ret = joule_node_infer(node);
	if (row->refuse) {
		/* Some refusals depend on values, so the reference may say no too. */
		if (!ret)
			ret = joule_node_ref(node);
		joule_graph_destroy(g);
		return ret < 0 ? 0 : fail(row, what, "should have been refused");
	}
	if (ret)
		fail(row, what, "infer: %s (%s)", ret > 0 ? "needs values" : strerror(-ret),
		     t.last_message);
	if (!ret) {
		ret = guarded_ref(row, node);
		if (ret)
			fail(row, what, "ref: %s (%s)", strerror(-ret), t.last_message);
	}
	if (!ret && t.device && !(node->op->traits & JOULE_OP_VIEW))
		ret = run_kernels(row, node, what, half ? row->tol16 : row->tol, NULL);
	if (!ret && t.device && !(node->op->traits & JOULE_OP_VIEW))
		ret = run_as_gpu(row, node, half);
	joule_graph_destroy(g);
	return ret;
}

static bool has_f32(const struct row *row)
{
	for (int i = 0; i < row->n_in; i++)
		if (!row->in[i].omitted && row->in[i].dtype == JOULE_F32)
			return true;
	return false;
}

static int run_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	int n = 0, before = t.passed, ret = 0;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -errno;
	}
	while (getline(&line, &cap, f) >= 0) {
		struct row row;
		int ok = row_parse(&row, path, ++n, line);

		if (ok == 0 && (!t.filter || !strcmp(t.filter, row.op))) {
			if (t.verbose)
				printf("%s:%d %s\n", path, n, row.text);
			t.rows++;
			t.quiet_log = row.refuse;
			ok = run_precision(&row, false);
			if (!ok && !row.no16 && !row.refuse && has_f32(&row))
				ok = run_precision(&row, true);
			*(ok ? &t.failed : &t.passed) += 1;
		} else if (ok < 0) {
			t.failed++;
		}
		row_finish(&row);
	}
	free(line);
	fclose(f);
	if (t.passed > before)
		printf("%s: %d rows passed\n", path, t.passed - before);
	return ret;
}

/* Some kernels are for one driver only: what several runs launched adds up in a file. */
static void load_used(void)
{
	FILE *f = t.used_path ? fopen(t.used_path, "r") : NULL;
	char name[128];

	while (f && fscanf(f, "%127s", name) == 1) {
		const struct joule_shader *s = joule_shader_find(name);

		if (s)
			t.shader_used[s - joule_shaders] = true;
	}
	if (f)
		fclose(f);
}

static void save_used(void)
{
	FILE *f = t.used_path ? fopen(t.used_path, "w") : NULL;

	for (int i = 0; f && i < joule_shader_count; i++)
		if (t.shader_used[i])
			fprintf(f, "%s\n", joule_shaders[i].name);
	if (f)
		fclose(f);
}

/* Every operator needs a row, every shader a row that launches it. */
static void coverage(int n, char **files)
{
	for (int i = 0; joule_op_lists[i]; i++)
		for (const struct joule_op *op = joule_op_lists[i]; op->name; op++) {
			bool found = op->traits & JOULE_OP_CONTROL;

			for (int k = 0; k < n && !found; k++) {
				FILE *f = fopen(files[k], "r");
				char *line = NULL;
				size_t cap = 0, len = strlen(op->name);

				while (f && !found && getline(&line, &cap, f) >= 0)
					found = !strncmp(line, op->name, len) && line[len] == '.';
				free(line);
				if (f)
					fclose(f);
			}
			if (!found) {
				printf("FAIL operator %s has no row\n", op->name);
				t.failed++;
			}
		}
	for (int i = 0; t.device && i < joule_shader_count; i++)
		/* peak_*: the device's peak, no operator's (runtime/peak.c) */
		if (!t.shader_used[i] && strncmp(joule_shaders[i].name, "peak_", 5)) {
			printf("FAIL shader %s is launched by no row\n", joule_shaders[i].name);
			t.failed++;
		}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "bench", no_argument, NULL, 'b' },
		{ "coverage", no_argument, NULL, 'c' },
		{ "used", required_argument, NULL, 'u' },
		{ 0 },
	};
	struct joule_vulkan_params params = { .validation = true };
	const char *device = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "d:f:v", options, NULL)) >= 0) {
		if (opt == 'd')
			device = optarg;
		else if (opt == 'f')
			t.filter = optarg;
		else if (opt == 'v')
			t.verbose = true;
		else if (opt == 'b')
			t.bench = true;
		else if (opt == 'c')
			t.coverage = true;
		else if (opt == 'u')
			t.used_path = optarg;
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	t.log = (struct joule_log){ .fn = on_log, .level = JOULE_LOG_WARN };
	t.shader_used = calloc((size_t)joule_shader_count + 1, sizeof(bool));
	params.name = device;
	params.validation = !t.bench;
	if (device && !strcmp(device, "none"))
		printf("kernels skipped: no device asked for\n");
	else if (joule_vulkan_open(&t.log, &params, &t.device))
		printf("kernels skipped: %s\n", t.last_message);
	else
		printf("kernels on %s (%s)\n", t.device->name, t.device->driver);
	for (int i = optind; i < argc; i++)
		run_file(argv[i]);
	load_used();
	save_used();
	if (t.coverage)
		coverage(argc - optind, argv + optind);
	if (t.device && joule_vulkan_validation_errors(t.device)) {
		printf("FAIL %d validation errors\n", joule_vulkan_validation_errors(t.device));
		t.failed++;
	}
	if (t.device)
		t.device->ops->destroy(t.device);
	free(t.shader_used);
	printf("%d rows; kernel runs %d, on the host %d, without fp16 %d\n", t.rows, t.kernels,
	       t.host, t.no16);
	printf("%d passed, %d failed\n", t.passed, t.failed);
	return t.failed != 0;
}
