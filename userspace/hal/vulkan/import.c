// SPDX-License-Identifier: MIT
/*
 * Memory that is somebody else's: the caller's pages, or a dma-buf. Recordings
 * begin and end with barriers over all memory; ownership is not passed between
 * queue families at each use, which for plain buffers no driver is known to
 * need, and whoever writes a dma-buf must have ended before a submit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "hal/vulkan/vk.h"

/* Kernels may take any buffer's start for this aligned. */
#define KERNEL_ALIGNMENT 16

static struct joule_vk_memory *new_memory(struct joule_hal_device *device, size_t bytes)
{
	struct joule_vk_memory *m = calloc(1, sizeof(*m));

	if (!m) {
		joule_err_nomem(device->log, "memory object");
		return NULL;
	}
	m->base.device = device;
	m->base.bytes = bytes;
	return m;
}

/*
 * A driver takes whole units of its alignment. Up to a page of it the range is
 * rounded outwards: the pages an object touches are mapped as a whole. Beyond
 * that the caller must have aligned it.
 */
static int host_range(struct joule_vk *vk, void *ptr, size_t bytes, uint64_t *begin,
		      uint64_t *length)
{
	uint64_t align = JOULE_MAX(vk->has.host_import_alignment, 1);
	uint64_t start = (uint64_t)(uintptr_t)ptr, end = start + bytes;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!bytes || !ptr || end < start)
		return joule_err(vk->base.log, -EINVAL, "%s: import of %zu bytes at %p",
				 vk->base.name, bytes, ptr);
	if (start % KERNEL_ALIGNMENT)
		return joule_err(vk->base.log, -EINVAL,
				 "%s: import of host memory at %p: kernels need it on %d bytes",
				 vk->base.name, ptr, KERNEL_ALIGNMENT);
	if (align > page && (start % align || bytes % align))
		return joule_err(vk->base.log, -EINVAL,
				 "%s: import of %zu bytes of host memory at %p: this driver needs "
				 "start and size to be multiples of %llu",
				 vk->base.name, bytes, ptr, (unsigned long long)align);
	*begin = start / align * align;
	*length = JOULE_ALIGN_UP(end, align) - *begin;
	return 0;
}

/* Gives the imported memory its buffer's worth; chain is the import structure. */
static int import(struct joule_vk *vk, struct joule_vk_memory *m, uint64_t bytes,
		  uint32_t type_bits, const void *chain, bool dedicated, bool map)
{
	VkMemoryDedicatedAllocateInfo alone = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
		.pNext = chain,
		.buffer = m->buffer,
	};
	VkMemoryAllocateFlagsInfo flags = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
		.pNext = dedicated ? &alone : chain,
		.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
	};
	VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = &flags,
		.allocationSize = bytes,
	};
	VkMemoryPropertyFlags got;
	VkMemoryRequirements need;
	VkResult r;
	int type;

	vk->fn.GetBufferMemoryRequirements(vk->device, m->buffer, &need);
	if (need.size > bytes)
		return joule_err(vk->base.log, -EINVAL,
				 "%s: import of %llu bytes: this driver needs %llu for that buffer",
				 vk->base.name, (unsigned long long)bytes,
				 (unsigned long long)need.size);
	type = joule_vk_memory_type(&vk->has.memory, need.memoryTypeBits & type_bits, 0,
				    VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
					    VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
				    0);
	if (type < 0)
		return joule_err(vk->base.log, -ENOTSUP,
				 "%s: import: no memory type takes these pages (types %#x)",
				 vk->base.name, type_bits);
	got = vk->has.memory.memoryTypes[type].propertyFlags;
	info.memoryTypeIndex = (uint32_t)type;
	r = vk->fn.AllocateMemory(vk->device, &info, NULL, &m->memory);
	if (r != VK_SUCCESS) {
		m->memory = VK_NULL_HANDLE;
		return joule_vk_fail(vk, r, "import of %llu bytes", (unsigned long long)bytes);
	}
	m->base.coherent = !(got & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) ||
			   (got & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
	return joule_vk_memory_bind(vk, m, map && (got & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT));
}

int joule_vk_memory_import_host(struct joule_hal_device *device, void *ptr, size_t bytes,
				struct joule_hal_memory **out)
{
	const VkExternalMemoryHandleTypeFlagBits handle =
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
	struct joule_vk *vk = joule_vk(device);
	VkMemoryHostPointerPropertiesEXT props = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT,
	};
	VkImportMemoryHostPointerInfoEXT info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
		.handleType = handle,
	};
	struct joule_vk_memory *m;
	uint64_t begin = 0, length = 0;
	VkResult r;
	int err = joule_vk_alive(vk);

	*out = NULL;
	if (err)
		return err;
	if (!vk->has.import_host || !vk->fn.GetMemoryHostPointerPropertiesEXT)
		return joule_err(device->log, -ENOTSUP,
				 "%s: the driver cannot import host memory "
				 "(VK_EXT_external_memory_host)",
				 device->name);
	err = host_range(vk, ptr, bytes, &begin, &length);
	if (err)
		return err;
	info.pHostPointer = (void *)(uintptr_t)begin;
	r = vk->fn.GetMemoryHostPointerPropertiesEXT(vk->device, handle, info.pHostPointer,
						     &props);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "import of %zu bytes of host memory at %p", bytes,
				     ptr);
	m = new_memory(device, bytes);
	if (!m)
		return -ENOMEM;
	m->buffer_offset = (uint64_t)(uintptr_t)ptr - begin;
	err = joule_vk_buffer_create(vk, length, handle, &m->buffer);
	if (!err)
		err = import(vk, m, length, props.memoryTypeBits, &info, false, false);
	if (err) {
		joule_vk_memory_free(&m->base);
		return err;
	}
	m->base.host = ptr;
	*out = &m->base;
	return 0;
}

int joule_vk_memory_import_dmabuf(struct joule_hal_device *device, int fd, size_t bytes,
				  struct joule_hal_memory **out)
{
	const VkExternalMemoryHandleTypeFlagBits handle =
		VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
	struct joule_vk *vk = joule_vk(device);
	VkMemoryFdPropertiesKHR props = { .sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR };
	VkImportMemoryFdInfoKHR info = {
		.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
		.handleType = handle,
	};
	struct joule_vk_memory *m;
	off_t size;
	VkResult r;
	int err = joule_vk_alive(vk);

	*out = NULL;
	if (err)
		return err;
	if (!vk->has.import_dmabuf || !vk->fn.GetMemoryFdPropertiesKHR)
		return joule_err(device->log, -ENOTSUP,
				 "%s: the driver cannot import a dma-buf "
				 "(VK_EXT_external_memory_dma_buf)",
				 device->name);
	size = lseek(fd, 0, SEEK_END);
	if (size < 0 || !bytes || (uint64_t)size < bytes)
		return joule_err(device->log, -EINVAL,
				 "%s: import of %zu bytes of dma-buf %d, which has %lld",
				 device->name, bytes, fd, (long long)size);
	r = vk->fn.GetMemoryFdPropertiesKHR(vk->device, handle, fd, &props);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "import of dma-buf %d", fd);
	m = new_memory(device, bytes);
	if (!m)
		return -ENOMEM;
	/* A copy: the driver's once imported, while the caller keeps his if a later step fails. */
	info.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (info.fd < 0)
		err = joule_err(device->log, -errno, "%s: import of dma-buf %d: %s", device->name,
				fd, strerror(errno));
	if (!err)
		err = joule_vk_buffer_create(vk, bytes, handle, &m->buffer);
	if (!err)
		err = import(vk, m, (uint64_t)size, props.memoryTypeBits, &info,
			     vk->has.dmabuf_dedicated, true);
	if (err) {
		if (info.fd >= 0 && !m->memory)
			close(info.fd);
		joule_vk_memory_free(&m->base);
		return err;
	}
	close(fd);
	*out = &m->base;
	return 0;
}
