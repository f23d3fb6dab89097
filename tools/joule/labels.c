// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

/* Cuts storage at each separator; the list grows with it. */
static int split(struct labels *l, char separator)
{
	int cap = 0;

	for (char *p = l->storage; p && *p;) {
		char *end = strchr(p, separator);

		if (l->n == cap) {
			char **fresh;

			cap = cap ? cap * 2 : 64;
			fresh = realloc(l->text, (size_t)cap * sizeof(*fresh));
			if (!fresh)
				return TOOL_NO_MEMORY;
			l->text = fresh;
		}
		if (end)
			*end = 0;
		p[strcspn(p, "\r")] = 0;
		l->text[l->n++] = p;
		p = end ? end + 1 : NULL;
	}
	return 0;
}

int labels_parse(const char *list, struct labels **out)
{
	struct labels *l = calloc(1, sizeof(*l));

	*out = NULL;
	if (l)
		l->storage = strdup(list);
	if (!l || !l->storage || split(l, ',')) {
		labels_destroy(l);
		return TOOL_NO_MEMORY;
	}
	*out = l;
	return 0;
}

int labels_load(const char *path, struct labels **out)
{
	struct labels *l;
	size_t cap = 0;
	FILE *f;
	int ret = 0;

	*out = NULL;
	if (!path)
		return 0;
	f = fopen(path, "re");
	if (!f) {
		tool_error("%s: %s", path, strerror(errno));
		return TOOL_IO;
	}
	l = calloc(1, sizeof(*l));
	/* NUL never occurs in a text file, so this reads all of it. */
	if (!l)
		ret = TOOL_NO_MEMORY;
	else if (getdelim(&l->storage, &cap, 0, f) < 0 && ferror(f))
		ret = TOOL_IO;
	else
		ret = split(l, '\n');
	fclose(f);
	if (ret) {
		tool_error("%s: cannot be read", path);
		labels_destroy(l);
		return ret;
	}
	*out = l;
	return 0;
}

void labels_destroy(struct labels *labels)
{
	if (!labels)
		return;
	free(labels->text);
	free(labels->storage);
	free(labels);
}

const char *labels_get(const struct labels *labels, int i)
{
	return labels && i >= 0 && i < labels->n ? labels->text[i] : NULL;
}
