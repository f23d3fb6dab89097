/* SPDX-License-Identifier: MIT */
/* Inside of the Vulkan backend: the device object and what its files share. */
#ifndef JOULE_HAL_VULKAN_VK_H
#define JOULE_HAL_VULKAN_VK_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "hal/shader_table.h"
#include "hal/vulkan/features.h"
#include "hal/vulkan/vulkan.h"

#define JOULE_VK_STAGING_SLOTS 2

struct joule_vk_instance {
	const struct joule_log *log;
	VkInstance handle;
	VkDebugUtilsMessengerEXT messenger;
	atomic_int validation_errors;
	bool labels;
};

struct joule_vk_pages {
	void *start; /* NULL: none */
	size_t bytes;
};

struct joule_vk_memory {
	struct joule_hal_memory base;
	struct joule_vk_pages pages; /* unmapped when the driver has let go */
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkDeviceSize buffer_offset; /* of base.address in the buffer: imports begin at a page */
	uint64_t counted_bytes; /* what accounting took it for; 0 for imports */
};

/* Two halves of a host buffer: one is filled while the other is copied. */
struct joule_vk_staging {
	pthread_mutex_t lock;
	struct joule_hal_memory *memory; /* NULL until first needed */
	VkCommandPool pool;
	VkCommandBuffer cmd[JOULE_VK_STAGING_SLOTS];
	VkFence fence[JOULE_VK_STAGING_SLOTS];
};

/* A compiled kernel, shared by all programs that use it. */
struct joule_vk_pipeline {
	struct joule_vk_pipeline *next; /* of the same hash bucket */
	const struct joule_shader *shader;
	uint32_t local[3];
	uint32_t subgroup_size;
	uint32_t n_spec;
	uint32_t spec[JOULE_MAX_SPEC];
	uint64_t hash;
	VkPipeline handle;
	int users;
	int err; /* JOULE_VK_PENDING while a thread makes it */
	uint64_t last_use;
};

#define JOULE_VK_PENDING 1
#define JOULE_VK_BUCKETS 256

struct joule_vk_pipelines {
	pthread_mutex_t lock;
	pthread_cond_t made;
	struct joule_vk_pipeline *bucket[JOULE_VK_BUCKETS];
	int n, n_unused;
	uint64_t clock;
	VkPipelineLayout layout;
	VkPipelineCache cache;
	bool cache_changed;
	uint64_t saved_sum; /* of the data in the file; under cache_lock */
	pthread_mutex_t cache_lock; /* one writes at a time */
	char *cache_path; /* NULL: not kept */
};

struct joule_vk {
	struct joule_hal_device base; /* first: the ops get this pointer */
	struct joule_vulkan_fns fn;
	struct joule_vk_instance instance;
	struct joule_vk_features has;
	VkPhysicalDevice physical;
	VkDevice device;
	VkQueue queue;
	pthread_mutex_t queue_lock;  /* vkQueueSubmit is for one thread at a time */
	pthread_mutex_t memory_lock; /* the counters in base */
	struct joule_vk_staging staging;
	struct joule_vk_pipelines pipelines;
	int cpus; /* threads worth starting to compile */
};

static inline struct joule_vk *joule_vk(struct joule_hal_device *device)
{
	return (struct joule_vk *)device;
}

/* result.c */

/* "VK_ERROR_DEVICE_LOST" */
const char *joule_vk_result_name(VkResult result);
/* Logs "WHAT: VK_ERROR_..." and returns the errno; notes a lost device. */
__attribute__((format(printf, 3, 4))) int joule_vk_fail(struct joule_vk *vk, VkResult result,
							const char *what, ...);
/* -ENODEV once the device was lost, else 0. Logs nothing: the loss was logged. */
int joule_vk_alive(const struct joule_vk *vk);

/* instance.c */

/* -ENXIO, not logged: there is no driver at all. Destroyed by the caller in any case. */
int joule_vk_instance_create(struct joule_vk_instance *instance, struct joule_vulkan_fns *fn,
			     const struct joule_log *log, bool validation, bool labels);
void joule_vk_instance_destroy(struct joule_vk_instance *instance,
			       const struct joule_vulkan_fns *fn);
/* Devices in the loader's order, malloc()ed; how many, or -errno. */
int joule_vk_physical_devices(struct joule_vk_instance *instance,
			      const struct joule_vulkan_fns *fn, VkPhysicalDevice **out);

/* pages.c */

/* Whether memory of this device is better the host's own pages. */
bool joule_vk_pages_wanted(const struct joule_vk *vk);
/* Touched pages of zeros, from a huge page's start if bytes fill one; -ENOMEM. */
int joule_vk_pages_map(struct joule_vk_pages *pages, size_t bytes, void **ptr);
void joule_vk_pages_unmap(struct joule_vk_pages *pages);

/* memory.c */
int joule_vk_memory_alloc(struct joule_hal_device *device, size_t bytes,
			  enum joule_memory_use use, struct joule_hal_memory **out);
void joule_vk_memory_free(struct joule_hal_memory *memory);
int joule_vk_memory_flush(struct joule_hal_memory *memory, size_t offset, size_t bytes);
int joule_vk_memory_invalidate(struct joule_hal_memory *memory, size_t offset, size_t bytes);
/* Logs -ERANGE-like misuse: offset + bytes must lie in the memory. */
int joule_vk_memory_check(const struct joule_hal_memory *memory, size_t offset, size_t bytes);
/* The buffer that covers an allocation to come; handle_type 0 unless imported. */
int joule_vk_buffer_create(struct joule_vk *vk, uint64_t bytes,
			   VkExternalMemoryHandleTypeFlags handle_type, VkBuffer *out);
/* Binds, asks for the address, maps if host-visible and wanted. */
int joule_vk_memory_bind(struct joule_vk *vk, struct joule_vk_memory *m, bool map);
/* The best memory type among bits: all of need, most of want, least of avoid. -1: none. */
int joule_vk_memory_type(const VkPhysicalDeviceMemoryProperties *memory, uint32_t bits,
			 VkMemoryPropertyFlags need, VkMemoryPropertyFlags want,
			 VkMemoryPropertyFlags avoid);

/* staging.c */
int joule_vk_memory_write(struct joule_hal_memory *memory, size_t offset, const void *data,
			  size_t bytes);
int joule_vk_memory_read(struct joule_hal_memory *memory, size_t offset, void *data,
			 size_t bytes);
void joule_vk_staging_finish(struct joule_vk *vk);

/* import.c */
int joule_vk_memory_import_host(struct joule_hal_device *device, void *ptr, size_t bytes,
				struct joule_hal_memory **out);
int joule_vk_memory_import_dmabuf(struct joule_hal_device *device, int fd, size_t bytes,
				  struct joule_hal_memory **out);

/* pipeline.c */
int joule_vk_pipelines_init(struct joule_vk *vk, const char *cache_dir);
void joule_vk_pipelines_finish(struct joule_vk *vk);
/*
 * Makes or finds the pipeline of each command, several at once where that is
 * quicker, and leaves nothing for the first run to compile. out[i] is cmds[i]'s
 * and holds one use; the caller gives all n back with joule_vk_pipelines_put().
 */
int joule_vk_pipelines_get(struct joule_vk *vk, const struct joule_hal_cmd *cmds, int n,
			   struct joule_vk_pipeline **out);
void joule_vk_pipelines_put(struct joule_vk *vk, struct joule_vk_pipeline **list, int n);

/* compile.c */

/* Makes the pipelines of a list, several at once where that is quicker. */
int joule_vk_compile(struct joule_vk *vk, struct joule_vk_pipeline **list, const char **labels,
		     int n_list);

/* warm.c */

/* Has the driver do what it puts off to a pipeline's first launch. */
int joule_vk_warm(struct joule_vk *vk, struct joule_vk_pipeline **list, int n);

/* cache.c */
int joule_vk_cache_open(struct joule_vk *vk, const char *dir);
int joule_vk_cache_save(struct joule_hal_device *device);

/* program.c */
int joule_vk_program_create(struct joule_hal_device *device,
			    const struct joule_hal_program_params *params,
			    struct joule_hal_program **out);
void joule_vk_program_destroy(struct joule_hal_program *program);

/* run.c */
int joule_vk_program_submit(struct joule_hal_program *program);
int joule_vk_program_wait(struct joule_hal_program *program, uint64_t timeout_ns);
int joule_vk_program_timestamps(struct joule_hal_program *program, uint64_t *out, int n);

/* clock.c */
int joule_vk_calibrate(struct joule_hal_device *device, uint64_t *device_ns, uint64_t *host_ns,
		       uint64_t *deviation_ns);
uint64_t joule_vk_ticks_ns(const struct joule_vk *vk, uint64_t ticks);

#endif
