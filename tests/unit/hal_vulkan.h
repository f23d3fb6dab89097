/* SPDX-License-Identifier: MIT */
/* What the tests of the Vulkan backend share. */
#ifndef TESTS_UNIT_HAL_VULKAN_H
#define TESTS_UNIT_HAL_VULKAN_H

#include <pthread.h>

#include "hal/vulkan/vk.h"
#include "ir/elementwise.h"
#include "test.h"

/* The push constants of shaders/unary.comp. */
struct unary_push {
	uint64_t x, y;
	uint32_t n;
	float p, q;
};

/* Log lines counted by level; the last error kept. */
struct test_log {
	struct joule_log log;
	pthread_mutex_t lock;
	int count[JOULE_LOG_DEBUG + 1];
	char error[1024];
	char debug[1024]; /* last debug line */
	bool quiet;       /* errors are expected: do not print them */
};

void test_log_init(struct test_log *log);

/*
 * Opens the first device, with the validation layer if there is one. Exits
 * with TEST_SKIP where there is no usable device.
 */
struct joule_hal_device *test_open(struct test_log *log, struct joule_vulkan_params params);

/* Closes it; there must have been no validation error. */
void test_close(struct joule_hal_device *device);

/* A command of unary_f32 over push->n elements; push and code must stay. */
struct joule_hal_cmd test_unary(const struct unary_push *push, const uint32_t *code, bool barrier);

/* Creates, submits, waits, destroys: the first error, or 0. */
int test_run(struct joule_hal_device *device, const struct joule_hal_cmd *cmds, int n);

#endif
