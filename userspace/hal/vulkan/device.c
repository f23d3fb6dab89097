// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "hal/vulkan/vk.h"

static void destroy(struct joule_hal_device *device);

static const struct joule_hal_ops ops = {
	.destroy = destroy,
	.memory_alloc = joule_vk_memory_alloc,
	.memory_import_host = joule_vk_memory_import_host,
	.memory_import_dmabuf = joule_vk_memory_import_dmabuf,
	.memory_free = joule_vk_memory_free,
	.memory_write = joule_vk_memory_write,
	.memory_read = joule_vk_memory_read,
	.memory_flush = joule_vk_memory_flush,
	.memory_invalidate = joule_vk_memory_invalidate,
	.program_create = joule_vk_program_create,
	.program_destroy = joule_vk_program_destroy,
	.program_submit = joule_vk_program_submit,
	.program_wait = joule_vk_program_wait,
	.program_timestamps = joule_vk_program_timestamps,
	.calibrate = joule_vk_calibrate,
	.save_cache = joule_vk_cache_save,
};

static void destroy(struct joule_hal_device *device)
{
	struct joule_vk *vk;

	if (!device)
		return;
	vk = joule_vk(device);
	if (vk->device && vk->fn.DestroyDevice) {
		if (vk->pipelines.cache)
			joule_vk_cache_save(device);
		joule_vk_staging_finish(vk);
		joule_vk_pipelines_finish(vk);
		vk->fn.DestroyDevice(vk->device, NULL);
	}
	joule_vk_instance_destroy(&vk->instance, &vk->fn);
	pthread_cond_destroy(&vk->pipelines.made);
	pthread_mutex_destroy(&vk->pipelines.cache_lock);
	pthread_mutex_destroy(&vk->pipelines.lock);
	pthread_mutex_destroy(&vk->staging.lock);
	pthread_mutex_destroy(&vk->memory_lock);
	pthread_mutex_destroy(&vk->queue_lock);
	free(vk);
}

static struct joule_vk *new_device(const struct joule_log *log)
{
	struct joule_vk *vk = calloc(1, sizeof(*vk));
	cpu_set_t cpus;

	if (!vk)
		return NULL;
	vk->base.ops = &ops;
	vk->base.log = log;
	vk->cpus = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);
	pthread_mutex_init(&vk->queue_lock, NULL);
	pthread_mutex_init(&vk->memory_lock, NULL);
	pthread_mutex_init(&vk->staging.lock, NULL);
	pthread_mutex_init(&vk->pipelines.lock, NULL);
	pthread_mutex_init(&vk->pipelines.cache_lock, NULL);
	pthread_cond_init(&vk->pipelines.made, NULL);
	return vk;
}

static void fill_info(const struct joule_vk_features *f, int index, struct joule_vulkan_info *info)
{
	memset(info, 0, sizeof(*info));
	info->index = index;
	snprintf(info->name, sizeof(info->name), "%s", f->props.deviceName);
	snprintf(info->driver, sizeof(info->driver), "%s", f->driver);
	snprintf(info->reason, sizeof(info->reason), "%s", f->reason);
	info->kind = f->caps.kind;
	info->vendor_id = f->props.vendorID;
	info->device_id = f->props.deviceID;
	info->api_major = VK_API_VERSION_MAJOR(f->props.apiVersion);
	info->api_minor = VK_API_VERSION_MINOR(f->props.apiVersion);
	info->api_patch = VK_API_VERSION_PATCH(f->props.apiVersion);
	info->usable = !f->reason[0];
	if (info->usable)
		info->caps = f->caps;
	for (uint32_t i = 0; i < f->memory.memoryHeapCount; i++)
		if (f->memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
			info->device_memory_bytes = JOULE_MAX(info->device_memory_bytes,
							      f->memory.memoryHeaps[i].size);
}

int joule_vulkan_enumerate(const struct joule_log *log, struct joule_vulkan_info *list, int max)
{
	struct joule_vk *vk = new_device(log);
	VkPhysicalDevice *physical = NULL;
	int n, err;

	if (!vk)
		return joule_err_nomem(log, "list of Vulkan devices");
	err = joule_vk_instance_create(&vk->instance, &vk->fn, log, false, false);
	n = err ? err : joule_vk_physical_devices(&vk->instance, &vk->fn, &physical);
	if (err == -ENXIO)
		n = 0;
	for (int i = 0; i < n && i < max; i++) {
		err = joule_vk_probe(&vk->fn, physical[i], &vk->has);
		if (err) {
			n = joule_err_nomem(log, "list of Vulkan devices");
			break;
		}
		fill_info(&vk->has, i + 1, &list[i]);
	}
	free(physical);
	destroy(&vk->base);
	return n;
}

static int rank_of(enum joule_device_kind kind)
{
	switch (kind) {
	case JOULE_DEVICE_VULKAN_DISCRETE:
		return 3;
	case JOULE_DEVICE_VULKAN_INTEGRATED:
		return 2;
	default:
		return 1;
	}
}

/* Leaves the choice in vk->physical and what it can do in vk->has. */
static int choose(struct joule_vk *vk, const struct joule_vulkan_params *params,
		  const VkPhysicalDevice *physical, int n)
{
	const struct joule_log *log = vk->base.log;
	struct joule_vk_features *f = calloc(1, sizeof(*f));
	char why[320] = "";
	int best = 0;

	if (!f)
		return joule_err_nomem(log, "list of Vulkan devices");
	for (int i = 0; i < n; i++) {
		if (params->index && params->index != i + 1)
			continue;
		if (joule_vk_probe(&vk->fn, physical[i], f)) {
			free(f);
			return joule_err_nomem(log, "list of Vulkan devices");
		}
		if (params->name && !strcasestr(f->props.deviceName, params->name))
			continue;
		if (f->reason[0]) {
			snprintf(why, sizeof(why), "; %.80s cannot be used: %s",
				 f->props.deviceName, f->reason);
			continue;
		}
		if (rank_of(f->caps.kind) > best && (!params->name || !best)) {
			best = rank_of(f->caps.kind);
			vk->physical = physical[i];
		}
	}
	free(f);
	if (best && joule_vk_probe(&vk->fn, vk->physical, &vk->has))
		return joule_err_nomem(log, "list of Vulkan devices");
	if (best)
		return 0;
	if (params->index)
		return joule_err(log, -ENODEV, "no Vulkan device %d among %d%s", params->index, n,
				 why);
	if (params->name)
		return joule_err(log, -ENODEV, "no Vulkan device named '%s' among %d%s",
				 params->name, n, why);
	return joule_err(log, -ENODEV, "no Vulkan device among %d%s", n, why);
}

static void describe(struct joule_vk *vk)
{
	const VkPhysicalDeviceProperties *props = &vk->has.props;
	struct joule_hal_device *base = &vk->base;
	uint64_t h = 0xcbf29ce484222325ull;
	char text[640];
	int n;

	snprintf(base->name, sizeof(base->name), "%s", props->deviceName);
	snprintf(base->driver, sizeof(base->driver), "%s", vk->has.driver);
	base->caps = vk->has.caps;
	n = snprintf(text, sizeof(text), "%s|%s|%u|", base->name, base->driver,
		     props->driverVersion);
	for (int i = 0; i < n; i++)
		h = (h ^ (uint8_t)text[i]) * 0x100000001b3ull;
	for (unsigned int i = 0; i < VK_UUID_SIZE; i++)
		h = (h ^ props->pipelineCacheUUID[i]) * 0x100000001b3ull;
	snprintf(base->key, sizeof(base->key), "%04x-%04x-%016llx", props->vendorID,
		 props->deviceID, (unsigned long long)h);
}

static int create_device(struct joule_vk *vk)
{
	const float priority = 1.0f;
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = vk->has.queue_family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &vk->has.core,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = vk->has.n_extensions,
		.ppEnabledExtensionNames = vk->has.extensions,
	};
	const char *missing;
	VkResult r = vk->fn.CreateDevice(vk->physical, &info, NULL, &vk->device);

	if (r != VK_SUCCESS) {
		vk->device = VK_NULL_HANDLE;
		return joule_vk_fail(vk, r, "vkCreateDevice");
	}
	missing = joule_vk_load_device(&vk->fn, vk->device);
	if (!vk->fn.GetBufferDeviceAddress)
		vk->fn.GetBufferDeviceAddress =
			(PFN_vkGetBufferDeviceAddress)vk->fn.GetBufferDeviceAddressKHR;
	if (!missing && !vk->fn.GetBufferDeviceAddress)
		missing = "vkGetBufferDeviceAddress";
	if (missing)
		return joule_err(vk->base.log, -ENODEV, "%s: the driver lacks %s", vk->base.name,
				 missing);
	vk->fn.GetDeviceQueue(vk->device, vk->has.queue_family, 0, &vk->queue);
	return 0;
}

static int open_device(struct joule_vk *vk, const struct joule_vulkan_params *params)
{
	VkPhysicalDevice *physical = NULL;
	int n, err;

	err = joule_vk_instance_create(&vk->instance, &vk->fn, vk->base.log, params->validation,
				       params->labels);
	if (err == -ENXIO)
		return joule_err(vk->base.log, -ENODEV, "no Vulkan driver is installed");
	if (err)
		return err;
	if (params->loaded)
		params->loaded(params->loaded_user, &vk->fn);
	n = joule_vk_physical_devices(&vk->instance, &vk->fn, &physical);
	err = n < 0 ? n : choose(vk, params, physical, n);
	free(physical);
	if (err)
		return err;
	describe(vk);
	err = create_device(vk);
	if (err)
		return err;
	if (params->loaded)
		params->loaded(params->loaded_user, &vk->fn);
	return joule_vk_pipelines_init(vk, params->cache_dir);
}

int joule_vulkan_open(const struct joule_log *log, const struct joule_vulkan_params *params,
		      struct joule_hal_device **out)
{
	static const struct joule_vulkan_params defaults;
	struct joule_vk *vk = new_device(log);
	int err;

	*out = NULL;
	if (!vk)
		return joule_err_nomem(log, "Vulkan device object");
	err = open_device(vk, params ? params : &defaults);
	if (err) {
		destroy(&vk->base);
		return err;
	}
	*out = &vk->base;
	return 0;
}

int joule_vulkan_validation_errors(const struct joule_hal_device *device)
{
	const struct joule_vk *vk = (const struct joule_vk *)device;

	return atomic_load(&vk->instance.validation_errors);
}
