// SPDX-License-Identifier: MIT
#include "hal/vulkan/vk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define RESULTS(X) \
	X(VK_NOT_READY, -EBUSY) \
	X(VK_TIMEOUT, -ETIME) \
	X(VK_INCOMPLETE, -EOVERFLOW) \
	X(VK_ERROR_OUT_OF_HOST_MEMORY, -ENOMEM) \
	X(VK_ERROR_OUT_OF_DEVICE_MEMORY, -ENOMEM) \
	X(VK_ERROR_INITIALIZATION_FAILED, -ENODEV) \
	X(VK_ERROR_DEVICE_LOST, -ENODEV) \
	X(VK_ERROR_MEMORY_MAP_FAILED, -ENOMEM) \
	X(VK_ERROR_LAYER_NOT_PRESENT, -ENOTSUP) \
	X(VK_ERROR_EXTENSION_NOT_PRESENT, -ENOTSUP) \
	X(VK_ERROR_FEATURE_NOT_PRESENT, -ENOTSUP) \
	X(VK_ERROR_INCOMPATIBLE_DRIVER, -ENODEV) \
	X(VK_ERROR_TOO_MANY_OBJECTS, -ENOMEM) \
	X(VK_ERROR_OUT_OF_POOL_MEMORY, -ENOMEM) \
	X(VK_ERROR_INVALID_EXTERNAL_HANDLE, -EINVAL) \
	X(VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS, -EINVAL) \
	X(VK_ERROR_UNKNOWN, -EIO)

const char *joule_vk_result_name(VkResult result)
{
	switch (result) {
#define NAME(r, e) \
	case r: \
		return #r;
		RESULTS(NAME)
#undef NAME
	default:
		return "unknown VkResult";
	}
}

static int result_errno(VkResult result)
{
	switch (result) {
#define ERRNO(r, e) \
	case r: \
		return e;
		RESULTS(ERRNO)
#undef ERRNO
	default:
		return -EIO;
	}
}

int joule_vk_fail(struct joule_vk *vk, VkResult result, const char *what, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, what);
	vsnprintf(line, sizeof(line), what, ap);
	va_end(ap);
	if (result == VK_ERROR_DEVICE_LOST &&
	    __atomic_exchange_n(&vk->base.lost, true, __ATOMIC_RELAXED))
		return -ENODEV;
	return joule_err(vk->base.log, result_errno(result), "%s: %s: %s (%d)", vk->base.name,
			 line, joule_vk_result_name(result), result);
}

int joule_vk_alive(const struct joule_vk *vk)
{
	return __atomic_load_n(&vk->base.lost, __ATOMIC_RELAXED) ? -ENODEV : 0;
}
