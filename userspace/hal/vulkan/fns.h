/* SPDX-License-Identifier: MIT */
/*
 * Vulkan's entry points as a table of each device object, so that no call goes
 * through the loader's dispatch and a test can replace any of them.
 */
#ifndef JOULE_HAL_VULKAN_FNS_H
#define JOULE_HAL_VULKAN_FNS_H

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan.h>

#define JOULE_VK_GLOBAL_FNS(X) \
	X(CreateInstance) \
	X(EnumerateInstanceVersion) \
	X(EnumerateInstanceLayerProperties) \
	X(EnumerateInstanceExtensionProperties)

#define JOULE_VK_INSTANCE_FNS(X) \
	X(DestroyInstance) \
	X(EnumeratePhysicalDevices) \
	X(GetPhysicalDeviceProperties) \
	X(GetPhysicalDeviceProperties2) \
	X(GetPhysicalDeviceFeatures2) \
	X(GetPhysicalDeviceMemoryProperties2) \
	X(GetPhysicalDeviceQueueFamilyProperties) \
	X(GetPhysicalDeviceExternalBufferProperties) \
	X(EnumerateDeviceExtensionProperties) \
	X(CreateDevice) \
	X(GetDeviceProcAddr)

#define JOULE_VK_INSTANCE_OPTIONAL_FNS(X) \
	X(CreateDebugUtilsMessengerEXT) \
	X(DestroyDebugUtilsMessengerEXT) \
	X(GetPhysicalDeviceCalibrateableTimeDomainsEXT)

#define JOULE_VK_DEVICE_FNS(X) \
	X(DestroyDevice) \
	X(GetDeviceQueue) \
	X(DeviceWaitIdle) \
	X(QueueSubmit) \
	X(CreateFence) \
	X(DestroyFence) \
	X(WaitForFences) \
	X(ResetFences) \
	X(GetFenceStatus) \
	X(CreateSemaphore) \
	X(DestroySemaphore) \
	X(AllocateMemory) \
	X(FreeMemory) \
	X(MapMemory) \
	X(FlushMappedMemoryRanges) \
	X(InvalidateMappedMemoryRanges) \
	X(CreateBuffer) \
	X(DestroyBuffer) \
	X(GetBufferMemoryRequirements) \
	X(BindBufferMemory) \
	X(CreateShaderModule) \
	X(DestroyShaderModule) \
	X(CreatePipelineLayout) \
	X(DestroyPipelineLayout) \
	X(CreatePipelineCache) \
	X(DestroyPipelineCache) \
	X(GetPipelineCacheData) \
	X(CreateComputePipelines) \
	X(DestroyPipeline) \
	X(CreateCommandPool) \
	X(DestroyCommandPool) \
	X(AllocateCommandBuffers) \
	X(BeginCommandBuffer) \
	X(EndCommandBuffer) \
	X(CmdBindPipeline) \
	X(CmdPushConstants) \
	X(CmdDispatch) \
	X(CmdPipelineBarrier) \
	X(CmdCopyBuffer) \
	X(CmdResetQueryPool) \
	X(CmdWriteTimestamp) \
	X(CreateQueryPool) \
	X(DestroyQueryPool) \
	X(GetQueryPoolResults)

#define JOULE_VK_DEVICE_OPTIONAL_FNS(X) \
	X(GetBufferDeviceAddress) \
	X(GetBufferDeviceAddressKHR) \
	X(GetMemoryHostPointerPropertiesEXT) \
	X(GetMemoryFdPropertiesKHR) \
	X(GetCalibratedTimestampsEXT) \
	X(SetDebugUtilsObjectNameEXT) \
	X(CmdBeginDebugUtilsLabelEXT) \
	X(CmdEndDebugUtilsLabelEXT)

struct joule_vulkan_fns {
#define JOULE_VK_MEMBER(name) PFN_vk##name name;
	JOULE_VK_GLOBAL_FNS(JOULE_VK_MEMBER)
	JOULE_VK_INSTANCE_FNS(JOULE_VK_MEMBER)
	JOULE_VK_INSTANCE_OPTIONAL_FNS(JOULE_VK_MEMBER)
	JOULE_VK_DEVICE_FNS(JOULE_VK_MEMBER)
	JOULE_VK_DEVICE_OPTIONAL_FNS(JOULE_VK_MEMBER)
#undef JOULE_VK_MEMBER
};

/* Each fills its part; the name of the first missing function, or NULL. */
const char *joule_vk_load_global(struct joule_vulkan_fns *fn);
const char *joule_vk_load_instance(struct joule_vulkan_fns *fn, VkInstance instance);
const char *joule_vk_load_device(struct joule_vulkan_fns *fn, VkDevice device);

#endif
