// SPDX-License-Identifier: MIT
#include "onnx/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool joule_wire_varint(struct joule_wire *w, uint64_t *value)
{
	const uint8_t *p = w->at;
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 70; shift += 7) {
		if (p == w->end)
			return false;
		/* The tenth byte holds one bit only. */
		if (shift == 63 && *p > 1)
			return false;
		v |= (uint64_t)(*p & 0x7f) << shift;
		if (!(*p++ & 0x80)) {
			w->at = p;
			*value = v;
			return true;
		}
	}
	return false;
}

static uint64_t little_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

int joule_wire_next(struct joule_wire *w, struct joule_wire_field *field)
{
	uint64_t tag, len;

	if (w->at == w->end)
		return 0;
	field->start = w->at;
	if (!joule_wire_varint(w, &tag) || tag >> 3 == 0 || tag >> 3 >= 1u << 29)
		return -EBADMSG;
	field->number = (uint32_t)(tag >> 3);
	field->type = (enum joule_wire_type)(tag & 7);
	field->data = w->at;
	switch (field->type) {
	case JOULE_WIRE_VARINT:
		if (!joule_wire_varint(w, &field->value))
			return -EBADMSG;
		field->len = (size_t)(w->at - field->data);
		return 1;
	case JOULE_WIRE_I64:
	case JOULE_WIRE_I32:
		len = field->type == JOULE_WIRE_I64 ? 8 : 4;
		if ((size_t)(w->end - w->at) < len)
			return -EBADMSG;
		field->value = little_endian(w->at, (size_t)len);
		break;
	case JOULE_WIRE_BYTES:
		if (!joule_wire_varint(w, &len) || len > (size_t)(w->end - w->at))
			return -EBADMSG;
		field->value = 0;
		field->data = w->at;
		break;
	default: /* groups went out of use before ONNX began */
		return -EBADMSG;
	}
	field->len = (size_t)len;
	w->at += len;
	return 1;
}

int64_t joule_wire_count_varints(const uint8_t *data, size_t len)
{
	unsigned int run = 0;
	int64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (data[i] & 0x80) {
			if (++run >= 10)
				return -1;
		} else {
			run = 0;
			n++;
		}
	}
	return run ? -1 : n;
}

void joule_wire_buf_init(struct joule_wire_buf *buf, size_t limit)
{
	memset(buf, 0, sizeof(*buf));
	buf->limit = limit;
}

void joule_wire_buf_finish(struct joule_wire_buf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

static bool reserve(struct joule_wire_buf *buf, size_t len)
{
	size_t cap = buf->cap ? buf->cap : 4096;
	uint8_t *data;

	if (buf->err)
		return false;
	if (len > buf->limit - buf->n) {
		buf->err = -EFBIG;
		return false;
	}
	if (len <= buf->cap - buf->n)
		return true;
	while (cap - buf->n < len)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (!data) {
		buf->err = -ENOMEM;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void joule_wire_put(struct joule_wire_buf *buf, const void *data, size_t len)
{
	if (!len || !reserve(buf, len))
		return;
	memcpy(buf->data + buf->n, data, len);
	buf->n += len;
}

void joule_wire_put_varint(struct joule_wire_buf *buf, uint64_t value)
{
	uint8_t b[10];
	size_t n = 0;

	do {
		b[n] = (uint8_t)(value & 0x7f);
		value >>= 7;
		b[n++] |= value ? 0x80 : 0;
	} while (value);
	joule_wire_put(buf, b, n);
}

void joule_wire_put_tag(struct joule_wire_buf *buf, uint32_t number, enum joule_wire_type type)
{
	joule_wire_put_varint(buf, (uint64_t)number << 3 | type);
}

void joule_wire_put_bytes(struct joule_wire_buf *buf, uint32_t number, const void *data,
			  size_t len)
{
	joule_wire_put_tag(buf, number, JOULE_WIRE_BYTES);
	joule_wire_put_varint(buf, len);
	joule_wire_put(buf, data, len);
}

#define LENGTH_BYTES 5

size_t joule_wire_begin(struct joule_wire_buf *buf, uint32_t number)
{
	static const uint8_t room[LENGTH_BYTES];

	joule_wire_put_tag(buf, number, JOULE_WIRE_BYTES);
	joule_wire_put(buf, room, sizeof(room));
	return buf->n;
}

void joule_wire_end(struct joule_wire_buf *buf, size_t mark)
{
	size_t len;

	if (buf->err)
		return;
	len = buf->n - mark;
	for (size_t i = 0; i < LENGTH_BYTES; i++, len >>= 7)
		buf->data[mark - LENGTH_BYTES + i] =
			(uint8_t)((len & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}
