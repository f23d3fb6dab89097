// SPDX-License-Identifier: MIT
#include "hal/vulkan/fns.h"

/* The one symbol joule takes from libvulkan. */
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance,
							       const char *name);

#define OPTIONAL(name) fn->name = (PFN_vk##name)GET(name);
#define REQUIRED(name) \
	OPTIONAL(name) \
	if (!fn->name) \
		return "vk" #name;

const char *joule_vk_load_global(struct joule_vulkan_fns *fn)
{
#define GET(name) vkGetInstanceProcAddr(VK_NULL_HANDLE, "vk" #name)
	JOULE_VK_GLOBAL_FNS(REQUIRED)
#undef GET
	return NULL;
}

const char *joule_vk_load_instance(struct joule_vulkan_fns *fn, VkInstance instance)
{
#define GET(name) vkGetInstanceProcAddr(instance, "vk" #name)
	JOULE_VK_INSTANCE_FNS(REQUIRED)
	JOULE_VK_INSTANCE_OPTIONAL_FNS(OPTIONAL)
#undef GET
	return NULL;
}

const char *joule_vk_load_device(struct joule_vulkan_fns *fn, VkDevice device)
{
#define GET(name) fn->GetDeviceProcAddr(device, "vk" #name)
	JOULE_VK_DEVICE_FNS(REQUIRED)
	JOULE_VK_DEVICE_OPTIONAL_FNS(OPTIONAL)
#undef GET
	return NULL;
}
