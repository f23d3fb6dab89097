// SPDX-License-Identifier: MIT
/*
 * Memory of a device that is software. Its kernels are loops over these bytes,
 * so they pay for what the host's page tables do: the first touch of each page
 * would be a fault in the first inference, and gathers across small pages miss
 * the TLB. The pages are therefore ours, touched here, huge where the kernel
 * has such, and the driver imports them.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "hal/vulkan/vk.h"

#define HUGE_PAGE ((size_t)2 << 20)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

bool joule_vk_pages_wanted(const struct joule_vk *vk)
{
	return vk->has.caps.kind == JOULE_DEVICE_VULKAN_CPU && vk->has.import_host;
}

void joule_vk_pages_unmap(struct joule_vk_pages *pages)
{
	if (pages->start)
		munmap(pages->start, pages->bytes);
	pages->start = NULL;
}

/* Sets *ptr to bytes of zeros, on a huge page's start if they fill one. */
int joule_vk_pages_map(struct joule_vk_pages *pages, size_t bytes, void **ptr)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : page;
	size_t length = JOULE_ALIGN_UP(bytes, page);
	uint8_t *start;
	void *map;

	if (length < bytes || __builtin_add_overflow(length, align - page, &pages->bytes))
		return -ENOMEM;
	map = mmap(NULL, pages->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	pages->start = map;
	start = (uint8_t *)(((uintptr_t)map + align - 1) & ~(uintptr_t)(align - 1));
	/* Both are advice: a kernel that knows neither gives the pages when touched. */
	if (align == HUGE_PAGE)
		madvise(start, length, MADV_HUGEPAGE);
	if (madvise(start, length, MADV_POPULATE_WRITE) && (errno == ENOMEM || errno == EFAULT)) {
		joule_vk_pages_unmap(pages);
		return -ENOMEM;
	}
	*ptr = start;
	return 0;
}
