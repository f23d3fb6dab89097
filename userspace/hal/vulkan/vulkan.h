/* SPDX-License-Identifier: MIT */
/* Devices that speak Vulkan: list them, open one. */
#ifndef JOULE_HAL_VULKAN_VULKAN_H
#define JOULE_HAL_VULKAN_VULKAN_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/device.h"

struct joule_vulkan_fns;

/* What there is to know of a device before it is opened. */
struct joule_vulkan_info {
	int index; /* as joule_vulkan_params.index wants it */
	char name[256];
	char driver[256];
	enum joule_device_kind kind;
	uint32_t vendor_id, device_id;
	uint32_t api_major, api_minor, api_patch;
	uint64_t device_memory_bytes; /* of the largest device-local heap */
	bool usable;
	char reason[160]; /* why it is not usable; else "" */
	struct joule_caps caps; /* all zero if not usable */
};

struct joule_vulkan_params {
	int index;        /* which device, counted from 1 as listed; 0: the best usable one */
	const char *name; /* or: the first usable one whose name holds this, in any case; NULL: any */
	bool validation;  /* Khronos validation layer and debug labels; -ENOTSUP if not installed */
	bool labels;      /* debug labels without validation */
	const char *cache_dir; /* pipeline cache; made if missing. NULL: none kept */
	/*
	 * Called when function pointers were loaded: once for the instance's,
	 * once for the device's. A test puts its own into *fn to act out a
	 * failing driver. NULL otherwise.
	 */
	void (*loaded)(void *user, struct joule_vulkan_fns *fn);
	void *loaded_user;
};

/*
 * Fills list with at most max devices and returns how many there are: 0 where
 * no driver is installed. Negative errno on failure (logged).
 */
int joule_vulkan_enumerate(const struct joule_log *log, struct joule_vulkan_info *list, int max);

/*
 * Opens a device. log must outlive it. -ENODEV: none there, none of that name,
 * or not usable (the message says why).
 */
int joule_vulkan_open(const struct joule_log *log, const struct joule_vulkan_params *params,
		      struct joule_hal_device **out);

/* Validation messages of severity error so far. */
int joule_vulkan_validation_errors(const struct joule_hal_device *device);

#endif
