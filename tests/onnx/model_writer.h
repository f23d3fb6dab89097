/* SPDX-License-Identifier: MIT */
/*
 * Small ONNX models, good and bad, written field by field. Operand lists are
 * comma-separated; an empty entry is an omitted operand.
 */
#ifndef TESTS_ONNX_MODEL_WRITER_H
#define TESTS_ONNX_MODEL_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "onnx/wire.h"

/* ONNX's numbers. */
enum { T_FLOAT = 1, T_UINT8 = 2, T_INT8 = 3, T_INT32 = 6, T_INT64 = 7, T_STRING = 8, T_BOOL = 9,
       T_FLOAT16 = 10, T_DOUBLE = 11, T_UINT64 = 13, T_INT4 = 22, T_FLOAT8 = 17 };

struct dims {
	int n;
	int64_t d[10];
};

#define DIMS(...) \
	((struct dims){ sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), { __VA_ARGS__ } })
#define SCALAR ((struct dims){ 0, { 0 } })

void w_int(struct joule_wire_buf *b, uint32_t field, int64_t v);
void w_str(struct joule_wire_buf *b, uint32_t field, const char *s);

/* ir_version and opset_import, then the graph is open until model_end(). */
void model_begin(struct joule_wire_buf *b, int ir, int64_t opset, size_t *graph);
void model_end(struct joule_wire_buf *b, size_t graph);

/* For fields 11 (input) and 12 (output) of a graph. elem 0: no type at all. */
void w_value(struct joule_wire_buf *b, uint32_t field, const char *name, int elem, struct dims d);

/* A graph's input whose only dimension is called param. */
void w_symbolic_input(struct joule_wire_buf *b, const char *name, const char *param);

/* Node with its attributes between begin and end; name NULL: none. field: 1 in graphs, 7 in functions. */
size_t w_node_begin(struct joule_wire_buf *b, uint32_t field, const char *op, const char *in,
		    const char *out, const char *name);
void w_node(struct joule_wire_buf *b, const char *op, const char *in, const char *out,
	    const char *name);

void w_attr_int(struct joule_wire_buf *b, const char *name, int64_t v);
void w_attr_float(struct joule_wire_buf *b, const char *name, float v);
void w_attr_str(struct joule_wire_buf *b, const char *name, const char *v);
void w_attr_ints(struct joule_wire_buf *b, const char *name, struct dims v);
void w_attr_ref(struct joule_wire_buf *b, const char *name, const char *ref, int type);

/* An attribute that is a tensor or graph, filled in before joule_wire_end() of both marks. */
size_t w_attr_begin(struct joule_wire_buf *b, uint32_t field, const char *name, int type);

/* TensorProto with raw_data under that field number (5: initializer, 5: attribute's t). */
void w_tensor(struct joule_wire_buf *b, uint32_t field, const char *name, int type, struct dims d,
	      const void *raw, size_t len);

/* TensorProto whose data is in another file. offset, length NULL: not given. */
void w_external(struct joule_wire_buf *b, const char *name, int type, struct dims d,
		const char *location, const char *offset, const char *length);

#endif
