// SPDX-License-Identifier: MIT
#include "ir/op.h"

#include <string.h>

const struct joule_op *joule_op_find(const char *domain, const char *name, int opset)
{
	const char *want = domain ? domain : "";

	if (!strcmp(want, "ai.onnx"))
		want = "";
	for (int i = 0; joule_op_lists[i]; i++)
		for (const struct joule_op *op = joule_op_lists[i]; op->name; op++)
			if (!strcmp(op->name, name) &&
			    !strcmp(op->domain ? op->domain : "", want) && opset >= op->since &&
			    (!op->until || opset <= op->until))
				return op;
	return NULL;
}
