// SPDX-License-Identifier: MIT
/*
 * The next step on the way to a plan: operators' shape inference on whatever
 * the importer let through, constants folded by the reference.
 */
#include <errno.h>
#include <stdlib.h>

#include "ir/graph.h"
#include "onnx/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format_only(void *user, enum joule_log_level level, const char *msg)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct joule_log log = { format_only, NULL, JOULE_LOG_DEBUG };
	struct joule_graph *g;

	if (joule_onnx_load_memory(&log, "fuzz", NULL, data, size, &g))
		return 0;
	if (!joule_graph_infer(g, 0) && joule_graph_verify(g))
		abort();
	joule_graph_destroy(g);
	return 0;
}
