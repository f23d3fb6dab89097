// SPDX-License-Identifier: MIT
#include "hal/vulkan/features.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

/* The extensions a device has, while it is probed. */
struct probe {
	const struct joule_vulkan_fns *fn;
	VkPhysicalDevice physical;
	struct joule_vk_features *f;
	VkExtensionProperties *list;
	uint32_t n;
};

static bool listed(const struct probe *p, const char *name)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (!strcmp(p->list[i].extensionName, name))
			return true;
	return false;
}

/* Notes an extension for vkCreateDevice if the device has it. */
static bool enable(struct probe *p, const char *name)
{
	struct joule_vk_features *f = p->f;

	if (!listed(p, name) || f->n_extensions == JOULE_VK_MAX_EXTENSIONS)
		return false;
	f->extensions[f->n_extensions++] = name;
	return true;
}

/* True if core since that version, or through the extension. */
static bool core_or(struct probe *p, uint32_t since, const char *extension)
{
	return (since && p->f->props.apiVersion >= since) || enable(p, extension);
}


/* Every Vulkan structure of a chain begins so. */
static void append(void ***tail, void *s, VkStructureType type)
{
	VkBaseOutStructure *base = s;

	base->sType = type;
	**tail = base;
	*tail = (void **)&base->pNext;
}

static void query_features(struct probe *p)
{
	struct joule_vk_features *f = p->f;
	void **tail = &f->core.pNext;
	VkPhysicalDeviceFeatures all;
	uint32_t v12 = VK_API_VERSION_1_2, v13 = VK_API_VERSION_1_3;

	f->core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
	append(&tail, &f->storage16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
	if (core_or(p, v12, VK_KHR_8BIT_STORAGE_EXTENSION_NAME))
		append(&tail, &f->storage8,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES);
	if (core_or(p, v12, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME))
		append(&tail, &f->small,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
	if (core_or(p, v12, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME))
		append(&tail, &f->address,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES);
	if (core_or(p, v12, VK_EXT_SCALAR_BLOCK_LAYOUT_EXTENSION_NAME))
		append(&tail, &f->scalar,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SCALAR_BLOCK_LAYOUT_FEATURES);
	if (core_or(p, v12, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME))
		append(&tail, &f->timeline,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
	if (core_or(p, v12, VK_EXT_HOST_QUERY_RESET_EXTENSION_NAME))
		append(&tail, &f->query_reset,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_QUERY_RESET_FEATURES);
	if (core_or(p, v13, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME))
		append(&tail, &f->subgroup,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
	if (core_or(p, v13, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME))
		append(&tail, &f->dot,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
	if (core_or(p, v13, VK_EXT_PIPELINE_CREATION_CACHE_CONTROL_EXTENSION_NAME))
		append(&tail, &f->cache_control,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_CREATION_CACHE_CONTROL_FEATURES);
	if (enable(p, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME))
		append(&tail, &f->matrix,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
	p->fn->GetPhysicalDeviceFeatures2(p->physical, &f->core);

	/* Enabled is what was asked for: drop what costs (robust access) or serves nobody. */
	all = f->core.features;
	memset(&f->core.features, 0, sizeof(f->core.features));
	f->core.features.shaderInt16 = all.shaderInt16;
	f->core.features.shaderInt64 = all.shaderInt64;
	f->core.features.shaderFloat64 = all.shaderFloat64;
	f->storage16.storageInputOutput16 = VK_FALSE;
	f->address.bufferDeviceAddressCaptureReplay = VK_FALSE;
	f->address.bufferDeviceAddressMultiDevice = VK_FALSE;
	f->matrix.cooperativeMatrixRobustBufferAccess = VK_FALSE;
}

static void query_extensions(struct probe *p)
{
	struct joule_vk_features *f = p->f;

	f->feedback = core_or(p, VK_API_VERSION_1_3,
			      VK_EXT_PIPELINE_CREATION_FEEDBACK_EXTENSION_NAME);
	f->calibrated = enable(p, VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME);
	f->budget = enable(p, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
	f->import_host = enable(p, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
	f->import_dmabuf = listed(p, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME) &&
			   enable(p, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME) &&
			   enable(p, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
}

/* Whether a compute buffer can be imported from such a handle. */
static bool importable(struct probe *p, VkExternalMemoryHandleTypeFlagBits type, bool *dedicated)
{
	VkPhysicalDeviceExternalBufferInfo info = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
			 VK_BUFFER_USAGE_TRANSFER_DST_BIT |
			 VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
		.handleType = type,
	};
	VkExternalBufferProperties out = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
	};
	VkExternalMemoryFeatureFlags features;

	p->fn->GetPhysicalDeviceExternalBufferProperties(p->physical, &info, &out);
	features = out.externalMemoryProperties.externalMemoryFeatures;
	*dedicated = features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT;
	return features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
}

static void query_imports(struct probe *p)
{
	struct joule_vk_features *f = p->f;
	bool dedicated;

	if (f->import_host)
		f->import_host = importable(
			p, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, &dedicated);
	if (f->import_dmabuf)
		f->import_dmabuf =
			importable(p, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, &dedicated);
	f->dmabuf_dedicated = f->import_dmabuf && dedicated;
}

static enum joule_device_kind kind_of(VkPhysicalDeviceType type)
{
	switch (type) {
	case VK_PHYSICAL_DEVICE_TYPE_CPU:
		return JOULE_DEVICE_VULKAN_CPU;
	case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
		return JOULE_DEVICE_VULKAN_INTEGRATED;
	default:
		return JOULE_DEVICE_VULKAN_DISCRETE;
	}
}

/* As many threads as llvmpipe starts: its own variable, else the processors we may use. */
static uint32_t cpu_threads(const struct joule_vk_features *f)
{
	const char *env = f->driver_id == VK_DRIVER_ID_MESA_LLVMPIPE ? getenv("LP_NUM_THREADS") :
								       NULL;
	long n = env && *env ? strtol(env, NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);

	return (uint32_t)JOULE_MIN(JOULE_MAX(n, 1), 32);
}

static void fill_caps(struct joule_vk_features *f, const VkPhysicalDeviceSubgroupProperties *sub,
		      bool dot_accelerated)
{
	const VkPhysicalDeviceLimits *limits = &f->props.limits;
	struct joule_caps *caps = &f->caps;

	caps->kind = kind_of(f->props.deviceType);
	if (sub->supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) {
		VkSubgroupFeatureFlags ops = sub->supportedOperations;

		caps->subgroup_size = sub->subgroupSize;
		caps->subgroup_arithmetic = ops & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;
		caps->subgroup_shuffle = ops & VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
		caps->subgroup_ballot = ops & VK_SUBGROUP_FEATURE_BALLOT_BIT;
		caps->subgroup_vote = ops & VK_SUBGROUP_FEATURE_VOTE_BIT;
		caps->subgroup_shuffle_relative = ops & VK_SUBGROUP_FEATURE_SHUFFLE_RELATIVE_BIT;
		caps->subgroup_clustered = ops & VK_SUBGROUP_FEATURE_CLUSTERED_BIT;
	}
	caps->max_push_bytes = JOULE_MIN(limits->maxPushConstantsSize, JOULE_MAX_PUSH);
	memcpy(caps->max_local, limits->maxComputeWorkGroupSize, sizeof(caps->max_local));
	memcpy(caps->max_groups, limits->maxComputeWorkGroupCount, sizeof(caps->max_groups));
	caps->max_invocations = limits->maxComputeWorkGroupInvocations;
	caps->shared_bytes = limits->maxComputeSharedMemorySize;
	caps->storage_16bit = f->storage16.storageBuffer16BitAccess;
	caps->storage_8bit = f->storage8.storageBuffer8BitAccess;
	caps->arithmetic_f16 = f->small.shaderFloat16;
	caps->arithmetic_i8 = f->small.shaderInt8;
	caps->arithmetic_i16 = f->core.features.shaderInt16;
	caps->arithmetic_i64 = f->core.features.shaderInt64;
	caps->arithmetic_f64 = f->core.features.shaderFloat64;
	caps->integer_dot = f->dot.shaderIntegerDotProduct;
	caps->integer_dot_accelerated = dot_accelerated;
	caps->cooperative_matrix = f->matrix.cooperativeMatrix;
	caps->subgroup_min = f->subgroup_min;
	caps->subgroup_max = f->subgroup_max;
	caps->max_buffer_bytes = f->max_allocation_bytes;
	if (caps->kind == JOULE_DEVICE_VULKAN_CPU)
		caps->compute_threads = cpu_threads(f);
	/* Measured: 25.0 does, 22.3 loops over the lanes; between them nobody looked. */
	caps->scalar_shared_stores = f->driver_id == VK_DRIVER_ID_MESA_LLVMPIPE && f->mesa >= 25;
}

static void query_properties(struct probe *p)
{
	struct joule_vk_features *f = p->f;
	VkPhysicalDeviceSubgroupProperties sub = { 0 };
	VkPhysicalDeviceMaintenance3Properties maint3 = { 0 };
	VkPhysicalDeviceMaintenance4Properties maint4 = { 0 };
	VkPhysicalDeviceDriverProperties driver = { 0 };
	VkPhysicalDeviceSubgroupSizeControlProperties size = { 0 };
	VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = { 0 };
	VkPhysicalDeviceShaderIntegerDotProductProperties dot = { 0 };
	VkPhysicalDeviceProperties2 props = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
	};
	void **tail = &props.pNext;

	append(&tail, &sub, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES);
	append(&tail, &maint3, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES);
	if (f->props.apiVersion >= VK_API_VERSION_1_3)
		append(&tail, &maint4, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES);
	if (f->props.apiVersion >= VK_API_VERSION_1_2 ||
	    listed(p, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME))
		append(&tail, &driver, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES);
	if (f->subgroup.sType)
		append(&tail, &size,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES);
	if (f->dot.sType)
		append(&tail, &dot,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES);
	if (f->import_host)
		append(&tail, &host,
		       VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT);
	p->fn->GetPhysicalDeviceProperties2(p->physical, &props);

	f->driver_id = driver.driverID;
	/* llvmpipe's driverVersion says nothing: it is 1 always. */
	if (sscanf(driver.driverInfo, "Mesa %u.", &f->mesa) != 1)
		f->mesa = 0;
	f->in_order = driver.driverID == VK_DRIVER_ID_MESA_LLVMPIPE;
	if (driver.driverName[0])
		snprintf(f->driver, sizeof(f->driver), "%.120s %.120s", driver.driverName,
			 driver.driverInfo);
	else
		snprintf(f->driver, sizeof(f->driver), "driver %#x", f->props.driverVersion);
	f->host_import_alignment = host.minImportedHostPointerAlignment;
	if (f->subgroup.subgroupSizeControl &&
	    (size.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT)) {
		f->subgroup_min = size.minSubgroupSize;
		f->subgroup_max = size.maxSubgroupSize;
	}
	f->max_allocation_bytes = maint3.maxMemoryAllocationSize;
	if (maint4.maxBufferSize)
		f->max_allocation_bytes =
			JOULE_MIN(f->max_allocation_bytes, maint4.maxBufferSize);
	fill_caps(f, &sub,
		  dot.integerDotProduct4x8BitPackedSignedAccelerated ||
			  dot.integerDotProduct8BitSignedAccelerated);
}

/* A family that computes; one without graphics is free of a desktop's work. */
static bool pick_queue(struct probe *p)
{
	VkQueueFamilyProperties list[16];
	uint32_t n = JOULE_ARRAY_LEN(list);
	int best = -1;

	p->fn->GetPhysicalDeviceQueueFamilyProperties(p->physical, &n, list);
	for (uint32_t i = 0; i < n; i++) {
		if (!(list[i].queueFlags & VK_QUEUE_COMPUTE_BIT))
			continue;
		if (best < 0 || ((list[best].queueFlags & VK_QUEUE_GRAPHICS_BIT) &&
				 !(list[i].queueFlags & VK_QUEUE_GRAPHICS_BIT)))
			best = (int)i;
	}
	if (best < 0)
		return false;
	p->f->queue_family = (uint32_t)best;
	p->f->timestamp_bits = list[best].timestampValidBits;
	return true;
}

__attribute__((format(printf, 2, 3))) static int unusable(struct joule_vk_features *f,
							  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->reason, sizeof(f->reason), fmt, ap);
	va_end(ap);
	return 0;
}

static int probe(struct probe *p)
{
	VkPhysicalDeviceMemoryProperties2 memory = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
	};
	struct joule_vk_features *f = p->f;
	VkResult r;

	p->fn->GetPhysicalDeviceProperties(p->physical, &f->props);
	f->caps.kind = kind_of(f->props.deviceType);
	snprintf(f->driver, sizeof(f->driver), "driver %#x", f->props.driverVersion);
	if (f->props.apiVersion < VK_API_VERSION_1_1)
		return unusable(f, "it has Vulkan %u.%u; joule needs 1.1",
				VK_API_VERSION_MAJOR(f->props.apiVersion),
				VK_API_VERSION_MINOR(f->props.apiVersion));
	r = p->fn->EnumerateDeviceExtensionProperties(p->physical, NULL, &p->n, NULL);
	if (r < 0)
		return unusable(f, "its extensions cannot be listed");
	p->list = calloc(p->n ? p->n : 1, sizeof(*p->list));
	if (!p->list)
		return -ENOMEM;
	r = p->fn->EnumerateDeviceExtensionProperties(p->physical, NULL, &p->n, p->list);
	if (r < 0)
		return unusable(f, "its extensions cannot be listed");
	query_features(p);
	query_extensions(p);
	query_properties(p);
	query_imports(p);
	p->fn->GetPhysicalDeviceMemoryProperties2(p->physical, &memory);
	f->memory = memory.memoryProperties;
	if (!f->address.bufferDeviceAddress)
		return unusable(f, "it lacks buffer device addresses "
				   "(VK_KHR_buffer_device_address)");
	if (!f->scalar.scalarBlockLayout)
		return unusable(f, "it lacks scalar block layout (VK_EXT_scalar_block_layout)");
	if (!pick_queue(p))
		return unusable(f, "it has no queue that computes");
	return 0;
}

int joule_vk_probe(const struct joule_vulkan_fns *fn, VkPhysicalDevice physical,
		   struct joule_vk_features *f)
{
	struct probe p = { .fn = fn, .physical = physical, .f = f };
	int err;

	memset(f, 0, sizeof(*f));
	err = probe(&p);
	free(p.list);
	return err;
}
