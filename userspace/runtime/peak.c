// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "runtime/objects.h"

int joule_device_measure_peak(struct joule_device *device, struct joule_device_peak *out)
{
	memset(out, 0, sizeof(*out));
	return joule_err(&device->context->log, -ENOTSUP, "%s: peak is not measured",
			 device->info.id);
}
