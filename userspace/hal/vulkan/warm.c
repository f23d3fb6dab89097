// SPDX-License-Identifier: MIT
/*
 * Mesa's llvmpipe turns a pipeline into machine code when it is first launched,
 * which takes it tens of milliseconds. A launch of no workgroups at all gets it
 * to, and runs nothing.
 */
#include "hal/vulkan/vk.h"

static int record(struct joule_vk *vk, VkCommandBuffer cmd, struct joule_vk_pipeline **list, int n)
{
	static const uint32_t zeros[JOULE_MAX_PUSH / 4];
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	VkResult r = vk->fn.BeginCommandBuffer(cmd, &begin);

	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "warming up %d pipelines", n);
	vk->fn.CmdPushConstants(cmd, vk->pipelines.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
				vk->has.caps.max_push_bytes, zeros);
	for (int i = 0; i < n; i++) {
		vk->fn.CmdBindPipeline(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, list[i]->handle);
		vk->fn.CmdDispatch(cmd, 0, 0, 0);
	}
	r = vk->fn.EndCommandBuffer(cmd);
	return r == VK_SUCCESS ? 0 : joule_vk_fail(vk, r, "warming up %d pipelines", n);
}

static int submit(struct joule_vk *vk, VkCommandBuffer cmd, VkFence fence)
{
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &cmd,
	};
	VkResult r;

	pthread_mutex_lock(&vk->queue_lock);
	r = vk->fn.QueueSubmit(vk->queue, 1, &info, fence);
	pthread_mutex_unlock(&vk->queue_lock);
	if (r == VK_SUCCESS)
		r = vk->fn.WaitForFences(vk->device, 1, &fence, VK_TRUE, UINT64_MAX);
	return r == VK_SUCCESS ? 0 : joule_vk_fail(vk, r, "warming up pipelines");
}

int joule_vk_warm(struct joule_vk *vk, struct joule_vk_pipeline **list, int n)
{
	VkCommandPoolCreateInfo pool_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
		.queueFamilyIndex = vk->has.queue_family,
	};
	VkCommandBufferAllocateInfo cmd_info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	VkFenceCreateInfo fence_info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	VkCommandPool pool = VK_NULL_HANDLE;
	VkFence fence = VK_NULL_HANDLE;
	VkCommandBuffer cmd;
	VkResult r;
	int err;

	if (!n || vk->has.caps.kind != JOULE_DEVICE_VULKAN_CPU)
		return 0;
	r = vk->fn.CreateCommandPool(vk->device, &pool_info, NULL, &pool);
	cmd_info.commandPool = pool;
	if (r == VK_SUCCESS)
		r = vk->fn.AllocateCommandBuffers(vk->device, &cmd_info, &cmd);
	if (r == VK_SUCCESS)
		r = vk->fn.CreateFence(vk->device, &fence_info, NULL, &fence);
	err = r == VK_SUCCESS ? record(vk, cmd, list, n) :
				joule_vk_fail(vk, r, "warming up %d pipelines", n);
	if (!err)
		err = submit(vk, cmd, fence);
	vk->fn.DestroyFence(vk->device, fence, NULL);
	vk->fn.DestroyCommandPool(vk->device, pool, NULL);
	return err;
}
