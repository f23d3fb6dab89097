/* SPDX-License-Identifier: MIT */
/*
 * ONNX files as graphs. Opsets 1 to 28 of the default domain and model-local
 * functions (inlined). A file may be hostile: whatever it holds, the result is
 * a graph that joule_graph_verify() accepts or an error logged in one line.
 */
#ifndef JOULE_ONNX_IMPORT_H
#define JOULE_ONNX_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <joule/log.h>
#include <joule/types.h>

struct joule_graph;
struct joule_tensor;

#define JOULE_ONNX_MIN_OPSET 1
#define JOULE_ONNX_MAX_OPSET 28

/*
 * Loads a model. Weights stay in the mapped file, which the graph keeps open,
 * where their alignment allows, and are copied into the graph otherwise. Only
 * graph inputs and constants have types and shapes; joule_graph_infer() does
 * the rest. External data must lie in the model's own folder. The files must
 * not be cut short while the graph lives.
 *
 * Errors, logged with the file and the node or tensor: -errno of open,
 * -EBADMSG not an ONNX model, -ENOTSUP valid but not for joule (operators,
 * types, opset: all missing operators in one message), -ELOOP a cycle, -E2BIG
 * too deep or too large, -ENOMEM, -EINVAL anything else that is wrong.
 */
int joule_onnx_load(const struct joule_log *log, const char *path, struct joule_graph **out);

/*
 * The same from memory, which may go away afterwards: everything is copied.
 * name: for messages. folder: where external data may lie, NULL for nowhere.
 */
int joule_onnx_load_memory(const struct joule_log *log, const char *name, const char *folder,
			   const void *data, size_t size, struct joule_graph **out);

/*
 * The name that the file gives to a dynamic dimension of a graph's input or
 * output ("batch"), or NULL.
 */
const char *joule_onnx_dim_name(const struct joule_graph *graph, const struct joule_tensor *t,
				int axis);

/* What the file declares a graph output to be; false if it says nothing. */
bool joule_onnx_declared_type(const struct joule_graph *graph, const struct joule_tensor *t,
			      enum joule_dtype *dtype, struct joule_shape *shape);

/* Metadata keys that joule adds itself start so; they are not written to files. */
#define JOULE_ONNX_OWN_METADATA "joule.file."

#endif
