// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "hal/vulkan/program.h"

/* Whether the last submit ended; 0 when it did. */
static int poll_end(struct joule_hal_program *p)
{
	VkResult r;

	if (!p->pending)
		return 0;
	r = p->vk->fn.GetFenceStatus(p->vk->device, p->fence);
	if (r == VK_NOT_READY)
		return -EBUSY;
	if (r != VK_SUCCESS)
		return joule_vk_fail(p->vk, r, "%s", p->label);
	p->pending = false;
	return 0;
}

int joule_vk_program_submit(struct joule_hal_program *p)
{
	struct joule_vk *vk = p->vk;
	int err = joule_vk_alive(vk);
	VkResult r;

	if (!err)
		err = poll_end(p);
	if (err)
		return err;
	r = vk->fn.ResetFences(vk->device, 1, &p->fence);
	if (r == VK_SUCCESS) {
		pthread_mutex_lock(&vk->queue_lock);
		r = vk->fn.QueueSubmit(vk->queue, (uint32_t)p->n_parts, p->submits, p->fence);
		pthread_mutex_unlock(&vk->queue_lock);
	}
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s: submit", p->label);
	p->pending = true;
	p->ran = true;
	return 0;
}

int joule_vk_program_wait(struct joule_hal_program *p, uint64_t timeout_ns)
{
	struct joule_vk *vk = p->vk;
	int err = joule_vk_alive(vk);
	VkResult r;

	if (err || !p->pending)
		return err;
	r = vk->fn.WaitForFences(vk->device, 1, &p->fence, VK_TRUE, timeout_ns);
	if (r == VK_TIMEOUT)
		return -ETIME; /* not logged: polling with short time-outs is a proper use */
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s", p->label);
	p->pending = false;
	return 0;
}

int joule_vk_program_timestamps(struct joule_hal_program *p, uint64_t *out, int n)
{
	struct joule_vk *vk = p->vk;
	uint64_t mask = vk->has.timestamp_bits >= 64 ? UINT64_MAX :
						       (1ull << vk->has.timestamp_bits) - 1;
	uint64_t last;
	VkResult r;
	int err = joule_vk_alive(vk);

	if (err)
		return err;
	if (!p->queries || !p->ran || n != p->n_cmds + 1)
		return joule_err(vk->base.log, -EINVAL,
				 "%s: %d time stamps asked for: %s, %d there", p->label, n,
				 !p->queries ? "recorded without" :
				 !p->ran     ? "not yet run" :
					       "recorded with",
				 p->queries ? p->n_cmds + 1 : 0);
	err = poll_end(p);
	if (err)
		return err;
	r = vk->fn.GetQueryPoolResults(vk->device, p->queries, 0, (uint32_t)n,
				       (size_t)n * sizeof(*out), out, sizeof(*out),
				       VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
	if (r != VK_SUCCESS)
		return joule_vk_fail(vk, r, "%s: time stamps", p->label);
	/* Differences are taken on the counter, which may wrap, and then scaled. */
	last = out[0] & mask;
	out[0] = joule_vk_ticks_ns(vk, last);
	for (int i = 1; i < n; i++) {
		uint64_t ticks = out[i] & mask;

		out[i] = out[i - 1] + joule_vk_ticks_ns(vk, (ticks - last) & mask);
		last = ticks;
	}
	return 0;
}
