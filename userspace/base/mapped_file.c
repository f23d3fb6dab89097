// SPDX-License-Identifier: MIT
#include "base/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/log.h"

static int map_fd(const struct joule_log *log, int fd, struct joule_mapped_file *f)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st))
		return joule_err(log, -errno, "%s: %s", f->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return joule_err(log, -EISDIR, "%s: is a directory", f->path);
	if (!S_ISREG(st.st_mode))
		return joule_err(log, -EINVAL, "%s: not a regular file", f->path);
	f->size = (size_t)st.st_size;
	if (!f->size)
		return 0;
	p = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return joule_err(log, -errno, "%s: cannot map %zu bytes: %s", f->path, f->size,
				 strerror(errno));
	f->data = p;
	return 0;
}

int joule_mapped_file_open(const struct joule_log *log, const char *path,
			   struct joule_mapped_file **out)
{
	struct joule_mapped_file *f;
	int fd, ret;

	*out = NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return joule_err_nomem(log, path);
	f->refs = 1;
	f->path = strdup(path);
	if (!f->path) {
		free(f);
		return joule_err_nomem(log, path);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		ret = joule_err(log, -errno, "%s: %s", path, strerror(errno));
	} else {
		ret = map_fd(log, fd, f);
		close(fd);
	}
	if (ret) {
		joule_mapped_file_unref(f);
		return ret;
	}
	*out = f;
	return 0;
}

void joule_mapped_file_forget(const void *data, size_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = JOULE_ALIGN_UP((uintptr_t)data, page);
	uintptr_t to = ((uintptr_t)data + len) / page * page;

	if (to > from)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

struct joule_mapped_file *joule_mapped_file_ref(struct joule_mapped_file *file)
{
	__atomic_add_fetch(&file->refs, 1, __ATOMIC_RELAXED);
	return file;
}

void joule_mapped_file_unref(struct joule_mapped_file *file)
{
	if (!file || __atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (file->data)
		munmap((void *)file->data, file->size);
	free(file->path);
	free(file);
}
