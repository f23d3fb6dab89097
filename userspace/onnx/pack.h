/* SPDX-License-Identifier: MIT */
/*
 * What the exporter's files share: export.c (file level), pack.c (graphs and
 * nodes as messages), pack_attr.c (attributes).
 */
#ifndef JOULE_ONNX_PACK_H
#define JOULE_ONNX_PACK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/atomic_file.h"
#include "base/strmap.h"
#include "ir/graph.h"
#include "onnx.pb-c.h"

struct joule_export {
	const struct joule_log *log;
	const struct joule_graph *root;
	struct joule_arena scratch; /* the messages; names and values stay in the graph */
	struct joule_atomic_file *data; /* the second file, NULL: all in one */
	const char *data_name;
	struct joule_strmap domains; /* of operators other than ONNX's own */
};

/* A graph being packed. Names are unique along the chain of enclosing graphs. */
struct joule_export_graph {
	struct joule_export *ex;
	struct joule_export_graph *up;
	const struct joule_graph *graph;
	struct joule_strmap taken;
	const char **names; /* by tensor index */
};

int joule_export_graph(struct joule_export *ex, const struct joule_graph *graph,
		       struct joule_export_graph *up, Onnx__GraphProto **out);

/* name NULL: none is written. */
int joule_export_tensor(struct joule_export *ex, const struct joule_tensor *t, const char *name,
			Onnx__TensorProto **out);

int joule_export_attrs(struct joule_export_graph *g, const struct joule_node *node,
		       Onnx__NodeProto *out);

/* Scratch memory, logged when there is none. */
void *joule_export_alloc(struct joule_export *ex, size_t n, size_t size);

#endif
