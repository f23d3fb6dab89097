// SPDX-License-Identifier: MIT
/* One graph of a model: names, inputs, initializers, nodes, outputs. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mapped_file.h"
#include "ir/access.h"
#include "ir/op.h"
#include "onnx/build.h"

/* ---- names ---- */

const char *joule_import_unique(struct joule_import *imp, struct joule_import_graph *g,
				const struct joule_strmap *taken, const char *name)
{
	const char *fresh = name;

	while (fresh && joule_strmap_get(taken, fresh))
		fresh = joule_arena_printf(&imp->scratch, "%s_%u", name, ++g->counter);
	if (!fresh)
		joule_err_nomem(imp->log, "name");
	return fresh;
}

static int add_tensor(struct joule_import_scope *scope, const char *name,
		      struct joule_tensor **out)
{
	struct joule_import_graph *g = scope->g;
	struct joule_tensor *t;

	name = joule_import_unique(scope->imp, g, &g->tensors, name);
	t = name ? joule_graph_add_tensor(g->graph, name) : NULL;
	if (!t)
		return -ENOMEM;
	if (joule_strmap_set(&g->tensors, t->name, t))
		return joule_err_nomem(scope->imp->log, "names");
	*out = t;
	return 0;
}

static int remember(struct joule_import_scope *scope, const char *name, struct joule_tensor *t)
{
	if (joule_strmap_set(&scope->names, name, t))
		return joule_err_nomem(scope->imp->log, "names");
	return 0;
}

int joule_import_declare(struct joule_import_scope *scope, const char *name,
			 struct joule_tensor **out)
{
	struct joule_import *imp = scope->imp;
	struct joule_tensor *t = NULL;
	int ret;

	if (joule_strmap_get(&scope->names, name))
		return joule_err(imp->log, -EINVAL, "%s: two tensors are called %.200s", imp->path,
				 name);
	if (scope->inlined)
		t = joule_strmap_get(&scope->call->results, name);
	if (!t) {
		const char *full = joule_import_path(scope, name);

		ret = full ? add_tensor(scope, full, &t) : joule_err_nomem(imp->log, "name");
		if (ret)
			return ret;
	}
	*out = t;
	return remember(scope, name, t);
}

const char *joule_import_path(struct joule_import_scope *scope, const char *name)
{
	if (!scope->inlined)
		return name;
	return joule_arena_printf(&scope->imp->scratch, "%s/%s", scope->call->path, name);
}

int joule_import_add_const(struct joule_import_scope *scope, const char *name, bool known,
			   struct joule_tensor **out)
{
	const char *full = joule_import_path(scope, name);
	int ret;

	if (known && joule_strmap_get(&scope->names, name))
		return joule_err(scope->imp->log, -EINVAL, "%s: two tensors are called %.200s",
				 scope->imp->path, name);
	ret = full ? add_tensor(scope, full, out) : joule_err_nomem(scope->imp->log, "name");
	if (ret)
		return ret;
	(*out)->flags |= JOULE_TENSOR_CONST;
	return known ? remember(scope, name, *out) : 0;
}

/*
 * Seen from a body, a tensor of the enclosing graph is a tensor of the body's
 * own that points outwards. A captured constant carries its value as well, so
 * that shapes within the body can be worked out from it.
 */
static int capture(struct joule_import_scope *scope, const char *name, struct joule_tensor *outer,
		   struct joule_tensor **out)
{
	int ret = add_tensor(scope, outer->name, out);

	if (ret)
		return ret;
	(*out)->outer = outer;
	if (joule_tensor_is_const(outer)) {
		(*out)->flags |= JOULE_TENSOR_CONST;
		(*out)->dtype = outer->dtype;
		(*out)->shape = outer->shape;
		(*out)->data = outer->data;
	}
	return remember(scope, name, *out);
}

int joule_import_find(struct joule_import_scope *scope, const char *name,
		      struct joule_tensor **out)
{
	struct joule_tensor *outer;
	int ret;

	*out = joule_strmap_get(&scope->names, name);
	if (*out || !scope->up)
		return 0;
	ret = joule_import_find(scope->up, name, &outer);
	if (ret || !outer)
		return ret;
	return capture(scope, name, outer, out);
}

/* ---- inputs and outputs ---- */

static int err_type(const struct joule_import *imp, const char *name, const char *what)
{
	return joule_err(imp->log, -ENOTSUP, "%s: input %.200s: %s is not supported", imp->path,
			 name, what);
}

static int set_shape(const struct joule_import *imp, const Onnx__TensorShapeProto *proto,
		     struct joule_tensor *t)
{
	char buf[200];

	if (proto->n_dim > JOULE_MAX_RANK)
		return joule_err(imp->log, -ENOTSUP, "%s: input %.200s: more than %d dimensions",
				 imp->path, t->name, JOULE_MAX_RANK);
	t->shape.rank = (int)proto->n_dim;
	for (size_t i = 0; i < proto->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = proto->dim[i];

		t->shape.dims[i] = -1;
		if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE) {
			/* Some writers say "dynamic" by -1. */
			if (d->dim_value < -1)
				return joule_err(imp->log, -EINVAL,
						 "%s: input %.200s: dimension %zu is %lld",
						 imp->path, t->name, i, (long long)d->dim_value);
			t->shape.dims[i] = d->dim_value;
		}
	}
	if (!joule_shape_plausible(&t->shape))
		return joule_err(imp->log, -EINVAL, "%s: input %.200s: impossible shape %s",
				 imp->path, t->name, joule_shape_str(&t->shape, buf, sizeof(buf)));
	return 0;
}

static int set_type(const struct joule_import *imp, const Onnx__TypeProto *type, bool required,
		    struct joule_tensor *t)
{
	int32_t elem;

	switch (type ? type->value_case : ONNX__TYPE_PROTO__VALUE__NOT_SET) {
	case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
		elem = type->tensor_type->elem_type;
		t->dtype = joule_onnx_dtype(elem);
		if (!t->dtype && (elem || required))
			return err_type(imp, t->name, joule_onnx_data_type_name(elem));
		return type->tensor_type->shape ? set_shape(imp, type->tensor_type->shape, t) : 0;
	case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
		return err_type(imp, t->name, "a sequence");
	case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
		return err_type(imp, t->name, "a map");
	case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
		return err_type(imp, t->name, "an optional value");
	case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
		return err_type(imp, t->name, "a sparse tensor");
	default: /* bodies' inputs are typed by what flows in */
		return required ? err_type(imp, t->name, "a missing type") : 0;
	}
}

static int add_inputs(struct joule_import_scope *scope, const Onnx__GraphProto *proto)
{
	struct joule_graph *g = scope->g->graph;
	struct joule_import *imp = scope->imp;
	int ret;

	g->inputs = joule_arena_array(&g->arena, proto->n_input, sizeof(*g->inputs));
	if (!g->inputs)
		return joule_err_nomem(imp->log, "inputs");
	for (size_t i = 0; i < proto->n_input; i++) {
		const Onnx__ValueInfoProto *v = proto->input[i];
		struct joule_tensor *t;

		if (!v->name || !*v->name)
			return joule_err(imp->log, -EINVAL, "%s: input %zu has no name", imp->path,
					 i);
		/* Up to IR version 3 initializers were inputs too; as defaults they may be. */
		t = joule_strmap_get(&scope->names, v->name);
		if (t && joule_tensor_is_const(t)) {
			joule_logf(imp->log, JOULE_LOG_DEBUG,
				   "%s: input %.200s has a default and is taken as a constant",
				   imp->path, v->name);
			continue;
		}
		ret = joule_import_declare(scope, v->name, &t);
		if (!ret)
			ret = set_type(imp, v->type, !scope->up, t);
		if (ret)
			return ret;
		t->flags |= JOULE_TENSOR_INPUT;
		g->inputs[g->n_inputs++] = t;
	}
	return 0;
}

static int add_outputs(struct joule_import_scope *scope, const Onnx__GraphProto *proto)
{
	struct joule_graph *g = scope->g->graph;
	struct joule_import *imp = scope->imp;
	int ret;

	g->outputs = joule_arena_array(&g->arena, proto->n_output, sizeof(*g->outputs));
	if (!g->outputs)
		return joule_err_nomem(imp->log, "outputs");
	for (size_t i = 0; i < proto->n_output; i++) {
		const char *name = proto->output[i]->name ? proto->output[i]->name : "";
		struct joule_tensor *t;

		ret = joule_import_find(scope, name, &t);
		if (ret)
			return ret;
		if (!t)
			return joule_err(imp->log, -EINVAL, "%s: output %.200s is made by no node",
					 imp->path, name);
		if (t->flags & JOULE_TENSOR_OUTPUT && !scope->up)
			return joule_err(imp->log, -EINVAL, "%s: output %.200s is listed twice",
					 imp->path, name);
		t->flags |= JOULE_TENSOR_OUTPUT;
		g->outputs[g->n_outputs++] = t;
	}
	return 0;
}

/* ---- nodes ---- */

static int declare_outputs(struct joule_import_scope *scope, const Onnx__NodeProto *node)
{
	struct joule_tensor *t;
	int ret = 0;

	if (joule_import_is_constant(node))
		return joule_import_constant(scope, node);
	for (size_t i = 0; !ret && i < node->n_output; i++)
		if (*node->output[i])
			ret = joule_import_declare(scope, node->output[i], &t);
	return ret;
}

int joule_import_nodes(struct joule_import_scope *scope, Onnx__NodeProto *const *nodes, size_t n)
{
	struct joule_import *imp = scope->imp;
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = declare_outputs(scope, nodes[i]);
	for (size_t i = 0; !ret && i < n; i++) {
		const Onnx__FunctionProto *function;

		if (joule_import_is_constant(nodes[i]))
			continue;
		function = joule_import_function(imp, nodes[i], &ret);
		if (!ret && function)
			ret = joule_import_call(scope, nodes[i], function);
		else if (!ret)
			ret = joule_import_node(scope, nodes[i]);
	}
	return ret;
}

static int fill_graph(struct joule_import_scope *scope, const Onnx__GraphProto *proto)
{
	struct joule_graph *g = scope->g->graph;
	struct joule_import *imp = scope->imp;
	int ret = 0;

	g->name = joule_arena_strdup(&g->arena, proto->name ? proto->name : "");
	if (!g->name)
		return joule_err_nomem(imp->log, "graph");
	if (proto->n_sparse_initializer)
		return joule_import_refuse_sparse(imp, proto->sparse_initializer[0]);
	for (size_t i = 0; !ret && i < proto->n_initializer; i++)
		ret = joule_import_initializer(scope, proto->initializer[i]);
	if (!ret)
		ret = add_inputs(scope, proto);
	if (!ret)
		ret = joule_import_nodes(scope, proto->node, proto->n_node);
	if (!ret)
		ret = add_outputs(scope, proto);
	if (!ret)
		ret = joule_import_note_declared(scope, proto);
	/* With nodes left out there is nothing to order. */
	return ret || imp->n_unsupported ? ret : joule_graph_sort(g);
}

int joule_import_graph(struct joule_import *imp, const Onnx__GraphProto *proto,
		       struct joule_import_scope *parent, struct joule_graph **out)
{
	struct joule_import_graph g = { 0 };
	struct joule_import_scope scope = {
		.imp = imp, .up = parent, .g = &g, .call = parent ? parent->call : NULL,
	};
	int ret = 0;

	if (parent) {
		ret = joule_graph_create(imp->log, imp->path, out);
		if (ret)
			return ret;
		(*out)->parent = parent->g->graph;
		(*out)->opset = parent->opset;
	}
	g.graph = *out;
	scope.opset = g.graph->opset;
	joule_strmap_init(&g.tensors);
	joule_strmap_init(&g.nodes);
	joule_strmap_init(&scope.names);
	ret = fill_graph(&scope, proto);
	joule_strmap_finish(&scope.names);
	joule_strmap_finish(&g.nodes);
	joule_strmap_finish(&g.tensors);
	return ret;
}
