// SPDX-License-Identifier: MIT
/*
 * Says in words why a module cannot run, before a driver gets to see what it
 * does not know: each OpCapability against the features that were enabled.
 */
#include "hal/vulkan/features.h"

#define OP_CAPABILITY 17
#define SPIRV_HEADER_WORDS 5

/* In what follows f is the device's features. */
#define CAPABILITIES(X) \
	X(0, "Matrix", true) \
	X(1, "Shader", true) \
	X(9, "Float16", f->small.shaderFloat16) \
	X(10, "Float64", f->core.features.shaderFloat64) \
	X(11, "Int64", f->core.features.shaderInt64) \
	X(22, "Int16", f->core.features.shaderInt16) \
	X(39, "Int8", f->small.shaderInt8) \
	X(61, "GroupNonUniform", f->caps.subgroup_size) \
	X(62, "GroupNonUniformVote", f->caps.subgroup_vote) \
	X(63, "GroupNonUniformArithmetic", f->caps.subgroup_arithmetic) \
	X(64, "GroupNonUniformBallot", f->caps.subgroup_ballot) \
	X(65, "GroupNonUniformShuffle", f->caps.subgroup_shuffle) \
	X(66, "GroupNonUniformShuffleRelative", f->caps.subgroup_shuffle_relative) \
	X(67, "GroupNonUniformClustered", f->caps.subgroup_clustered) \
	X(4433, "StorageBuffer16BitAccess", f->storage16.storageBuffer16BitAccess) \
	X(4434, "UniformAndStorageBuffer16BitAccess", \
	  f->storage16.uniformAndStorageBuffer16BitAccess) \
	X(4435, "StoragePushConstant16", f->storage16.storagePushConstant16) \
	X(4448, "StorageBuffer8BitAccess", f->storage8.storageBuffer8BitAccess) \
	X(4449, "UniformAndStorageBuffer8BitAccess", \
	  f->storage8.uniformAndStorageBuffer8BitAccess) \
	X(4450, "StoragePushConstant8", f->storage8.storagePushConstant8) \
	X(5347, "PhysicalStorageBufferAddresses", f->address.bufferDeviceAddress) \
	X(6016, "DotProductInputAll", f->dot.shaderIntegerDotProduct) \
	X(6017, "DotProductInput4x8Bit", f->dot.shaderIntegerDotProduct) \
	X(6018, "DotProductInput4x8BitPacked", f->dot.shaderIntegerDotProduct) \
	X(6019, "DotProduct", f->dot.shaderIntegerDotProduct) \
	X(6022, "CooperativeMatrixKHR", f->matrix.cooperativeMatrix)

static const char *missing(const struct joule_vk_features *f, uint32_t capability)
{
	switch (capability) {
#define CASE(number, name, there) \
	case number: \
		return (there) ? NULL : name;
		CAPABILITIES(CASE)
#undef CASE
	default:
		return "a SPIR-V capability that joule does not know";
	}
}

const char *joule_vk_missing_capability(const struct joule_vk_features *f, const uint32_t *spirv,
					size_t bytes)
{
	size_t n = bytes / sizeof(*spirv);

	/* Capabilities are the first instructions of a module. */
	for (size_t i = SPIRV_HEADER_WORDS; i + 1 < n && (spirv[i] & 0xffff) == OP_CAPABILITY;
	     i += spirv[i] >> 16) {
		const char *name = missing(f, spirv[i + 1]);

		if (name)
			return name;
		if (!(spirv[i] >> 16))
			break;
	}
	return NULL;
}
