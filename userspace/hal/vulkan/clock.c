// SPDX-License-Identifier: MIT
#include <errno.h>
#include <time.h>

#include "base/checked.h"
#include "hal/vulkan/vk.h"

#define TRIES 4

uint64_t joule_vk_ticks_ns(const struct joule_vk *vk, uint64_t ticks)
{
	double period = (double)vk->has.props.limits.timestampPeriod;

	return period == 1.0 ? ticks : (uint64_t)((double)ticks * period);
}

int joule_vk_calibrate(struct joule_hal_device *device, uint64_t *device_ns, uint64_t *host_ns,
		       uint64_t *deviation_ns)
{
	const VkCalibratedTimestampInfoEXT clocks[2] = {
		{ .sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT,
		  .timeDomain = VK_TIME_DOMAIN_DEVICE_EXT },
		{ .sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT,
		  .timeDomain = VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT },
	};
	struct joule_vk *vk = joule_vk(device);
	uint64_t best = UINT64_MAX;
	int err = joule_vk_alive(vk);

	if (err)
		return err;
	if (!vk->has.calibrated)
		return -ENOTSUP;
	/* A try that was interrupted has a large deviation. */
	for (int i = 0; i < TRIES; i++) {
		uint64_t ticks[2], deviation;
		VkResult r = vk->fn.GetCalibratedTimestampsEXT(vk->device, 2, clocks, ticks,
							       &deviation);

		if (r != VK_SUCCESS)
			return joule_vk_fail(vk, r, "calibrating its clock");
		if (deviation > best)
			continue;
		best = deviation;
		*device_ns = joule_vk_ticks_ns(vk, ticks[0]);
		*host_ns = ticks[1];
	}
	*deviation_ns = best;
	return 0;
}
