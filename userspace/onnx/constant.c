// SPDX-License-Identifier: MIT
/* Values: initializers, tensor attributes and Constant nodes. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mapped_file.h"
#include "onnx/build.h"

/* From this size on, a copied weight's own pages are given back. */
#define FORGET_MIN_BYTES (128 << 10)

/* Whether elements at p can be read as they are: byte order and alignment. */
static bool usable_in_place(enum joule_dtype dtype, const uint8_t *p, size_t bytes)
{
	size_t width = joule_dtype_bits(dtype) / 8;

	if (!bytes || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return false;
	if (dtype == JOULE_BOOL)
		return joule_onnx_bools_clean(p, bytes);
	return width < 2 || (uintptr_t)p % width == 0;
}

/* Elements as they are in the file, or NULL when they have to be converted or copied. */
static int find_in_place(struct joule_import *imp, struct joule_onnx_tensor_proto *t,
			 const void **out)
{
	size_t bytes = (size_t)joule_array_bytes(t->dtype, &t->shape);
	bool mapped = t->external || imp->file;
	int ret;

	*out = NULL;
	if (t->external) {
		ret = joule_import_external(imp, t, bytes, &t->raw);
		if (ret)
			return ret;
		t->external = false;
		t->has_raw = true;
		t->raw_len = bytes;
	}
	if (mapped && t->has_raw && t->raw_len == bytes && usable_in_place(t->dtype, t->raw, bytes))
		*out = t->raw;
	return 0;
}

/*
 * Values that need a copy are copied once, into the model's own graph, however
 * many inlined calls and bodies use them.
 */
static int set_value(struct joule_import *imp, struct joule_onnx_tensor_proto *t,
		     struct joule_onnx_place *place, struct joule_tensor *out)
{
	int64_t bytes = joule_array_bytes(t->dtype, &t->shape);
	bool mapped = t->external || imp->file;
	void *copy;
	int ret;

	out->dtype = t->dtype;
	out->shape = t->shape;
	if (!place->value) {
		ret = find_in_place(imp, t, &place->value);
		if (ret)
			return ret;
	}
	if (!place->value) {
		copy = joule_arena_alloc(&imp->root->arena, (size_t)bytes);
		if (!copy)
			return joule_err(imp->log, -ENOMEM,
					 "%s: no memory for %lld bytes of tensor %.200s",
					 imp->path, (long long)bytes, out->name);
		joule_onnx_tensor_proto_fill(t, copy);
		if (mapped && t->has_raw && t->raw_len >= FORGET_MIN_BYTES)
			joule_mapped_file_forget(t->raw, t->raw_len);
		place->value = copy;
	}
	/* Constants are never written to. */
	out->data = (void *)(uintptr_t)place->value;
	return 0;
}

/* The tensor behind a skeleton's number. */
static int read_proto(struct joule_import *imp, const Onnx__TensorProto *proto, const char *name,
		      struct joule_onnx_tensor_proto *out, struct joule_onnx_place **place)
{
	int64_t i = -EBADMSG;

	*place = NULL;
	if (proto->has_raw_data)
		i = joule_onnx_tensor_number(&imp->skeleton, proto->raw_data.data,
					     proto->raw_data.len);
	if (i < 0)
		return joule_err(imp->log, -EBADMSG, "%s: a tensor without a place in the file",
				 imp->path);
	*place = &imp->skeleton.tensors[i];
	return joule_onnx_tensor_proto_read(imp->log, imp->path, name,
					    imp->data + (*place)->offset, (*place)->len, out);
}

int joule_import_tensor(struct joule_import_scope *scope, const Onnx__TensorProto *proto,
			const char *name, struct joule_tensor **out)
{
	struct joule_onnx_tensor_proto t;
	struct joule_onnx_place *place;
	int ret;

	ret = read_proto(scope->imp, proto, name, &t, &place);
	if (!ret)
		ret = joule_import_add_const(scope, name, false, out);
	return ret ? ret : set_value(scope->imp, &t, place, *out);
}

int joule_import_initializer(struct joule_import_scope *scope, const Onnx__TensorProto *proto)
{
	struct joule_import *imp = scope->imp;
	struct joule_onnx_tensor_proto t;
	struct joule_onnx_place *place;
	struct joule_tensor *out;
	const char *name;
	int ret;

	ret = read_proto(imp, proto, "", &t, &place);
	if (ret)
		return ret;
	if (!t.name.len || memchr(t.name.s, 0, t.name.len))
		return joule_err(imp->log, -EINVAL, "%s: an initializer has no proper name",
				 imp->path);
	name = joule_arena_strndup(&imp->scratch, t.name.s, t.name.len);
	if (!name)
		return joule_err_nomem(imp->log, "initializer");
	ret = joule_import_add_const(scope, name, true, &out);
	return ret ? ret : set_value(imp, &t, place, out);
}

int joule_import_refuse_sparse(struct joule_import *imp, const Onnx__SparseTensorProto *proto)
{
	struct joule_onnx_tensor_proto t = { 0 };
	struct joule_onnx_place *place;
	int ret = proto->values ? read_proto(imp, proto->values, "", &t, &place) : 0;

	if (ret)
		return ret;
	return joule_err(imp->log, -ENOTSUP, "%s: tensor %.*s is sparse, which is not supported",
			 imp->path, JOULE_TEXT_ARG(t.name));
}

bool joule_import_is_constant(const Onnx__NodeProto *proto)
{
	return proto->op_type && !strcmp(proto->op_type, "Constant") &&
	       !*joule_import_domain(proto->domain);
}

/* ---- Constant nodes ---- */

static int set_list(struct joule_import_scope *scope, struct joule_tensor *t,
		    enum joule_dtype dtype, int rank, size_t n, const void *values)
{
	size_t bytes = n * joule_dtype_bits(dtype) / 8;
	int ret = joule_import_charge(scope, bytes);

	if (ret)
		return ret;
	t->dtype = dtype;
	t->shape.rank = rank;
	t->shape.dims[0] = rank ? (int64_t)n : 0;
	t->data = joule_arena_dup(&scope->g->graph->arena, values, bytes);
	return t->data ? 0 : joule_err_nomem(scope->imp->log, t->name);
}

static int set_constant(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
			const Onnx__AttributeProto *v, const char *attr, struct joule_tensor *t)
{
	struct joule_import *imp = scope->imp;
	int type = (int)joule_import_attr_type(v), ret;
	struct joule_onnx_tensor_proto p;
	struct joule_onnx_place *place;

	if (!strcmp(attr, "value") && type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR && v->t) {
		ret = read_proto(imp, v->t, t->name, &p, &place);
		return ret ? ret : set_value(imp, &p, place, t);
	}
	if (!strcmp(attr, "value_float") && type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT)
		return set_list(scope, t, JOULE_F32, 0, 1, &v->f);
	if (!strcmp(attr, "value_floats") && type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS)
		return set_list(scope, t, JOULE_F32, 1, v->n_floats, v->floats);
	if (!strcmp(attr, "value_int") && type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT)
		return set_list(scope, t, JOULE_I64, 0, 1, &v->i);
	if (!strcmp(attr, "value_ints") && type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS)
		return set_list(scope, t, JOULE_I64, 1, v->n_ints, v->ints);
	return joule_err(imp->log, -ENOTSUP, "%s: node %.200s (Constant): %.200s is not supported",
			 imp->path, proto->name && *proto->name ? proto->name : proto->output[0],
			 attr);
}

int joule_import_constant(struct joule_import_scope *scope, const Onnx__NodeProto *proto)
{
	const Onnx__AttributeProto *v = NULL;
	struct joule_import *imp = scope->imp;
	struct joule_tensor *t;
	int ret;

	if (proto->n_output != 1 || !*proto->output[0] || proto->n_input ||
	    proto->n_attribute != 1)
		return joule_err(imp->log, -EINVAL,
				 "%s: node %.200s (Constant): not one output and one value",
				 imp->path, proto->name ? proto->name : "");
	ret = joule_import_attr_value(scope, proto, proto->attribute[0], &v);
	if (ret)
		return ret;
	if (!v)
		return joule_err(imp->log, -EINVAL, "%s: node %.200s (Constant): has no value",
				 imp->path, proto->name ? proto->name : "");
	ret = joule_import_add_const(scope, proto->output[0], true, &t);
	return ret ? ret : set_constant(scope, proto, v, proto->attribute[0]->name, t);
}
