/* SPDX-License-Identifier: MIT */
/*
 * A model: a checked graph with its weights, read once, shared by sessions.
 * Immutable after loading, so any number of threads may use it.
 */
#ifndef JOULE_MODEL_H
#define JOULE_MODEL_H

#include <stdio.h>

#include <joule/context.h>

#ifdef __cplusplus
extern "C" {
#endif

struct joule_model;

/*
 * Reads an ONNX file. Weights stay in the mapped file, which must not change
 * while the model lives. Errors: those of opening the file; -EINVAL for a
 * damaged or inconsistent file, -ENOTSUP for an operator, type or version
 * that joule does not have; the log names file, node and tensor.
 */
int joule_model_load(struct joule_context *context, const char *path, struct joule_model **out);

/* The same from memory, which is read during the call only. name is for messages. */
int joule_model_load_memory(struct joule_context *context, const char *name, const void *data,
			    size_t bytes, struct joule_model **out);
void joule_model_destroy(struct joule_model *model);

/* An input or output as the file declares it; -1 for dynamic dimensions. */
struct joule_value_info {
	const char *name; /* valid as long as the model */
	enum joule_dtype dtype;
	struct joule_shape shape;
};

int joule_model_inputs(const struct joule_model *model);
int joule_model_outputs(const struct joule_model *model);

/* -ERANGE if there is no such input or output. */
int joule_model_input(const struct joule_model *model, int i, struct joule_value_info *out);
int joule_model_output(const struct joule_model *model, int i, struct joule_value_info *out);

/* A metadata_props entry, or NULL. Valid as long as the model. */
const char *joule_model_metadata(const struct joule_model *model, const char *key);

/* The graph as text, a node a line. */
void joule_model_dump(const struct joule_model *model, FILE *to);

#ifdef __cplusplus
}
#endif

#endif
