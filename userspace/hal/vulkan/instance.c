// SPDX-License-Identifier: MIT
#include "hal/vulkan/vk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char validation_layer[] = "VK_LAYER_KHRONOS_validation";

static VKAPI_ATTR VkBool32 VKAPI_CALL message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
					      VkDebugUtilsMessageTypeFlagsEXT types,
					      const VkDebugUtilsMessengerCallbackDataEXT *data,
					      void *user)
{
	struct joule_vk_instance *instance = user;
	enum joule_log_level level = JOULE_LOG_DEBUG;

	/* The loader reports broken drivers of other vendors as errors too: only ours count. */
	if (types & VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT) {
		if (severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT) {
			atomic_fetch_add(&instance->validation_errors, 1);
			level = JOULE_LOG_ERROR;
		} else {
			level = JOULE_LOG_WARN;
		}
	}
	joule_logf(instance->log, level, "vulkan: %s", data->pMessage);
	return VK_FALSE;
}

static bool has_layer(const struct joule_vulkan_fns *fn, const char *name)
{
	VkLayerProperties *list;
	bool found = false;
	uint32_t n = 0;

	if (fn->EnumerateInstanceLayerProperties(&n, NULL) != VK_SUCCESS || !n)
		return false;
	list = calloc(n, sizeof(*list));
	if (!list)
		return false;
	if (fn->EnumerateInstanceLayerProperties(&n, list) >= 0)
		for (uint32_t i = 0; i < n; i++)
			found |= !strcmp(list[i].layerName, name);
	free(list);
	return found;
}

static bool has_extension(const struct joule_vulkan_fns *fn, const char *layer, const char *name)
{
	VkExtensionProperties *list;
	bool found = false;
	uint32_t n = 0;

	if (fn->EnumerateInstanceExtensionProperties(layer, &n, NULL) != VK_SUCCESS || !n)
		return false;
	list = calloc(n, sizeof(*list));
	if (!list)
		return false;
	if (fn->EnumerateInstanceExtensionProperties(layer, &n, list) >= 0)
		for (uint32_t i = 0; i < n; i++)
			found |= !strcmp(list[i].extensionName, name);
	free(list);
	return found;
}

int joule_vk_instance_create(struct joule_vk_instance *instance, struct joule_vulkan_fns *fn,
			     const struct joule_log *log, bool validation, bool labels)
{
	static const char *const debug_utils[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME };
	static const char *const layers[] = { validation_layer };
	VkDebugUtilsMessengerCreateInfoEXT messenger = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
		.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
				   VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT |
			       VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
			       VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
		.pfnUserCallback = message,
		.pUserData = instance,
	};
	VkApplicationInfo app = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pEngineName = "joule",
		.apiVersion = VK_API_VERSION_1_3,
	};
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &app,
	};
	const char *missing = joule_vk_load_global(fn);
	uint32_t version = VK_API_VERSION_1_0;
	VkResult r;

	instance->log = log;
	if (missing)
		return joule_err(log, -ENODEV, "vulkan: the loader lacks %s", missing);
	if (fn->EnumerateInstanceVersion(&version) != VK_SUCCESS || version < VK_API_VERSION_1_1)
		return joule_err(log, -ENODEV, "vulkan: the loader knows no Vulkan 1.1");
	if (validation && !has_layer(fn, validation_layer))
		return joule_err(log, -ENOTSUP,
				 "vulkan: validation asked for, but %s is not installed",
				 validation_layer);
	instance->labels = has_extension(fn, NULL, debug_utils[0]) ||
			   (validation && has_extension(fn, validation_layer, debug_utils[0]));
	instance->labels = instance->labels && (validation || labels);
	if (validation) {
		info.enabledLayerCount = 1;
		info.ppEnabledLayerNames = layers;
	}
	if (instance->labels) {
		info.enabledExtensionCount = 1;
		info.ppEnabledExtensionNames = debug_utils;
		info.pNext = &messenger;
	}
	r = fn->CreateInstance(&info, NULL, &instance->handle);
	if (r == VK_ERROR_INCOMPATIBLE_DRIVER)
		return -ENXIO;
	if (r != VK_SUCCESS)
		return joule_err(log, r == VK_ERROR_OUT_OF_HOST_MEMORY ? -ENOMEM : -ENODEV,
				 "vulkan: vkCreateInstance: %s", joule_vk_result_name(r));
	missing = joule_vk_load_instance(fn, instance->handle);
	if (missing)
		return joule_err(log, -ENODEV, "vulkan: the loader lacks %s", missing);
	if (instance->labels && fn->CreateDebugUtilsMessengerEXT &&
	    fn->CreateDebugUtilsMessengerEXT(instance->handle, &messenger, NULL,
					     &instance->messenger) != VK_SUCCESS)
		return joule_err_nomem(log, "Vulkan debug messenger");
	return 0;
}

void joule_vk_instance_destroy(struct joule_vk_instance *instance,
			       const struct joule_vulkan_fns *fn)
{
	if (!instance->handle)
		return;
	if (instance->messenger)
		fn->DestroyDebugUtilsMessengerEXT(instance->handle, instance->messenger, NULL);
	if (fn->DestroyInstance)
		fn->DestroyInstance(instance->handle, NULL);
	instance->handle = VK_NULL_HANDLE;
}

int joule_vk_physical_devices(struct joule_vk_instance *instance,
			      const struct joule_vulkan_fns *fn, VkPhysicalDevice **out)
{
	VkPhysicalDevice *list;
	uint32_t n = 0;
	VkResult r;

	*out = NULL;
	r = fn->EnumeratePhysicalDevices(instance->handle, &n, NULL);
	if (r == VK_ERROR_INITIALIZATION_FAILED)
		return 0; /* drivers there, but no hardware for any */
	if (r < 0)
		return joule_err(instance->log,
				 r == VK_ERROR_OUT_OF_HOST_MEMORY ? -ENOMEM : -ENODEV,
				 "vulkan: vkEnumeratePhysicalDevices: %s",
				 joule_vk_result_name(r));
	list = calloc(n ? n : 1, sizeof(*list));
	if (!list)
		return joule_err_nomem(instance->log, "list of Vulkan devices");
	r = fn->EnumeratePhysicalDevices(instance->handle, &n, list);
	if (r < 0) {
		free(list);
		return joule_err(instance->log, -ENODEV, "vulkan: vkEnumeratePhysicalDevices: %s",
				 joule_vk_result_name(r));
	}
	*out = list;
	return (int)n;
}
