/* SPDX-License-Identifier: MIT */
/* One node's kernels on a device, each operand between guard bytes. */
#ifndef TESTS_OPS_KERNEL_RUN_H
#define TESTS_OPS_KERNEL_RUN_H

#include "hal/binder.h"
#include "hal/device.h"
#include "ir/graph.h"

struct kernel_run {
	struct joule_hal_device *device;
	const struct joule_node *node;
	struct joule_arena arena;
	struct joule_binder binder;
	size_t guard; /* bytes before and behind each operand */
	struct joule_hal_memory **in, **out, **scratch, **consts;
	struct joule_hal_program *program;
};

/*
 * bind()s the node for a device with those capabilities (NULL: the device's
 * own; it must be able to run the result) and readies a program. -ENOTSUP with run->binder.refusal if
 * there is no kernel; other errors are printed by the device's log.
 */
int kernel_run_init(struct kernel_run *run, struct joule_hal_device *device,
		    const struct joule_node *node, const struct joule_caps *caps, bool timestamps);
void kernel_run_finish(struct kernel_run *run);

/* Poisons outputs and scratch, runs, waits. */
int kernel_run_once(struct kernel_run *run);

/* Output i's bytes as the kernel left them. */
const void *kernel_run_output(const struct kernel_run *run, int i);

/* NULL, or which guard was overwritten. */
const char *kernel_run_guards(const struct kernel_run *run, char *buf, size_t size);

/* Device time of the last run with timestamps. */
int kernel_run_ns(struct kernel_run *run, uint64_t *ns);

#endif
