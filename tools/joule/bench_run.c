// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "inputs.h"

#define TRANSFER_RUNS 21

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: the smallest value that p percent of the runs do not exceed. */
static double percentile(const double *sorted, int n, int p)
{
	return sorted[(n * p + 99) / 100 - 1];
}

__attribute__((format(printf, 2, 3))) static void warn(struct bench_result *r, const char *fmt, ...)
{
	size_t at = strlen(r->warning);
	va_list ap;

	if (at && at + 2 < sizeof(r->warning)) {
		memcpy(r->warning + at, "; ", 3);
		at += 2;
	}
	va_start(ap, fmt);
	vsnprintf(r->warning + at, sizeof(r->warning) - at, fmt, ap);
	va_end(ap);
}

/* The machine's state that is known to spoil timings. */
static void check_machine(struct bench_result *r)
{
	char governor[32] = "";
	double load = 0;
	FILE *f;

	if (getloadavg(&load, 1) == 1 && load > 0.5 * (double)sysconf(_SC_NPROCESSORS_ONLN))
		warn(r, "load average was %.1f", load);
	f = fopen("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "re");
	if (f) {
		if (fscanf(f, "%31s", governor) == 1 && strcmp(governor, "performance"))
			warn(r, "CPU governor is %s", governor);
		fclose(f);
	}
}

static int time_runs(const struct bench_case *c, struct joule_session *session,
		     struct bench_result *r)
{
	int cap = c->runs > 100000 ? c->runs : 100000, ret = 0;
	double *t = malloc((size_t)cap * sizeof(*t)), sum = 0, start = now_ms();

	if (!t)
		return -ENOMEM;
	while (r->runs < cap &&
	       (r->runs < c->runs || now_ms() - start < c->min_seconds * 1e3)) {
		double before = now_ms();

		ret = joule_session_run(session, 0);
		if (ret)
			break;
		t[r->runs] = now_ms() - before;
		sum += t[r->runs++];
	}
	if (!ret) {
		qsort(t, (size_t)r->runs, sizeof(*t), ascending);
		r->min_ms = t[0];
		r->max_ms = t[r->runs - 1];
		r->mean_ms = sum / r->runs;
		r->p50_ms = percentile(t, r->runs, 50);
		r->p90_ms = percentile(t, r->runs, 90);
		r->p99_ms = percentile(t, r->runs, 99);
		if (r->p90_ms > 1.5 * r->p50_ms)
			warn(r, "unsteady: p90 is %.1f times p50", r->p90_ms / r->p50_ms);
	}
	free(t);
	return ret;
}

/* Setting inputs from the caller's memory, the run, and reading every output. */
static int time_transfer(const struct tool_model *m, const struct inputs *inputs,
			 struct joule_session *session, struct bench_result *r)
{
	double t[TRANSFER_RUNS];

	for (int i = 0; i < TRANSFER_RUNS; i++) {
		double before = now_ms();
		int ret = inputs_set(inputs, session);

		if (!ret)
			ret = joule_session_run(session, 0);
		for (int k = 0; !ret && k < joule_model_outputs(m->model); k++) {
			struct joule_view v;
			void *copy;

			ret = joule_session_output(session, k, &v);
			copy = ret ? NULL : malloc(v.bytes + 1);
			if (copy)
				memcpy(copy, v.data, v.bytes);
			free(copy);
		}
		if (ret)
			return ret;
		t[i] = now_ms() - before;
	}
	qsort(t, TRANSFER_RUNS, sizeof(*t), ascending);
	r->transfer_p50_ms = t[TRANSFER_RUNS / 2];
	return 0;
}

static uint64_t peak_resident_bytes(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %llu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

static void describe(struct tool_model *m, struct joule_session *session, struct bench_result *r)
{
	struct joule_session_stats s;
	struct joule_device_info info;

	joule_device_get_info(m->device, &info);
	snprintf(r->device, sizeof(r->device), "%s", info.name);
	snprintf(r->driver, sizeof(r->driver), "%s", info.driver);
	if (!joule_session_get_stats(session, &s)) {
		r->compile_ms = (double)s.compile_ns / 1e6;
		r->macs = (double)s.macs;
		r->device_bytes = s.device_bytes;
		r->arena_bytes = s.arena_bytes;
		r->lower_bound_bytes = s.arena_lower_bound_bytes;
		r->weight_bytes = s.weight_bytes;
		r->steps = s.steps;
		r->host_steps = s.host_steps;
		r->launches = s.launches;
		if (s.host_steps && strcmp(info.type, "reference"))
			warn(r, "%d steps run on the CPU", s.host_steps);
	}
	r->host_peak_bytes = peak_resident_bytes();
	/* Last: it takes memory of its own, and a reference has no kernels. */
	if (strcmp(info.type, "reference"))
		joule_device_measure_peak(m->device, &r->peak);
}

static int measure(const struct bench_case *c, struct bench_result *r)
{
	struct joule_session_params params;
	struct joule_session *session = NULL;
	struct inputs inputs = { 0 };
	double start = now_ms();
	struct tool_model m;
	int ret;

	check_machine(r);
	ret = tool_model_open(&c->options, c->path, &m);
	if (ret)
		return ret;
	tool_session_params(&c->options, &params);
	params.random_weights = true;
	ret = inputs_random(m.model, &c->options, c->batch, &inputs);
	if (!ret) {
		struct joule_value_info shapes[16];
		int n = 0;

		/* All shapes are fixed here, so that the plan is part of opening. */
		for (; n < inputs.n && n < 16; n++) {
			joule_model_input(m.model, n, &shapes[n]);
			shapes[n].shape = inputs.views[n].shape;
		}
		params.shapes = shapes;
		params.n_shapes = n;
		start = now_ms() - start; /* file and device, without making values */
		double before = now_ms();

		ret = joule_session_create(m.model, m.device, &params, &session);
		r->open_ms = start + now_ms() - before;
	}
	if (!ret)
		ret = inputs_set(&inputs, session);
	if (!ret) {
		double before = now_ms();

		ret = joule_session_run(session, 0);
		r->first_ms = now_ms() - before;
	}
	for (int i = 1; !ret && i < c->warmup; i++)
		ret = joule_session_run(session, 0);
	if (!ret)
		ret = time_runs(c, session, r);
	if (!ret)
		ret = time_transfer(&m, &inputs, session, r);
	if (!ret)
		describe(&m, session, r);
	inputs_finish(&inputs);
	joule_session_destroy(session);
	tool_model_close(&m);
	return tool_exit_code(ret);
}

void bench_run(const struct bench_case *c, struct bench_result *out)
{
	int fd[2], status;
	ssize_t n;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	out->exit_code = TOOL_IO;
	fflush(NULL);
	if (pipe(fd)) {
		tool_error("pipe: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (!pid) {
		struct bench_result r = { 0 };

		close(fd[0]);
		r.exit_code = measure(c, &r);
		/* Smaller than a pipe's buffer, so one write is whole. */
		_exit(write(fd[1], &r, sizeof(r)) != sizeof(r));
	}
	close(fd[1]);
	n = pid < 0 ? -1 : read(fd[0], out, sizeof(*out));
	close(fd[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (n != sizeof(*out)) {
		memset(out, 0, sizeof(*out));
		out->exit_code = TOOL_NEGATIVE;
		if (pid > 0 && WIFSIGNALED(status))
			tool_error("%s: the benchmark was killed by signal %d", c->path,
				   WTERMSIG(status));
		else
			tool_error("%s: the benchmark ended early", c->path);
	}
}
