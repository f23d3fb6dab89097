/* SPDX-License-Identifier: MIT */
/*
 * The first look at a model file. protobuf-c copies every byte and recurses as
 * deep as the file says, so it never sees the file: the scan walks it with
 * bounded depth and counts, and writes a skeleton, the same messages with
 * documentation dropped and each tensor replaced by its number in a table of
 * places in the file. Only the skeleton is unpacked.
 */
#ifndef JOULE_ONNX_SCAN_H
#define JOULE_ONNX_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include <joule/log.h>

#include "onnx/wire.h"

/* Deepest nesting of messages: a subgraph within a subgraph takes three levels. */
#define JOULE_ONNX_MAX_DEPTH 192

/*
 * Fields that Debian's onnx.proto does not know yet. They travel in the
 * skeleton under numbers that no schema uses, and are found again among the
 * unknown fields of the unpacked message.
 */
enum joule_onnx_extra_field {
	JOULE_ONNX_NODE_OVERLOAD = 1008,
	JOULE_ONNX_FUNCTION_ATTRIBUTE = 1011,
	JOULE_ONNX_FUNCTION_OVERLOAD = 1013,
};

/* Where a TensorProto's body is in the file. */
struct joule_onnx_place {
	size_t offset, len;
	const void *value; /* for the importer: its elements, once they are needed */
};

struct joule_onnx_skeleton {
	struct joule_wire_buf model; /* a ModelProto whose tensors hold table numbers */
	size_t n_tensors, cap_tensors;
	struct joule_onnx_place *tensors;
};

/*
 * Scans a ModelProto. file: for messages. Errors, logged: -EBADMSG not a
 * model, -E2BIG too deep or too many parts, -ENOMEM. finish() is needed after
 * success and failure alike.
 */
int joule_onnx_scan(const struct joule_log *log, const char *file, const uint8_t *data,
		    size_t size, struct joule_onnx_skeleton *out);
void joule_onnx_skeleton_finish(struct joule_onnx_skeleton *skeleton);

/* The table number in a skeleton tensor's raw_data, or -EBADMSG. */
int64_t joule_onnx_tensor_number(const struct joule_onnx_skeleton *skeleton, const uint8_t *raw,
				 size_t len);

#endif
