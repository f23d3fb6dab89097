/* SPDX-License-Identifier: MIT */
/*
 * Names to pointers: open addressing, keyed hash so that a hostile file cannot
 * aim at one bucket. Keys are not copied and must outlive the map.
 */
#ifndef JOULE_BASE_STRMAP_H
#define JOULE_BASE_STRMAP_H

#include <stddef.h>
#include <stdint.h>

struct joule_strmap_slot {
	const char *key;
	void *value;
};

struct joule_strmap {
	struct joule_strmap_slot *slots;
	size_t n, cap;
	uint64_t seed;
};

void joule_strmap_init(struct joule_strmap *map);
void joule_strmap_finish(struct joule_strmap *map);

/* The value, or NULL. */
void *joule_strmap_get(const struct joule_strmap *map, const char *key);

/* Adds or replaces. -ENOMEM on failure. value must not be NULL. */
int joule_strmap_set(struct joule_strmap *map, const char *key, void *value);

#endif
