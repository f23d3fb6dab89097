/* SPDX-License-Identifier: MIT */
/* The SPIR-V modules built into the library, sorted by name (generated). */
#ifndef JOULE_HAL_SHADER_TABLE_H
#define JOULE_HAL_SHADER_TABLE_H

#include <stdint.h>

struct joule_shader {
	const char *name;
	const uint32_t *spirv;
	uint32_t bytes;
};

extern const struct joule_shader joule_shaders[];
extern const int joule_shader_count;

/* NULL if there is no such variant. */
const struct joule_shader *joule_shader_find(const char *name);

#endif
