// SPDX-License-Identifier: MIT
/*
 * Pipelines by (shader, workgroup size, constants), shared by the programs of
 * a device. Unused ones are kept up to a number, since tuning and reloading
 * ask for the same again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "hal/vulkan/vk.h"

#define MAX_UNUSED 512

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

static uint64_t hash_of(const struct joule_shader *shader, const struct joule_hal_cmd *cmd)
{
	uint64_t h = hash_bytes(0xcbf29ce484222325ull, &shader, sizeof(shader));

	h = hash_bytes(h, cmd->local, sizeof(cmd->local));
	h = hash_bytes(h, &cmd->subgroup_size, sizeof(cmd->subgroup_size));
	return hash_bytes(h, cmd->spec, cmd->n_spec * sizeof(*cmd->spec));
}

static bool same(const struct joule_vk_pipeline *p, uint64_t hash,
		 const struct joule_shader *shader, const struct joule_hal_cmd *cmd)
{
	return p->hash == hash && p->shader == shader && p->n_spec == cmd->n_spec &&
	       p->subgroup_size == cmd->subgroup_size &&
	       !memcmp(p->local, cmd->local, sizeof(p->local)) &&
	       (!p->n_spec || !memcmp(p->spec, cmd->spec, p->n_spec * sizeof(*p->spec)));
}

int joule_vk_pipelines_init(struct joule_vk *vk, const char *cache_dir)
{
	VkPushConstantRange range = {
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		.size = vk->has.caps.max_push_bytes,
	};
	VkPipelineLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &range,
	};
	VkResult r = vk->fn.CreatePipelineLayout(vk->device, &info, NULL, &vk->pipelines.layout);

	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "pipeline layout");
	return joule_vk_cache_open(vk, cache_dir);
}

void joule_vk_pipelines_finish(struct joule_vk *vk)
{
	struct joule_vk_pipelines *set = &vk->pipelines;

	for (int b = 0; b < JOULE_VK_BUCKETS; b++) {
		while (set->bucket[b]) {
			struct joule_vk_pipeline *p = set->bucket[b];

			set->bucket[b] = p->next;
			vk->fn.DestroyPipeline(vk->device, p->handle, NULL);
			free(p);
		}
	}
	vk->fn.DestroyPipelineCache(vk->device, set->cache, NULL);
	vk->fn.DestroyPipelineLayout(vk->device, set->layout, NULL);
	free(set->cache_path);
}

static int check_cmd(struct joule_vk *vk, const struct joule_hal_cmd *cmd,
		     const struct joule_shader **out)
{
	const struct joule_shader *shader = joule_shader_find(cmd->shader);
	const struct joule_caps *caps = &vk->has.caps;
	const char *label = cmd->label ? cmd->label : "?";
	uint64_t invocations = 1;

	if (!shader)
		return joule_err(vk->base.log, -ENOENT, "%s: there is no shader '%s'", label,
				 cmd->shader);
	if (cmd->n_spec > JOULE_MAX_SPEC || cmd->push_bytes > caps->max_push_bytes ||
	    cmd->push_bytes % 4)
		return joule_err(vk->base.log, -EINVAL,
				 "%s: shader %s: %u constants and %u bytes of parameters; %s "
				 "takes %d and %u",
				 label, cmd->shader, cmd->n_spec, cmd->push_bytes, vk->base.name,
				 JOULE_MAX_SPEC, caps->max_push_bytes);
	for (int i = 0; i < 3; i++) {
		invocations *= cmd->local[i];
		if (!cmd->local[i] || cmd->local[i] > caps->max_local[i] ||
		    cmd->groups[i] > caps->max_groups[i])
			return joule_err(vk->base.log, -EINVAL,
					 "%s: shader %s: grid %ux%ux%u of %ux%ux%u is not one of "
					 "%s",
					 label, cmd->shader, cmd->groups[0], cmd->groups[1],
					 cmd->groups[2], cmd->local[0], cmd->local[1],
					 cmd->local[2], vk->base.name);
	}
	if (invocations > caps->max_invocations)
		return joule_err(vk->base.log, -EINVAL,
				 "%s: shader %s: workgroup of %llu, %s has %u", label, cmd->shader,
				 (unsigned long long)invocations, vk->base.name,
				 caps->max_invocations);
	if (cmd->subgroup_size &&
	    (cmd->subgroup_size < caps->subgroup_min || cmd->subgroup_size > caps->subgroup_max ||
	     (cmd->subgroup_size & (cmd->subgroup_size - 1))))
		return joule_err(vk->base.log, -ENOTSUP,
				 "%s: shader %s: subgroups of %u, %s can be asked for %u to %u",
				 label, cmd->shader, cmd->subgroup_size, vk->base.name,
				 caps->subgroup_min, caps->subgroup_max);
	*out = shader;
	return 0;
}

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

static int make(struct joule_vk *vk, struct joule_vk_pipeline *p, const char *label)
{
	VkShaderModuleCreateInfo module_info = {
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = p->shader->bytes,
	};
	uint32_t *spirv = joule_shader_unpack(p->shader);
	VkShaderModule module;
	struct request q;
	const char *lacks;
	VkResult r;

	if (!spirv)
		return joule_err_nomem(vk->base.log, p->shader->name);
	lacks = joule_vk_missing_capability(&vk->has, spirv, p->shader->bytes);
	if (lacks) {
		free(spirv);
		return joule_err(vk->base.log, -ENOTSUP, "%s: shader %s needs %s, which %s lacks",
				 label, p->shader->name, lacks, vk->base.name);
	}
	module_info.pCode = spirv;
	r = vk->fn.CreateShaderModule(vk->device, &module_info, NULL, &module);
	free(spirv);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s: module of shader %s", label, p->shader->name);
	fill_request(vk, p, module, &q);
	r = vk->fn.CreateComputePipelines(vk->device, vk->pipelines.cache, 1, &q.info, NULL,
					  &p->handle);
	vk->fn.DestroyShaderModule(vk->device, module, NULL);
	if (r == VK_SUCCESS)
		return 0;
	p->handle = VK_NULL_HANDLE;
	return joule_vk_fail(vk, r, "%s: pipeline of shader %s", label, p->shader->name);
}

/* Finds or adds the entry of cmd and takes a use; *mine: the caller has to make it. */
static int take(struct joule_vk *vk, const struct joule_hal_cmd *cmd,
		const struct joule_shader *shader, struct joule_vk_pipeline **out, bool *mine)
{
	struct joule_vk_pipelines *set = &vk->pipelines;
	uint64_t hash = hash_of(shader, cmd);
	struct joule_vk_pipeline **head = &set->bucket[hash % JOULE_VK_BUCKETS], *p;

	*mine = false;
	pthread_mutex_lock(&set->lock);
	for (p = *head; p; p = p->next)
		/* A failed one stays for those who wait for it; later comers try anew. */
		if (same(p, hash, shader, cmd) && p->err >= 0)
			break;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p) {
			pthread_mutex_unlock(&set->lock);
			return joule_err_nomem(vk->base.log, "pipeline object");
		}
		p->shader = shader;
		memcpy(p->local, cmd->local, sizeof(p->local));
		p->subgroup_size = cmd->subgroup_size;
		p->n_spec = cmd->n_spec;
		if (p->n_spec)
			memcpy(p->spec, cmd->spec, p->n_spec * sizeof(*p->spec));
		p->hash = hash;
		p->err = JOULE_VK_PENDING;
		p->next = *head;
		*head = p;
		set->n++;
		*mine = true;
	} else if (!p->users) {
		set->n_unused--;
	}
	p->users++;
	pthread_mutex_unlock(&set->lock);
	*out = p;
	return 0;
}

static void unlink_free(struct joule_vk *vk, struct joule_vk_pipeline *p)
{
	struct joule_vk_pipeline **at = &vk->pipelines.bucket[p->hash % JOULE_VK_BUCKETS];

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	vk->pipelines.n--;
	vk->fn.DestroyPipeline(vk->device, p->handle, NULL);
	free(p);
}

static void drop_oldest_unused(struct joule_vk *vk)
{
	struct joule_vk_pipelines *set = &vk->pipelines;
	struct joule_vk_pipeline *oldest = NULL;

	for (int b = 0; b < JOULE_VK_BUCKETS; b++)
		for (struct joule_vk_pipeline *p = set->bucket[b]; p; p = p->next)
			if (!p->users && (!oldest || p->last_use < oldest->last_use))
				oldest = p;
	if (oldest) {
		unlink_free(vk, oldest);
		set->n_unused--;
	}
}

void joule_vk_pipelines_put(struct joule_vk *vk, struct joule_vk_pipeline **list, int n)
{
	struct joule_vk_pipelines *set = &vk->pipelines;

	pthread_mutex_lock(&set->lock);
	for (int i = 0; i < n; i++) {
		struct joule_vk_pipeline *p = list[i];

		if (!p || --p->users)
			continue;
		if (p->err < 0) {
			unlink_free(vk, p);
			continue;
		}
		p->last_use = ++set->clock;
		if (++set->n_unused > MAX_UNUSED)
			drop_oldest_unused(vk);
	}
	pthread_mutex_unlock(&set->lock);
}

static void publish(struct joule_vk *vk, struct joule_vk_pipeline *p, int err)
{
	pthread_mutex_lock(&vk->pipelines.lock);
	p->err = err;
	vk->pipelines.cache_changed |= !err;
	pthread_cond_broadcast(&vk->pipelines.made);
	pthread_mutex_unlock(&vk->pipelines.lock);
}

static int wait_made(struct joule_vk *vk, struct joule_vk_pipeline *p)
{
	int err;

	pthread_mutex_lock(&vk->pipelines.lock);
	while (p->err == JOULE_VK_PENDING)
		pthread_cond_wait(&vk->pipelines.made, &vk->pipelines.lock);
	err = p->err;
	pthread_mutex_unlock(&vk->pipelines.lock);
	return err;
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

static int make_all(struct job *job)
{
	pthread_t threads[16];
	int n = JOULE_MIN(JOULE_MIN(job->vk->cpus, job->n), (int)JOULE_ARRAY_LEN(threads)) - 1;
	int started = 0;

	/* Fewer threads than hoped for only take longer. */
	while (started < n && !pthread_create(&threads[started], NULL, work, job))
		started++;
	work(job);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return atomic_load(&job->err);
}

int joule_vk_pipelines_get(struct joule_vk *vk, const struct joule_hal_cmd *cmds, int n,
			   struct joule_vk_pipeline **out)
{
	struct job job = { .vk = vk };
	const struct joule_shader *shader;
	bool mine;
	int err = 0, i;

	memset(out, 0, (size_t)n * sizeof(*out));
	job.list = calloc((size_t)n + 1, sizeof(*job.list));
	job.labels = calloc((size_t)n + 1, sizeof(*job.labels));
	if (!job.list || !job.labels)
		err = joule_err_nomem(vk->base.log, "list of pipelines");
	/* All are checked before the first is taken: others may come to wait for it. */
	for (i = 0; !err && i < n; i++)
		err = check_cmd(vk, &cmds[i], &shader);
	for (i = 0; !err && i < n; i++) {
		err = take(vk, &cmds[i], joule_shader_find(cmds[i].shader), &out[i], &mine);
		if (err || !mine)
			continue;
		job.labels[job.n] = cmds[i].label ? cmds[i].label : "?";
		job.list[job.n++] = out[i];
	}
	if (!err)
		err = make_all(&job);
	if (!err)
		err = joule_vk_warm(vk, job.list, job.n);
	for (i = 0; i < job.n; i++)
		publish(vk, job.list[i], err);
	for (i = 0; !err && i < n; i++)
		err = wait_made(vk, out[i]);
	if (err) {
		joule_vk_pipelines_put(vk, out, n);
		memset(out, 0, (size_t)n * sizeof(*out));
	}
	free(job.labels);
	free(job.list);
	return err;
}
