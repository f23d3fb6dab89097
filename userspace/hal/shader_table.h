/* SPDX-License-Identifier: MIT */
/*
 * The SPIR-V modules built into the library, sorted by name (generated). They
 * are stored packed (shaders/pack.c), which takes a third of the room.
 */
#ifndef JOULE_HAL_SHADER_TABLE_H
#define JOULE_HAL_SHADER_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct joule_shader {
	const char *name;
	const unsigned char *packed;
	uint32_t packed_bytes, bytes; /* bytes: of the module once unpacked */
};

extern const struct joule_shader joule_shaders[];
extern const int joule_shader_count;

/* NULL if there is no such variant. */
const struct joule_shader *joule_shader_find(const char *name);

/*
 * The module's words, shader->bytes long; free() them. NULL when out of memory
 * or when the packed form is damaged.
 */
uint32_t *joule_shader_unpack(const struct joule_shader *shader);

#endif
