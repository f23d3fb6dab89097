// SPDX-License-Identifier: MIT
/* Attributes by their operator's table: the importer's way backwards. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ir/op.h"
#include "onnx/pack.h"

#define TYPE(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

static int put_bytes(struct joule_export *ex, const char *s, ProtobufCBinaryData *out)
{
	out->data = (uint8_t *)(uintptr_t)(s ? s : "");
	out->len = s ? strlen(s) : 0;
	return 0;
}

static int pack_strings(struct joule_export *ex, const struct joule_strings *l,
			Onnx__AttributeProto *p)
{
	p->type = TYPE(STRINGS);
	p->strings = joule_export_alloc(ex, (size_t)l->n, sizeof(*p->strings));
	if (!p->strings)
		return -ENOMEM;
	for (int i = 0; i < l->n; i++)
		put_bytes(ex, l->v[i], &p->strings[i]);
	p->n_strings = (size_t)l->n;
	return 0;
}

static int pack_attr(struct joule_export_graph *g, const struct joule_node *node,
		     const struct joule_attr *a, Onnx__AttributeProto *p)
{
	const void *v = (const char *)node->attrs + a->offset;

	onnx__attribute_proto__init(p);
	p->name = (char *)(uintptr_t)a->name;
	p->has_type = 1;
	switch (a->type) {
	case JOULE_ATTR_INT:
		p->type = TYPE(INT);
		p->has_i = 1;
		p->i = *(const int64_t *)v;
		return 0;
	case JOULE_ATTR_FLOAT:
		p->type = TYPE(FLOAT);
		p->has_f = 1;
		p->f = *(const float *)v;
		return 0;
	case JOULE_ATTR_STRING:
		p->type = TYPE(STRING);
		p->has_s = 1;
		return put_bytes(g->ex, *(const char *const *)v, &p->s);
	case JOULE_ATTR_ENUM:
		p->type = TYPE(STRING);
		p->has_s = 1;
		return put_bytes(g->ex, a->def.names[*(const int *)v], &p->s);
	case JOULE_ATTR_INTS:
		p->type = TYPE(INTS);
		p->n_ints = (size_t)((const struct joule_ints *)v)->n;
		p->ints = (int64_t *)(uintptr_t)((const struct joule_ints *)v)->v;
		return 0;
	case JOULE_ATTR_FLOATS:
		p->type = TYPE(FLOATS);
		p->n_floats = (size_t)((const struct joule_floats *)v)->n;
		p->floats = (float *)(uintptr_t)((const struct joule_floats *)v)->v;
		return 0;
	case JOULE_ATTR_STRINGS:
		return pack_strings(g->ex, v, p);
	case JOULE_ATTR_TENSOR:
		p->type = TYPE(TENSOR);
		return joule_export_tensor(g->ex, *(struct joule_tensor *const *)v, NULL, &p->t);
	case JOULE_ATTR_GRAPH:
		p->type = TYPE(GRAPH);
		return joule_export_graph(g->ex, node->body[*(const int *)v - 1], g, &p->g);
	}
	return joule_node_err(node, -ENOTSUP, "attribute %s cannot be written", a->name);
}

int joule_export_attrs(struct joule_export_graph *g, const struct joule_node *node,
		       Onnx__NodeProto *out)
{
	const struct joule_attr *a = node->op->attrs;
	size_t n = 0;
	int ret = 0;

	while (a && a[n].name)
		n++;
	out->attribute = joule_export_alloc(g->ex, n, sizeof(*out->attribute));
	if (!out->attribute)
		return -ENOMEM;
	for (; !ret && n; a++, n--) {
		Onnx__AttributeProto *p;

		/* Defaults go without saying, and what is absent cannot be said. */
		if (!a->required && joule_attr_is_default(a, node->attrs))
			continue;
		p = joule_export_alloc(g->ex, 1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		out->attribute[out->n_attribute++] = p;
		ret = pack_attr(g, node, a, p);
	}
	return ret;
}
