/* SPDX-License-Identifier: MIT */
/*
 * TensorProto straight from the wire: its description first, its elements on
 * demand, so that large payloads are never copied through a message object.
 */
#ifndef JOULE_ONNX_TENSOR_PROTO_H
#define JOULE_ONNX_TENSOR_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <joule/log.h>
#include <joule/types.h>

/* Text in the file, not NUL-terminated. */
struct joule_onnx_text {
	const char *s;
	size_t len;
};

/* For "%.*s": long names are cut in messages. */
#define JOULE_TEXT_ARG(t) (int)((t).len < 200 ? (t).len : 200), (t).len ? (t).s : ""

struct joule_onnx_tensor_proto {
	struct joule_onnx_text name;
	int32_t data_type; /* ONNX's number */
	enum joule_dtype dtype;
	struct joule_shape shape;
	bool has_raw;
	const uint8_t *raw;
	size_t raw_len;
	uint32_t typed;      /* number of the *_data field in use, 0 = none */
	uint64_t n_typed;    /* values in it */
	bool external;
	struct joule_onnx_text location; /* of the external file */
	int64_t offset, length; /* length -1: not given */
	const uint8_t *body; /* the whole message */
	size_t body_len;
};

/* ONNX's element type as joule's; NONE for those joule does not store. */
enum joule_dtype joule_onnx_dtype(int32_t data_type);

/* ONNX's number for a type; 0 for NONE. */
int32_t joule_onnx_data_type(enum joule_dtype dtype);

/* "FLOAT8E4M3FN"; "unknown type" for numbers that ONNX does not define. */
const char *joule_onnx_data_type_name(int32_t data_type);

/*
 * Reads the description; *out points into body. Types, dimensions and the
 * amount of data are checked. file: for messages, name too, for a tensor that
 * has none of its own. Errors: -EBADMSG not the wire format, -ENOTSUP a type or
 * rank joule does not handle, -EINVAL the rest.
 */
int joule_onnx_tensor_proto_read(const struct joule_log *log, const char *file, const char *name,
				 const uint8_t *body, size_t len,
				 struct joule_onnx_tensor_proto *out);

/* Writes the elements to dst, joule_array_bytes() long. Not for external data. */
int joule_onnx_tensor_proto_fill(const struct joule_onnx_tensor_proto *t, void *dst);

/* Whether every byte is 0 or 1, as joule's bool wants it. */
bool joule_onnx_bools_clean(const uint8_t *p, size_t n);

#endif
