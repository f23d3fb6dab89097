// SPDX-License-Identifier: MIT
/*
 * The driver's pipeline cache in a file of its own for each device and driver.
 * Drivers are known to trust such data, so it is checked here: length, a sum
 * over all bytes, and Vulkan's header against this very driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/vulkan/vk.h"

#define MAX_CACHE_BYTES ((size_t)1 << 30)

struct file_header {
	char magic[8];
	uint64_t bytes, sum; /* of what follows */
};

static const char file_magic[8] = "joulevk1";

static uint64_t sum_of(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

static bool read_all(int fd, void *data, size_t n)
{
	uint8_t *p = data;

	while (n) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static bool write_all(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

/* Why the data is not this driver's; NULL if it is. */
static const char *foreign(const struct joule_vk *vk, const void *data, size_t bytes)
{
	const VkPhysicalDeviceProperties *props = &vk->has.props;
	VkPipelineCacheHeaderVersionOne head;

	if (bytes < sizeof(head))
		return "it is too short";
	memcpy(&head, data, sizeof(head));
	if (head.headerSize < sizeof(head) || head.headerSize > bytes ||
	    head.headerVersion != VK_PIPELINE_CACHE_HEADER_VERSION_ONE)
		return "its header is unknown";
	if (head.vendorID != props->vendorID || head.deviceID != props->deviceID ||
	    memcmp(head.pipelineCacheUUID, props->pipelineCacheUUID, VK_UUID_SIZE))
		return "it is of another device or driver";
	return NULL;
}

static const char *load(const struct joule_vk *vk, int fd, void **data, size_t *bytes)
{
	struct file_header head;

	if (!read_all(fd, &head, sizeof(head)) ||
	    memcmp(head.magic, file_magic, sizeof(file_magic)) || head.bytes > MAX_CACHE_BYTES)
		return "it is not a pipeline cache";
	*data = malloc(head.bytes ? head.bytes : 1);
	if (!*data)
		return "there is no memory";
	if (!read_all(fd, *data, head.bytes) || sum_of(*data, head.bytes) != head.sum)
		return "it is damaged";
	*bytes = head.bytes;
	return foreign(vk, *data, head.bytes);
}

static void *load_path(struct joule_vk *vk, const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *data = NULL;
	const char *why;

	*bytes = 0;
	if (fd < 0) {
		if (errno != ENOENT)
			joule_logf(vk->base.log, JOULE_LOG_DEBUG,
				   "%s: pipeline cache not used: %s", path, strerror(errno));
		return NULL;
	}
	why = load(vk, fd, &data, bytes);
	close(fd);
	if (!why) {
		vk->pipelines.saved_sum = sum_of(data, *bytes);
		return data;
	}
	joule_logf(vk->base.log, JOULE_LOG_DEBUG, "%s: pipeline cache not used: %s", path, why);
	free(data);
	*bytes = 0;
	return NULL;
}

int joule_vk_cache_open(struct joule_vk *vk, const char *dir)
{
	struct joule_vk_pipelines *set = &vk->pipelines;
	VkPipelineCacheCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
	};
	void *data = NULL;
	VkResult r;

	if (dir) {
		/* A directory that cannot be made shows when the cache is written. */
		mkdir(dir, 0777);
		if (asprintf(&set->cache_path, "%s/%s.vkcache", dir, vk->base.key) < 0) {
			set->cache_path = NULL;
			return joule_err_nomem(vk->base.log, "path of the pipeline cache");
		}
		data = load_path(vk, set->cache_path, &info.initialDataSize);
		info.pInitialData = data;
	}
	r = vk->fn.CreatePipelineCache(vk->device, &info, NULL, &set->cache);
	free(data);
	if (r == VK_SUCCESS)
		return 0;
	set->cache = VK_NULL_HANDLE;
	return joule_vk_fail(vk, r, "pipeline cache");
}

static int write_file(struct joule_vk *vk, const void *data, size_t bytes)
{
	struct file_header head = { .bytes = bytes, .sum = sum_of(data, bytes) };
	const char *path = vk->pipelines.cache_path;
	char *temp;
	int fd, err = 0;

	if (head.sum == vk->pipelines.saved_sum)
		return 0; /* all pipelines came from it */
	memcpy(head.magic, file_magic, sizeof(file_magic));
	if (asprintf(&temp, "%s.XXXXXX", path) < 0)
		return joule_err_nomem(vk->base.log, "path of the pipeline cache");
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		err = joule_err(vk->base.log, -errno, "%s: %s", path, strerror(errno));
		free(temp);
		return err;
	}
	if (!write_all(fd, &head, sizeof(head)) || !write_all(fd, data, bytes))
		err = -(errno ? errno : EIO);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err) {
		unlink(temp);
		joule_err(vk->base.log, err, "%s: writing the pipeline cache: %s", path,
			  strerror(-err));
	}
	free(temp);
	if (!err)
		vk->pipelines.saved_sum = head.sum;
	return err;
}

static int save(struct joule_vk *vk)
{
	struct joule_vk_pipelines *set = &vk->pipelines;
	size_t bytes = 0;
	void *data;
	VkResult r;
	int err;

	r = vk->fn.GetPipelineCacheData(vk->device, set->cache, &bytes, NULL);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "reading the pipeline cache");
	data = malloc(bytes ? bytes : 1);
	if (!data)
		return joule_err_nomem(vk->base.log, "pipeline cache");
	r = vk->fn.GetPipelineCacheData(vk->device, set->cache, &bytes, data);
	/* Incomplete: others added to it meanwhile; what there is is valid. */
	if (r == VK_SUCCESS || r == VK_INCOMPLETE)
		err = write_file(vk, data, bytes);
	else
		err = joule_vk_fail(vk, r, "reading the pipeline cache");
	free(data);
	return err;
}

int joule_vk_cache_save(struct joule_hal_device *device)
{
	struct joule_vk *vk = joule_vk(device);
	struct joule_vk_pipelines *set = &vk->pipelines;
	int err = joule_vk_alive(vk);
	bool changed;

	if (err || !set->cache_path)
		return err;
	pthread_mutex_lock(&set->cache_lock);
	pthread_mutex_lock(&set->lock);
	changed = set->cache_changed;
	set->cache_changed = false;
	pthread_mutex_unlock(&set->lock);
	if (changed)
		err = save(vk);
	pthread_mutex_unlock(&set->cache_lock);
	return err;
}
