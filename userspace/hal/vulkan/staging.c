// SPDX-License-Identifier: MIT
/* Copies to and from memory that the host cannot reach, through a host buffer. */
#include <string.h>

#include "base/checked.h"
#include "hal/vulkan/vk.h"

#define SLOT_BYTES ((size_t)4 << 20)

/* A copy cut into pieces; piece i goes through slot i % JOULE_VK_STAGING_SLOTS. */
struct transfer {
	struct joule_vk *vk;
	struct joule_vk_memory *m;
	size_t offset, bytes;
	const uint8_t *from; /* host to device */
	uint8_t *to;         /* or device to host */
};

static int staging_init(struct joule_vk *vk)
{
	struct joule_vk_staging *s = &vk->staging;
	VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT |
			 VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
		.queueFamilyIndex = vk->has.queue_family,
	};
	VkCommandBufferAllocateInfo cmds = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = JOULE_VK_STAGING_SLOTS,
	};
	VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	VkResult r = VK_SUCCESS;

	if (!s->pool) {
		r = vk->fn.CreateCommandPool(vk->device, &pool, NULL, &s->pool);
		if (r != VK_SUCCESS)
			return joule_vk_fail(vk, r, "command pool for copies");
	}
	if (!s->cmd[0]) {
		cmds.commandPool = s->pool;
		r = vk->fn.AllocateCommandBuffers(vk->device, &cmds, s->cmd);
		if (r != VK_SUCCESS) {
			memset(s->cmd, 0, sizeof(s->cmd));
			return joule_vk_fail(vk, r, "command buffers for copies");
		}
	}
	for (int i = 0; i < JOULE_VK_STAGING_SLOTS; i++) {
		if (s->fence[i])
			continue;
		r = vk->fn.CreateFence(vk->device, &fence, NULL, &s->fence[i]);
		if (r != VK_SUCCESS)
			return joule_vk_fail(vk, r, "fence for copies");
	}
	if (!s->memory)
		return joule_vk_memory_alloc(&vk->base, SLOT_BYTES * JOULE_VK_STAGING_SLOTS,
					     JOULE_MEMORY_HOST, &s->memory);
	return 0;
}

void joule_vk_staging_finish(struct joule_vk *vk)
{
	struct joule_vk_staging *s = &vk->staging;

	for (int i = 0; i < JOULE_VK_STAGING_SLOTS; i++)
		vk->fn.DestroyFence(vk->device, s->fence[i], NULL);
	vk->fn.DestroyCommandPool(vk->device, s->pool, NULL);
	joule_vk_memory_free(s->memory);
	s->memory = NULL;
	s->pool = VK_NULL_HANDLE;
}

static int record(struct transfer *t, VkCommandBuffer cmd, size_t slot, size_t at, size_t n)
{
	struct joule_vulkan_fns *fn = &t->vk->fn;
	VkBuffer staging = ((struct joule_vk_memory *)t->vk->staging.memory)->buffer;
	VkDeviceSize place = t->m->buffer_offset + t->offset + at;
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};
	VkMemoryBarrier before = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
	};
	VkMemoryBarrier after = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT |
				 VK_ACCESS_HOST_READ_BIT,
	};
	VkBufferCopy copy = { .size = n };
	VkResult r = fn->BeginCommandBuffer(cmd, &begin);

	if (r != VK_SUCCESS)
		return joule_vk_fail(t->vk, r, "recording a copy");
	fn->CmdPipelineBarrier(cmd, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
			       VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &before, 0, NULL, 0, NULL);
	if (t->from) {
		copy.srcOffset = slot * SLOT_BYTES;
		copy.dstOffset = place;
		fn->CmdCopyBuffer(cmd, staging, t->m->buffer, 1, &copy);
	} else {
		copy.srcOffset = place;
		copy.dstOffset = slot * SLOT_BYTES;
		fn->CmdCopyBuffer(cmd, t->m->buffer, staging, 1, &copy);
	}
	fn->CmdPipelineBarrier(cmd, VK_PIPELINE_STAGE_TRANSFER_BIT,
			       VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0,
			       1, &after, 0, NULL, 0, NULL);
	r = fn->EndCommandBuffer(cmd);
	return r == VK_SUCCESS ? 0 : joule_vk_fail(t->vk, r, "recording a copy");
}

static int start(struct transfer *t, size_t piece)
{
	struct joule_vk_staging *s = &t->vk->staging;
	size_t slot = piece % JOULE_VK_STAGING_SLOTS, at = piece * SLOT_BYTES;
	size_t n = JOULE_MIN(SLOT_BYTES, t->bytes - at);
	VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &s->cmd[slot],
	};
	VkResult r;
	int err;

	if (t->from)
		memcpy((uint8_t *)s->memory->host + slot * SLOT_BYTES, t->from + at, n);
	err = record(t, s->cmd[slot], slot, at, n);
	if (err)
		return err;
	r = t->vk->fn.ResetFences(t->vk->device, 1, &s->fence[slot]);
	if (r == VK_SUCCESS) {
		pthread_mutex_lock(&t->vk->queue_lock);
		r = t->vk->fn.QueueSubmit(t->vk->queue, 1, &submit, s->fence[slot]);
		pthread_mutex_unlock(&t->vk->queue_lock);
	}
	return r == VK_SUCCESS ? 0 : joule_vk_fail(t->vk, r, "submitting a copy");
}

static int finish(struct transfer *t, size_t piece)
{
	struct joule_vk_staging *s = &t->vk->staging;
	size_t slot = piece % JOULE_VK_STAGING_SLOTS, at = piece * SLOT_BYTES;
	VkResult r = t->vk->fn.WaitForFences(t->vk->device, 1, &s->fence[slot], VK_TRUE,
					     UINT64_MAX);

	if (r != VK_SUCCESS)
		return joule_vk_fail(t->vk, r, "waiting for a copy");
	if (t->to)
		memcpy(t->to + at, (uint8_t *)s->memory->host + slot * SLOT_BYTES,
		       JOULE_MIN(SLOT_BYTES, t->bytes - at));
	return 0;
}

/* Even after an error every piece that was started is waited for: slots are used again. */
static int run(struct transfer *t)
{
	size_t n = JOULE_DIV_UP(t->bytes, SLOT_BYTES), started = 0, finished = 0;
	int err;

	pthread_mutex_lock(&t->vk->staging.lock);
	err = staging_init(t->vk);
	while (!err && finished < n) {
		if (started < n && started - finished < JOULE_VK_STAGING_SLOTS) {
			err = start(t, started);
			started += !err;
		} else {
			err = finish(t, finished++);
		}
	}
	while (finished < started)
		finish(t, finished++);
	pthread_mutex_unlock(&t->vk->staging.lock);
	return err;
}

int joule_vk_memory_write(struct joule_hal_memory *memory, size_t offset, const void *data,
			  size_t bytes)
{
	struct transfer t = {
		.vk = joule_vk(memory->device),
		.m = (struct joule_vk_memory *)memory,
		.offset = offset,
		.bytes = bytes,
		.from = data,
	};
	int err = joule_vk_memory_check(memory, offset, bytes);

	if (err || !bytes)
		return err;
	if (!memory->host)
		return run(&t);
	memcpy((uint8_t *)memory->host + offset, data, bytes);
	return joule_vk_memory_flush(memory, offset, bytes);
}

int joule_vk_memory_read(struct joule_hal_memory *memory, size_t offset, void *data, size_t bytes)
{
	struct transfer t = {
		.vk = joule_vk(memory->device),
		.m = (struct joule_vk_memory *)memory,
		.offset = offset,
		.bytes = bytes,
		.to = data,
	};
	int err = joule_vk_memory_check(memory, offset, bytes);

	if (err || !bytes)
		return err;
	if (!memory->host)
		return run(&t);
	err = joule_vk_memory_invalidate(memory, offset, bytes);
	if (!err)
		memcpy(data, (uint8_t *)memory->host + offset, bytes);
	return err;
}
