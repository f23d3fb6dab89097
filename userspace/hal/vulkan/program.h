/* SPDX-License-Identifier: MIT */
/* A recording: command buffers that are submitted again and again. */
#ifndef JOULE_HAL_VULKAN_PROGRAM_H
#define JOULE_HAL_VULKAN_PROGRAM_H

#include "hal/vulkan/vk.h"

struct joule_hal_program {
	struct joule_vk *vk;
	char *label;
	int n_cmds;
	struct joule_vk_pipeline **pipelines; /* of each command; holds their uses */
	VkCommandPool pool;
	int n_parts; /* submissions: 1 + commands with split */
	VkCommandBuffer *parts;
	VkSemaphore *links; /* part i + 1 waits for links[i] */
	VkSubmitInfo *submits;
	VkPipelineStageFlags wait_stage;
	VkFence fence;
	VkQueryPool queries; /* n_cmds + 1 time stamps, or NULL */
	bool pending; /* submitted and not yet seen to end */
	bool ran;
};

#endif
