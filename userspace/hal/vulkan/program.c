// SPDX-License-Identifier: MIT
#include "hal/vulkan/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static void barrier(struct joule_vk *vk, VkCommandBuffer cmd, VkPipelineStageFlags from,
		    VkAccessFlags from_access, VkPipelineStageFlags to, VkAccessFlags to_access)
{
	VkMemoryBarrier memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = from_access,
		.dstAccessMask = to_access,
	};

	vk->fn.CmdPipelineBarrier(cmd, from, to, 0, 1, &memory, 0, NULL, 0, NULL);
}

static void barrier_between(struct joule_vk *vk, VkCommandBuffer cmd)
{
	barrier(vk, cmd, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
		VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
		VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

static void begin_label(struct joule_vk *vk, VkCommandBuffer cmd, const char *label)
{
	VkDebugUtilsLabelEXT info = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT,
		.pLabelName = label ? label : "",
	};

	if (vk->instance.labels && vk->fn.CmdBeginDebugUtilsLabelEXT)
		vk->fn.CmdBeginDebugUtilsLabelEXT(cmd, &info);
}

static void end_label(struct joule_vk *vk, VkCommandBuffer cmd)
{
	if (vk->instance.labels && vk->fn.CmdEndDebugUtilsLabelEXT)
		vk->fn.CmdEndDebugUtilsLabelEXT(cmd);
}

static void stamp(struct joule_hal_program *p, VkCommandBuffer cmd, int i)
{
	struct joule_vk *vk = p->vk;

	if (p->queries)
		vk->fn.CmdWriteTimestamp(cmd,
					 vk->has.in_order ? VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT :
							    VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
					 p->queries, (uint32_t)i);
}

/* With time stamps always: a span belongs to one launch only if none overlap. */
static bool needs_barrier(const struct joule_hal_program *p, const struct joule_hal_cmd *cmd,
			  bool first)
{
	if (p->queries)
		return !p->vk->has.in_order;
	return cmd->barrier && !first;
}

/* Records commands [first, end) as one part. */
static int record_part(struct joule_hal_program *p, const struct joule_hal_cmd *cmds, int part,
		       int first, int end)
{
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
	};
	VkCommandBuffer cmd = p->parts[part];
	struct joule_vk *vk = p->vk;
	VkPipeline bound = VK_NULL_HANDLE;
	VkResult r = vk->fn.BeginCommandBuffer(cmd, &begin);

	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s: recording", p->label);
	/* What others on the queue wrote, earlier parts included. */
	barrier(vk, cmd, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_ACCESS_MEMORY_WRITE_BIT,
		VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
		VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
	if (p->queries && !part) {
		vk->fn.CmdResetQueryPool(cmd, p->queries, 0, (uint32_t)p->n_cmds + 1);
		stamp(p, cmd, 0);
	}
	for (int i = first; i < end; i++) {
		const struct joule_hal_cmd *c = &cmds[i];

		if (needs_barrier(p, c, i == first))
			barrier_between(vk, cmd);
		begin_label(vk, cmd, c->label);
		if (bound != p->pipelines[i]->handle) {
			bound = p->pipelines[i]->handle;
			vk->fn.CmdBindPipeline(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, bound);
		}
		if (c->push_bytes)
			vk->fn.CmdPushConstants(cmd, vk->pipelines.layout,
						VK_SHADER_STAGE_COMPUTE_BIT, 0, c->push_bytes,
						c->push);
		vk->fn.CmdDispatch(cmd, c->groups[0], c->groups[1], c->groups[2]);
		end_label(vk, cmd);
		stamp(p, cmd, 1 + i);
	}
	if (part == p->n_parts - 1)
		barrier(vk, cmd, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
			VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
	r = vk->fn.EndCommandBuffer(cmd);
	return r == VK_SUCCESS ? 0 : joule_vk_fail(vk, r, "%s: recording", p->label);
}

static int record(struct joule_hal_program *p, const struct joule_hal_cmd *cmds)
{
	int first = 0, part = 0, err = 0;

	for (int i = 1; !err && i <= p->n_cmds; i++) {
		if (i < p->n_cmds && !cmds[i].split)
			continue;
		err = record_part(p, cmds, part++, first, i);
		first = i;
	}
	if (!p->n_cmds)
		err = record_part(p, cmds, 0, 0, 0);
	return err;
}

static int make_links(struct joule_hal_program *p)
{
	VkSemaphoreCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO };
	VkResult r;

	/*
	 * In order anyhow; the semaphores keep a driver from joining the parts
	 * into the one long job that they were cut from.
	 */
	p->wait_stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	for (int i = 0; i < p->n_parts; i++) {
		VkSubmitInfo *s = &p->submits[i];

		s->sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
		s->commandBufferCount = 1;
		s->pCommandBuffers = &p->parts[i];
		if (i) {
			s->waitSemaphoreCount = 1;
			s->pWaitSemaphores = &p->links[i - 1];
			s->pWaitDstStageMask = &p->wait_stage;
		}
		if (i == p->n_parts - 1)
			break;
		r = p->vk->fn.CreateSemaphore(p->vk->device, &info, NULL, &p->links[i]);
		if (r != VK_SUCCESS)
			return joule_vk_fail(p->vk, r, "%s: semaphore", p->label);
		s->signalSemaphoreCount = 1;
		s->pSignalSemaphores = &p->links[i];
	}
	return 0;
}

static int make_objects(struct joule_hal_program *p, bool timestamps)
{
	struct joule_vk *vk = p->vk;
	VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.queueFamilyIndex = vk->has.queue_family,
	};
	VkCommandBufferAllocateInfo buffers = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = (uint32_t)p->n_parts,
	};
	VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	VkQueryPoolCreateInfo queries = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_TIMESTAMP,
		.queryCount = (uint32_t)p->n_cmds + 1,
	};
	VkResult r;

	r = vk->fn.CreateCommandPool(vk->device, &pool, NULL, &p->pool);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s: command pool", p->label);
	buffers.commandPool = p->pool;
	r = vk->fn.AllocateCommandBuffers(vk->device, &buffers, p->parts);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s: %d command buffers", p->label, p->n_parts);
	r = vk->fn.CreateFence(vk->device, &fence, NULL, &p->fence);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s: fence", p->label);
	if (timestamps) {
		r = vk->fn.CreateQueryPool(vk->device, &queries, NULL, &p->queries);
		if (r != VK_SUCCESS)
			return joule_vk_fail(vk, r, "%s: %d time stamps", p->label,
					     p->n_cmds + 1);
	}
	return make_links(p);
}

static int build(struct joule_hal_program *p, const struct joule_hal_program_params *params)
{
	struct joule_vk *vk = p->vk;
	const char *label = params->label;
	int err;

	if (!label)
		label = params->n_cmds && params->cmds[0].label ? params->cmds[0].label : "program";
	if (params->timestamps && !vk->has.timestamp_bits)
		return joule_err(vk->base.log, -ENOTSUP, "%s: %s has no time stamps", label,
				 vk->base.name);
	p->n_parts = 1;
	for (int i = 1; i < p->n_cmds; i++)
		p->n_parts += params->cmds[i].split;
	p->label = strdup(label);
	p->pipelines = calloc((size_t)p->n_cmds + 1, sizeof(*p->pipelines));
	p->parts = calloc((size_t)p->n_parts, sizeof(*p->parts));
	p->links = calloc((size_t)p->n_parts, sizeof(*p->links));
	p->submits = calloc((size_t)p->n_parts, sizeof(*p->submits));
	if (!p->label || !p->pipelines || !p->parts || !p->links || !p->submits)
		return joule_err_nomem(vk->base.log, "program");
	err = joule_vk_pipelines_get(vk, params->cmds, p->n_cmds, p->pipelines);
	if (!err)
		err = make_objects(p, params->timestamps);
	if (!err)
		err = record(p, params->cmds);
	return err;
}

int joule_vk_program_create(struct joule_hal_device *device,
			    const struct joule_hal_program_params *params,
			    struct joule_hal_program **out)
{
	struct joule_hal_program *p;
	int err = joule_vk_alive(joule_vk(device));

	*out = NULL;
	if (err)
		return err;
	p = calloc(1, sizeof(*p));
	if (!p)
		return joule_err_nomem(device->log, "program");
	p->vk = joule_vk(device);
	p->n_cmds = params->n_cmds;
	err = build(p, params);
	if (err) {
		joule_vk_program_destroy(p);
		return err;
	}
	*out = p;
	return 0;
}

void joule_vk_program_destroy(struct joule_hal_program *p)
{
	struct joule_vk *vk;

	if (!p)
		return;
	vk = p->vk;
	if (p->pending)
		joule_vk_program_wait(p, UINT64_MAX);
	for (int i = 0; p->links && i < p->n_parts; i++)
		vk->fn.DestroySemaphore(vk->device, p->links[i], NULL);
	vk->fn.DestroyQueryPool(vk->device, p->queries, NULL);
	vk->fn.DestroyFence(vk->device, p->fence, NULL);
	vk->fn.DestroyCommandPool(vk->device, p->pool, NULL);
	if (p->pipelines)
		joule_vk_pipelines_put(vk, p->pipelines, p->n_cmds);
	free(p->submits);
	free(p->links);
	free(p->parts);
	free(p->pipelines);
	free(p->label);
	free(p);
}
