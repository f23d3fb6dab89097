/* SPDX-License-Identifier: MIT */
/* Valid models that several tests use. The caller finishes the buffer. */
#ifndef TESTS_ONNX_SMALL_MODELS_H
#define TESTS_ONNX_SMALL_MODELS_H

#include "model_writer.h"

/* A graph with input x and output y, both f32[2,3]; open until model_end(). */
void write_frame(struct joule_wire_buf *b, int64_t opset, size_t *graph);

/* If within If, capturing a node's output and a constant through two levels. */
void write_nested_if(struct joule_wire_buf *b);

/* Functions that call functions, with attributes passed on and defaults. */
void write_functions(struct joule_wire_buf *b);

/* Attributes of several kinds, typed data, metadata, a weight in weights.bin. */
void write_mixture(struct joule_wire_buf *b);

#endif
