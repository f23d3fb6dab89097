// SPDX-License-Identifier: MIT
/* SPIR-V to pipelines, several at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "hal/vulkan/trim.h"
#include "hal/vulkan/vk.h"

/* What vkCreateComputePipelines reads; pointers within, so it stays where it was filled. */
struct request {
	uint32_t values[3 + JOULE_MAX_SPEC];
	VkSpecializationMapEntry entries[3 + JOULE_MAX_SPEC];
	VkSpecializationInfo spec;
	VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup;
	VkComputePipelineCreateInfo info;
};

static void fill_request(struct joule_vk *vk, const struct joule_vk_pipeline *p,
			 VkShaderModule module, struct request *q)
{
	uint32_t n = 3 + p->n_spec;

	memset(q, 0, sizeof(*q));
	for (uint32_t i = 0; i < n; i++) {
		q->values[i] = i < 3 ? p->local[i] : p->spec[i - 3];
		q->entries[i] = (VkSpecializationMapEntry){
			.constantID = i,
			.offset = i * (uint32_t)sizeof(uint32_t),
			.size = sizeof(uint32_t),
		};
	}
	q->spec.mapEntryCount = n;
	q->spec.pMapEntries = q->entries;
	q->spec.dataSize = n * sizeof(uint32_t);
	q->spec.pData = q->values;
	q->info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
	q->info.layout = vk->pipelines.layout;
	q->info.basePipelineIndex = -1;
	q->info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
	q->info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
	q->info.stage.module = module;
	q->info.stage.pName = "main";
	q->info.stage.pSpecializationInfo = &q->spec;
	if (!p->subgroup_size)
		return;
	q->subgroup.sType =
		VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
	q->subgroup.requiredSubgroupSize = p->subgroup_size;
	q->info.stage.pNext = &q->subgroup;
	/* Legal only for whole subgroups along x. */
	if (vk->has.subgroup.computeFullSubgroups && p->local[0] % p->subgroup_size == 0)
		q->info.stage.flags =
			VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
}

/*
 * The module with what the constants rule out cut away, which makes the driver
 * several times quicker.
 */
static int make_module(struct joule_vk *vk, const struct joule_vk_pipeline *p, const char *label,
		       VkShaderModule *out)
{
	VkShaderModuleCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = p->shader->bytes,
	};
	uint32_t values[3 + JOULE_MAX_SPEC], *spirv = joule_shader_unpack(p->shader), *trimmed;
	const char *lacks;
	size_t words;
	VkResult r;
	int err;

	if (!spirv)
		return joule_err_nomem(vk->base.log, p->shader->name);
	lacks = joule_vk_missing_capability(&vk->has, spirv, p->shader->bytes);
	if (lacks) {
		free(spirv);
		return joule_err(vk->base.log, -ENOTSUP, "%s: shader %s needs %s, which %s lacks",
				 label, p->shader->name, lacks, vk->base.name);
	}
	memcpy(values, p->local, sizeof(p->local));
	memcpy(values + 3, p->spec, p->n_spec * sizeof(*p->spec));
	err = joule_spirv_trim(spirv, p->shader->bytes / sizeof(uint32_t), values, 3 + p->n_spec,
			       &trimmed, &words);
	if (err)
		joule_logf(vk->base.log, JOULE_LOG_DEBUG, "shader %s: not trimmed (%d)",
			   p->shader->name, err);
	info.pCode = err ? spirv : trimmed;
	info.codeSize = err ? p->shader->bytes : words * sizeof(uint32_t);
	r = vk->fn.CreateShaderModule(vk->device, &info, NULL, out);
	free(trimmed);
	free(spirv);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s: module of shader %s", label, p->shader->name);
	return 0;
}

static int make(struct joule_vk *vk, struct joule_vk_pipeline *p, const char *label)
{
	VkShaderModule module;
	struct request q;
	VkResult r;
	int err = make_module(vk, p, label, &module);

	if (err)
		return err;
	fill_request(vk, p, module, &q);
	r = vk->fn.CreateComputePipelines(vk->device, vk->pipelines.cache, 1, &q.info, NULL,
					  &p->handle);
	vk->fn.DestroyShaderModule(vk->device, module, NULL);
	if (r == VK_SUCCESS)
		return 0;
	p->handle = VK_NULL_HANDLE;
	return joule_vk_fail(vk, r, "%s: pipeline of shader %s", label, p->shader->name);
}

/* The pipelines one call has to make, worked off by several threads. */
struct job {
	struct joule_vk *vk;
	struct joule_vk_pipeline **list;
	const char **labels;
	int n;
	atomic_int next, err;
};

static void *work(void *arg)
{
	struct job *job = arg;

	for (;;) {
		int i = atomic_fetch_add(&job->next, 1), none = 0, err;

		if (i >= job->n || atomic_load(&job->err))
			return NULL;
		err = make(job->vk, job->list[i], job->labels[i]);
		if (err)
			atomic_compare_exchange_strong(&job->err, &none, err);
	}
}

int joule_vk_compile(struct joule_vk *vk, struct joule_vk_pipeline **list, const char **labels,
		     int n_list)
{
	struct job job = { .vk = vk, .list = list, .labels = labels, .n = n_list };
	pthread_t threads[16];
	int n = JOULE_MIN(JOULE_MIN(vk->cpus, n_list), (int)JOULE_ARRAY_LEN(threads)) - 1;
	int started = 0;

	/* Fewer threads than hoped for only take longer. */
	while (started < n && !pthread_create(&threads[started], NULL, work, &job))
		started++;
	work(&job);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return atomic_load(&job.err);
}
