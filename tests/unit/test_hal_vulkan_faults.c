// SPDX-License-Identifier: MIT
/*
 * A driver that fails: out of memory or lost at the n-th call, whichever that
 * is, and one that hangs. Each time everything is taken down, the validation
 * layer looks on, and the device works again with the next try.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "hal_vulkan.h"

static struct joule_vulkan_fns real;
static atomic_int countdown; /* the call that fails; 0: none. Threads compile. */
static VkResult failure;
static atomic_int outstanding; /* objects made and not destroyed */

static bool fails(void)
{
	return atomic_load(&countdown) && atomic_fetch_sub(&countdown, 1) == 1;
}

/* Functions that make an object: counted, and failing without having made it. */
#define MAKERS(X) \
	X(CreateFence, VkFence, (VkDevice d, const VkFenceCreateInfo *i, \
	  const VkAllocationCallbacks *a, VkFence *o), (d, i, a, o)) \
	X(CreateSemaphore, VkSemaphore, (VkDevice d, const VkSemaphoreCreateInfo *i, \
	  const VkAllocationCallbacks *a, VkSemaphore *o), (d, i, a, o)) \
	X(CreateBuffer, VkBuffer, (VkDevice d, const VkBufferCreateInfo *i, \
	  const VkAllocationCallbacks *a, VkBuffer *o), (d, i, a, o)) \
	X(AllocateMemory, VkDeviceMemory, (VkDevice d, const VkMemoryAllocateInfo *i, \
	  const VkAllocationCallbacks *a, VkDeviceMemory *o), (d, i, a, o)) \
	X(CreateShaderModule, VkShaderModule, (VkDevice d, const VkShaderModuleCreateInfo *i, \
	  const VkAllocationCallbacks *a, VkShaderModule *o), (d, i, a, o)) \
	X(CreatePipelineLayout, VkPipelineLayout, (VkDevice d, \
	  const VkPipelineLayoutCreateInfo *i, const VkAllocationCallbacks *a, \
	  VkPipelineLayout *o), (d, i, a, o)) \
	X(CreatePipelineCache, VkPipelineCache, (VkDevice d, \
	  const VkPipelineCacheCreateInfo *i, const VkAllocationCallbacks *a, \
	  VkPipelineCache *o), (d, i, a, o)) \
	X(CreateCommandPool, VkCommandPool, (VkDevice d, const VkCommandPoolCreateInfo *i, \
	  const VkAllocationCallbacks *a, VkCommandPool *o), (d, i, a, o)) \
	X(CreateQueryPool, VkQueryPool, (VkDevice d, const VkQueryPoolCreateInfo *i, \
	  const VkAllocationCallbacks *a, VkQueryPool *o), (d, i, a, o))

#define UNMAKERS(X) \
	X(DestroyFence, VkFence) \
	X(DestroySemaphore, VkSemaphore) \
	X(DestroyBuffer, VkBuffer) \
	X(FreeMemory, VkDeviceMemory) \
	X(DestroyShaderModule, VkShaderModule) \
	X(DestroyPipelineLayout, VkPipelineLayout) \
	X(DestroyPipelineCache, VkPipelineCache) \
	X(DestroyCommandPool, VkCommandPool) \
	X(DestroyQueryPool, VkQueryPool) \
	X(DestroyPipeline, VkPipeline)

/* The others that can fail. What waits has waited before it tells of a failure. */
#define DOERS(X) \
	X(BindBufferMemory, (VkDevice d, VkBuffer b, VkDeviceMemory m, VkDeviceSize o), \
	  (d, b, m, o)) \
	X(MapMemory, (VkDevice d, VkDeviceMemory m, VkDeviceSize o, VkDeviceSize s, \
	  VkMemoryMapFlags f, void **p), (d, m, o, s, f, p)) \
	X(AllocateCommandBuffers, (VkDevice d, const VkCommandBufferAllocateInfo *i, \
	  VkCommandBuffer *o), (d, i, o)) \
	X(BeginCommandBuffer, (VkCommandBuffer c, const VkCommandBufferBeginInfo *i), (c, i)) \
	X(ResetFences, (VkDevice d, uint32_t n, const VkFence *f), (d, n, f)) \
	X(QueueSubmit, (VkQueue q, uint32_t n, const VkSubmitInfo *i, VkFence f), (q, n, i, f)) \
	X(GetCalibratedTimestampsEXT, (VkDevice d, uint32_t n, \
	  const VkCalibratedTimestampInfoEXT *i, uint64_t *t, uint64_t *v), (d, n, i, t, v))

#define WAITERS(X) \
	X(EndCommandBuffer, (VkCommandBuffer c), (c)) \
	X(WaitForFences, (VkDevice d, uint32_t n, const VkFence *f, VkBool32 a, uint64_t t), \
	  (d, n, f, a, t)) \
	X(GetQueryPoolResults, (VkDevice d, VkQueryPool p, uint32_t i, uint32_t n, size_t s, \
	  void *o, VkDeviceSize e, VkQueryResultFlags f), (d, p, i, n, s, o, e, f)) \
	X(GetPipelineCacheData, (VkDevice d, VkPipelineCache c, size_t *n, void *o), \
	  (d, c, n, o))

#define MAKER(name, type, params, args) \
	static VkResult VKAPI_CALL fake_##name params \
	{ \
		VkResult r = fails() ? failure : real.name args; \
\
		outstanding += r == VK_SUCCESS; \
		return r; \
	}
#define UNMAKER(name, type) \
	static void VKAPI_CALL fake_##name(VkDevice d, type o, const VkAllocationCallbacks *a) \
	{ \
		outstanding -= o != VK_NULL_HANDLE; \
		real.name(d, o, a); \
	}
#define DOER(name, params, args) \
	static VkResult VKAPI_CALL fake_##name params \
	{ \
		return fails() ? failure : real.name args; \
	}
#define WAITER(name, params, args) \
	static VkResult VKAPI_CALL fake_##name params \
	{ \
		VkResult r = real.name args; \
\
		return fails() ? failure : r; \
	}
MAKERS(MAKER)
UNMAKERS(UNMAKER)
DOERS(DOER)
WAITERS(WAITER)

static VkResult VKAPI_CALL fake_CreateComputePipelines(VkDevice d, VkPipelineCache c, uint32_t n,
						       const VkComputePipelineCreateInfo *i,
						       const VkAllocationCallbacks *a,
						       VkPipeline *o)
{
	VkResult r = fails() ? failure : real.CreateComputePipelines(d, c, n, i, a, o);

	outstanding += r == VK_SUCCESS;
	return r;
}

static VkResult VKAPI_CALL fake_CreateDevice(VkPhysicalDevice d, const VkDeviceCreateInfo *i,
					     const VkAllocationCallbacks *a, VkDevice *o)
{
	return fails() ? failure : real.CreateDevice(d, i, a, o);
}

static void install(void *user, struct joule_vulkan_fns *fn)
{
	real = *fn;
	if (!fn->QueueSubmit) {
		fn->CreateDevice = fake_CreateDevice;
		return;
	}
#define INSTALL(name, ...) fn->name = fake_##name;
	MAKERS(INSTALL)
	UNMAKERS(INSTALL)
	DOERS(INSTALL)
	WAITERS(INSTALL)
	INSTALL(CreateComputePipelines)
}

enum { STEPS = 5, N = 1000 };

/* All a device is used for; the first error. */
static int scenario(struct joule_hal_device *d, uint32_t code)
{
	struct joule_hal_memory *m = NULL;
	struct joule_hal_program *p = NULL;
	struct joule_hal_cmd cmds[STEPS];
	struct joule_hal_program_params params = { cmds, STEPS, .timestamps = true,
						   .label = "the model" };
	uint64_t stamps[STEPS + 1], t[3];
	struct unary_push push;
	int err;

	err = d->ops->memory_alloc(d, 2 * N * 4, JOULE_MEMORY_HOST, &m);
	push = (struct unary_push){ m ? m->address : 0, m ? m->address : 0, N, 0, 0 };
	for (int i = 0; i < STEPS; i++) {
		cmds[i] = test_unary(&push, &code, true);
		cmds[i].local[0] = 32u << i % 2;
		cmds[i].groups[0] = 16;
		cmds[i].split = i == 2;
	}
	if (!err)
		err = d->ops->program_create(d, &params, &p);
	if (!err)
		err = d->ops->program_submit(p);
	if (!err)
		err = d->ops->program_wait(p, UINT64_MAX);
	if (!err)
		err = d->ops->program_timestamps(p, stamps, STEPS + 1);
	if (!err)
		err = d->ops->calibrate(d, &t[0], &t[1], &t[2]);
	if (err == -ENOTSUP)
		err = 0;
	if (!err)
		err = d->ops->save_cache(d);
	d->ops->program_destroy(p);
	d->ops->memory_free(m);
	return err;
}

/* Fails the first call, the second, ... until a run sees none fail. */
static void check_each_call(struct joule_hal_device *d, struct test_log *log, VkResult r,
			    int want)
{
	int before = outstanding, n;

	failure = r;
	log->quiet = true;
	for (n = 1;; n++) {
		int errors = log->count[JOULE_LOG_ERROR], err;

		countdown = n;
		/* Pipelines stay with the device: each try takes others, of no meaning. */
		err = scenario(d, 1000u * (uint32_t)-r + (uint32_t)n);
		if (countdown) {
			CHECK_EQ(err, 0);
			break;
		}
		CHECK_EQ(err, want);
		CHECK_EQ(log->count[JOULE_LOG_ERROR], errors + 1);
		CHECK(strstr(log->error, joule_vk_result_name(r)));
		CHECK_EQ(d->memory_bytes, 0);
		if (want == -ENODEV) {
			CHECK(d->lost);
			CHECK_EQ(scenario(d, JOULE_EW_NEG), -ENODEV);
			CHECK_EQ(log->count[JOULE_LOG_ERROR], errors + 1);
			d->lost = false; /* the driver is well, after all */
		}
	}
	countdown = 0;
	log->quiet = false;
	CHECK(n > 25);
	printf("  %s: %d calls, each failed once\n", joule_vk_result_name(r), n - 1);
	CHECK(outstanding >= before); /* pipelines */
}

static void check_open(struct test_log *log)
{
	static const VkResult results[] = { VK_ERROR_OUT_OF_HOST_MEMORY,
					    VK_ERROR_OUT_OF_DEVICE_MEMORY,
					    VK_ERROR_INITIALIZATION_FAILED };
	struct joule_vulkan_params params = { .loaded = install, .cache_dir = "/tmp" };
	struct joule_hal_device *d;

	log->quiet = true;
	for (size_t i = 0; i < JOULE_ARRAY_LEN(results); i++) {
		for (int n = 1; n <= 3; n++) {
			countdown = n;
			failure = results[i];
			CHECK_EQ(joule_vulkan_open(&log->log, &params, &d),
				 i < 2 ? -ENOMEM : -ENODEV);
			CHECK(!d);
			CHECK_EQ(outstanding, 0);
		}
	}
	countdown = 0;
	log->quiet = false;
}

static bool hangs;

static VkResult VKAPI_CALL hung_wait(VkDevice d, uint32_t n, const VkFence *f, VkBool32 a,
				     uint64_t t)
{
	return hangs ? VK_TIMEOUT : real.WaitForFences(d, n, f, a, t);
}

static VkResult VKAPI_CALL hung_status(VkDevice d, VkFence f)
{
	return hangs ? VK_NOT_READY : real.GetFenceStatus(d, f);
}

static void check_hang(struct joule_hal_device *d)
{
	struct joule_vk *vk = joule_vk(d);
	const uint32_t code = JOULE_EW_NEG;
	struct joule_hal_program *p;
	struct joule_hal_memory *m;
	struct joule_hal_cmd cmd;
	struct joule_hal_program_params params = { &cmd, 1, .timestamps = true };
	struct unary_push push;
	uint64_t stamps[2];

	CHECK_EQ(d->ops->memory_alloc(d, 4096, JOULE_MEMORY_HOST, &m), 0);
	push = (struct unary_push){ m->address, m->address, 1000, 0, 0 };
	cmd = test_unary(&push, &code, false);
	CHECK_EQ(d->ops->program_create(d, &params, &p), 0);
	vk->fn.WaitForFences = hung_wait;
	vk->fn.GetFenceStatus = hung_status;
	hangs = true;
	CHECK_EQ(d->ops->program_submit(p), 0);
	CHECK_EQ(d->ops->program_wait(p, 1000), -ETIME);
	CHECK_EQ(d->ops->program_submit(p), -EBUSY);
	CHECK_EQ(d->ops->program_timestamps(p, stamps, 2), -EBUSY);
	CHECK(!d->lost);
	hangs = false;
	CHECK_EQ(d->ops->program_wait(p, UINT64_MAX), 0);
	CHECK_EQ(d->ops->program_timestamps(p, stamps, 2), 0);
	CHECK_EQ(d->ops->program_submit(p), 0);
	d->ops->program_destroy(p);
	d->ops->memory_free(m);
	vk->fn.WaitForFences = fake_WaitForFences;
	vk->fn.GetFenceStatus = real.GetFenceStatus;
}

/* The message names what ran. */
static void check_lost_label(struct joule_hal_device *d, struct test_log *log)
{
	int n;

	CHECK_EQ(scenario(d, JOULE_EW_SIN), 0); /* with the pipelines made before */
	failure = VK_ERROR_DEVICE_LOST;
	log->quiet = true;
	for (n = 1; n < 100; n++) {
		countdown = n;
		CHECK_EQ(scenario(d, JOULE_EW_SIN), countdown ? 0 : -ENODEV);
		d->lost = false;
		if (strstr(log->error, "the model: VK_ERROR_DEVICE_LOST"))
			break;
	}
	CHECK(n < 100);
	countdown = 0;
	log->quiet = false;
}

int main(void)
{
	struct joule_vulkan_params params = { .loaded = install };
	char dir[] = "/tmp/joule-faults-XXXXXX", path[4096];
	struct joule_hal_device *d;
	struct test_log log;

	test_log_init(&log);
	CHECK(mkdtemp(dir));
	params.cache_dir = dir;
	d = test_open(&log, params);
	check_hang(d);
	check_lost_label(d, &log);
	check_each_call(d, &log, VK_ERROR_OUT_OF_DEVICE_MEMORY, -ENOMEM);
	check_each_call(d, &log, VK_ERROR_OUT_OF_HOST_MEMORY, -ENOMEM);
	check_each_call(d, &log, VK_ERROR_DEVICE_LOST, -ENODEV);
	snprintf(path, sizeof(path), "%s/%s.vkcache", dir, d->key);
	test_close(d);
	CHECK_EQ(outstanding, 0);
	unlink(path);
	CHECK_EQ(rmdir(dir), 0);
	check_open(&log);
	return 0;
}
