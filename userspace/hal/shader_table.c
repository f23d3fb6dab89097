// SPDX-License-Identifier: MIT
#include "hal/shader_table.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct joule_shader *)entry)->name);
}

const struct joule_shader *joule_shader_find(const char *name)
{
	return bsearch(name, joule_shaders, (size_t)joule_shader_count, sizeof(joule_shaders[0]),
		       by_name);
}
