// SPDX-License-Identifier: MIT
#include "base/strmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* FNV-1a (Fowler, Noll, Vo), its offset basis replaced by a random seed. */
static uint64_t hash(const struct joule_strmap *map, const char *key)
{
	uint64_t h = map->seed;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3ull;
	return h ^ h >> 29;
}

void joule_strmap_init(struct joule_strmap *map)
{
	memset(map, 0, sizeof(*map));
	/* A missing random source only costs the protection, not correctness. */
	if (getrandom(&map->seed, sizeof(map->seed), GRND_NONBLOCK) != sizeof(map->seed))
		map->seed = (uint64_t)(uintptr_t)map * 0x9e3779b97f4a7c15ull;
}

void joule_strmap_finish(struct joule_strmap *map)
{
	free(map->slots);
	memset(map, 0, sizeof(*map));
}

static struct joule_strmap_slot *find(const struct joule_strmap *map, const char *key)
{
	size_t i = hash(map, key) & (map->cap - 1);

	while (map->slots[i].key && strcmp(map->slots[i].key, key))
		i = (i + 1) & (map->cap - 1);
	return &map->slots[i];
}

void *joule_strmap_get(const struct joule_strmap *map, const char *key)
{
	return map->cap ? find(map, key)->value : NULL;
}

static int grow(struct joule_strmap *map)
{
	struct joule_strmap old = *map;

	map->cap = old.cap ? old.cap * 2 : 64;
	map->slots = calloc(map->cap, sizeof(*map->slots));
	if (!map->slots) {
		*map = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].key)
			*find(map, old.slots[i].key) = old.slots[i];
	free(old.slots);
	return 0;
}

int joule_strmap_set(struct joule_strmap *map, const char *key, void *value)
{
	struct joule_strmap_slot *slot;

	if ((map->n + 1) * 4 > map->cap * 3 && grow(map))
		return -ENOMEM;
	slot = find(map, key);
	map->n += !slot->key;
	slot->key = key;
	slot->value = value;
	return 0;
}
