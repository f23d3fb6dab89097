// SPDX-License-Identifier: MIT
#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define BUFFER_BYTES (64 * 1024)
#define MAX_TRIES 100

static int fail(struct joule_atomic_file *f, int err)
{
	if (!f->err)
		f->err = joule_err(f->log, -err, "%s: %s", f->path, strerror(err));
	return f->err;
}

/* mkstemp() would make the file unreadable for others: open() heeds the umask. */
static int create(struct joule_atomic_file *f)
{
	size_t size = strlen(f->path) + 32;

	f->temporary = malloc(size);
	if (!f->temporary)
		return fail(f, ENOMEM);
	for (int i = 0; i < MAX_TRIES; i++) {
		snprintf(f->temporary, size, "%s.%d-%d.tmp", f->path, (int)getpid(), i);
		f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (f->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return fail(f, errno);
}

static void finish(struct joule_atomic_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f->temporary);
	free(f->buf);
	memset(f, 0, sizeof(*f));
	f->fd = -1;
}

int joule_atomic_file_open(const struct joule_log *log, const char *path,
			   struct joule_atomic_file *f)
{
	int ret;

	memset(f, 0, sizeof(*f));
	f->log = log;
	f->fd = -1;
	f->path = strdup(path);
	f->buf = malloc(BUFFER_BYTES);
	if (f->path && f->buf)
		ret = create(f);
	else
		ret = joule_err_nomem(log, path);
	if (ret)
		finish(f);
	return ret;
}

static void write_out(struct joule_atomic_file *f, const unsigned char *data, size_t len)
{
	while (len && !f->err) {
		ssize_t n = write(f->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			fail(f, n ? errno : ENOSPC);
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

static void flush(struct joule_atomic_file *f)
{
	write_out(f, f->buf, f->used);
	f->used = 0;
}

void joule_atomic_file_write(struct joule_atomic_file *f, const void *data, size_t len)
{
	if (f->err || !len)
		return;
	f->bytes += (int64_t)len;
	if (len > BUFFER_BYTES - f->used)
		flush(f);
	if (len > BUFFER_BYTES) {
		write_out(f, data, len);
		return;
	}
	memcpy(f->buf + f->used, data, len);
	f->used += len;
}

void joule_atomic_file_align(struct joule_atomic_file *f, size_t align)
{
	static const unsigned char zero[512];
	size_t pad = (size_t)f->bytes % align;

	for (pad = pad ? align - pad : 0; pad;) {
		size_t n = pad < sizeof(zero) ? pad : sizeof(zero);

		joule_atomic_file_write(f, zero, n);
		pad -= n;
	}
}

int joule_atomic_file_sync(struct joule_atomic_file *f)
{
	flush(f);
	if (!f->err && fsync(f->fd))
		fail(f, errno);
	return f->err;
}

/* The new name must survive a power cut too. Some file systems cannot: no harm. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(dir);
}

int joule_atomic_file_commit(struct joule_atomic_file *f)
{
	int ret = joule_atomic_file_sync(f);

	/* Some errors of network file systems come with close() only. */
	if (!ret && close(f->fd))
		ret = fail(f, errno);
	else if (ret)
		close(f->fd);
	f->fd = -1;
	if (!ret && rename(f->temporary, f->path))
		ret = fail(f, errno);
	if (ret)
		unlink(f->temporary);
	else
		sync_folder(f->path);
	finish(f);
	return ret;
}

void joule_atomic_file_abort(struct joule_atomic_file *f)
{
	if (f->temporary)
		unlink(f->temporary);
	finish(f);
}
