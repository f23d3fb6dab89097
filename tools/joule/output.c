// SPDX-License-Identifier: MIT
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

int output_open(const char *path, struct output *out)
{
	struct stat st;
	bool in_place = !stat(path, &st) && !S_ISREG(st.st_mode);

	*out = (struct output){ .path = path };
	if (!in_place && asprintf(&out->part, "%s.part", path) < 0) {
		out->part = NULL;
		tool_error("%s: out of memory", path);
		return TOOL_NO_MEMORY;
	}
	out->file = fopen(in_place ? path : out->part, "we");
	if (out->file)
		return 0;
	tool_error("%s: %s", path, strerror(errno));
	free(out->part);
	return TOOL_IO;
}

int output_close(struct output *out, int ret)
{
	int err = 0;

	if (!ret && (fflush(out->file) || ferror(out->file)))
		err = errno ? errno : EIO;
	if (fclose(out->file) && !err)
		err = errno;
	if (!ret && !err && out->part && rename(out->part, out->path))
		err = errno;
	if (!ret && err) {
		tool_error("%s: %s", out->path, strerror(err));
		ret = TOOL_IO;
	}
	if (ret && out->part)
		unlink(out->part);
	free(out->part);
	return ret;
}
