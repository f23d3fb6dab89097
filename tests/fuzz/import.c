// SPDX-License-Identifier: MIT
/*
 * Any bytes as a model: refused, or a graph that verifies, can be printed,
 * copied and, its shapes inferred, folded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ir/dump.h"
#include "ir/graph.h"
#include "onnx/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format_only(void *user, enum joule_log_level level, const char *msg)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct joule_log log = { format_only, NULL, JOULE_LOG_DEBUG };
	static FILE *null;
	struct joule_graph *g, *copy;

	if (!null)
		null = fopen("/dev/null", "w");
	if (joule_onnx_load_memory(&log, "fuzz", NULL, data, size, &g))
		return 0;
	if (joule_graph_verify(g))
		abort();
	joule_graph_dump(g, null);
	if (!joule_graph_clone(g, &copy)) {
		if (joule_graph_verify(copy))
			abort();
		joule_graph_destroy(copy);
	}
	joule_graph_destroy(g);
	return 0;
}
