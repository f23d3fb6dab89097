// SPDX-License-Identifier: MIT
/*
 * Memory of every kind: imported pages and dma-bufs, and, with a driver that
 * is made to look like a graphics card's, memory the host cannot reach.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "hal_vulkan.h"

static void negate(struct joule_hal_device *d, uint64_t from, uint64_t to, uint32_t n)
{
	const uint32_t code = JOULE_EW_NEG;
	struct unary_push push = { from, to, n, 0, 0 };
	struct joule_hal_cmd cmd = test_unary(&push, &code, true);

	CHECK_EQ(test_run(d, &cmd, 1), 0);
}

/* An array in the middle of a page, and one of whole pages. */
static void check_import_host(struct joule_hal_device *d, struct test_log *log)
{
	static const size_t starts[] = { 0, 16, 4096, 5008 };
	enum { N = 3001, BYTES = 32768 };
	uint8_t *pages = aligned_alloc(4096, BYTES);
	struct joule_hal_memory *m;

	CHECK(pages);
	for (size_t s = 0; s < JOULE_ARRAY_LEN(starts); s++) {
		float *x = (float *)(void *)(pages + starts[s]);
		int err = d->ops->memory_import_host(d, x, N * 4, &m);

		if (err == -ENOTSUP) {
			printf("  skipped: the driver imports no host memory\n");
			free(pages);
			return;
		}
		CHECK_EQ(err, 0);
		CHECK(m->host == x && m->bytes == N * 4 && m->address % 16 == 0);
		memset(pages, 0x5a, BYTES);
		for (int i = 0; i < N; i++)
			x[i] = (float)i;
		CHECK_EQ(d->ops->memory_flush(m, 0, m->bytes), 0);
		negate(d, m->address, m->address, N);
		CHECK_EQ(d->ops->memory_invalidate(m, 0, m->bytes), 0);
		for (int i = 0; i < N; i++)
			CHECK(x[i] == (float)-i);
		for (size_t i = 0; i < BYTES; i++)
			if (i < starts[s] || i >= starts[s] + N * 4)
				CHECK_EQ(pages[i], 0x5a);
		d->ops->memory_free(m);
	}
	log->quiet = true;
	CHECK_EQ(d->ops->memory_import_host(d, pages + 4, 64, &m), -EINVAL);
	CHECK(!m && strstr(log->error, "16 bytes"));
	CHECK_EQ(d->ops->memory_import_host(d, pages, 0, &m), -EINVAL);
	CHECK_EQ(d->ops->memory_import_host(d, pages, SIZE_MAX, &m), -EINVAL);
	log->quiet = false;
	CHECK_EQ(d->memory_bytes, 0);
	free(pages);
}

/*
 * A dma-buf of sealed shared memory. llvmpipe only maps what it is given, so
 * that where the kernel has no udmabuf the shared memory itself will do for it.
 * -1 where there is neither.
 */
static int make_dmabuf(size_t bytes, bool llvmpipe)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = bytes };
	int udmabuf = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), fd = -1;
	int memfd = memfd_create("joule-test", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (memfd < 0 || ftruncate(memfd, (off_t)bytes) ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -1;
	if (udmabuf >= 0) {
		create.memfd = (uint32_t)memfd;
		fd = ioctl(udmabuf, UDMABUF_CREATE, &create);
	}
	if (fd < 0 && llvmpipe) {
		printf("  no /dev/udmabuf: dma-buf import tried on shared memory\n");
		fd = dup(memfd);
	}
	close(memfd);
	if (udmabuf >= 0)
		close(udmabuf);
	return fd;
}

static void check_import_dmabuf(struct joule_hal_device *d, struct test_log *log)
{
	enum { N = 2048, BYTES = N * 4 };
	struct joule_hal_memory *m;
	int fd = make_dmabuf(BYTES, strstr(d->name, "llvmpipe")), keep, err, copy;
	float *x;

	log->quiet = true;
	CHECK(d->ops->memory_import_dmabuf(d, -1, BYTES, &m) < 0 && !m);
	copy = dup(fd);
	err = fd < 0 ? -ENOTSUP : d->ops->memory_import_dmabuf(d, copy, BYTES * 2, &m);
	CHECK(err == -EINVAL || err == -ENOTSUP);
	close(copy); /* still ours */
	log->quiet = false;
	if (fd < 0) {
		printf("  skipped: dma-buf import (no /dev/udmabuf)\n");
		return;
	}
	if (err == -ENOTSUP) {
		printf("  skipped: dma-buf import: %s\n", log->error);
		close(fd);
		return;
	}
	keep = dup(fd);
	x = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, keep, 0);
	CHECK(x != MAP_FAILED);
	for (int i = 0; i < N; i++)
		x[i] = (float)i;
	CHECK_EQ(d->ops->memory_import_dmabuf(d, fd, BYTES, &m), 0);
	CHECK(fcntl(fd, F_GETFD) < 0); /* the memory's now */
	negate(d, m->address, m->address, N);
	for (int i = 0; i < N; i++)
		CHECK(x[i] == (float)-i);
	d->ops->memory_free(m);
	munmap(x, BYTES);
	close(keep);
}

/*
 * The card: memory type 0 is its own, 1 the host's and not coherent, 2 the
 * host's and coherent. Below they are all the one type of the true driver.
 */
static struct joule_vulkan_fns real;
static int flushes, invalidates;

static void VKAPI_CALL card_properties(VkPhysicalDevice physical,
				       VkPhysicalDeviceProperties *out)
{
	real.GetPhysicalDeviceProperties(physical, out);
	out->deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
	out->limits.nonCoherentAtomSize = 64;
}

static void VKAPI_CALL card_memory(VkPhysicalDevice physical,
				   VkPhysicalDeviceMemoryProperties2 *out)
{
	VkPhysicalDeviceMemoryProperties *memory = &out->memoryProperties;

	real.GetPhysicalDeviceMemoryProperties2(physical, out);
	memory->memoryTypeCount = 3;
	memory->memoryTypes[0].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
	memory->memoryTypes[1].propertyFlags =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
	memory->memoryTypes[2].propertyFlags =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
}

static void VKAPI_CALL card_requirements(VkDevice device, VkBuffer buffer,
					 VkMemoryRequirements *out)
{
	real.GetBufferMemoryRequirements(device, buffer, out);
	out->memoryTypeBits = 7;
}

static VkResult VKAPI_CALL card_host_pointer(VkDevice device,
					     VkExternalMemoryHandleTypeFlagBits type,
					     const void *ptr,
					     VkMemoryHostPointerPropertiesEXT *out)
{
	VkResult r = real.GetMemoryHostPointerPropertiesEXT(device, type, ptr, out);

	out->memoryTypeBits = 2;
	return r;
}

static VkResult VKAPI_CALL card_allocate(VkDevice device, const VkMemoryAllocateInfo *info,
					 const VkAllocationCallbacks *a, VkDeviceMemory *out)
{
	VkMemoryAllocateInfo copy = *info;

	copy.memoryTypeIndex = 0;
	return real.AllocateMemory(device, &copy, a, out);
}

static VkResult VKAPI_CALL card_flush(VkDevice device, uint32_t n, const VkMappedMemoryRange *r)
{
	CHECK(r->offset % 64 == 0 && (r->size == VK_WHOLE_SIZE || r->size % 64 == 0));
	flushes++;
	return VK_SUCCESS;
}

static VkResult VKAPI_CALL card_invalidate(VkDevice device, uint32_t n,
					   const VkMappedMemoryRange *r)
{
	CHECK(r->offset % 64 == 0 && (r->size == VK_WHOLE_SIZE || r->size % 64 == 0));
	invalidates++;
	return VK_SUCCESS;
}

static void make_card(void *user, struct joule_vulkan_fns *fn)
{
	if (!fn->AllocateMemory) { /* the instance's functions */
		real = *fn;
		fn->GetPhysicalDeviceProperties = card_properties;
		fn->GetPhysicalDeviceMemoryProperties2 = card_memory;
		return;
	}
	real.GetBufferMemoryRequirements = fn->GetBufferMemoryRequirements;
	real.AllocateMemory = fn->AllocateMemory;
	real.GetMemoryHostPointerPropertiesEXT = fn->GetMemoryHostPointerPropertiesEXT;
	fn->GetBufferMemoryRequirements = card_requirements;
	fn->AllocateMemory = card_allocate;
	fn->FlushMappedMemoryRanges = card_flush;
	fn->InvalidateMappedMemoryRanges = card_invalidate;
	if (fn->GetMemoryHostPointerPropertiesEXT)
		fn->GetMemoryHostPointerPropertiesEXT = card_host_pointer;
}

/* Several pieces of the staging buffer long, and not at its edges. */
static void check_staging(struct joule_hal_device *d)
{
	enum { N = 6 * 1024 * 1024 + 123, FIRST = 1001 };
	float *x = malloc((size_t)N * 4), *y = malloc((size_t)N * 4);
	struct joule_hal_memory *m, *host;

	CHECK(x && y);
	CHECK_EQ(d->ops->memory_alloc(d, (size_t)N * 4, JOULE_MEMORY_DEVICE, &m), 0);
	CHECK(!m->host);
	CHECK_EQ(d->ops->memory_alloc(d, 4096, JOULE_MEMORY_HOST, &host), 0);
	CHECK(host->host && host->coherent);
	for (int i = 0; i < N; i++)
		x[i] = (float)(i % 10007);
	CHECK_EQ(d->ops->memory_write(m, 0, x, (size_t)N * 4), 0);
	negate(d, m->address, m->address, N);
	CHECK_EQ(d->ops->memory_write(m, FIRST * 4, x, 12), 0);
	CHECK_EQ(d->ops->memory_read(m, 0, y, (size_t)N * 4), 0);
	for (int i = 0; i < N; i++)
		CHECK(y[i] == (i >= FIRST && i < FIRST + 3 ? x[i - FIRST] : -x[i]));
	CHECK_EQ(d->ops->memory_read(m, (N - 5) * 4, y, 20), 0);
	for (int i = 0; i < 5; i++)
		CHECK(y[i] == -x[N - 5 + i]);
	d->ops->memory_free(m);
	d->ops->memory_free(host);
	free(x);
	free(y);
}

static void check_card(struct test_log *log)
{
	struct joule_vulkan_params params = { .loaded = make_card };
	struct joule_hal_memory *m;
	struct joule_hal_device *d;
	void *pages = aligned_alloc(4096, 8192);

	/* What the layer would see is not what the backend asked for. */
	CHECK_EQ(joule_vulkan_open(&log->log, &params, &d), 0);
	CHECK_EQ(d->caps.kind, JOULE_DEVICE_VULKAN_DISCRETE);
	check_staging(d);
	log->quiet = true;
	if (!d->ops->memory_import_host(d, pages, 8192, &m)) {
		CHECK(!m->coherent);
		CHECK_EQ(d->ops->memory_write(m, 100, "x", 1), 0);
		CHECK_EQ(d->ops->memory_read(m, 4000, (char[16]){ 0 }, 16), 0);
		CHECK_EQ(flushes, 1);
		CHECK_EQ(invalidates, 1);
		d->ops->memory_free(m);
	}
	log->quiet = false;
	test_close(d);
	free(pages);
}

int main(void)
{
	struct joule_hal_device *d;
	struct test_log log;

	test_log_init(&log);
	d = test_open(&log, (struct joule_vulkan_params){ 0 });
	check_import_host(d, &log);
	check_import_dmabuf(d, &log);
	test_close(d);
	check_card(&log);
	return 0;
}
