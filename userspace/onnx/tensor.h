/* SPDX-License-Identifier: MIT */
/* Single tensors in files: the .pb (TensorProto) of ONNX's test data. */
#ifndef JOULE_ONNX_TENSOR_H
#define JOULE_ONNX_TENSOR_H

#include <joule/log.h>
#include <joule/types.h>

struct joule_onnx_tensor {
	char *name; /* never NULL, empty when the file has none */
	struct joule_view view; /* data is malloc'ed, at least one byte */
};

/*
 * Reads a .pb file. On success joule_onnx_tensor_finish() frees what out
 * holds; after an error there is nothing to free. Errors as of
 * joule_onnx_tensor_proto_read(); external data is refused (-ENOTSUP).
 */
int joule_onnx_read_tensor(const struct joule_log *log, const char *path,
			   struct joule_onnx_tensor *out);
void joule_onnx_tensor_finish(struct joule_onnx_tensor *tensor);

#endif
