// SPDX-License-Identifier: MIT
/* Model-local functions: each call is replaced by the function's nodes. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ir/op.h"
#include "onnx/build.h"

/* Longer paths are replaced by a short name, so that names cannot grow with depth. */
#define MAX_PATH_CHARS 160

/* What a call takes besides the nodes of the function, about. */
#define CALL_BYTES 4096
#define OPERAND_BYTES 256

static const char *make_key(struct joule_import *imp, const char *domain, const char *name,
			    const char *overload)
{
	return joule_arena_printf(&imp->scratch, "%s\n%s\n%s", joule_import_domain(domain),
				  name ? name : "", overload);
}

int joule_import_functions(struct joule_import *imp)
{
	const Onnx__ModelProto *m = imp->model;

	for (size_t i = 0; i < m->n_functions; i++) {
		const Onnx__FunctionProto *f = m->functions[i];
		const char *overload, *key;

		overload = joule_import_extra(imp, &f->base, JOULE_ONNX_FUNCTION_OVERLOAD);
		key = overload ? make_key(imp, f->domain, f->name, overload) : NULL;
		if (!key)
			return joule_err_nomem(imp->log, "functions");
		if (joule_strmap_get(&imp->functions, key))
			return joule_err(imp->log, -EINVAL, "%s: two functions are called %.200s",
					 imp->path, f->name ? f->name : "");
		if (joule_strmap_set(&imp->functions, key, (void *)f))
			return joule_err_nomem(imp->log, "functions");
	}
	return 0;
}

const Onnx__FunctionProto *joule_import_function(struct joule_import *imp,
						 const Onnx__NodeProto *proto, int *err)
{
	const char *overload, *key;

	*err = 0;
	if (!imp->functions.n)
		return NULL;
	overload = joule_import_extra(imp, &proto->base, JOULE_ONNX_NODE_OVERLOAD);
	key = overload ? make_key(imp, proto->domain, proto->op_type, overload) : NULL;
	if (!key) {
		*err = joule_err_nomem(imp->log, "functions");
		return NULL;
	}
	return joule_strmap_get(&imp->functions, key);
}

/* A default value (AttributeProto in an unknown field) for attributes not given. */
static int add_default(struct joule_import *imp, struct joule_strmap *attrs,
		       const ProtobufCMessageUnknownField *f)
{
	ProtobufCAllocator allocator = joule_import_allocator(imp);
	struct joule_wire w = { f->data, f->data + f->len };
	Onnx__AttributeProto *a;
	uint64_t len;

	if (!joule_wire_varint(&w, &len) || len != (size_t)(w.end - w.at))
		return joule_err(imp->log, -EBADMSG, "%s: bad function attribute", imp->path);
	a = onnx__attribute_proto__unpack(&allocator, (size_t)len, w.at);
	if (!a)
		return joule_import_err_unpack(imp);
	if (!a->name || joule_strmap_get(attrs, a->name))
		return 0;
	return joule_strmap_set(attrs, a->name, a) ? joule_err_nomem(imp->log, "attributes") : 0;
}

static int bind_attrs(struct joule_import_scope *caller, const Onnx__NodeProto *proto,
		      struct joule_import_call *call)
{
	const ProtobufCMessage *base = &call->function->base;
	struct joule_import *imp = caller->imp;
	int ret;

	for (size_t i = 0; i < proto->n_attribute; i++) {
		const Onnx__AttributeProto *a = proto->attribute[i], *v;

		ret = joule_import_attr_value(caller, proto, a, &v);
		if (ret)
			return ret;
		if (!v)
			continue;
		/* A graph would have to be read in the caller's scope. */
		if (v->g || v->n_graphs)
			return joule_err(imp->log, -ENOTSUP,
					 "%s: node %.200s: graph attribute %.200s of a function "
					 "is not supported", imp->path,
					 proto->name ? proto->name : "", a->name);
		if (joule_strmap_set(&call->attrs, a->name, (void *)v))
			return joule_err_nomem(imp->log, "attributes");
	}
	for (unsigned int i = 0; i < base->n_unknown_fields; i++) {
		if (base->unknown_fields[i].tag != JOULE_ONNX_FUNCTION_ATTRIBUTE)
			continue;
		ret = add_default(imp, &call->attrs, &base->unknown_fields[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int bind_operands(struct joule_import_scope *caller, struct joule_import_scope *inner,
			 const Onnx__NodeProto *proto)
{
	const Onnx__FunctionProto *f = inner->call->function;
	struct joule_import *imp = caller->imp;
	struct joule_tensor *t;
	int ret;

	if (proto->n_input > f->n_input || proto->n_output > f->n_output)
		return joule_err(imp->log, -EINVAL,
				 "%s: node %.200s: %zu inputs and %zu outputs, function %.200s has "
				 "%zu and %zu", imp->path, proto->name ? proto->name : "",
				 proto->n_input, proto->n_output, f->name ? f->name : "",
				 f->n_input, f->n_output);
	for (size_t i = 0; i < proto->n_input; i++) {
		if (!*proto->input[i])
			continue;
		ret = joule_import_find(caller, proto->input[i], &t);
		if (ret)
			return ret;
		if (!t)
			return joule_err(imp->log, -EINVAL,
					 "%s: node %.200s: input %.200s is made by no node and "
					 "no input", imp->path, proto->name ? proto->name : "",
					 proto->input[i]);
		if (joule_strmap_get(&inner->names, f->input[i]))
			return joule_err(imp->log, -EINVAL,
					 "%s: function %.200s: two inputs are called %.200s",
					 imp->path, f->name ? f->name : "", f->input[i]);
		if (joule_strmap_set(&inner->names, f->input[i], t))
			return joule_err_nomem(imp->log, "names");
	}
	for (size_t i = 0; i < proto->n_output; i++) {
		if (!*proto->output[i])
			continue;
		t = joule_strmap_get(&caller->names, proto->output[i]);
		if (t && joule_strmap_set(&inner->call->results, f->output[i], t))
			return joule_err_nomem(imp->log, "names");
	}
	return 0;
}

/* An output that is an input or a constant of the function: copied by name. */
static int pass_on(struct joule_import_scope *inner, struct joule_tensor *from,
		   struct joule_tensor *to)
{
	const struct joule_op *op = joule_import_op(inner, "", "Identity");
	struct joule_node *node;
	int ret;

	if (!op)
		return joule_err(inner->imp->log, -ENOTSUP, "%s: operator Identity is missing",
				 inner->imp->path);
	ret = joule_import_add_node(inner, op, NULL, 1, 1, &node);
	if (ret)
		return ret;
	node->in[0] = from;
	joule_node_set_output(node, 0, to);
	return 0;
}

static int check_results(struct joule_import_scope *inner, struct joule_import_scope *caller,
			 const Onnx__NodeProto *proto)
{
	const Onnx__FunctionProto *f = inner->call->function;
	int ret = 0;

	for (size_t i = 0; !ret && i < proto->n_output; i++) {
		struct joule_tensor *want, *made;

		if (!*proto->output[i])
			continue;
		want = joule_strmap_get(&caller->names, proto->output[i]);
		made = joule_strmap_get(&inner->names, f->output[i]);
		if (!want || !made)
			return joule_err(inner->imp->log, -EINVAL,
					 "%s: function %.200s does not make its output %.200s",
					 inner->imp->path, f->name ? f->name : "", f->output[i]);
		if (want != made)
			ret = pass_on(inner, made, want);
	}
	return ret;
}

static int inline_call(struct joule_import_scope *caller, struct joule_import_scope *inner,
		       const Onnx__NodeProto *proto)
{
	struct joule_import_call *call = inner->call;
	const Onnx__FunctionProto *f = call->function;
	struct joule_import *imp = caller->imp;
	const char *name = proto->name && *proto->name ? proto->name :
			   f->name && *f->name	       ? f->name :
							 "function";
	int ret;

	if (strlen(name) > MAX_PATH_CHARS)
		name = "function";
	name = joule_import_path(caller, name);
	if (name && strlen(name) > MAX_PATH_CHARS)
		name = "function";
	if (name)
		call->path = joule_import_unique(imp, caller->g, &caller->g->nodes, name);
	if (!name || !call->path)
		return joule_err_nomem(imp->log, "name");
	/* The path is taken, so that another call of that name gets one of its own. */
	if (joule_strmap_set(&caller->g->nodes, call->path, call))
		return joule_err_nomem(imp->log, "names");
	call->origin = caller->call ? caller->call->origin : call->path;
	ret = bind_attrs(caller, proto, call);
	if (!ret)
		ret = bind_operands(caller, inner, proto);
	if (!ret)
		ret = joule_import_nodes(inner, f->node, f->n_node);
	/* Nodes left out as unsupported make nothing. */
	if (!ret && !imp->n_unsupported)
		ret = check_results(inner, caller, proto);
	return ret;
}

int joule_import_call(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
		      const Onnx__FunctionProto *function)
{
	struct joule_import *imp = scope->imp;
	struct joule_import_call call = { .function = function };
	struct joule_import_scope inner = {
		.imp = imp, .g = scope->g, .call = &call, .inlined = true, .opset = scope->opset,
	};
	const char *name = function->name ? function->name : "";
	int64_t opset;
	int ret;

	if (imp->calls == JOULE_ONNX_MAX_CALLS)
		return joule_err(imp->log, -E2BIG,
				 "%s: function %.200s: calls nest more than %d deep, or recurse",
				 imp->path, name, JOULE_ONNX_MAX_CALLS);
	/* An empty body must cost something too, or calls of calls could go on for ever. */
	ret = joule_import_charge(scope, CALL_BYTES + (proto->n_input + proto->n_output +
						       proto->n_attribute) * OPERAND_BYTES);
	if (ret)
		return ret;
	opset = joule_import_opset(
		(const Onnx__OperatorSetIdProto *const *)function->opset_import,
		function->n_opset_import);
	if (opset) {
		ret = joule_import_check_opset(imp, name, opset);
		if (ret)
			return ret;
		inner.opset = (int)opset;
	}
	joule_strmap_init(&inner.names);
	joule_strmap_init(&call.attrs);
	joule_strmap_init(&call.results);
	imp->calls++;
	ret = inline_call(scope, &inner, proto);
	imp->calls--;
	joule_strmap_finish(&call.results);
	joule_strmap_finish(&call.attrs);
	joule_strmap_finish(&inner.names);
	return ret;
}
