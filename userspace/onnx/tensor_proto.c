// SPDX-License-Identifier: MIT
#include "onnx/tensor_proto.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/access.h"
#include "onnx/wire.h"

/* Field numbers of TensorProto. */
enum {
	F_DIMS = 1,
	F_DATA_TYPE = 2,
	F_SEGMENT = 3,
	F_FLOAT_DATA = 4,
	F_INT32_DATA = 5,
	F_STRING_DATA = 6,
	F_INT64_DATA = 7,
	F_NAME = 8,
	F_RAW_DATA = 9,
	F_DOUBLE_DATA = 10,
	F_UINT64_DATA = 11,
	F_EXTERNAL_DATA = 13,
	F_DATA_LOCATION = 14,
};

static const struct {
	const char *name;
	enum joule_dtype dtype;
	uint32_t typed; /* the *_data field its elements may come in */
} types[] = {
	[0] = { "UNDEFINED", JOULE_DTYPE_NONE, 0 },
	[1] = { "FLOAT", JOULE_F32, F_FLOAT_DATA },
	[2] = { "UINT8", JOULE_U8, F_INT32_DATA },
	[3] = { "INT8", JOULE_I8, F_INT32_DATA },
	[4] = { "UINT16", JOULE_U16, F_INT32_DATA },
	[5] = { "INT16", JOULE_I16, F_INT32_DATA },
	[6] = { "INT32", JOULE_I32, F_INT32_DATA },
	[7] = { "INT64", JOULE_I64, F_INT64_DATA },
	[8] = { "STRING", JOULE_DTYPE_NONE, F_STRING_DATA },
	[9] = { "BOOL", JOULE_BOOL, F_INT32_DATA },
	[10] = { "FLOAT16", JOULE_F16, F_INT32_DATA },
	[11] = { "DOUBLE", JOULE_F64, F_DOUBLE_DATA },
	[12] = { "UINT32", JOULE_U32, F_UINT64_DATA },
	[13] = { "UINT64", JOULE_U64, F_UINT64_DATA },
	[14] = { "COMPLEX64", JOULE_DTYPE_NONE, F_FLOAT_DATA },
	[15] = { "COMPLEX128", JOULE_DTYPE_NONE, F_DOUBLE_DATA },
	[16] = { "BFLOAT16", JOULE_BF16, F_INT32_DATA },
	[17] = { "FLOAT8E4M3FN", JOULE_DTYPE_NONE, F_INT32_DATA },
	[18] = { "FLOAT8E4M3FNUZ", JOULE_DTYPE_NONE, F_INT32_DATA },
	[19] = { "FLOAT8E5M2", JOULE_DTYPE_NONE, F_INT32_DATA },
	[20] = { "FLOAT8E5M2FNUZ", JOULE_DTYPE_NONE, F_INT32_DATA },
	[21] = { "UINT4", JOULE_U4, F_INT32_DATA },
	[22] = { "INT4", JOULE_I4, F_INT32_DATA },
	[23] = { "FLOAT4E2M1", JOULE_DTYPE_NONE, F_INT32_DATA },
	[24] = { "FLOAT8E8M0", JOULE_DTYPE_NONE, F_INT32_DATA },
	[25] = { "UINT2", JOULE_DTYPE_NONE, F_INT32_DATA },
	[26] = { "INT2", JOULE_DTYPE_NONE, F_INT32_DATA },
};

static bool known(int32_t data_type)
{
	return data_type >= 0 && (size_t)data_type < JOULE_ARRAY_LEN(types);
}

enum joule_dtype joule_onnx_dtype(int32_t data_type)
{
	return known(data_type) ? types[data_type].dtype : JOULE_DTYPE_NONE;
}

int32_t joule_onnx_data_type(enum joule_dtype dtype)
{
	for (size_t i = 1; i < JOULE_ARRAY_LEN(types); i++)
		if (dtype && types[i].dtype == dtype)
			return (int32_t)i;
	return 0;
}

const char *joule_onnx_data_type_name(int32_t data_type)
{
	return known(data_type) ? types[data_type].name : "unknown type";
}

struct reader {
	const struct joule_log *log;
	const char *file;
	struct joule_onnx_text name;
	struct joule_onnx_tensor_proto *t;
	bool many_dims;
};

static int malformed(const struct reader *r)
{
	return joule_err(r->log, -EBADMSG, "%s: tensor %.*s: malformed protobuf", r->file,
			 JOULE_TEXT_ARG(r->name));
}

static void add_dim(struct reader *r, uint64_t value)
{
	struct joule_shape *s = &r->t->shape;

	if (s->rank == JOULE_MAX_RANK)
		r->many_dims = true;
	else
		s->dims[s->rank++] = (int64_t)value;
}

static int read_dims(struct reader *r, const struct joule_wire_field *f)
{
	struct joule_wire w = joule_wire_body(f);
	uint64_t v;

	if (f->type == JOULE_WIRE_VARINT) {
		add_dim(r, f->value);
		return 0;
	}
	if (f->type != JOULE_WIRE_BYTES)
		return malformed(r);
	while (w.at < w.end) {
		if (!joule_wire_varint(&w, &v))
			return malformed(r);
		add_dim(r, v);
	}
	return 0;
}

/* Bytes of one value in a *_data field, 0 for varints. */
static size_t typed_width(uint32_t number)
{
	return number == F_FLOAT_DATA ? 4 : number == F_DOUBLE_DATA ? 8 : 0;
}

/* Packed or not, in one field or in many: the values are counted here and read by fill(). */
static int read_typed(struct reader *r, const struct joule_wire_field *f)
{
	size_t width = typed_width(f->number);
	int64_t n = 1;

	if (f->type == JOULE_WIRE_BYTES) {
		if (width && f->len % width)
			return malformed(r);
		n = width ? (int64_t)(f->len / width) : joule_wire_count_varints(f->data, f->len);
		if (n < 0)
			return malformed(r);
		if (!n) /* written by some exporters for empty lists */
			return 0;
	} else if (f->type != (width == 4 ? JOULE_WIRE_I32 :
			       width == 8 ? JOULE_WIRE_I64 :
					    JOULE_WIRE_VARINT)) {
		return malformed(r);
	}
	if (r->t->typed && r->t->typed != f->number)
		return joule_err(r->log, -EINVAL, "%s: tensor %.*s: data in two typed fields",
				 r->file, JOULE_TEXT_ARG(r->name));
	r->t->typed = f->number;
	r->t->n_typed += (uint64_t)n;
	return 0;
}

static bool text_is(struct joule_onnx_text t, const char *s)
{
	return t.len == strlen(s) && !memcmp(t.s, s, t.len);
}

/* A decimal number and nothing else. */
static bool parse_size(struct joule_onnx_text t, int64_t *out)
{
	int64_t v = 0;

	if (!t.len)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.s[i] < '0' || t.s[i] > '9' || !joule_mul_i64(v, 10, &v) ||
		    !joule_add_i64(v, t.s[i] - '0', &v))
			return false;
	}
	*out = v;
	return true;
}

/* A StringStringEntryProto; keys other than these three are only hints. */
static int read_external(struct reader *r, const struct joule_wire_field *f)
{
	struct joule_onnx_text key = { "", 0 }, value = { "", 0 };
	struct joule_wire w = joule_wire_body(f);
	struct joule_wire_field e;
	int ret;

	if (f->type != JOULE_WIRE_BYTES)
		return malformed(r);
	while ((ret = joule_wire_next(&w, &e)) > 0) {
		if (e.type == JOULE_WIRE_BYTES && e.number == 1)
			key = (struct joule_onnx_text){ (const char *)e.data, e.len };
		if (e.type == JOULE_WIRE_BYTES && e.number == 2)
			value = (struct joule_onnx_text){ (const char *)e.data, e.len };
	}
	if (ret)
		return malformed(r);
	if (text_is(key, "location"))
		r->t->location = value;
	if ((text_is(key, "offset") && !parse_size(value, &r->t->offset)) ||
	    (text_is(key, "length") && !parse_size(value, &r->t->length)))
		return joule_err(r->log, -EINVAL, "%s: tensor %.*s: external data %.*s is no number",
				 r->file, JOULE_TEXT_ARG(r->name), JOULE_TEXT_ARG(key));
	return 0;
}

static int read_field(struct reader *r, const struct joule_wire_field *f)
{
	struct joule_onnx_tensor_proto *t = r->t;

	switch (f->number) {
	case F_DIMS:
		return read_dims(r, f);
	case F_DATA_TYPE:
		if (f->type != JOULE_WIRE_VARINT)
			return malformed(r);
		t->data_type = (int32_t)f->value;
		return 0;
	case F_SEGMENT:
		return joule_err(r->log, -ENOTSUP, "%s: tensor %.*s: is stored in segments",
				 r->file, JOULE_TEXT_ARG(r->name));
	case F_FLOAT_DATA:
	case F_INT32_DATA:
	case F_INT64_DATA:
	case F_DOUBLE_DATA:
	case F_UINT64_DATA:
		return read_typed(r, f);
	case F_RAW_DATA:
		if (f->type != JOULE_WIRE_BYTES)
			return malformed(r);
		t->has_raw = true;
		t->raw = f->data;
		t->raw_len = f->len;
		return 0;
	case F_EXTERNAL_DATA:
		return read_external(r, f);
	case F_DATA_LOCATION:
		if (f->type != JOULE_WIRE_VARINT)
			return malformed(r);
		t->external = f->value == 1;
		return 0;
	default:
		return 0;
	}
}

/* Values expected in the typed field: 4-bit elements come two to a value. */
static uint64_t typed_values(const struct joule_onnx_tensor_proto *t, int64_t count)
{
	return joule_dtype_bits(t->dtype) == 4 ? (uint64_t)(count / 2 + count % 2) :
						 (uint64_t)count;
}

static int check(const struct reader *r)
{
	const struct joule_onnx_tensor_proto *t = r->t;
	int64_t count, bytes;
	char buf[200];

	if (r->many_dims)
		return joule_err(r->log, -ENOTSUP, "%s: tensor %.*s: more than %d dimensions",
				 r->file, JOULE_TEXT_ARG(r->name), JOULE_MAX_RANK);
	if (!t->dtype)
		return joule_err(r->log, -ENOTSUP,
				 "%s: tensor %.*s: element type %s (%d) is not supported", r->file,
				 JOULE_TEXT_ARG(r->name), joule_onnx_data_type_name(t->data_type),
				 t->data_type);
	joule_shape_str(&t->shape, buf, sizeof(buf));
	count = joule_shape_count(&t->shape);
	bytes = joule_array_bytes(t->dtype, &t->shape);
	if (bytes < 0 || !joule_shape_plausible(&t->shape))
		return joule_err(r->log, -EINVAL, "%s: tensor %.*s: impossible shape %s", r->file,
				 JOULE_TEXT_ARG(r->name), buf);
	if (t->external)
		return 0;
	if (t->has_raw && (t->raw_len || !t->typed)) {
		if (t->raw_len != (uint64_t)bytes)
			return joule_err(r->log, -EINVAL,
					 "%s: tensor %.*s: %zu bytes of data for %s%s, %lld needed",
					 r->file, JOULE_TEXT_ARG(r->name), t->raw_len,
					 joule_dtype_name(t->dtype), buf, (long long)bytes);
		return 0;
	}
	if (count && t->typed != types[t->data_type].typed)
		return joule_err(r->log, -EINVAL, "%s: tensor %.*s: %s for %s%s", r->file,
				 JOULE_TEXT_ARG(r->name),
				 t->typed ? "data in a field of another type" : "no data",
				 joule_dtype_name(t->dtype), buf);
	if (t->n_typed != typed_values(t, count))
		return joule_err(r->log, -EINVAL, "%s: tensor %.*s: %llu values for %s%s", r->file,
				 JOULE_TEXT_ARG(r->name), (unsigned long long)t->n_typed,
				 joule_dtype_name(t->dtype), buf);
	return 0;
}

int joule_onnx_tensor_proto_read(const struct joule_log *log, const char *file,
				 const char *name, const uint8_t *body, size_t len,
				 struct joule_onnx_tensor_proto *out)
{
	struct reader r = { .log = log, .file = file, .name = { name, strlen(name) }, .t = out };
	struct joule_wire w = { body, body + len };
	struct joule_wire_field f;
	int ret;

	memset(out, 0, sizeof(*out));
	out->length = -1;
	out->body = body;
	out->body_len = len;
	/* The name first, since it may come after what an error is about. */
	while ((ret = joule_wire_next(&w, &f)) > 0)
		if (f.number == F_NAME && f.type == JOULE_WIRE_BYTES)
			out->name = (struct joule_onnx_text){ (const char *)f.data, f.len };
	if (out->name.len)
		r.name = out->name;
	if (ret)
		return malformed(&r);
	w = (struct joule_wire){ body, body + len };
	while (joule_wire_next(&w, &f) > 0) {
		ret = read_field(&r, &f);
		if (ret)
			return ret;
	}
	out->dtype = joule_onnx_dtype(out->data_type);
	return check(&r);
}

static void put_value(const struct joule_onnx_tensor_proto *t, void *dst, size_t i, uint64_t v)
{
	size_t width = joule_dtype_bits(t->dtype) == 4 ? 1 : joule_dtype_bits(t->dtype) / 8;
	uint8_t *p = (uint8_t *)dst + i * width;

	if (t->dtype == JOULE_BOOL)
		v = v != 0;
	switch (width) {
	case 1:
		*p = (uint8_t)v;
		break;
	case 2:
		memcpy(p, &(uint16_t){ (uint16_t)v }, 2);
		break;
	case 4:
		memcpy(p, &(uint32_t){ (uint32_t)v }, 4);
		break;
	default:
		memcpy(p, &v, 8);
		break;
	}
}

/* Fixed-size values, byte order of the file: little. */
static uint64_t load_fixed(const uint8_t *p, size_t width)
{
	uint64_t v = 0;

	for (size_t i = 0; i < width; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void fill_typed(const struct joule_onnx_tensor_proto *t, void *dst)
{
	struct joule_wire w = { t->body, t->body + t->body_len };
	size_t width = typed_width(t->typed), i = 0;
	struct joule_wire_field f;

	while (joule_wire_next(&w, &f) > 0) {
		struct joule_wire p = joule_wire_body(&f);
		uint64_t v;

		if (f.number != t->typed)
			continue;
		if (f.type != JOULE_WIRE_BYTES) {
			put_value(t, dst, i++, f.value);
			continue;
		}
		for (; width && p.at < p.end; p.at += width)
			put_value(t, dst, i++, load_fixed(p.at, width));
		while (!width && joule_wire_varint(&p, &v))
			put_value(t, dst, i++, v);
	}
}

static void fill_raw(const struct joule_onnx_tensor_proto *t, void *dst)
{
	size_t width = joule_dtype_bits(t->dtype) / 8;

	if (t->dtype == JOULE_BOOL) {
		for (size_t i = 0; i < t->raw_len; i++)
			((uint8_t *)dst)[i] = t->raw[i] != 0;
		return;
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	(void)width;
	if (t->raw_len)
		memcpy(dst, t->raw, t->raw_len);
#else
	width = width ? width : 1;
	for (size_t i = 0; i < t->raw_len / width; i++)
		put_value(t, dst, i, load_fixed(t->raw + i * width, width));
#endif
}

int joule_onnx_tensor_proto_fill(const struct joule_onnx_tensor_proto *t, void *dst)
{
	if (t->external)
		return -EINVAL;
	if (t->has_raw && (t->raw_len || !t->typed))
		fill_raw(t, dst);
	else
		fill_typed(t, dst);
	return 0;
}

bool joule_onnx_bools_clean(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any <= 1;
}
