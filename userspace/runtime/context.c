// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/objects.h"

#ifndef JOULE_VERSION
#define JOULE_VERSION "0.1.0"
#endif

const char *joule_version(void)
{
	return JOULE_VERSION;
}

/* The XDG base directory specification's place for caches. NULL: nowhere. */
static char *default_cache_dir(void)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *dir = NULL;

	if (base && *base == '/') {
		if (asprintf(&dir, "%s/joule", base) < 0)
			return NULL;
	} else if (home && *home) {
		if (asprintf(&dir, "%s/.cache/joule", home) < 0)
			return NULL;
	}
	return dir;
}

int joule_context_create(const struct joule_context_params *params, struct joule_context **out)
{
	struct joule_context *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return -ENOMEM;
	atomic_init(&c->refs, 1);
	if (params) {
		c->log = params->log;
		c->validation = params->validation;
	}
	if (!params || !params->no_cache) {
		c->cache_dir = params && params->cache_dir ? strdup(params->cache_dir) :
							     default_cache_dir();
		if (!c->cache_dir && params && params->cache_dir) {
			joule_context_destroy(c);
			return -ENOMEM;
		}
	}
	*out = c;
	return 0;
}

struct joule_context *joule_context_ref(struct joule_context *context)
{
	atomic_fetch_add(&context->refs, 1);
	return context;
}

void joule_context_destroy(struct joule_context *context)
{
	if (!context || atomic_fetch_sub(&context->refs, 1) > 1)
		return;
	free(context->cache_dir);
	free(context);
}
