// SPDX-License-Identifier: MIT
/*
 * One allocation is one VkDeviceMemory with one VkBuffer over it: the planner
 * takes few large ones and shares them out itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "hal/vulkan/vk.h"

#define MIB(bytes) ((double)(bytes) / (1024.0 * 1024.0))

/* Types no buffer of ours may or should be in. */
#define NEVER \
	(VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT | \
	 VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD)

#define HOST_PLAIN (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

int joule_vk_memory_type(const VkPhysicalDeviceMemoryProperties *memory, uint32_t bits,
			 VkMemoryPropertyFlags need, VkMemoryPropertyFlags want,
			 VkMemoryPropertyFlags avoid)
{
	int best = -1, best_score = 0;

	for (uint32_t i = 0; i < memory->memoryTypeCount; i++) {
		VkMemoryPropertyFlags flags = memory->memoryTypes[i].propertyFlags;
		int score = 64 + 2 * __builtin_popcount(flags & want) -
			    __builtin_popcount(flags & avoid);

		if (!(bits & (1u << i)) || (flags & need) != need || (flags & NEVER))
			continue;
		if (best < 0 || score > best_score) {
			best = (int)i;
			best_score = score;
		}
	}
	return best;
}

/* Bytes that can still be had from a heap, as far as the driver tells. */
static uint64_t heap_left(struct joule_vk *vk, uint32_t heap)
{
	VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT,
	};
	VkPhysicalDeviceMemoryProperties2 props = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
		.pNext = vk->has.budget ? &budget : NULL,
	};
	uint64_t total, used;

	vk->fn.GetPhysicalDeviceMemoryProperties2(vk->physical, &props);
	total = vk->has.budget ? budget.heapBudget[heap] :
				 vk->has.memory.memoryHeaps[heap].size;
	pthread_mutex_lock(&vk->memory_lock);
	used = vk->has.budget ? budget.heapUsage[heap] : vk->base.memory_bytes;
	pthread_mutex_unlock(&vk->memory_lock);
	return used < total ? total - used : 0;
}

static void account(struct joule_vk *vk, int64_t bytes)
{
	pthread_mutex_lock(&vk->memory_lock);
	vk->base.memory_bytes += (uint64_t)bytes;
	vk->base.memory_peak_bytes = JOULE_MAX(vk->base.memory_peak_bytes, vk->base.memory_bytes);
	pthread_mutex_unlock(&vk->memory_lock);
}

int joule_vk_buffer_create(struct joule_vk *vk, uint64_t bytes,
			   VkExternalMemoryHandleTypeFlags handle_type, VkBuffer *out)
{
	VkExternalMemoryBufferCreateInfo external = {
		.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
		.handleTypes = handle_type,
	};
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.pNext = handle_type ? &external : NULL,
		.size = bytes,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
			 VK_BUFFER_USAGE_TRANSFER_DST_BIT |
			 VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
	};
	VkResult r = vk->fn.CreateBuffer(vk->device, &info, NULL, out);

	if (r != VK_SUCCESS) {
		*out = VK_NULL_HANDLE;
		return joule_vk_fail(vk, r, "buffer of %.1f MiB", MIB(bytes));
	}
	return 0;
}

int joule_vk_memory_bind(struct joule_vk *vk, struct joule_vk_memory *m, bool map)
{
	VkBufferDeviceAddressInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
		.buffer = m->buffer,
	};
	VkResult r;

	r = vk->fn.BindBufferMemory(vk->device, m->buffer, m->memory, 0);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "binding %.1f MiB of memory", MIB(m->base.bytes));
	m->base.address = vk->fn.GetBufferDeviceAddress(vk->device, &info) + m->buffer_offset;
	if (!map)
		return 0;
	r = vk->fn.MapMemory(vk->device, m->memory, 0, VK_WHOLE_SIZE, 0, &m->base.host);
	if (r != VK_SUCCESS) {
		m->base.host = NULL;
		return joule_vk_fail(vk, r, "mapping %.1f MiB of memory", MIB(m->base.bytes));
	}
	return 0;
}

static int choose_type(struct joule_vk *vk, uint32_t bits, enum joule_memory_use use)
{
	const VkPhysicalDeviceMemoryProperties *memory = &vk->has.memory;
	VkMemoryPropertyFlags host = HOST_PLAIN | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

	if (use == JOULE_MEMORY_HOST)
		return joule_vk_memory_type(memory, bits, HOST_PLAIN,
					    VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 0);
	/* What the host can reach of a card's memory is scarce, or slow to read. */
	if (vk->has.caps.kind == JOULE_DEVICE_VULKAN_DISCRETE)
		return joule_vk_memory_type(memory, bits, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0,
					    host);
	return joule_vk_memory_type(memory, bits, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, host, 0);
}

static int allocate(struct joule_vk *vk, struct joule_vk_memory *m, enum joule_memory_use use)
{
	VkMemoryAllocateFlagsInfo flags = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
		.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
	};
	VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = &flags,
	};
	VkMemoryRequirements need;
	VkMemoryPropertyFlags got;
	uint32_t heap;
	VkResult r;
	int type, err;

	err = joule_vk_buffer_create(vk, JOULE_ALIGN_UP((uint64_t)m->base.bytes, 16), 0,
				     &m->buffer);
	if (err)
		return err;
	vk->fn.GetBufferMemoryRequirements(vk->device, m->buffer, &need);
	type = choose_type(vk, need.memoryTypeBits, use);
	if (type < 0)
		return joule_err(vk->base.log, -ENOTSUP, "%s: no memory type for %s buffers",
				 vk->base.name, use == JOULE_MEMORY_HOST ? "host" : "device");
	got = vk->has.memory.memoryTypes[type].propertyFlags;
	heap = vk->has.memory.memoryTypes[type].heapIndex;
	info.allocationSize = need.size;
	info.memoryTypeIndex = (uint32_t)type;
	r = vk->fn.AllocateMemory(vk->device, &info, NULL, &m->memory);
	if (r != VK_SUCCESS) {
		m->memory = VK_NULL_HANDLE;
		return joule_vk_fail(vk, r, "%s memory: %.1f MiB asked for, about %.1f of %.1f left",
				     use == JOULE_MEMORY_HOST ? "host-visible" : "device",
				     MIB(need.size), MIB(heap_left(vk, heap)),
				     MIB(vk->has.memory.memoryHeaps[heap].size));
	}
	m->counted_bytes = need.size;
	account(vk, (int64_t)need.size);
	m->base.coherent = !(got & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) ||
			   (got & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
	return joule_vk_memory_bind(vk, m,
				    use == JOULE_MEMORY_HOST ||
					    (vk->has.caps.kind != JOULE_DEVICE_VULKAN_DISCRETE &&
					     (got & HOST_PLAIN) == HOST_PLAIN));
}

/* The host's own pages, imported; counted as the device's. */
static int alloc_pages(struct joule_vk *vk, size_t bytes, struct joule_hal_memory **out)
{
	uint64_t left = heap_left(vk, 0);
	struct joule_vk_pages pages = { 0 };
	struct joule_vk_memory *m;
	void *ptr = NULL;
	int err = bytes > left ? -ENOMEM : joule_vk_pages_map(&pages, bytes, &ptr);

	if (err)
		return joule_err(vk->base.log, err,
				 "%s: memory: %.1f MiB asked for, about %.1f of %.1f left",
				 vk->base.name, MIB(bytes), MIB(left),
				 MIB(vk->has.memory.memoryHeaps[0].size));
	err = joule_vk_memory_import_host(&vk->base, ptr, bytes, out);
	if (err) {
		joule_vk_pages_unmap(&pages);
		return err;
	}
	m = (struct joule_vk_memory *)*out;
	m->pages = pages;
	m->counted_bytes = bytes;
	account(vk, (int64_t)bytes);
	return 0;
}

int joule_vk_memory_alloc(struct joule_hal_device *device, size_t bytes,
			  enum joule_memory_use use, struct joule_hal_memory **out)
{
	struct joule_vk *vk = joule_vk(device);
	struct joule_vk_memory *m;
	int err = joule_vk_alive(vk);

	*out = NULL;
	if (err)
		return err;
	if (!bytes)
		return joule_err(device->log, -EINVAL, "%s: memory of 0 bytes asked for",
				 device->name);
	if (bytes > vk->has.max_allocation_bytes)
		return joule_err(device->log, -ENOMEM,
				 "%s: memory: %.1f MiB asked for, one piece may have %.1f",
				 device->name, MIB(bytes), MIB(vk->has.max_allocation_bytes));
	if (joule_vk_pages_wanted(vk))
		return alloc_pages(vk, bytes, out);
	m = calloc(1, sizeof(*m));
	if (!m)
		return joule_err_nomem(device->log, "memory object");
	m->base.device = device;
	m->base.bytes = bytes;
	err = allocate(vk, m, use);
	if (err) {
		joule_vk_memory_free(&m->base);
		return err;
	}
	*out = &m->base;
	return 0;
}

void joule_vk_memory_free(struct joule_hal_memory *memory)
{
	struct joule_vk_memory *m = (struct joule_vk_memory *)memory;
	struct joule_vk *vk;

	if (!memory)
		return;
	vk = joule_vk(memory->device);
	vk->fn.DestroyBuffer(vk->device, m->buffer, NULL);
	vk->fn.FreeMemory(vk->device, m->memory, NULL); /* unmaps too */
	joule_vk_pages_unmap(&m->pages);
	if (m->counted_bytes)
		account(vk, -(int64_t)m->counted_bytes);
	free(m);
}

int joule_vk_memory_check(const struct joule_hal_memory *memory, size_t offset, size_t bytes)
{
	if (offset <= memory->bytes && bytes <= memory->bytes - offset)
		return joule_vk_alive(joule_vk(memory->device));
	return joule_err(memory->device->log, -EINVAL,
			 "%s: bytes %zu to %zu of a memory of %zu were asked for",
			 memory->device->name, offset, offset + bytes, memory->bytes);
}

/* Rounds a range out to what the driver flushes in, within the mapping. */
static VkMappedMemoryRange range_of(struct joule_vk *vk, const struct joule_vk_memory *m,
				    size_t offset, size_t bytes)
{
	uint64_t atom = JOULE_MAX(vk->has.props.limits.nonCoherentAtomSize, 1);
	uint64_t begin = m->buffer_offset + offset, end = begin + bytes;
	VkMappedMemoryRange range = {
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		.memory = m->memory,
		.offset = begin / atom * atom,
		.size = VK_WHOLE_SIZE,
	};

	end = JOULE_ALIGN_UP(end, atom);
	if (end < m->buffer_offset + m->base.bytes)
		range.size = end - range.offset;
	return range;
}

int joule_vk_memory_flush(struct joule_hal_memory *memory, size_t offset, size_t bytes)
{
	struct joule_vk *vk = joule_vk(memory->device);
	int err = joule_vk_memory_check(memory, offset, bytes);
	VkMappedMemoryRange range;
	VkResult r;

	if (err || memory->coherent || !memory->host || !bytes)
		return err;
	range = range_of(vk, (struct joule_vk_memory *)memory, offset, bytes);
	r = vk->fn.FlushMappedMemoryRanges(vk->device, 1, &range);
	return r == VK_SUCCESS ? 0 : joule_vk_fail(vk, r, "flushing %zu bytes", bytes);
}

int joule_vk_memory_invalidate(struct joule_hal_memory *memory, size_t offset, size_t bytes)
{
	struct joule_vk *vk = joule_vk(memory->device);
	int err = joule_vk_memory_check(memory, offset, bytes);
	VkMappedMemoryRange range;
	VkResult r;

	if (err || memory->coherent || !memory->host || !bytes)
		return err;
	range = range_of(vk, (struct joule_vk_memory *)memory, offset, bytes);
	r = vk->fn.InvalidateMappedMemoryRanges(vk->device, 1, &range);
	return r == VK_SUCCESS ? 0 : joule_vk_fail(vk, r, "invalidating %zu bytes", bytes);
}
