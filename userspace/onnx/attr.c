// SPDX-License-Identifier: MIT
/* Attributes of a node, by its operator's table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ir/op.h"
#include "onnx/build.h"

/* What a body takes before there is anything in it, about. */
#define GRAPH_BYTES 16384

static const char *const type_names[] = {
	"UNDEFINED", "FLOAT",  "INT",	  "STRING", "TENSOR",	     "GRAPH",	       "FLOATS",
	"INTS",	     "STRINGS", "TENSORS", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO",
	"TYPE_PROTOS",
};

static const char *type_name(int type)
{
	if (type < 0 || (size_t)type >= sizeof(type_names) / sizeof(type_names[0]))
		type = 0;
	return type_names[type];
}

/* What the file must say for each kind of attribute. */
static const int wanted[] = {
	[JOULE_ATTR_INT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT,
	[JOULE_ATTR_FLOAT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT,
	[JOULE_ATTR_STRING] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
	[JOULE_ATTR_ENUM] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
	[JOULE_ATTR_INTS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS,
	[JOULE_ATTR_FLOATS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS,
	[JOULE_ATTR_STRINGS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS,
	[JOULE_ATTR_TENSOR] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR,
	[JOULE_ATTR_GRAPH] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH,
};

Onnx__AttributeProto__AttributeType joule_import_attr_type(const Onnx__AttributeProto *a)
{
	if (a->has_type && a->type)
		return a->type;
	if (a->has_f)
		return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
	if (a->has_i)
		return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
	if (a->has_s)
		return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
	if (a->t)
		return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
	if (a->g)
		return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
	if (a->n_floats)
		return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
	if (a->n_ints)
		return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
	if (a->n_strings)
		return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
	return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED;
}

int joule_import_attr_value(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
			    const Onnx__AttributeProto *attr, const Onnx__AttributeProto **out)
{
	struct joule_import *imp = scope->imp;

	*out = attr;
	if (!attr->name || !*attr->name)
		return joule_err(imp->log, -EINVAL, "%s: node %.200s: an attribute has no name",
				 imp->path, proto->name ? proto->name : "");
	if (!attr->ref_attr_name || !*attr->ref_attr_name)
		return 0;
	if (!scope->call)
		return joule_err(imp->log, -EINVAL,
				 "%s: node %.200s: attribute %.200s refers to %.200s outside of "
				 "a function", imp->path, proto->name ? proto->name : "",
				 attr->name, attr->ref_attr_name);
	*out = joule_strmap_get(&scope->call->attrs, attr->ref_attr_name);
	return 0;
}

/* bytes as a string of the graph; attributes must not hold NULs. */
static int copy_string(struct joule_node *node, const char *attr, const ProtobufCBinaryData *b,
		       const char **out)
{
	if (b->len && memchr(b->data, 0, b->len))
		return joule_node_err(node, -EINVAL, "attribute %s: zero byte in a string", attr);
	*out = joule_arena_strndup(&node->graph->arena, (const char *)b->data, b->len);
	return *out ? 0 : joule_err_nomem(node->graph->log, "attribute");
}

static int set_enum(struct joule_node *node, const struct joule_attr *a,
		    const ProtobufCBinaryData *b, int *out)
{
	char all[200] = "";
	size_t at = 0;

	for (int i = 0; a->def.names[i]; i++) {
		if (strlen(a->def.names[i]) == b->len && b->len &&
		    !memcmp(a->def.names[i], b->data, b->len)) {
			*out = i;
			return 0;
		}
		if (at < sizeof(all))
			at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", i ? ", " : "",
					       a->def.names[i]);
	}
	return joule_node_err(node, -EINVAL, "attribute %s is \"%.*s\", not one of %s", a->name,
			      (int)(b->len < 60 ? b->len : 60), (const char *)b->data, all);
}

static int set_strings(struct joule_node *node, const struct joule_attr *a,
		       const Onnx__AttributeProto *v, struct joule_strings *out)
{
	const char **list = joule_arena_array(&node->graph->arena, v->n_strings, sizeof(*list));
	int ret;

	if (!list)
		return joule_err_nomem(node->graph->log, "attribute");
	for (size_t i = 0; i < v->n_strings; i++) {
		ret = copy_string(node, a->name, &v->strings[i], &list[i]);
		if (ret)
			return ret;
	}
	*out = (struct joule_strings){ (int)v->n_strings, list };
	return 0;
}

static int set_tensor(struct joule_import_scope *scope, struct joule_node *node,
		      const struct joule_attr *a, const Onnx__AttributeProto *v,
		      struct joule_tensor **out)
{
	const char *name;

	if (!v->t)
		return joule_node_err(node, -EINVAL, "attribute %s has no value", a->name);
	name = joule_arena_printf(&scope->imp->scratch, "%.200s.%s", node->name, a->name);
	if (!name)
		return joule_err_nomem(node->graph->log, "attribute");
	return joule_import_tensor(scope, v->t, name, out);
}

/* Bodies are in the order of the table, not of the file. */
static int set_graph(struct joule_import_scope *scope, struct joule_node *node,
		     const struct joule_attr *a, const Onnx__AttributeProto *v, int *out)
{
	int ret, at = 0, n = 0;

	if (!v->g)
		return joule_node_err(node, -EINVAL, "attribute %s has no value", a->name);
	ret = joule_import_charge(scope, GRAPH_BYTES);
	if (ret)
		return ret;
	for (const struct joule_attr *row = node->op->attrs; row->name; row++) {
		at = row == a ? n : at;
		n += row->type == JOULE_ATTR_GRAPH;
	}
	if (!node->n_body) {
		node->body = joule_arena_array(&node->graph->arena, (size_t)n, sizeof(*node->body));
		if (!node->body)
			return joule_err_nomem(node->graph->log, "attribute");
		/* From here on the node owns its bodies, whatever state they are in. */
		node->n_body = n;
	}
	*out = at + 1;
	return joule_import_graph(scope->imp, v->g, scope, &node->body[at]);
}

static int set_attr(struct joule_import_scope *scope, struct joule_node *node,
		    const struct joule_attr *a, const Onnx__AttributeProto *v)
{
	char *p = (char *)node->attrs + a->offset;
	struct joule_arena *arena = &node->graph->arena;
	int type = (int)joule_import_attr_type(v), ret;

	ret = joule_import_charge(scope, v->s.len + v->n_ints * sizeof(*v->ints) +
					 v->n_floats * sizeof(*v->floats) +
					 v->n_strings * sizeof(*v->strings));
	if (ret)
		return ret;
	if (type != wanted[a->type])
		return joule_node_err(node, -EINVAL, "attribute %s is %s, %s is needed", a->name,
				      type_name(type), type_name(wanted[a->type]));
	switch (a->type) {
	case JOULE_ATTR_INT:
		memcpy(p, &v->i, sizeof(v->i));
		return 0;
	case JOULE_ATTR_FLOAT:
		memcpy(p, &v->f, sizeof(v->f));
		return 0;
	case JOULE_ATTR_STRING:
		return copy_string(node, a->name, &v->s, (const char **)(void *)p);
	case JOULE_ATTR_ENUM:
		return set_enum(node, a, &v->s, (int *)(void *)p);
	case JOULE_ATTR_INTS: {
		struct joule_ints l = { (int)v->n_ints, NULL };

		l.v = joule_arena_dup(arena, v->ints, v->n_ints * sizeof(*v->ints));
		memcpy(p, &l, sizeof(l));
		return l.v ? 0 : joule_err_nomem(node->graph->log, "attribute");
	}
	case JOULE_ATTR_FLOATS: {
		struct joule_floats l = { (int)v->n_floats, NULL };

		l.v = joule_arena_dup(arena, v->floats, v->n_floats * sizeof(*v->floats));
		memcpy(p, &l, sizeof(l));
		return l.v ? 0 : joule_err_nomem(node->graph->log, "attribute");
	}
	case JOULE_ATTR_STRINGS:
		return set_strings(node, a, v, (struct joule_strings *)(void *)p);
	case JOULE_ATTR_TENSOR:
		return set_tensor(scope, node, a, v, (struct joule_tensor **)(void *)p);
	case JOULE_ATTR_GRAPH:
		return set_graph(scope, node, a, v, (int *)(void *)p);
	}
	return -EINVAL;
}

int joule_import_attrs(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
		       struct joule_node *node)
{
	static const struct joule_attr none[] = { { 0 } };
	const struct joule_attr *table = node->op->attrs ? node->op->attrs : none;
	uint64_t seen = 0;
	int ret;

	joule_node_default_attrs(node);
	for (size_t k = 0; k < proto->n_attribute; k++) {
		const Onnx__AttributeProto *v, *a = proto->attribute[k];
		int i = 0;

		ret = joule_import_attr_value(scope, proto, a, &v);
		if (ret)
			return ret;
		if (!v)
			continue;
		while (table[i].name && strcmp(table[i].name, a->name))
			i++;
		if (!table[i].name)
			return joule_node_err(node, -EINVAL, "has no attribute %.200s in opset %d",
					      a->name, node->opset);
		if (seen & 1ull << i)
			return joule_node_err(node, -EINVAL, "attribute %s is given twice",
					      a->name);
		seen |= 1ull << i;
		ret = set_attr(scope, node, &table[i], v);
		if (ret)
			return ret;
	}
	for (int i = 0; table[i].name; i++)
		if (table[i].required && !(seen & 1ull << i))
			return joule_node_err(node, -EINVAL, "attribute %s is missing",
					      table[i].name);
	return 0;
}
