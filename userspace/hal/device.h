/* SPDX-License-Identifier: MIT */
/*
 * A device that runs dispatches. Backends (hal/vulkan, later hal/npu) fill a
 * table of functions; the runtime drives it and knows no more than this.
 *
 * Threads: a device may be used from many threads. A program, a memory and a
 * fence belong to one thread at a time.
 */
#ifndef JOULE_HAL_DEVICE_H
#define JOULE_HAL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <joule/log.h>

#include "hal/dispatch.h"

struct joule_hal_device;
struct joule_hal_program;

enum joule_memory_use {
	JOULE_MEMORY_DEVICE, /* fastest for kernels; host pointer only if that costs nothing */
	JOULE_MEMORY_HOST,   /* kernels and host both read and write it; host pointer always */
};

struct joule_hal_memory {
	struct joule_hal_device *device;
	uint64_t address; /* as kernels see it */
	void *host;       /* NULL if the host cannot reach it */
	bool coherent;    /* false: flush/invalidate around host access */
	size_t bytes;
};

/* A kernel launch with every address known. */
struct joule_hal_cmd {
	const char *shader;
	uint32_t local[3], groups[3];
	uint32_t n_spec;
	const uint32_t *spec;
	uint32_t subgroup_size; /* caps->subgroup_min to _max, whole subgroups; 0: the driver's */
	uint32_t push_bytes; /* addresses included */
	const void *push;
	bool barrier;        /* wait for all launches before this one */
	bool split;          /* start a new submission here */
	const char *label;   /* for debuggers and error messages; the node's name */
};

struct joule_hal_program_params {
	const struct joule_hal_cmd *cmds; /* read during the call only */
	int n_cmds;
	/*
	 * Record a time stamp before the first and after each launch. Launches
	 * then run one after the other even where no barrier is asked for, so
	 * that each span of time is one launch's.
	 */
	bool timestamps;
	const char *label; /* for error messages, e.g. the model's name; NULL: the first cmd's */
};

struct joule_hal_ops {
	void (*destroy)(struct joule_hal_device *device);

	int (*memory_alloc)(struct joule_hal_device *device, size_t bytes,
			    enum joule_memory_use use, struct joule_hal_memory **out);
	/* The caller's pages, used in place; they must outlive the memory. -ENOTSUP if impossible. */
	int (*memory_import_host)(struct joule_hal_device *device, void *ptr, size_t bytes,
				  struct joule_hal_memory **out);
	/* A dma-buf; on success the fd belongs to the memory. -ENOTSUP if the driver cannot. */
	int (*memory_import_dmabuf)(struct joule_hal_device *device, int fd, size_t bytes,
				    struct joule_hal_memory **out);
	void (*memory_free)(struct joule_hal_memory *memory);
	/* Copies that wait: for uploads of weights and memory without a host pointer. */
	int (*memory_write)(struct joule_hal_memory *memory, size_t offset, const void *data,
			    size_t bytes);
	int (*memory_read)(struct joule_hal_memory *memory, size_t offset, void *data,
			   size_t bytes);
	/* For memory that is not coherent; a no-op otherwise. */
	int (*memory_flush)(struct joule_hal_memory *memory, size_t offset, size_t bytes);
	int (*memory_invalidate)(struct joule_hal_memory *memory, size_t offset, size_t bytes);

	/*
	 * Makes every pipeline (so that the first run compiles nothing) and
	 * records the commands. Errors name the command's label and shader.
	 */
	int (*program_create)(struct joule_hal_device *device,
			      const struct joule_hal_program_params *params,
			      struct joule_hal_program **out);
	void (*program_destroy)(struct joule_hal_program *program);
	/* Queues the recording; replaying it while it runs is -EBUSY. */
	int (*program_submit)(struct joule_hal_program *program);
	/*
	 * Waits for the last submit. 0, -ETIME after timeout_ns (it goes on
	 * running), -ENODEV when the device was lost.
	 */
	int (*program_wait)(struct joule_hal_program *program, uint64_t timeout_ns);
	/*
	 * After a finished run with timestamps: out[0] is the start, out[1 + i]
	 * the end of launch i, in ns on the device's clock. n is n_cmds + 1.
	 */
	int (*program_timestamps)(struct joule_hal_program *program, uint64_t *out, int n);

	/* Current device clock against CLOCK_MONOTONIC; -ENOTSUP if not to be had. */
	int (*calibrate)(struct joule_hal_device *device, uint64_t *device_ns, uint64_t *host_ns,
			 uint64_t *deviation_ns);

	/* Writes the pipeline cache to disk now (also done at destroy). */
	int (*save_cache)(struct joule_hal_device *device);
};

struct joule_hal_device {
	const struct joule_hal_ops *ops;
	const struct joule_log *log;
	struct joule_caps caps;
	char name[256];   /* as the driver says it */
	char driver[256]; /* driver name and version */
	char key[64];     /* identifies device and driver for caches */
	bool lost;        /* set once; everything but destroy then gives -ENODEV */
	uint64_t memory_bytes;      /* allocated now, and the most it ever was */
	uint64_t memory_peak_bytes;
};

#endif
