// SPDX-License-Identifier: MIT
/* The Vulkan backend as its users see it: memory, programs, threads, clocks. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "hal_vulkan.h"

#define GUARD 12345.0f

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct joule_hal_memory *host_memory(struct joule_hal_device *d, size_t bytes)
{
	struct joule_hal_memory *m;

	CHECK_EQ(d->ops->memory_alloc(d, bytes, JOULE_MEMORY_HOST, &m), 0);
	CHECK(m->host && m->coherent && m->address && m->address % 16 == 0);
	return m;
}

static void check_enumerate(const struct joule_log *log)
{
	struct joule_vulkan_info list[8];
	int n = joule_vulkan_enumerate(log, list, JOULE_ARRAY_LEN(list));

	CHECK(n >= 0);
	for (int i = 0; i < n && i < (int)JOULE_ARRAY_LEN(list); i++) {
		CHECK_EQ(list[i].index, i + 1);
		CHECK(list[i].name[0] && list[i].driver[0]);
		CHECK(list[i].usable == !list[i].reason[0]);
		if (!list[i].usable)
			continue;
		CHECK(list[i].caps.max_push_bytes >= 128 && list[i].caps.max_invocations >= 128);
		CHECK(list[i].device_memory_bytes && list[i].caps.max_buffer_bytes);
	}
}

static void check_open_errors(struct test_log *log)
{
	struct joule_vulkan_params by_name = { .name = "no such device" };
	struct joule_vulkan_params by_index = { .index = 1000 };
	struct joule_hal_device *d;

	log->quiet = true;
	CHECK_EQ(joule_vulkan_open(&log->log, &by_name, &d), -ENODEV);
	CHECK(!d && strstr(log->error, "no such device"));
	CHECK_EQ(joule_vulkan_open(&log->log, &by_index, &d), -ENODEV);
	CHECK(!d && strstr(log->error, "1000"));
	log->quiet = false;
}

/* Sizes around every edge of the kernel's vec4s and workgroups, with guards. */
static void check_tails(struct joule_hal_device *d)
{
	static const uint32_t sizes[] = { 1, 2, 3, 4, 5, 7, 13, 127, 255, 256, 257, 1000, 4099 };
	struct joule_hal_memory *m = host_memory(d, 2 * 32768);
	const uint32_t code = JOULE_EW_NEG;
	float *x = m->host, *y = x + 8192;

	for (size_t s = 0; s < JOULE_ARRAY_LEN(sizes); s++) {
		struct unary_push push = { m->address, m->address + 32768, sizes[s], 0, 0 };
		struct joule_hal_cmd cmd = test_unary(&push, &code, true);

		for (int i = 0; i < 8192; i++) {
			x[i] = (float)(i % 101) - 50.5f;
			y[i] = GUARD;
		}
		CHECK_EQ(test_run(d, &cmd, 1), 0);
		for (uint32_t i = 0; i < 8192; i++)
			CHECK(y[i] == (i < sizes[s] ? -x[i] : GUARD));
	}
	d->ops->memory_free(m);
}

/* Each step takes one from what the step before left: a lost barrier shows. */
static void check_barriers(struct joule_hal_device *d, bool split)
{
	enum { STEPS = 101, N = 5000 };
	struct joule_hal_memory *m = host_memory(d, 2 * 32768);
	const uint32_t code = JOULE_EW_SHRINK;
	struct unary_push push[2];
	struct joule_hal_cmd cmds[STEPS];
	struct joule_hal_program_params params = { .cmds = cmds, .n_cmds = STEPS };
	struct joule_hal_program *p;
	float *x = m->host;

	for (int i = 0; i < 2; i++)
		push[i] = (struct unary_push){ m->address + (i ? 32768 : 0),
					       m->address + (i ? 0 : 32768), N, 1.0f, 0.5f };
	for (int i = 0; i < STEPS; i++) {
		cmds[i] = test_unary(&push[i % 2], &code, true);
		cmds[i].split = split && i % 10 == 3;
	}
	CHECK_EQ(d->ops->program_create(d, &params, &p), 0);
	for (int run = 0; run < 3; run++) {
		for (int i = 0; i < N; i++)
			x[i] = (float)(1000 + i);
		CHECK_EQ(d->ops->program_submit(p), 0);
		CHECK_EQ(d->ops->program_wait(p, UINT64_MAX), 0);
		for (int i = 0; i < N; i++)
			CHECK(x[8192 + i] == (float)(1000 + i - STEPS));
	}
	d->ops->program_destroy(p);
	d->ops->memory_free(m);
}

/* Two recordings that follow each other on the queue without a wait between. */
static void check_order(struct joule_hal_device *d)
{
	enum { N = 100000 };
	struct joule_hal_memory *m = host_memory(d, 3 * N * 4);
	const uint32_t code = JOULE_EW_SHRINK;
	struct joule_hal_program *p[2];
	float *x = m->host;

	for (int i = 0; i < 2; i++) {
		struct unary_push push = { m->address + (uint64_t)i * N * 4,
					   m->address + (uint64_t)(i + 1) * N * 4, N, 1.0f, 0.5f };
		struct joule_hal_cmd cmd = test_unary(&push, &code, false);
		struct joule_hal_program_params params = { .cmds = &cmd, .n_cmds = 1 };

		CHECK_EQ(d->ops->program_create(d, &params, &p[i]), 0);
	}
	for (int i = 0; i < N; i++)
		x[i] = 7.0f;
	CHECK_EQ(d->ops->program_submit(p[0]), 0);
	CHECK_EQ(d->ops->program_submit(p[1]), 0);
	CHECK_EQ(d->ops->program_wait(p[1], UINT64_MAX), 0);
	CHECK_EQ(d->ops->program_wait(p[0], 0), 0);
	for (int i = 0; i < N; i++)
		CHECK(x[2 * N + i] == 5.0f);
	d->ops->program_destroy(p[0]);
	d->ops->program_destroy(p[1]);
	d->ops->memory_free(m);
}

static void check_empty_and_long(struct joule_hal_device *d)
{
	enum { N = 4 << 20, STEPS = 24 };
	struct joule_hal_memory *m = host_memory(d, (size_t)N * 4);
	const uint32_t code = JOULE_EW_TANH;
	struct unary_push push = { m->address, m->address, N, 0, 0 };
	struct joule_hal_cmd cmds[STEPS];
	struct joule_hal_program_params params = { .cmds = cmds, .n_cmds = STEPS };
	struct joule_hal_program *p;

	CHECK_EQ(test_run(d, NULL, 0), 0);
	memset(m->host, 0, m->bytes);
	for (int i = 0; i < STEPS; i++)
		cmds[i] = test_unary(&push, &code, true);
	CHECK_EQ(d->ops->program_create(d, &params, &p), 0);
	CHECK_EQ(d->ops->program_wait(p, 0), 0); /* never submitted */
	CHECK_EQ(d->ops->program_submit(p), 0);
	CHECK_EQ(d->ops->program_wait(p, 1000), -ETIME);
	CHECK_EQ(d->ops->program_submit(p), -EBUSY);
	CHECK_EQ(d->ops->program_wait(p, UINT64_MAX), 0);
	CHECK_EQ(d->ops->program_submit(p), 0);
	d->ops->program_destroy(p); /* while it runs */
	d->ops->memory_free(m);
}

static void check_misuse(struct joule_hal_device *d, struct test_log *log)
{
	struct joule_hal_memory *m = host_memory(d, 1000), *none;
	const uint32_t code = 0;
	struct unary_push push = { m->address, m->address, 4, 0, 0 };
	struct joule_hal_cmd good = test_unary(&push, &code, false), bad;
	char byte[4];

	log->quiet = true;
	bad = good;
	bad.shader = "no_such_shader";
	CHECK_EQ(test_run(d, &bad, 1), -ENOENT);
	CHECK(strstr(log->error, "no_such_shader") && strstr(log->error, "unary"));
	bad = good;
	bad.local[0] = d->caps.max_invocations + 1;
	CHECK_EQ(test_run(d, &bad, 1), -EINVAL);
	bad = good;
	bad.local[1] = 0;
	CHECK_EQ(test_run(d, &bad, 1), -EINVAL);
	bad = good;
	bad.push_bytes = d->caps.max_push_bytes + 4;
	CHECK_EQ(test_run(d, &bad, 1), -EINVAL);
	bad = good;
	bad.subgroup_size = d->caps.subgroup_max * 2 + 1;
	CHECK_EQ(test_run(d, &bad, 1), -ENOTSUP);
	CHECK_EQ(d->ops->memory_alloc(d, 0, JOULE_MEMORY_DEVICE, &none), -EINVAL);
	CHECK_EQ(d->ops->memory_alloc(d, (size_t)1 << 50, JOULE_MEMORY_DEVICE, &none), -ENOMEM);
	CHECK(!none && strstr(log->error, "MiB asked for"));
	CHECK_EQ(d->ops->memory_read(m, 998, byte, 4), -EINVAL);
	CHECK_EQ(d->ops->memory_write(m, SIZE_MAX, byte, 2), -EINVAL);
	CHECK_EQ(d->ops->memory_read(m, 996, byte, 4), 0);
	log->quiet = false;
	/* A size that can be asked for is accepted. */
	if (d->caps.subgroup_max) {
		good.subgroup_size = d->caps.subgroup_max;
		CHECK_EQ(test_run(d, &good, 1), 0);
	}
	d->ops->memory_free(m);
}

static void check_accounting(struct joule_hal_device *d)
{
	struct joule_hal_memory *m[3];

	CHECK_EQ(d->memory_bytes, 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(d->ops->memory_alloc(d, 1 << 20, JOULE_MEMORY_DEVICE, &m[i]), 0);
	CHECK(d->memory_bytes >= 3u << 20 && d->memory_bytes < (3u << 20) + 65536);
	for (int i = 0; i < 3; i++)
		d->ops->memory_free(m[i]);
	CHECK_EQ(d->memory_bytes, 0);
	CHECK(d->memory_peak_bytes >= 3u << 20);
	d->ops->memory_free(NULL);
	d->ops->program_destroy(NULL);
}

struct worker {
	struct joule_hal_device *d;
	int id;
};

static void *work(void *arg)
{
	enum { N = 777 };
	struct worker *w = arg;
	struct joule_hal_device *d = w->d;

	for (int round = 0; round < 6; round++) {
		struct joule_hal_memory *m = host_memory(d, 8192);
		const uint32_t codes[2] = { JOULE_EW_NEG, JOULE_EW_ABS + (uint32_t)round % 2 };
		struct unary_push push[2] = { { m->address, m->address + 4096, N, 0, 0 },
					      { m->address + 4096, m->address, N, 0, 0 } };
		struct joule_hal_cmd cmds[2] = { test_unary(&push[0], &codes[0], true),
						 test_unary(&push[1], &codes[1], true) };
		float *x = m->host;

		for (int i = 0; i < N; i++)
			x[i] = (float)(i + w->id);
		CHECK_EQ(test_run(d, cmds, 2), 0);
		for (int i = 0; i < N; i++)
			CHECK(x[i] == (float)(i + w->id));
		d->ops->memory_free(m);
	}
	return NULL;
}

static void check_threads(struct joule_hal_device *d)
{
	struct worker workers[6];
	pthread_t threads[6];

	for (int i = 0; i < 6; i++) {
		workers[i] = (struct worker){ d, i };
		CHECK_EQ(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(d->memory_bytes, 0);
}

static void check_clocks(struct joule_hal_device *d, struct test_log *log)
{
	enum { STEPS = 40, N = 65536 };
	struct joule_hal_memory *m = host_memory(d, N * 4);
	const uint32_t code = JOULE_EW_TANH;
	struct unary_push push = { m->address, m->address, N, 0, 0 };
	struct joule_hal_cmd cmds[STEPS];
	struct joule_hal_program_params params = { cmds, STEPS, .timestamps = true };
	uint64_t stamp[STEPS + 1], wall, device[2], host[2], deviation[2], before = now_ns();
	struct joule_hal_program *p;
	int err;

	memset(m->host, 0, m->bytes);
	for (int i = 0; i < STEPS; i++)
		cmds[i] = test_unary(&push, &code, false);
	CHECK_EQ(d->ops->program_create(d, &params, &p), 0);
	log->quiet = true;
	CHECK_EQ(d->ops->program_timestamps(p, stamp, STEPS + 1), -EINVAL); /* not run */
	err = d->ops->calibrate(d, &device[0], &host[0], &deviation[0]);
	for (int run = 0; run < 3; run++) {
		wall = now_ns();
		CHECK_EQ(d->ops->program_submit(p), 0);
		CHECK_EQ(d->ops->program_wait(p, UINT64_MAX), 0);
		wall = now_ns() - wall;
	}
	CHECK_EQ(d->ops->program_timestamps(p, stamp, STEPS), -EINVAL);
	log->quiet = false;
	CHECK_EQ(d->ops->program_timestamps(p, stamp, STEPS + 1), 0);
	for (int i = 0; i < STEPS; i++)
		CHECK(stamp[i + 1] > stamp[i]);
	/* Launches run one by one, so they fill the time but for submit and wake-up. */
	CHECK(stamp[STEPS] - stamp[0] <= wall);
	CHECK(stamp[STEPS] - stamp[0] >= wall / 4);
	if (err == -ENOTSUP) {
		printf("  no calibrated clock\n");
	} else {
		CHECK_EQ(err, 0);
		CHECK_EQ(d->ops->calibrate(d, &device[1], &host[1], &deviation[1]), 0);
		CHECK(host[0] >= before && host[1] <= now_ns() && host[0] < host[1]);
		/* The run lies between the two readings on the device's clock too. */
		CHECK(device[0] <= stamp[0] && stamp[STEPS] <= device[1]);
		CHECK(llabs((long long)(device[1] - device[0]) - (long long)(host[1] - host[0])) <
		      100000 + (long long)(deviation[0] + deviation[1]));
	}
	d->ops->program_destroy(p);
	d->ops->memory_free(m);
}

int main(void)
{
	struct joule_hal_device *d;
	struct test_log log;

	test_log_init(&log);
	d = test_open(&log, (struct joule_vulkan_params){ 0 });
	printf("  %s, %s, key %s\n", d->name, d->driver, d->key);
	check_enumerate(&log.log);
	check_open_errors(&log);
	check_accounting(d);
	check_tails(d);
	check_barriers(d, false);
	check_barriers(d, true);
	check_order(d);
	check_empty_and_long(d);
	check_misuse(d, &log);
	check_threads(d);
	check_clocks(d, &log);
	test_close(d);
	return 0;
}
