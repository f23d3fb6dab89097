// SPDX-License-Identifier: MIT
/*
 * run_nomem [-v] [-a] [SCENARIO ...]: a scenario is a row of steps from opening a
 * model to reading results. For each of its steps and for every n, all goes
 * well up to that step, in which the n-th allocation fails (that one alone, and
 * once more with all after it): the step must give -ENOMEM and say so, or do
 * without; then it is tried again and all must go well to the end, the results
 * be right, and nothing be left behind. Steps that start from nothing are slow
 * and take every few allocations only, unless -a is given.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/graphs.h"
#include "../unit/test.h"
#include "heap.h"
#include "models.h"
#include "onnx/export.h"

#define MAX_OUTPUTS 4
#define COLD_TRIES  24

static struct {
	bool verbose, all;
	char **only;
	char message[512];
	int passed, failed;
	FILE *null;
} t;

/* What a scenario works on. Steps that fail leave it as it was. */
static struct {
	const char *name, *path;
	struct joule_context *context;
	struct joule_device *device;
	struct joule_model *model;
	struct joule_session *session;
	struct joule_session_params params;
	struct joule_view input;
	void *page, *out_page; /* for binding */
	struct joule_view want[MAX_OUTPUTS];
	bool cold, with_cpu;
	double tol;
} s;

static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	if (level == JOULE_LOG_ERROR)
		snprintf(t.message, sizeof(t.message), "%s", msg);
	if (t.verbose && level <= JOULE_LOG_WARN)
		fprintf(stderr, "    [%d] %s\n", level, msg);
}

static const struct joule_context_params context_params = {
	.log = { .fn = on_log, .level = JOULE_LOG_DEBUG },
	.no_cache = true,
};

/* ---- steps ---- */

static int open_context(void)
{
	return joule_context_create(&context_params, &s.context);
}

static int open_device(void)
{
	return joule_device_open(s.context, s.with_cpu ? "cpu" : "vulkan", &s.device);
}

static int load(void)
{
	return joule_model_load(s.context, s.path, &s.model);
}

static int create(void)
{
	return joule_session_create(s.model, s.device, &s.params, &s.session);
}

static int set(void)
{
	return joule_session_set_input(s.session, 0, &s.input);
}

static int bind(void)
{
	struct joule_view view = s.input;

	view.data = s.page;
	view.bytes = (size_t)sysconf(_SC_PAGESIZE);
	memcpy(s.page, s.input.data, s.input.bytes);
	return joule_session_bind_input(s.session, 0, &view);
}

static int bind_output(void)
{
	struct joule_view view = s.want[0];

	view.data = s.out_page;
	view.bytes = (size_t)sysconf(_SC_PAGESIZE);
	return joule_session_bind_output(s.session, 0, &view);
}

static int run(void)
{
	return joule_session_run(s.session, 0);
}

static int submit(void)
{
	struct joule_fence *fence;
	int ret = joule_session_submit(s.session, &fence);

	if (ret)
		return ret;
	ret = joule_fence_wait(fence, 0);
	joule_fence_destroy(fence);
	return ret;
}

static int profile(void)
{
	struct joule_profile p;

	return joule_session_profile(s.session, &p);
}

static int calibrate(void)
{
	int ret = joule_session_calibrate(s.session, 1e-7);

	return ret < 0 ? ret : 0;
}

static int look(void)
{
	struct joule_session_stats stats;
	struct joule_op_count counts[64];
	struct joule_tensor_info list[64];
	int ret = joule_session_get_stats(s.session, &stats);

	if (!ret) {
		ret = joule_session_op_counts(s.session, counts, 64);
		ret = ret < 0 ? ret : 0;
	}
	if (!ret && !s.with_cpu)
		ret = joule_session_dump(s.session, "plan", t.null);
	if (!ret && s.params.keep_all) {
		ret = joule_session_tensors(s.session, list, 64);
		ret = ret < 0 ? ret : 0;
	}
	return ret;
}

struct step {
	const char *name;
	int (*run)(void);
};

#define STEP(f) { #f, f }
#define WARM	STEP(load), STEP(create)
#define COLD	STEP(open_context), STEP(open_device), STEP(load), STEP(create)
#define MAX_STEPS 10

static const struct scenario {
	const char *name;
	struct joule_graph *(*model)(void);
	struct joule_session_params params;
	double tol;
	bool cold;
	struct step steps[MAX_STEPS];
} scenarios[] = {
	{ "vision", model_vision, { .profile = true }, 1e-5, false,
	  { WARM, STEP(set), STEP(run), STEP(profile), STEP(look) } },
	{ "control", model_control, { .keep_all = true }, 1e-5, false,
	  { WARM, STEP(set), STEP(run), STEP(profile), STEP(look) } },
	{ "quantized", model_quantized, { 0 }, 0.02, false,
	  { WARM, STEP(set), STEP(run), STEP(profile) } },
	{ "fp16", model_vision, { .precision = JOULE_PRECISION_FP16 }, 2e-2, false,
	  { WARM, STEP(set), STEP(calibrate), STEP(run) } },
	{ "bound", model_vision, { 0 }, 1e-5, false,
	  { WARM, STEP(bind), STEP(bind_output), STEP(run) } },
	{ "submitted", model_vision, { 0 }, 1e-5, false, { WARM, STEP(set), STEP(submit) } },
	{ "cold", model_vision, { 0 }, 1e-5, true, { COLD, STEP(set), STEP(run) } },
};

/* ---- one try ---- */

static void close_all(void)
{
	joule_session_destroy(s.session);
	joule_model_destroy(s.model);
	s.session = NULL;
	s.model = NULL;
	if (!s.cold)
		return;
	joule_device_close(s.device);
	joule_context_destroy(s.context);
	s.device = NULL;
	s.context = NULL;
}

__attribute__((format(printf, 3, 4))) static int wrong(const struct step *step, long n,
						       const char *fmt, ...)
{
	va_list ap;

	heap_succeed();
	printf("FAIL %s on %s: allocation %ld of %s: ", s.name, s.with_cpu ? "cpu" : "vulkan", n,
	       step->name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	return -1;
}

static int check_results(const struct step *step, long n)
{
	for (int i = 0; i < MAX_OUTPUTS && s.want[i].data; i++) {
		struct joule_view got;
		int ret = joule_session_output(s.session, i, &got);

		if (ret)
			return wrong(step, n, "output %d: %s (%s)", i, strerror(-ret), t.message);
		if (test_difference(&got, &s.want[i]) > s.tol)
			return wrong(step, n, "output %d is wrong", i);
	}
	return 0;
}

/* 1 when the step has no n-th allocation. */
static int try_once(const struct step *steps, int k, long n, bool once)
{
	bool failed = false;
	long left;
	int ret = 0;

	heap_watch();
	for (int i = 0; !ret && steps[i].run; i++) {
		if (i == k) {
			t.message[0] = 0;
			heap_fail(n, once);
		}
		ret = steps[i].run();
		if (i == k) {
			failed = heap_succeed();
			if (ret && (!failed || ret != -ENOMEM))
				return wrong(&steps[k], n, "error %d, %s", ret, t.message);
			/* Without a context there is nobody to tell. */
			if (ret && s.context && !strstr(t.message, "memory"))
				return wrong(&steps[k], n, "says \"%s\"", t.message);
			if (ret)
				ret = steps[i].run();
		}
		if (ret)
			return wrong(&steps[k], n, "afterwards %s gives error %d, %s",
				     steps[i].name, ret, t.message);
	}
	ret = check_results(&steps[k], n);
	close_all();
	left = heap_end();
	if (left)
		ret = wrong(&steps[k], n, "%ld blocks were left behind", left);
	return ret ? ret : !failed;
}

/* ---- a scenario on a device ---- */

/* Every n-th allocation; far apart where each try takes long. */
static long distance(const struct step *steps, int k)
{
	if (!s.cold || t.all)
		return 1;
	heap_watch();
	for (int i = 0; steps[i].run; i++) {
		long before = heap_made();

		if (steps[i].run())
			break;
		if (i == k) {
			long made = heap_made() - before;

			close_all();
			heap_end();
			return made / COLD_TRIES + 1;
		}
	}
	return 1;
}

static void run_scenario(const struct scenario *sc)
{
	for (int k = 0; k < MAX_STEPS && sc->steps[k].run; k++) {
		long n = 0, by = distance(sc->steps, k);
		int ret = 0;

		for (int once = 0; !ret && once < 2; once++) {
			for (n = 0, ret = 0; !ret; n += by)
				ret = try_once(sc->steps, k, n, once);
			ret = ret > 0 ? 0 : ret;
		}
		if (ret) {
			/* What the failure left behind must not spoil the rest. */
			close_all();
			heap_end();
			t.failed++;
			continue;
		}
		printf("PASS %s on %s: %ld allocations of %s\n", sc->name,
		       s.with_cpu ? "cpu" : "vulkan", n - by, sc->steps[k].name);
		t.passed++;
	}
}

static void *page_alloc(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = aligned_alloc(page, page);

	CHECK(p);
	return p;
}

/* What the plain reference makes of it, undisturbed. */
static void reference(struct joule_device *cpu)
{
	struct joule_device *device = s.device;
	struct joule_view v;

	s.device = cpu;
	CHECK_EQ(load(), 0);
	CHECK_EQ(joule_session_create(s.model, cpu, NULL, &s.session), 0);
	CHECK_EQ(set(), 0);
	CHECK_EQ(run(), 0);
	for (int i = 0; i < joule_model_outputs(s.model); i++) {
		CHECK(i < MAX_OUTPUTS && !joule_session_output(s.session, i, &v));
		s.want[i] = v;
		s.want[i].data = malloc(v.bytes + 1);
		CHECK(s.want[i].data);
		memcpy(s.want[i].data, v.data, v.bytes);
	}
	joule_session_destroy(s.session);
	joule_model_destroy(s.model);
	s.session = NULL;
	s.model = NULL;
	s.device = device;
}

static void write_model(const struct scenario *sc, const char *path)
{
	struct joule_graph *g = sc->model();
	const struct joule_tensor *x = g->inputs[0];

	s.input = (struct joule_view){ .dtype = x->dtype, .shape = x->shape,
				       .bytes = (size_t)joule_tensor_bytes(x) };
	s.input.data = malloc(s.input.bytes);
	CHECK(s.input.data);
	test_fill(x->dtype, s.input.data, joule_tensor_count(x));
	CHECK_EQ(joule_onnx_save(g, path, NULL), 0);
	joule_graph_destroy(g);
}

static void run_all(const struct scenario *sc, struct joule_context *context,
		    struct joule_device **devices, const char *path)
{
	memset(&s, 0, sizeof(s));
	s.name = sc->name;
	s.path = path;
	s.params = sc->params;
	s.tol = sc->tol;
	s.page = page_alloc();
	s.out_page = page_alloc();
	s.context = context;
	write_model(sc, path);
	reference(devices[0]);
	for (int i = 0; i < 2; i++) {
		if (!devices[i] || (sc->cold && !i))
			continue;
		s.context = sc->cold ? NULL : context;
		s.device = sc->cold ? NULL : devices[i];
		s.cold = sc->cold;
		s.with_cpu = i == 0;
		/* What the device keeps for later is there after that. */
		for (int warm = 0; !sc->cold && warm < 2; warm++) {
			int ret = 0;

			for (int k = 0; !ret && k < MAX_STEPS && sc->steps[k].run; k++)
				ret = sc->steps[k].run();
			close_all();
			if (ret == -ENOTSUP && s.page) {
				printf("%s: not to be had on this device\n", sc->name);
				goto out;
			}
			CHECK_EQ(ret, 0);
		}
		run_scenario(sc);
	}
out:
	for (int i = 0; i < MAX_OUTPUTS; i++)
		free(s.want[i].data);
	free(s.input.data);
	free(s.page);
	free(s.out_page);
}

static bool is_asked_for(const char *name)
{
	for (char **o = t.only; *o; o++)
		if (!strcmp(*o, name))
			return true;
	return !*t.only;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/joule-test-XXXXXX", path[64];
	struct joule_context *context;
	struct joule_device *devices[2] = { NULL };
	int opt;

	while ((opt = getopt(argc, argv, "va")) >= 0) {
		t.verbose |= opt == 'v';
		t.all |= opt == 'a';
	}
	t.only = argv + optind;
	setvbuf(stdout, NULL, _IOLBF, 0);
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/model.onnx", dir);
	t.null = fopen("/dev/null", "w");
	CHECK(t.null);
	CHECK_EQ(joule_context_create(&context_params, &context), 0);
	CHECK_EQ(joule_device_open(context, "cpu", &devices[0]), 0);
	if (joule_device_open(context, "vulkan", &devices[1]))
		printf("SKIP allocation failures on Vulkan: skipped: %s\n", t.message);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (is_asked_for(scenarios[i].name) && (devices[1] || !scenarios[i].cold))
			run_all(&scenarios[i], context, devices, path);
	joule_device_close(devices[0]);
	joule_device_close(devices[1]);
	joule_context_destroy(context);
	fclose(t.null);
	unlink(path);
	rmdir(dir);
	printf("%d passed, %d failed\n", t.passed, t.failed);
	return t.failed != 0;
}
