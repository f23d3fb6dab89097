// SPDX-License-Identifier: MIT
/* One node: its operator, operands and name. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ir/op.h"
#include "onnx/build.h"

/* Operators named in the message about those that are missing. */
#define MAX_NAMED 20

/* What a node and its operands take, names included, about. */
#define NODE_BYTES 512
#define OPERAND_BYTES 256

const struct joule_op *joule_import_op(struct joule_import_scope *scope, const char *domain,
				       const char *op_type)
{
	struct joule_import *imp = scope->imp;
	const struct joule_op *op;

	if (*domain || scope->opset != imp->root->opset)
		op = joule_op_find(domain, op_type, scope->opset);
	else if ((op = joule_strmap_get(&imp->ops, op_type)))
		return op;
	else
		op = joule_op_find(NULL, op_type, scope->opset);
	/* Passes' own operators are no part of ONNX, whatever a file calls them. */
	if (!op || op->traits & JOULE_OP_INTERNAL)
		return NULL;
	/* If there is no memory to remember it, it is looked up again. */
	if (!*domain && scope->opset == imp->root->opset)
		joule_strmap_set(&imp->ops, op_type, (void *)op);
	return op;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

int joule_import_unsupported(struct joule_import_scope *scope, const Onnx__NodeProto *proto)
{
	struct joule_import *imp = scope->imp;
	const char *domain = joule_import_domain(proto->domain), *old;
	char *key;

	key = joule_arena_printf(&imp->scratch, "%.60s%s%.60s", domain, *domain ? "." : "",
				 text(proto->op_type));
	/* A function may have been written for another opset than the model. */
	if (key && scope->opset != imp->root->opset)
		key = joule_arena_printf(&imp->scratch, "%s of opset %d", key, scope->opset);
	if (!key)
		return joule_err_nomem(imp->log, "operator list");
	if (joule_strmap_get(&imp->unsupported, key))
		return 0;
	if (joule_strmap_set(&imp->unsupported, key, key))
		return joule_err_nomem(imp->log, "operator list");
	if (++imp->n_unsupported > MAX_NAMED)
		return 0;
	old = imp->unsupported_text;
	imp->unsupported_text = joule_arena_printf(
		&imp->scratch, "%s%s %s (%.30s)", text(old), old ? "," : "", key,
		proto->name && *proto->name ? proto->name :
		proto->n_output		    ? proto->output[0] :
					      "without a name");
	return imp->unsupported_text ? 0 : joule_err_nomem(imp->log, "operator list");
}

int joule_import_add_node(struct joule_import_scope *scope, const struct joule_op *op,
			  const char *name, size_t n_in, size_t n_out, struct joule_node **out)
{
	struct joule_import_graph *g = scope->g;
	struct joule_import *imp = scope->imp;
	struct joule_node *n;
	int ret;

	ret = joule_import_charge(scope, NODE_BYTES + (n_in + n_out) * OPERAND_BYTES);
	if (ret)
		return ret;
	if (name && *name) {
		name = joule_import_path(scope, name);
		name = name ? joule_import_unique(imp, g, &g->nodes, name) : NULL;
		if (!name)
			return -ENOMEM;
	}
	n = joule_graph_add_node(g->graph, op, name, (int)n_in, (int)n_out);
	if (!n)
		return -ENOMEM;
	/* A made-up name may meet one that the file gives. */
	if (!name || !*name) {
		name = joule_import_unique(imp, g, &g->nodes, n->name);
		if (name && name != n->name)
			n->name = name = joule_arena_strdup(&g->graph->arena, name);
		if (!name)
			return joule_err_nomem(imp->log, "node");
	}
	if (joule_strmap_set(&g->nodes, n->name, n))
		return joule_err_nomem(imp->log, "names");
	n->opset = scope->opset;
	n->origins = joule_arena_alloc(&g->graph->arena, sizeof(*n->origins));
	if (!n->origins)
		return joule_err_nomem(imp->log, "node");
	n->origins[0] = scope->call ? joule_arena_strdup(&g->graph->arena, scope->call->origin) :
				      n->name;
	if (!n->origins[0])
		return joule_err_nomem(imp->log, "node");
	n->n_origins = 1;
	*out = n;
	return 0;
}

static int check_counts(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
			const struct joule_op *op)
{
	size_t in = proto->n_input, out = proto->n_output;
	const char *what = NULL;
	size_t has = 0;
	int min = 0, max = 0;

	if (in < (size_t)op->min_in || (op->max_in >= 0 && in > (size_t)op->max_in)) {
		what = "inputs";
		has = in;
		min = op->min_in;
		max = op->max_in;
	} else if (out < (size_t)op->min_out || (op->max_out >= 0 && out > (size_t)op->max_out)) {
		what = "outputs";
		has = out;
		min = op->min_out;
		max = op->max_out;
	}
	if (!what)
		return 0;
	return joule_err(scope->imp->log, -EINVAL, "%s: node %.200s (%s): %zu %s, %d to %d needed",
			 scope->imp->path, text(proto->name), op->name, has, what, min,
			 max < 0 ? INT8_MAX : max);
}

static int connect(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
		   struct joule_node *node)
{
	/* Loop may go without a count and a condition, Scan of opset 8 without lengths. */
	bool optional = node->op->traits & JOULE_OP_CONTROL && node->n_in > 1;
	struct joule_tensor *t;
	int ret;

	for (int i = 0; i < node->n_in; i++) {
		if (!*proto->input[i]) {
			if (i < node->op->min_in && !optional)
				return joule_node_err(node, -EINVAL, "input %d is missing", i);
			continue;
		}
		ret = joule_import_find(scope, proto->input[i], &t);
		if (ret)
			return ret;
		if (!t)
			return joule_node_err(node, -EINVAL,
					      "input %.200s is made by no node and no input",
					      proto->input[i]);
		node->in[i] = t;
	}
	for (int i = 0; i < node->n_out; i++) {
		if (!*proto->output[i])
			continue;
		/* Declared before, so it is this graph's own. */
		t = joule_strmap_get(&scope->names, proto->output[i]);
		if (!t || t->producer)
			return joule_node_err(node, -EINVAL, "output %.200s is made twice",
					      proto->output[i]);
		joule_node_set_output(node, i, t);
	}
	return 0;
}

int joule_import_node(struct joule_import_scope *scope, const Onnx__NodeProto *proto)
{
	const char *domain = joule_import_domain(proto->domain);
	size_t n_in = proto->n_input, n_out = proto->n_output;
	const struct joule_op *op;
	struct joule_node *node;
	int ret;

	op = joule_import_op(scope, domain, text(proto->op_type));
	if (!op)
		return joule_import_unsupported(scope, proto);
	ret = check_counts(scope, proto, op);
	if (ret)
		return ret;
	/* Omitted operands at the end are the same as none, but bodies go by position. */
	while (!(op->traits & JOULE_OP_CONTROL) && n_in > (size_t)op->min_in && !*proto->input[n_in - 1])
		n_in--;
	while (!(op->traits & JOULE_OP_CONTROL) && n_out > (size_t)op->min_out && !*proto->output[n_out - 1])
		n_out--;
	ret = joule_import_add_node(scope, op, proto->name, n_in, n_out, &node);
	if (!ret)
		ret = connect(scope, proto, node);
	if (!ret)
		ret = joule_import_attrs(scope, proto, node);
	if (!ret && op->prepare)
		ret = op->prepare(node);
	return ret;
}
