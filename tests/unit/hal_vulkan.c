// SPDX-License-Identifier: MIT
#include "hal_vulkan.h"

#include <errno.h>
#include <string.h>

static void count(void *user, enum joule_log_level level, const char *msg)
{
	struct test_log *log = user;

	pthread_mutex_lock(&log->lock);
	log->count[level]++;
	if (level == JOULE_LOG_ERROR)
		snprintf(log->error, sizeof(log->error), "%s", msg);
	if (level == JOULE_LOG_DEBUG)
		snprintf(log->debug, sizeof(log->debug), "%s", msg);
	if (level <= JOULE_LOG_WARN && !log->quiet)
		fprintf(stderr, "%s\n", msg);
	pthread_mutex_unlock(&log->lock);
}

void test_log_init(struct test_log *log)
{
	memset(log, 0, sizeof(*log));
	pthread_mutex_init(&log->lock, NULL);
	log->log.fn = count;
	log->log.user = log;
	log->log.level = JOULE_LOG_DEBUG;
}

/*
 * What drivers keep behind static pointers looks leaked once they are
 * unloaded: an instance that is never destroyed keeps them.
 */
static void keep_drivers_loaded(const struct joule_log *log)
{
	static struct joule_vk_instance instance;
	static struct joule_vulkan_fns fn;

	if (!instance.handle)
		joule_vk_instance_create(&instance, &fn, log, false, false);
}

struct joule_hal_device *test_open(struct test_log *log, struct joule_vulkan_params params)
{
	struct joule_hal_device *device;
	bool quiet = log->quiet;
	int err;

	/* The layer is not instrumented: a thread sanitizer sees races in it. */
#ifndef __SANITIZE_THREAD__
	params.validation = true;
#endif
	log->quiet = true;
	err = joule_vulkan_open(&log->log, &params, &device);
	if (err == -ENOTSUP && params.validation) {
		params.validation = false;
		err = joule_vulkan_open(&log->log, &params, &device);
		fprintf(stderr, "no validation layer: going on without\n");
	}
	log->quiet = quiet;
	if (err == -ENODEV) {
		fprintf(stderr, "skipped: %s\n", log->error);
		exit(TEST_SKIP);
	}
	CHECK_EQ(err, 0);
	keep_drivers_loaded(&log->log);
	return device;
}

void test_close(struct joule_hal_device *device)
{
	struct test_log *log = device->log->user;
	int errors = log->count[JOULE_LOG_ERROR];

	CHECK_EQ(joule_vulkan_validation_errors(device), 0);
	device->ops->destroy(device);
	/* The layer tells of what was not destroyed. A full disk is a test's own matter. */
	CHECK(log->count[JOULE_LOG_ERROR] == errors || !strstr(log->error, "vulkan: "));
}

struct joule_hal_cmd test_unary(const struct unary_push *push, const uint32_t *code, bool barrier)
{
	return (struct joule_hal_cmd){
		.shader = "unary_f32",
		.local = { 64, 1, 1 },
		.groups = { (push->n + 255) / 256, 1, 1 },
		.n_spec = 1,
		.spec = code,
		.push_bytes = 28,
		.push = push,
		.barrier = barrier,
		.label = "unary",
	};
}

int test_run(struct joule_hal_device *device, const struct joule_hal_cmd *cmds, int n)
{
	struct joule_hal_program_params params = { .cmds = cmds, .n_cmds = n };
	struct joule_hal_program *program;
	int err = device->ops->program_create(device, &params, &program);

	if (!err)
		err = device->ops->program_submit(program);
	if (!err)
		err = device->ops->program_wait(program, UINT64_MAX);
	device->ops->program_destroy(program);
	return err;
}
