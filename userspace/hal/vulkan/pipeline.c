// SPDX-License-Identifier: MIT
/*
 * Pipelines by (shader, workgroup size, constants), shared by the programs of
 * a device. Unused ones are kept up to a number, since tuning and reloading
 * ask for the same again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int check_cmd(struct joule_vk *vk, const struct joule_hal_cmd *cmd)
{
	const struct joule_caps *caps = &vk->has.caps;
	const char *label = cmd->label ? cmd->label : "?";
	uint64_t invocations = 1;

	if (!joule_shader_find(cmd->shader))
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
	return 0;
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

int joule_vk_pipelines_get(struct joule_vk *vk, const struct joule_hal_cmd *cmds, int n,
			   struct joule_vk_pipeline **out)
{
	struct joule_vk_pipeline **made;
	const char **labels;
	int n_made = 0;
	bool mine;
	int err = 0, i;

	memset(out, 0, (size_t)n * sizeof(*out));
	made = calloc((size_t)n + 1, sizeof(*made));
	labels = calloc((size_t)n + 1, sizeof(*labels));
	if (!made || !labels)
		err = joule_err_nomem(vk->base.log, "list of pipelines");
	/* All are checked before the first is taken: others may come to wait for it. */
	for (i = 0; !err && i < n; i++)
		err = check_cmd(vk, &cmds[i]);
	for (i = 0; !err && i < n; i++) {
		err = take(vk, &cmds[i], joule_shader_find(cmds[i].shader), &out[i], &mine);
		if (err || !mine)
			continue;
		labels[n_made] = cmds[i].label ? cmds[i].label : "?";
		made[n_made++] = out[i];
	}
	if (!err)
		err = joule_vk_compile(vk, made, labels, n_made);
	if (!err)
		err = joule_vk_warm(vk, made, n_made);
	for (i = 0; i < n_made; i++)
		publish(vk, made[i], err);
	for (i = 0; !err && i < n; i++)
		err = wait_made(vk, out[i]);
	if (err) {
		joule_vk_pipelines_put(vk, out, n);
		memset(out, 0, (size_t)n * sizeof(*out));
	}
	free(labels);
	free(made);
	return err;
}
