/* SPDX-License-Identifier: MIT */
/*
 * Work for a device as plain data. An operator's bind() describes dispatches
 * in terms of its own operands; the plan turns operands into places; a backend
 * turns places into addresses. Nothing here holds a device handle.
 */
#ifndef JOULE_HAL_DISPATCH_H
#define JOULE_HAL_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#define JOULE_MAX_OPERANDS 12
#define JOULE_MAX_SPEC     40
#define JOULE_MAX_PUSH     256

enum joule_operand_kind {
	JOULE_OPERAND_IN,      /* node->in[index] */
	JOULE_OPERAND_OUT,     /* node->out[index] */
	JOULE_OPERAND_SCRATCH, /* the binder's scratch[index], dead after the node */
	JOULE_OPERAND_CONST,   /* the binder's constant[index]: packed weights, parameters */
};

enum joule_access {
	JOULE_READ = 1,
	JOULE_WRITE = 2,
};

struct joule_operand {
	uint8_t kind;   /* enum joule_operand_kind */
	uint8_t access; /* JOULE_READ and/or JOULE_WRITE */
	uint16_t index;
	uint64_t offset; /* bytes from the operand's start */
	uint64_t margin; /* the kernel may read that many bytes before and behind, too */
};

/*
 * One kernel launch. The push-constant block is: the operands' device
 * addresses (8 bytes each, in order), then push[]. Specialization constants
 * 0, 1, 2 are the workgroup size local[]; spec[i] has constant id 3 + i.
 */
struct joule_dispatch {
	const char *shader; /* name of a variant in the shader table */
	uint32_t local[3];
	uint32_t groups[3];
	uint32_t n_spec;
	uint32_t spec[JOULE_MAX_SPEC];
	uint32_t n_operands;
	struct joule_operand operand[JOULE_MAX_OPERANDS];
	uint32_t push_bytes; /* of push[], addresses not counted */
	uint8_t push[JOULE_MAX_PUSH];
};

enum joule_device_kind {
	JOULE_DEVICE_CPU,        /* the plain C reference */
	JOULE_DEVICE_VULKAN_CPU, /* Vulkan implemented on the CPU (lavapipe) */
	JOULE_DEVICE_VULKAN_INTEGRATED,
	JOULE_DEVICE_VULKAN_DISCRETE,
	JOULE_DEVICE_NPU,
};

/* What a device can do, as far as kernels choose by it. Plain data. */
struct joule_caps {
	enum joule_device_kind kind;
	uint32_t subgroup_size;       /* 0: not known or no compute subgroup operations */
	uint32_t subgroup_min, subgroup_max; /* sizes a launch may ask for; 0: none */
	bool subgroup_arithmetic, subgroup_shuffle, subgroup_ballot;
	bool subgroup_vote, subgroup_shuffle_relative, subgroup_clustered;
	uint32_t max_push_bytes;      /* at least 128 */
	uint32_t max_local[3], max_invocations;
	uint32_t max_groups[3];
	uint32_t shared_bytes;
	bool storage_16bit, storage_8bit;
	bool arithmetic_f16, arithmetic_i8, arithmetic_i16, arithmetic_i64, arithmetic_f64;
	bool integer_dot, integer_dot_accelerated;
	bool cooperative_matrix;      /* VK_KHR_cooperative_matrix */
	uint64_t max_buffer_bytes;    /* largest single tensor */
	uint32_t compute_threads;     /* CPU kinds: threads that run kernels; else 0 */
	bool scalar_shared_stores;    /* CPU kinds: all lanes at one shared address: one store */
};

#endif
