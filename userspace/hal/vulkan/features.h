/* SPDX-License-Identifier: MIT */
/* What a physical device can do, asked once and then handed to vkCreateDevice. */
#ifndef JOULE_HAL_VULKAN_FEATURES_H
#define JOULE_HAL_VULKAN_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/dispatch.h"
#include "hal/vulkan/fns.h"

#define JOULE_VK_MAX_EXTENSIONS 32

/* VK_KHR_cooperative_matrix, younger than Debian 12's headers. */
#ifndef VK_KHR_cooperative_matrix
#define VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME "VK_KHR_cooperative_matrix"
#define VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR \
	((VkStructureType)1000506000)
typedef struct VkPhysicalDeviceCooperativeMatrixFeaturesKHR {
	VkStructureType sType;
	void *pNext;
	VkBool32 cooperativeMatrix;
	VkBool32 cooperativeMatrixRobustBufferAccess;
} VkPhysicalDeviceCooperativeMatrixFeaturesKHR;
#endif

struct joule_vk_features {
	/* The chain: core.pNext leads through those the device knows. */
	VkPhysicalDeviceFeatures2 core;
	VkPhysicalDevice16BitStorageFeatures storage16;
	VkPhysicalDevice8BitStorageFeatures storage8;
	VkPhysicalDeviceShaderFloat16Int8Features small;
	VkPhysicalDeviceBufferDeviceAddressFeatures address;
	VkPhysicalDeviceScalarBlockLayoutFeatures scalar;
	VkPhysicalDeviceTimelineSemaphoreFeatures timeline;
	VkPhysicalDeviceHostQueryResetFeatures query_reset;
	VkPhysicalDeviceSubgroupSizeControlFeatures subgroup;
	VkPhysicalDeviceShaderIntegerDotProductFeatures dot;
	VkPhysicalDevicePipelineCreationCacheControlFeatures cache_control;
	VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix;

	/* Extensions to enable. */
	uint32_t n_extensions;
	const char *extensions[JOULE_VK_MAX_EXTENSIONS];
	bool feedback, calibrated, budget, import_host, import_dmabuf, dmabuf_dedicated;

	/* Properties. */
	VkPhysicalDeviceProperties props;
	char driver[256];
	VkDriverId driver_id;
	unsigned int mesa; /* its major version; 0: no Mesa */
	/*
	 * llvmpipe: a launch has ended before the next command is looked at, and
	 * a barrier after a time stamp costs it 50 us of waking threads.
	 */
	bool in_order;
	uint32_t subgroup_min, subgroup_max; /* that can be asked for; 0: none can */
	uint64_t max_allocation_bytes;
	uint64_t host_import_alignment;
	VkPhysicalDeviceMemoryProperties memory;
	uint32_t queue_family;
	uint32_t timestamp_bits;

	struct joule_caps caps;
	char reason[160]; /* why the device is not usable; else "" */
};

/* Fills all of it. 0, or -ENOMEM. A device that cannot be used has a reason. */
int joule_vk_probe(const struct joule_vulkan_fns *fn, VkPhysicalDevice physical,
		   struct joule_vk_features *f);

/* NULL if the device can run the module, else a word for what it lacks. */
const char *joule_vk_missing_capability(const struct joule_vk_features *f, const uint32_t *spirv,
					size_t bytes);

#endif
