/* SPDX-License-Identifier: MIT */
/*
 * A whole file mapped read-only, shared by reference count: weights stay in it
 * as offsets and pages are read when touched. Reference counting is atomic.
 */
#ifndef JOULE_BASE_MAPPED_FILE_H
#define JOULE_BASE_MAPPED_FILE_H

#include <stddef.h>

#include <joule/log.h>

struct joule_mapped_file {
	const unsigned char *data; /* NULL when size is 0 */
	size_t size;
	char *path;
	int refs;
};

/* Errors: -errno of open/fstat/mmap, -EISDIR, -ENOMEM; logged with the path. */
int joule_mapped_file_open(const struct joule_log *log, const char *path,
			   struct joule_mapped_file **out);
/*
 * Says that a part of a mapping (any address within, any length) will not be
 * needed soon: its whole pages no longer count as this process's memory.
 */
void joule_mapped_file_forget(const void *data, size_t len);

struct joule_mapped_file *joule_mapped_file_ref(struct joule_mapped_file *file);
void joule_mapped_file_unref(struct joule_mapped_file *file);

#endif
