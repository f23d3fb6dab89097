// SPDX-License-Identifier: MIT
/* Finding and opening devices: the plain reference and what the backends list. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "hal/vulkan/vulkan.h"
#include "runtime/objects.h"

#define MAX_DEVICES 16

static const char *const types[] = {
	[JOULE_DEVICE_CPU] = "reference",
	[JOULE_DEVICE_VULKAN_CPU] = "software",
	[JOULE_DEVICE_VULKAN_INTEGRATED] = "integrated",
	[JOULE_DEVICE_VULKAN_DISCRETE] = "discrete",
	[JOULE_DEVICE_NPU] = "npu",
};

static void cpu_info(struct joule_device_info *info)
{
	*info = (struct joule_device_info){ .usable = true };
	snprintf(info->id, sizeof(info->id), "cpu");
	snprintf(info->name, sizeof(info->name), "plain C reference");
	snprintf(info->driver, sizeof(info->driver), "libjoule %s", joule_version());
	snprintf(info->type, sizeof(info->type), "%s", types[JOULE_DEVICE_CPU]);
}

/* number: as the user counts, from 0; the backend counts from 1. */
static void vulkan_info(const struct joule_vulkan_info *v, struct joule_device_info *info)
{
	*info = (struct joule_device_info){
		.usable = v->usable,
		.memory_bytes = v->device_memory_bytes,
		.f16_storage = v->caps.storage_16bit,
		.f16_arithmetic = v->caps.arithmetic_f16,
		.i8_storage = v->caps.storage_8bit,
		.integer_dot = v->caps.integer_dot,
		.subgroup_size = v->caps.subgroup_size,
	};
	snprintf(info->id, sizeof(info->id), "vulkan:%d", v->index - 1);
	snprintf(info->name, sizeof(info->name), "%s", v->name);
	snprintf(info->driver, sizeof(info->driver), "%s", v->driver);
	snprintf(info->type, sizeof(info->type), "%s", types[v->kind]);
	snprintf(info->reason, sizeof(info->reason), "%s", v->reason);
}

int joule_device_list(struct joule_context *context, struct joule_device_info *list, int max)
{
	struct joule_vulkan_info *vulkan = calloc(MAX_DEVICES, sizeof(*vulkan));
	int n = 0, found;

	if (!vulkan)
		return joule_err_nomem(&context->log, "device list");
	found = joule_vulkan_enumerate(&context->log, vulkan, MAX_DEVICES);
	for (int i = 0; i < found && i < MAX_DEVICES; i++, n++)
		if (n < max)
			vulkan_info(&vulkan[i], &list[n]);
	if (n < max)
		cpu_info(&list[n]);
	free(vulkan);
	return n + 1;
}

/* Fills in what a list would say about the device that was opened. */
static void opened_info(struct joule_device *d)
{
	const struct joule_hal_device *hal = d->hal;
	struct joule_device_info *list = calloc(MAX_DEVICES, sizeof(*list));
	int n = list ? joule_device_list(d->context, list, MAX_DEVICES) : 0;

	for (int i = 0; i < n && i < MAX_DEVICES; i++)
		if (!strcmp(list[i].name, hal->name) && list[i].usable) {
			d->info = list[i];
			break;
		}
	free(list);
	snprintf(d->info.name, sizeof(d->info.name), "%s", hal->name);
	snprintf(d->info.driver, sizeof(d->info.driver), "%s", hal->driver);
	snprintf(d->info.type, sizeof(d->info.type), "%s", types[hal->caps.kind]);
	d->info.usable = true;
	d->info.f16_storage = hal->caps.storage_16bit;
	d->info.f16_arithmetic = hal->caps.arithmetic_f16;
	d->info.i8_storage = hal->caps.storage_8bit;
	d->info.integer_dot = hal->caps.integer_dot;
	d->info.subgroup_size = hal->caps.subgroup_size;
}

static int open_vulkan(struct joule_device *d, const char *id)
{
	struct joule_vulkan_params params = {
		.validation = d->context->validation,
		.cache_dir = d->context->cache_dir,
	};
	char *end;
	int ret;

	if (!strncmp(id, "vulkan:", 7) && isdigit((unsigned char)id[7])) {
		unsigned long n = strtoul(id + 7, &end, 10);

		if (*end || n >= MAX_DEVICES)
			return joule_err(&d->context->log, -ENODEV, "no device %s", id);
		params.index = (int)n + 1;
	} else if (strcmp(id, "vulkan") != 0) {
		params.name = id;
	}
	ret = joule_vulkan_open(&d->context->log, &params, &d->hal);
	if (!ret)
		opened_info(d);
	return ret;
}

int joule_device_open(struct joule_context *context, const char *id, struct joule_device **out)
{
	struct joule_device *d = calloc(1, sizeof(*d));
	int ret = 0;

	*out = NULL;
	if (!d)
		return joule_err_nomem(&context->log, "device");
	atomic_init(&d->refs, 1);
	d->context = joule_context_ref(context);
	if (id && !strcmp(id, "cpu"))
		cpu_info(&d->info);
	else
		ret = open_vulkan(d, id ? id : "vulkan");
	if (ret) {
		joule_device_close(d);
		return ret;
	}
	*out = d;
	return 0;
}

struct joule_device *joule_device_ref(struct joule_device *device)
{
	atomic_fetch_add(&device->refs, 1);
	return device;
}

void joule_device_close(struct joule_device *device)
{
	if (!device || atomic_fetch_sub(&device->refs, 1) > 1)
		return;
	if (device->hal)
		device->hal->ops->destroy(device->hal);
	joule_context_destroy(device->context);
	free(device);
}

void joule_device_get_info(const struct joule_device *device, struct joule_device_info *out)
{
	*out = device->info;
}
