// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <joule/tensor_file.h>

#include "onnx/tensor.h"
#include "runtime/objects.h"

int joule_tensor_file_read(struct joule_context *context, const char *path, struct joule_view *out)
{
	struct joule_onnx_tensor tensor;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = joule_onnx_read_tensor(&context->log, path, &tensor);
	if (ret)
		return ret;
	*out = tensor.view;
	free(tensor.name);
	return 0;
}

void joule_view_free(struct joule_view *view)
{
	if (!view)
		return;
	free(view->data);
	memset(view, 0, sizeof(*view));
}
