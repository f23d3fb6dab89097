// SPDX-License-Identifier: MIT
/*
 * Weights in files beside the model. The file names come from the model, so
 * they must not lead out of its folder: a model from elsewhere could otherwise
 * read /etc/shadow, or a device, as "weights" and show them in its output.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mapped_file.h"
#include "onnx/build.h"

static int refuse(const struct joule_import *imp, const struct joule_onnx_tensor_proto *t,
		  const char *location, const char *why)
{
	return joule_err(imp->log, -EACCES, "%s: tensor %.*s: external file %.200s %s", imp->path,
			 JOULE_TEXT_ARG(t->name), location, why);
}

/* No absolute path, no ".." part. What symbolic links make of it is seen later. */
static bool stays_below(const char *location)
{
	const char *p = location;

	if (*p == '/')
		return false;
	while (p) {
		if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || !p[2]))
			return false;
		p = strchr(p, '/');
		p = p ? p + 1 : NULL;
	}
	return true;
}

/* Opens location below the folder, symbolic links resolved and looked at. */
static int open_below(struct joule_import *imp, const struct joule_onnx_tensor_proto *t,
		      const char *location, struct joule_mapped_file **out)
{
	char *folder = realpath(imp->folder, NULL), *real = NULL;
	size_t len = folder ? strlen(folder) : 0;
	const char *path;
	int ret;

	path = joule_arena_printf(&imp->scratch, "%s/%s", folder ? folder : "", location);
	if (!path) {
		ret = joule_err_nomem(imp->log, location);
		goto out;
	}
	real = folder ? realpath(path, NULL) : NULL;
	if (!real) {
		ret = joule_err(imp->log, -errno, "%s: tensor %.*s: external file %.200s: %s",
				imp->path, JOULE_TEXT_ARG(t->name), location, strerror(errno));
		goto out;
	}
	/* "/" as the folder already ends in the slash that must follow. */
	if (strncmp(real, folder, len) || (len > 1 && real[len] != '/'))
		ret = refuse(imp, t, location, "is a link out of the model's folder");
	else
		ret = joule_mapped_file_open(imp->log, real, out);
out:
	free(real);
	free(folder);
	return ret;
}

static int get_file(struct joule_import *imp, const struct joule_onnx_tensor_proto *t,
		    const char *location, struct joule_mapped_file **out)
{
	struct joule_mapped_file *file;
	int ret;

	*out = joule_strmap_get(&imp->files, location);
	if (*out)
		return 0;
	if (!imp->folder)
		return refuse(imp, t, location, "cannot be read for a model in memory");
	if (!stays_below(location))
		return refuse(imp, t, location, "lies outside of the model's folder");
	ret = open_below(imp, t, location, &file);
	if (ret)
		return ret;
	ret = joule_graph_hold_file(imp->root, file);
	joule_mapped_file_unref(file);
	if (ret)
		return ret;
	if (joule_strmap_set(&imp->files, location, file))
		return joule_err_nomem(imp->log, location);
	*out = file;
	return 0;
}

int joule_import_external(struct joule_import *imp, const struct joule_onnx_tensor_proto *t,
			  size_t bytes, const uint8_t **data)
{
	struct joule_mapped_file *file;
	char *location;
	int ret;

	if (!t->location.len || memchr(t->location.s, 0, t->location.len))
		return joule_err(imp->log, -EINVAL, "%s: tensor %.*s: external data without a file",
				 imp->path, JOULE_TEXT_ARG(t->name));
	location = joule_arena_strndup(&imp->scratch, t->location.s, t->location.len);
	if (!location)
		return joule_err_nomem(imp->log, "external data");
	if (t->length >= 0 && (uint64_t)t->length != bytes)
		return joule_err(imp->log, -EINVAL,
				 "%s: tensor %.*s: %lld bytes of external data, %zu needed",
				 imp->path, JOULE_TEXT_ARG(t->name), (long long)t->length, bytes);
	ret = get_file(imp, t, location, &file);
	if (ret)
		return ret;
	if ((uint64_t)t->offset > file->size || bytes > file->size - (uint64_t)t->offset)
		return joule_err(imp->log, -EINVAL,
				 "%s: tensor %.*s: %zu bytes at %lld lie outside of %s (%zu bytes)",
				 imp->path, JOULE_TEXT_ARG(t->name), bytes, (long long)t->offset,
				 file->path, file->size);
	*data = file->data ? file->data + t->offset : (const uint8_t *)"";
	return 0;
}
