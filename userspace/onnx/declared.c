// SPDX-License-Identifier: MIT
/*
 * What a file declares of a graph's inputs and outputs and the graph itself
 * does not hold: names of dynamic dimensions, types of outputs (which inference
 * works out anew). Kept as metadata, for messages and for writing it back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "onnx/build.h"
#include "onnx/import.h"

#define DIM JOULE_ONNX_OWN_METADATA "dim."
#define TYPE JOULE_ONNX_OWN_METADATA "type."

int joule_import_add_metadata(struct joule_graph *g, const char *key, const char *value)
{
	const char **list;

	/* The list grows by doubling: it is full when n is a power of two. */
	if (!(g->n_metadata & (g->n_metadata - 1))) {
		list = joule_arena_array(&g->arena, (size_t)g->n_metadata * 2 + 2, sizeof(*list));
		if (!list)
			return joule_err_nomem(g->log, "metadata");
		if (g->n_metadata)
			memcpy(list, g->metadata, (size_t)g->n_metadata * sizeof(*list));
		g->metadata = list;
	}
	key = joule_arena_strdup(&g->arena, key);
	value = joule_arena_strdup(&g->arena, value);
	if (!key || !value)
		return joule_err_nomem(g->log, "metadata");
	g->metadata[g->n_metadata++] = key;
	g->metadata[g->n_metadata++] = value;
	return 0;
}

static const Onnx__TypeProto__Tensor *tensor_type(const Onnx__ValueInfoProto *v)
{
	if (!v->name || !v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
		return NULL;
	return v->type->tensor_type;
}

static int note_dims(struct joule_import_scope *scope, const Onnx__ValueInfoProto *v)
{
	const Onnx__TypeProto__Tensor *type = tensor_type(v);
	struct joule_import *imp = scope->imp;
	int ret = 0;

	for (size_t i = 0; !ret && type && type->shape && i < type->shape->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = type->shape->dim[i];
		const char *key;

		if (d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM ||
		    !*d->dim_param)
			continue;
		key = joule_arena_printf(&imp->scratch, DIM "%zu.%s", i, v->name);
		ret = key ? joule_import_add_metadata(scope->g->graph, key, d->dim_param) :
			    joule_err_nomem(imp->log, "metadata");
	}
	return ret;
}

/* "ELEM" or "ELEM,RANK,DIM,...", -1 for dimensions that are not numbers. */
static int note_type(struct joule_import_scope *scope, const Onnx__ValueInfoProto *v)
{
	const Onnx__TypeProto__Tensor *type = tensor_type(v);
	struct joule_arena *scratch = &scope->imp->scratch;
	char *key, *text;

	if (!type || !joule_onnx_dtype(type->elem_type) ||
	    (type->shape && type->shape->n_dim > JOULE_MAX_RANK))
		return 0;
	key = joule_arena_printf(scratch, TYPE "%s", v->name);
	text = joule_arena_printf(scratch, "%d", type->elem_type);
	if (text && type->shape)
		text = joule_arena_printf(scratch, "%s,%zu", text, type->shape->n_dim);
	for (size_t i = 0; text && type->shape && i < type->shape->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = type->shape->dim[i];
		bool known = d->value_case ==
			     ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;

		text = joule_arena_printf(scratch, "%s,%lld", text,
					  known ? (long long)d->dim_value : -1);
	}
	if (!key || !text)
		return joule_err_nomem(scope->imp->log, "metadata");
	return joule_import_add_metadata(scope->g->graph, key, text);
}

int joule_import_note_declared(struct joule_import_scope *scope, const Onnx__GraphProto *proto)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < proto->n_input; i++)
		ret = note_dims(scope, proto->input[i]);
	for (size_t i = 0; !ret && i < proto->n_output; i++) {
		ret = note_dims(scope, proto->output[i]);
		if (!ret)
			ret = note_type(scope, proto->output[i]);
	}
	return ret;
}

const char *joule_onnx_dim_name(const struct joule_graph *graph, const struct joule_tensor *t,
				int axis)
{
	for (int i = 0; i < graph->n_metadata; i += 2) {
		const char *key = graph->metadata[i];
		char *name;

		if (strncmp(key, DIM, sizeof(DIM) - 1))
			continue;
		if (strtol(key + sizeof(DIM) - 1, &name, 10) == axis && *name == '.' &&
		    !strcmp(name + 1, t->name))
			return graph->metadata[i + 1];
	}
	return NULL;
}

/* The next number of a list; *at moves behind it, to NULL at the end. */
static int64_t next_number(const char **at)
{
	char *end;
	int64_t v = strtoll(*at, &end, 10);

	*at = *end == ',' ? end + 1 : NULL;
	return v;
}

bool joule_onnx_declared_type(const struct joule_graph *graph, const struct joule_tensor *t,
			      enum joule_dtype *dtype, struct joule_shape *shape)
{
	for (int i = 0; i < graph->n_metadata; i += 2) {
		const char *key = graph->metadata[i], *at = graph->metadata[i + 1];

		if (strncmp(key, TYPE, sizeof(TYPE) - 1) ||
		    strcmp(key + sizeof(TYPE) - 1, t->name))
			continue;
		*dtype = joule_onnx_dtype((int32_t)next_number(&at));
		shape->rank = at ? (int)next_number(&at) : -1;
		for (int d = 0; d < shape->rank; d++)
			shape->dims[d] = at ? next_number(&at) : -1;
		return true;
	}
	return false;
}
