/* SPDX-License-Identifier: MIT */
/*
 * The protobuf wire format, one level at a time: reading fields of a message
 * without copying, and writing messages into a growing buffer. Every length is
 * checked; nothing recurses here.
 */
#ifndef JOULE_ONNX_WIRE_H
#define JOULE_ONNX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum joule_wire_type {
	JOULE_WIRE_VARINT = 0,
	JOULE_WIRE_I64 = 1,
	JOULE_WIRE_BYTES = 2,
	JOULE_WIRE_I32 = 5,
};

/* What is left of a message's body. */
struct joule_wire {
	const uint8_t *at, *end;
};

/* One field. data and len: the payload in the file, whatever the type. */
struct joule_wire_field {
	uint32_t number;
	enum joule_wire_type type;
	uint64_t value; /* of a varint or fixed-size field */
	const uint8_t *data;
	size_t len;
	const uint8_t *start; /* of the tag */
};

/* False, with w unchanged, when the bytes end or the varint is over-long. */
bool joule_wire_varint(struct joule_wire *w, uint64_t *value);

/* 1 for a field, 0 at the end, -EBADMSG for anything that is not the wire format. */
int joule_wire_next(struct joule_wire *w, struct joule_wire_field *field);

/* Varints in a packed field, or -1 when its last one is cut off or one is over-long. */
int64_t joule_wire_count_varints(const uint8_t *data, size_t len);

static inline struct joule_wire joule_wire_body(const struct joule_wire_field *field)
{
	return (struct joule_wire){ field->data, field->data + field->len };
}

/*
 * A growing message. After a failure (no memory, or more than limit bytes) err
 * is set, everything else is a no-op, and data is still to be freed.
 */
struct joule_wire_buf {
	uint8_t *data;
	size_t n, cap, limit;
	int err;
};

void joule_wire_buf_init(struct joule_wire_buf *buf, size_t limit);
void joule_wire_buf_finish(struct joule_wire_buf *buf);

void joule_wire_put(struct joule_wire_buf *buf, const void *data, size_t len);
void joule_wire_put_varint(struct joule_wire_buf *buf, uint64_t value);
void joule_wire_put_tag(struct joule_wire_buf *buf, uint32_t number, enum joule_wire_type type);
void joule_wire_put_bytes(struct joule_wire_buf *buf, uint32_t number, const void *data,
			  size_t len);

/*
 * A nested message whose length is known only afterwards: begin() reserves a
 * five-byte length (protobuf readers take over-long varints), end() fills it in.
 */
size_t joule_wire_begin(struct joule_wire_buf *buf, uint32_t number);
void joule_wire_end(struct joule_wire_buf *buf, size_t mark);

#endif
