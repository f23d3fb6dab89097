// SPDX-License-Identifier: MIT
#include "ir/op.h"

#include <string.h>

const struct joule_op *joule_op_find(const char *domain, const char *name, int opset)
{
	const char *want = domain ? domain : "";

	if (!strcmp(want, "ai.onnx"))
		want = "";
	for (int i = 0; joule_op_lists[i]; i++)
		for (const struct joule_op *op = joule_op_lists[i]; op->name; op++)
			if (!strcmp(op->name, name) &&
			    !strcmp(op->domain ? op->domain : "", want) && opset >= op->since &&
			    (!op->until || opset <= op->until))
				return op;
	return NULL;
}

void joule_node_default_attrs(struct joule_node *node)
{
	memset(node->attrs, 0, node->op->attrs_bytes);
	for (const struct joule_attr *a = node->op->attrs; a && a->name; a++) {
		char *at = (char *)node->attrs + a->offset;

		/* The others' default is zero: the first name, an empty list. */
		if (a->type == JOULE_ATTR_INT)
			memcpy(at, &a->def.i, sizeof(a->def.i));
		else if (a->type == JOULE_ATTR_FLOAT)
			memcpy(at, &a->def.f, sizeof(a->def.f));
		else if (a->type == JOULE_ATTR_STRING)
			memcpy(at, &a->def.s, sizeof(a->def.s));
	}
}

void *joule_node_attr(const struct joule_node *node, const char *name)
{
	for (const struct joule_attr *a = node->op->attrs; a && a->name; a++)
		if (!strcmp(a->name, name))
			return (char *)node->attrs + a->offset;
	return NULL;
}

void joule_node_cost(const struct joule_node *node, struct joule_cost *cost)
{
	int64_t bytes = 0;

	memset(cost, 0, sizeof(*cost));
	for (int i = 0; i < node->n_in + node->n_out; i++) {
		const struct joule_tensor *t =
			i < node->n_in ? node->in[i] : node->out[i - node->n_in];
		int64_t n = t ? joule_tensor_bytes(t) : 0;

		if (n < 0)
			return;
		bytes += n;
	}
	if (node->op->cost)
		node->op->cost(node, cost);
	if (!cost->bytes)
		cost->bytes = bytes;
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool joule_attr_is_default(const struct joule_attr *a, const void *attrs)
{
	const void *p = (const char *)attrs + a->offset;

	switch (a->type) {
	case JOULE_ATTR_INT:
		return *(const int64_t *)p == a->def.i;
	case JOULE_ATTR_FLOAT:
		/* Bit by bit: a default may be NaN, and -0 is not 0. */
		return !memcmp(p, &a->def.f, sizeof(a->def.f));
	case JOULE_ATTR_STRING:
		return same_string(*(const char *const *)p, a->def.s);
	case JOULE_ATTR_ENUM:
	case JOULE_ATTR_GRAPH:
		return !*(const int *)p;
	case JOULE_ATTR_INTS:
		return !((const struct joule_ints *)p)->n;
	case JOULE_ATTR_FLOATS:
		return !((const struct joule_floats *)p)->n;
	case JOULE_ATTR_STRINGS:
		return !((const struct joule_strings *)p)->n;
	case JOULE_ATTR_TENSOR:
		return !*(struct joule_tensor *const *)p;
	}
	return true;
}
