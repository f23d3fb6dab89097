/* SPDX-License-Identifier: MIT */
/*
 * A file that appears whole or not at all: written under another name beside
 * it, flushed to disk, then renamed. What was there before stays until then.
 */
#ifndef JOULE_BASE_ATOMIC_FILE_H
#define JOULE_BASE_ATOMIC_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <joule/log.h>

struct joule_atomic_file {
	const struct joule_log *log;
	char *path, *temporary;
	unsigned char *buf;
	size_t used;
	int64_t bytes; /* written so far */
	int fd;
	int err; /* the first error, logged; everything after it is a no-op */
};

/* Errors: -errno, logged with the path; then there is nothing to clean up. */
int joule_atomic_file_open(const struct joule_log *log, const char *path,
			   struct joule_atomic_file *f);

void joule_atomic_file_write(struct joule_atomic_file *f, const void *data, size_t len);

/* Zeroes up to the next multiple of align. */
void joule_atomic_file_align(struct joule_atomic_file *f, size_t align);

/* Everything written is on disk, still under the other name. */
int joule_atomic_file_sync(struct joule_atomic_file *f);

/*
 * Takes the file's place. Returns the first error of all calls on f (-ENOSPC
 * for a full disk), after which nothing new is left behind. f is finished.
 */
int joule_atomic_file_commit(struct joule_atomic_file *f);

/* Gives up; f is finished. Fine after a failed open and after commit. */
void joule_atomic_file_abort(struct joule_atomic_file *f);

#endif
