/* SPDX-License-Identifier: MIT */
/* Tensors in files: the .pb (TensorProto) of ONNX's test data. */
#ifndef JOULE_TENSOR_FILE_H
#define JOULE_TENSOR_FILE_H

#include <joule/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reads one tensor. out->data belongs to the caller: joule_view_free(). Errors:
 * those of opening the file, -EINVAL for a damaged one, -ENOTSUP for element
 * types joule does not have.
 */
int joule_tensor_file_read(struct joule_context *context, const char *path,
			   struct joule_view *out);

/* Frees what a joule_..._read() put into the view and clears it. */
void joule_view_free(struct joule_view *view);

#ifdef __cplusplus
}
#endif

#endif
