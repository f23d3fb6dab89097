// SPDX-License-Identifier: MIT
#include "onnx/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Far above real models (a hundred thousand nodes), far below what hurts. */
#define MAX_FIELDS (16u << 20)
#define MAX_MESSAGES (4u << 20)
#define MAX_SKELETON_BYTES (256u << 20)

#define RAW_DATA 9 /* TensorProto's field that holds the table number */

enum message {
	MODEL,
	GRAPH,
	NODE,
	ATTRIBUTE,
	VALUE_INFO,
	TYPE,
	TENSOR_TYPE,
	SHAPE,
	DIMENSION,
	OPSET,
	ENTRY,
	FUNCTION,
	SPARSE,
	N_MESSAGES
};

enum kind {
	VARINT,
	FLOAT,
	STRING,  /* text: no NUL inside */
	BYTES,
	VARINTS, /* repeated, packed or not */
	FLOATS,
	MESSAGE,
	TENSOR,
	PRESENT, /* a message whose contents do not matter */
};

struct rule {
	uint16_t number;
	uint16_t as; /* number in the skeleton, 0 = the same */
	uint8_t kind;
	uint8_t message; /* enum message, for MESSAGE */
	bool repeated;
};

/* Fields that are not listed are left out of the skeleton. */
static const struct rule model_rules[] = {
	{ 1, 0, VARINT, 0, false },	 /* ir_version */
	{ 2, 0, STRING, 0, false },	 /* producer_name */
	{ 3, 0, STRING, 0, false },	 /* producer_version */
	{ 4, 0, STRING, 0, false },	 /* domain */
	{ 5, 0, VARINT, 0, false },	 /* model_version */
	{ 7, 0, MESSAGE, GRAPH, false }, /* graph */
	{ 8, 0, MESSAGE, OPSET, true },	 /* opset_import */
	{ 14, 0, MESSAGE, ENTRY, true }, /* metadata_props */
	{ 25, 0, MESSAGE, FUNCTION, true },
	{ 0 },
};
static const struct rule graph_rules[] = {
	{ 1, 0, MESSAGE, NODE, true },
	{ 2, 0, STRING, 0, false },	       /* name */
	{ 5, 0, TENSOR, 0, true },	       /* initializer */
	{ 11, 0, MESSAGE, VALUE_INFO, true },  /* input */
	{ 12, 0, MESSAGE, VALUE_INFO, true },  /* output */
	{ 15, 0, MESSAGE, SPARSE, true },      /* sparse_initializer */
	{ 0 },
};
static const struct rule node_rules[] = {
	{ 1, 0, STRING, 0, true },  /* input */
	{ 2, 0, STRING, 0, true },  /* output */
	{ 3, 0, STRING, 0, false }, /* name */
	{ 4, 0, STRING, 0, false }, /* op_type */
	{ 5, 0, MESSAGE, ATTRIBUTE, true },
	{ 7, 0, STRING, 0, false }, /* domain */
	{ 8, JOULE_ONNX_NODE_OVERLOAD, STRING, 0, false },
	{ 0 },
};
static const struct rule attribute_rules[] = {
	{ 1, 0, STRING, 0, false }, /* name */
	{ 2, 0, FLOAT, 0, false },
	{ 3, 0, VARINT, 0, false },
	{ 4, 0, BYTES, 0, false },
	{ 5, 0, TENSOR, 0, false },
	{ 6, 0, MESSAGE, GRAPH, false },
	{ 7, 0, FLOATS, 0, true },
	{ 8, 0, VARINTS, 0, true },
	{ 9, 0, BYTES, 0, true }, /* strings */
	{ 10, 0, TENSOR, 0, true },
	{ 11, 0, MESSAGE, GRAPH, true },
	{ 14, 0, PRESENT, 0, false }, /* tp */
	{ 20, 0, VARINT, 0, false },  /* type */
	{ 21, 0, STRING, 0, false },  /* ref_attr_name */
	{ 22, 0, MESSAGE, SPARSE, false },
	{ 0 },
};
static const struct rule value_info_rules[] = {
	{ 1, 0, STRING, 0, false }, /* name */
	{ 2, 0, MESSAGE, TYPE, false },
	{ 0 },
};
static const struct rule type_rules[] = {
	{ 1, 0, MESSAGE, TENSOR_TYPE, false },
	{ 4, 0, PRESENT, 0, false }, /* sequence_type */
	{ 5, 0, PRESENT, 0, false }, /* map_type */
	{ 8, 0, PRESENT, 0, false }, /* sparse_tensor_type */
	{ 9, 0, PRESENT, 0, false }, /* optional_type */
	{ 0 },
};
static const struct rule tensor_type_rules[] = {
	{ 1, 0, VARINT, 0, false }, /* elem_type */
	{ 2, 0, MESSAGE, SHAPE, false },
	{ 0 },
};
static const struct rule shape_rules[] = {
	{ 1, 0, MESSAGE, DIMENSION, true },
	{ 0 },
};
static const struct rule dimension_rules[] = {
	{ 1, 0, VARINT, 0, false }, /* dim_value */
	{ 2, 0, STRING, 0, false }, /* dim_param */
	{ 0 },
};
static const struct rule opset_rules[] = {
	{ 1, 0, STRING, 0, false }, /* domain */
	{ 2, 0, VARINT, 0, false }, /* version */
	{ 0 },
};
static const struct rule entry_rules[] = {
	{ 1, 0, STRING, 0, false }, /* key */
	{ 2, 0, STRING, 0, false }, /* value */
	{ 0 },
};
static const struct rule function_rules[] = {
	{ 1, 0, STRING, 0, false }, /* name */
	{ 4, 0, STRING, 0, true },  /* input */
	{ 5, 0, STRING, 0, true },  /* output */
	{ 6, 0, STRING, 0, true },  /* attribute */
	{ 7, 0, MESSAGE, NODE, true },
	{ 9, 0, MESSAGE, OPSET, true },
	{ 10, 0, STRING, 0, false }, /* domain */
	{ 11, JOULE_ONNX_FUNCTION_ATTRIBUTE, MESSAGE, ATTRIBUTE, true },
	{ 13, JOULE_ONNX_FUNCTION_OVERLOAD, STRING, 0, false },
	{ 0 },
};
static const struct rule sparse_rules[] = {
	{ 1, 0, TENSOR, 0, false }, /* values, which carry the name */
	{ 0 },
};

static const struct {
	const char *name;
	const struct rule *rules;
	bool one_of; /* at most one of the fields may be there */
} messages[N_MESSAGES] = {
	[MODEL] = { "ModelProto", model_rules, false },
	[GRAPH] = { "GraphProto", graph_rules, false },
	[NODE] = { "NodeProto", node_rules, false },
	[ATTRIBUTE] = { "AttributeProto", attribute_rules, false },
	[VALUE_INFO] = { "ValueInfoProto", value_info_rules, false },
	[TYPE] = { "TypeProto", type_rules, true },
	[TENSOR_TYPE] = { "TypeProto.Tensor", tensor_type_rules, false },
	[SHAPE] = { "TensorShapeProto", shape_rules, false },
	[DIMENSION] = { "Dimension", dimension_rules, true },
	[OPSET] = { "OperatorSetIdProto", opset_rules, false },
	[ENTRY] = { "StringStringEntryProto", entry_rules, false },
	[FUNCTION] = { "FunctionProto", function_rules, false },
	[SPARSE] = { "SparseTensorProto", sparse_rules, false },
};

struct scan {
	const struct joule_log *log;
	const char *file;
	const uint8_t *base;
	struct joule_onnx_skeleton *out;
	uint32_t n_fields, n_messages;
	int depth;
};

static int malformed(const struct scan *s, enum message m, const uint8_t *at)
{
	return joule_err(s->log, -EBADMSG, "%s: not an ONNX model: bad %s at byte %zu", s->file,
			 messages[m].name, (size_t)(at - s->base));
}

static int add_tensor(struct scan *s, const struct joule_wire_field *f, uint32_t number)
{
	struct joule_onnx_skeleton *out = s->out;
	uint32_t index = (uint32_t)out->n_tensors;
	size_t mark;

	if (out->n_tensors == out->cap_tensors) {
		size_t cap = out->cap_tensors ? out->cap_tensors * 2 : 256;
		struct joule_onnx_place *list = realloc(out->tensors, cap * sizeof(*list));

		if (!list)
			return joule_err_nomem(s->log, s->file);
		out->tensors = list;
		out->cap_tensors = cap;
	}
	out->tensors[out->n_tensors++] =
		(struct joule_onnx_place){ (size_t)(f->data - s->base), f->len, NULL };
	mark = joule_wire_begin(&out->model, number);
	joule_wire_put_bytes(&out->model, RAW_DATA, &index, sizeof(index));
	joule_wire_end(&out->model, mark);
	return 0;
}

static bool right_type(enum kind kind, const struct joule_wire_field *f)
{
	switch (kind) {
	case VARINT:
		return f->type == JOULE_WIRE_VARINT;
	case FLOAT:
		return f->type == JOULE_WIRE_I32;
	case VARINTS:
		return f->type == JOULE_WIRE_VARINT ||
		       (f->type == JOULE_WIRE_BYTES &&
			joule_wire_count_varints(f->data, f->len) >= 0);
	case FLOATS:
		return f->type == JOULE_WIRE_I32 ||
		       (f->type == JOULE_WIRE_BYTES && f->len % 4 == 0);
	case STRING:
		return f->type == JOULE_WIRE_BYTES && (!f->len || !memchr(f->data, 0, f->len));
	default:
		return f->type == JOULE_WIRE_BYTES;
	}
}

static int scan_message(struct scan *s, enum message m, struct joule_wire w);

static int scan_field(struct scan *s, enum message m, const struct rule *rule,
		      const struct joule_wire_field *f)
{
	struct joule_wire_buf *buf = &s->out->model;
	uint32_t number = rule->as ? rule->as : rule->number;
	size_t mark;
	int ret;

	if (!right_type((enum kind)rule->kind, f))
		return malformed(s, m, f->start);
	switch (rule->kind) {
	case TENSOR:
		s->n_messages++;
		return add_tensor(s, f, number);
	case PRESENT:
		s->n_messages++;
		joule_wire_put_bytes(buf, number, NULL, 0);
		return 0;
	case MESSAGE:
		if (++s->depth > JOULE_ONNX_MAX_DEPTH)
			return joule_err(s->log, -E2BIG, "%s: nested more than %d messages deep",
					 s->file, JOULE_ONNX_MAX_DEPTH);
		mark = joule_wire_begin(buf, number);
		ret = scan_message(s, (enum message)rule->message, joule_wire_body(f));
		joule_wire_end(buf, mark);
		s->depth--;
		return ret;
	default:
		joule_wire_put_tag(buf, number, f->type);
		if (f->type == JOULE_WIRE_BYTES)
			joule_wire_put_varint(buf, f->len);
		joule_wire_put(buf, f->data, f->len);
		return 0;
	}
}

static int scan_message(struct scan *s, enum message m, struct joule_wire w)
{
	const struct rule *rules = messages[m].rules;
	struct joule_wire_field f;
	uint32_t seen = 0;
	int ret;

	s->n_messages++;
	while ((ret = joule_wire_next(&w, &f)) > 0) {
		uint32_t i = 0;

		while (rules[i].number && rules[i].number != f.number)
			i++;
		if (!rules[i].number)
			continue;
		/*
		 * A second value would replace or be merged into the first one,
		 * says protobuf; no writer does that, and one case less is one
		 * place less to hide something in.
		 */
		if (!rules[i].repeated && (messages[m].one_of ? seen : seen & 1u << i))
			return malformed(s, m, f.start);
		seen |= 1u << i;
		if (++s->n_fields > MAX_FIELDS || s->n_messages > MAX_MESSAGES)
			return joule_err(s->log, -E2BIG, "%s: too many parts", s->file);
		ret = scan_field(s, m, &rules[i], &f);
		if (ret)
			return ret;
	}
	return ret ? malformed(s, m, w.at) : 0;
}

int joule_onnx_scan(const struct joule_log *log, const char *file, const uint8_t *data,
		    size_t size, struct joule_onnx_skeleton *out)
{
	struct scan s = { .log = log, .file = file, .base = data, .out = out };
	int ret;

	memset(out, 0, sizeof(*out));
	joule_wire_buf_init(&out->model, MAX_SKELETON_BYTES);
	if (!size)
		return joule_err(log, -EBADMSG, "%s: is empty", file);
	ret = scan_message(&s, MODEL, (struct joule_wire){ data, data + size });
	if (ret)
		return ret;
	if (out->model.err == -ENOMEM)
		return joule_err_nomem(log, file);
	if (out->model.err)
		return joule_err(log, -E2BIG, "%s: more than %u MB without weights", file,
				 MAX_SKELETON_BYTES >> 20);
	return 0;
}

void joule_onnx_skeleton_finish(struct joule_onnx_skeleton *skeleton)
{
	joule_wire_buf_finish(&skeleton->model);
	free(skeleton->tensors);
	memset(skeleton, 0, sizeof(*skeleton));
}

int64_t joule_onnx_tensor_number(const struct joule_onnx_skeleton *skeleton, const uint8_t *raw,
				 size_t len)
{
	uint32_t index;

	if (len != sizeof(index))
		return -EBADMSG;
	memcpy(&index, raw, sizeof(index));
	return index < skeleton->n_tensors ? (int64_t)index : -EBADMSG;
}
