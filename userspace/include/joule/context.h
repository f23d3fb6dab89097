/* SPDX-License-Identifier: MIT */
/*
 * The root of every libjoule object: where messages go and which devices there
 * are. A context may be used from many threads at once.
 */
#ifndef JOULE_CONTEXT_H
#define JOULE_CONTEXT_H

#include <stdint.h>

#include <joule/log.h>
#include <joule/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct joule_context;

/* Zero-initialize; a zero field means the default. */
struct joule_context_params {
	struct joule_log log;   /* copied; no callback: silent */
	const char *cache_dir;  /* pipelines, tuning; NULL: $XDG_CACHE_HOME/joule or ~/.cache/joule */
	bool no_cache;          /* neither read nor write caches */
	bool validation;        /* Vulkan validation layers, messages to the log */
};

/* params may be NULL. Errors: -ENOMEM. */
int joule_context_create(const struct joule_context_params *params, struct joule_context **out);

/*
 * Contexts are reference-counted: models, devices and sessions hold one each,
 * so the order of destruction is the caller's choice.
 */
void joule_context_destroy(struct joule_context *context);

/* "0.1.0" */
const char *joule_version(void);

/* ---- devices ---- */

struct joule_device;

/* What there is to run on. Strings are valid as long as the list. */
struct joule_device_info {
	char id[32];      /* what joule_device_open() takes: "cpu", "vulkan:0" */
	char name[256];
	char driver[256];
	char type[32];    /* "reference", "software", "integrated", "discrete" */
	bool usable;
	char reason[256]; /* why it is not usable */
	uint64_t memory_bytes; /* device memory, 0 if not known */
	bool f16_storage, f16_arithmetic, i8_storage, integer_dot;
	uint32_t subgroup_size;
};

/*
 * Fills at most max entries of list; returns how many there are. No Vulkan
 * loader or driver is no error: the list then has the "cpu" entry alone.
 */
int joule_device_list(struct joule_context *context, struct joule_device_info *list, int max);

/*
 * id: "cpu" (the plain C reference), "vulkan" (the best Vulkan device: discrete,
 * integrated, then software), "vulkan:N", or part of a device's name; NULL is
 * "vulkan". Errors: -ENODEV naming what was looked for, -ENOTSUP with the
 * missing feature, -ENOMEM. A device may be used by many sessions and threads.
 */
int joule_device_open(struct joule_context *context, const char *id, struct joule_device **out);
void joule_device_close(struct joule_device *device);
void joule_device_get_info(const struct joule_device *device, struct joule_device_info *out);

/*
 * What the device really does, measured now (about a second): multiply-adds
 * in registers, written as fma() and as a * b + c, two operations each, and
 * reading plus writing memory far larger than its caches. JOULE_MEASURED all.
 */
struct joule_device_peak {
	double fma_gflops, mul_add_gflops; /* fp32 */
	double f16_gflops;                 /* 0 without fp16 arithmetic */
	double bandwidth_gbytes;           /* 1e9 bytes a second, reads and writes added */
};

/* -ENOTSUP for "cpu". */
int joule_device_measure_peak(struct joule_device *device, struct joule_device_peak *out);

#ifdef __cplusplus
}
#endif

#endif
