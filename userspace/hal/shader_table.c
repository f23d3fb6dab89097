// SPDX-License-Identifier: MIT
#include "hal/shader_table.h"

#include <stdbool.h>
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

struct reader {
	const unsigned char *at, *end;
	bool bad;
};

/* Seven bits a byte, low ones first; the high bit says that more follow. */
static uint32_t get(struct reader *r)
{
	uint32_t v = 0;

	for (unsigned int shift = 0; shift < 35; shift += 7) {
		unsigned char byte;

		if (r->at == r->end)
			break;
		byte = *r->at++;
		v |= (uint32_t)(byte & 127) << shift;
		if (byte < 128)
			return v;
	}
	r->bad = true;
	return 0;
}

uint32_t *joule_shader_unpack(const struct joule_shader *shader)
{
	struct reader r = { .at = shader->packed, .end = shader->packed + shader->packed_bytes };
	uint32_t n = shader->bytes / 4, next = 5;
	uint32_t *words = malloc(shader->bytes ? shader->bytes : 4);

	for (uint32_t i = 0; words && i < n; i++) {
		words[i] = get(&r);
		if (i != next)
			continue;
		uint32_t length = get(&r);

		words[i] |= length << 16;
		r.bad |= !length;
		next += length;
	}
	if (words && (r.bad || r.at != r.end)) {
		free(words);
		return NULL;
	}
	return words;
}
