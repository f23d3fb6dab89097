// SPDX-License-Identifier: MIT
#include "model_writer.h"

#include <string.h>

void w_int(struct joule_wire_buf *b, uint32_t field, int64_t v)
{
	joule_wire_put_tag(b, field, JOULE_WIRE_VARINT);
	joule_wire_put_varint(b, (uint64_t)v);
}

void w_str(struct joule_wire_buf *b, uint32_t field, const char *s)
{
	joule_wire_put_bytes(b, field, s, strlen(s));
}

void model_begin(struct joule_wire_buf *b, int ir, int64_t opset, size_t *graph)
{
	size_t mark;

	joule_wire_buf_init(b, SIZE_MAX / 2);
	w_int(b, 1, ir);
	if (opset) {
		mark = joule_wire_begin(b, 8);
		w_str(b, 1, "");
		w_int(b, 2, opset);
		joule_wire_end(b, mark);
	}
	*graph = joule_wire_begin(b, 7);
	w_str(b, 2, "test");
}

void model_end(struct joule_wire_buf *b, size_t graph)
{
	joule_wire_end(b, graph);
}

void w_value(struct joule_wire_buf *b, uint32_t field, const char *name, int elem, struct dims d)
{
	size_t value = joule_wire_begin(b, field), type, tensor, shape, dim;

	w_str(b, 1, name);
	if (elem) {
		type = joule_wire_begin(b, 2);
		tensor = joule_wire_begin(b, 1);
		w_int(b, 1, elem);
		shape = joule_wire_begin(b, 2);
		for (int i = 0; i < d.n; i++) {
			dim = joule_wire_begin(b, 1);
			w_int(b, 1, d.d[i]);
			joule_wire_end(b, dim);
		}
		joule_wire_end(b, shape);
		joule_wire_end(b, tensor);
		joule_wire_end(b, type);
	}
	joule_wire_end(b, value);
}

void w_symbolic_input(struct joule_wire_buf *b, const char *name, const char *param)
{
	size_t value = joule_wire_begin(b, 11), type, tensor, shape, dim;

	w_str(b, 1, name);
	type = joule_wire_begin(b, 2);
	tensor = joule_wire_begin(b, 1);
	w_int(b, 1, T_FLOAT);
	shape = joule_wire_begin(b, 2);
	dim = joule_wire_begin(b, 1);
	w_str(b, 2, param);
	joule_wire_end(b, dim);
	joule_wire_end(b, shape);
	joule_wire_end(b, tensor);
	joule_wire_end(b, type);
	joule_wire_end(b, value);
}

static void put_list(struct joule_wire_buf *b, uint32_t field, const char *list)
{
	const char *comma;

	if (!list)
		return;
	while ((comma = strchr(list, ','))) {
		joule_wire_put_bytes(b, field, list, (size_t)(comma - list));
		list = comma + 1;
	}
	w_str(b, field, list);
}

size_t w_node_begin(struct joule_wire_buf *b, uint32_t field, const char *op, const char *in,
		    const char *out, const char *name)
{
	size_t mark = joule_wire_begin(b, field);

	put_list(b, 1, in);
	put_list(b, 2, out);
	if (name)
		w_str(b, 3, name);
	w_str(b, 4, op);
	return mark;
}

void w_node(struct joule_wire_buf *b, const char *op, const char *in, const char *out,
	    const char *name)
{
	joule_wire_end(b, w_node_begin(b, 1, op, in, out, name));
}

size_t w_attr_begin(struct joule_wire_buf *b, uint32_t field, const char *name, int type)
{
	size_t mark = joule_wire_begin(b, field);

	w_str(b, 1, name);
	w_int(b, 20, type);
	return mark;
}

void w_attr_int(struct joule_wire_buf *b, const char *name, int64_t v)
{
	size_t mark = w_attr_begin(b, 5, name, 2);

	w_int(b, 3, v);
	joule_wire_end(b, mark);
}

void w_attr_float(struct joule_wire_buf *b, const char *name, float v)
{
	size_t mark = w_attr_begin(b, 5, name, 1);

	joule_wire_put_tag(b, 2, JOULE_WIRE_I32);
	joule_wire_put(b, &v, sizeof(v));
	joule_wire_end(b, mark);
}

void w_attr_str(struct joule_wire_buf *b, const char *name, const char *v)
{
	size_t mark = w_attr_begin(b, 5, name, 3);

	w_str(b, 4, v);
	joule_wire_end(b, mark);
}

void w_attr_ints(struct joule_wire_buf *b, const char *name, struct dims v)
{
	size_t mark = w_attr_begin(b, 5, name, 7);

	for (int i = 0; i < v.n; i++)
		w_int(b, 8, v.d[i]);
	joule_wire_end(b, mark);
}

void w_attr_ref(struct joule_wire_buf *b, const char *name, const char *ref, int type)
{
	size_t mark = w_attr_begin(b, 5, name, type);

	w_str(b, 21, ref);
	joule_wire_end(b, mark);
}

static void put_head(struct joule_wire_buf *b, const char *name, int type, struct dims d)
{
	for (int i = 0; i < d.n; i++)
		w_int(b, 1, d.d[i]);
	w_int(b, 2, type);
	if (name)
		w_str(b, 8, name);
}

void w_tensor(struct joule_wire_buf *b, uint32_t field, const char *name, int type, struct dims d,
	      const void *raw, size_t len)
{
	size_t mark = joule_wire_begin(b, field);

	put_head(b, name, type, d);
	joule_wire_put_bytes(b, 9, raw, len);
	joule_wire_end(b, mark);
}

static void put_entry(struct joule_wire_buf *b, const char *key, const char *value)
{
	size_t mark = joule_wire_begin(b, 13);

	w_str(b, 1, key);
	w_str(b, 2, value);
	joule_wire_end(b, mark);
}

void w_external(struct joule_wire_buf *b, const char *name, int type, struct dims d,
		const char *location, const char *offset, const char *length)
{
	size_t mark = joule_wire_begin(b, 5);

	put_head(b, name, type, d);
	w_int(b, 14, 1);
	put_entry(b, "location", location);
	if (offset)
		put_entry(b, "offset", offset);
	if (length)
		put_entry(b, "length", length);
	joule_wire_end(b, mark);
}
