// SPDX-License-Identifier: MIT
#include "onnx/tensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mapped_file.h"
#include "onnx/tensor_proto.h"

static int read_mapped(const struct joule_log *log, const struct joule_mapped_file *file,
		       struct joule_onnx_tensor *out)
{
	struct joule_onnx_tensor_proto t;
	int ret;

	/* An empty file is a valid TensorProto of no type, and mapped nowhere. */
	ret = joule_onnx_tensor_proto_read(log, file->path, "",
					   file->data ? file->data : (const uint8_t *)"",
					   file->size, &t);
	if (ret)
		return ret;
	if (t.external)
		return joule_err(log, -ENOTSUP, "%s: tensor %.*s: is in another file", file->path,
				 JOULE_TEXT_ARG(t.name));
	out->view.dtype = t.dtype;
	out->view.shape = t.shape;
	out->view.bytes = (size_t)joule_array_bytes(t.dtype, &t.shape);
	/* One byte at least, so that an empty tensor has data too. */
	out->view.data = calloc(1, out->view.bytes ? out->view.bytes : 1);
	out->name = strndup(t.name.len ? t.name.s : "", t.name.len);
	if (!out->view.data || !out->name) {
		joule_onnx_tensor_finish(out);
		return joule_err_nomem(log, file->path);
	}
	return joule_onnx_tensor_proto_fill(&t, out->view.data);
}

int joule_onnx_read_tensor(const struct joule_log *log, const char *path,
			   struct joule_onnx_tensor *out)
{
	struct joule_mapped_file *file;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = joule_mapped_file_open(log, path, &file);
	if (ret)
		return ret;
	ret = read_mapped(log, file, out);
	joule_mapped_file_unref(file);
	return ret;
}

void joule_onnx_tensor_finish(struct joule_onnx_tensor *tensor)
{
	free(tensor->name);
	free(tensor->view.data);
	memset(tensor, 0, sizeof(*tensor));
}
