// SPDX-License-Identifier: MIT
#include "ir/dump.h"

#include <inttypes.h>

#include "ir/access.h"
#include "ir/op.h"

#define MAX_LISTED 8

static void dump_tensor(const struct joule_tensor *t, FILE *to)
{
	char buf[128];

	if (!t) {
		fputs(" _", to);
		return;
	}
	fprintf(to, " %s:%s%s", t->name, joule_dtype_name(t->dtype),
		joule_shape_str(&t->shape, buf, sizeof(buf)));
	if (t->outer)
		fputc('^', to);
	if (!joule_tensor_is_const(t))
		return;
	fputc('!', to);
	/* Small constants are mostly parameters: worth seeing. */
	if (joule_tensor_count(t) > MAX_LISTED || joule_dtype_bits(t->dtype) < 8)
		return;
	for (int64_t i = 0; i < joule_tensor_count(t); i++) {
		fputc(i ? ',' : '{', to);
		if (joule_dtype_is_float(t->dtype))
			fprintf(to, "%g", joule_get_f64(t->dtype, t->data, i));
		else
			fprintf(to, "%" PRId64, joule_get_i64(t->dtype, t->data, i));
	}
	fputs(joule_tensor_count(t) ? "}" : "{}", to);
}

/* Prints the value; nothing for one that is absent. */
static void dump_attr(const struct joule_attr *a, const void *field, FILE *to)
{
	switch (a->type) {
	case JOULE_ATTR_INT:
		fprintf(to, "%s=%" PRId64, a->name, *(const int64_t *)field);
		break;
	case JOULE_ATTR_FLOAT:
		fprintf(to, "%s=%g", a->name, (double)*(const float *)field);
		break;
	case JOULE_ATTR_STRING: {
		const char *s = *(const char *const *)field;

		fprintf(to, "%s=%s", a->name, s ? s : "-");
		break;
	}
	case JOULE_ATTR_ENUM:
		fprintf(to, "%s=%s", a->name, a->def.names[*(const int *)field]);
		break;
	case JOULE_ATTR_INTS: {
		const struct joule_ints *v = field;

		fprintf(to, "%s=", a->name);
		for (int i = 0; i < v->n && i < MAX_LISTED; i++)
			fprintf(to, "%s%" PRId64, i ? "," : "", v->v[i]);
		fputs(v->n > MAX_LISTED ? ",.." : "", to);
		break;
	}
	case JOULE_ATTR_FLOATS: {
		const struct joule_floats *v = field;

		fprintf(to, "%s=", a->name);
		for (int i = 0; i < v->n && i < MAX_LISTED; i++)
			fprintf(to, "%s%g", i ? "," : "", (double)v->v[i]);
		fputs(v->n > MAX_LISTED ? ",.." : "", to);
		break;
	}
	case JOULE_ATTR_STRINGS: {
		const struct joule_strings *v = field;

		fprintf(to, "%s=", a->name);
		for (int i = 0; i < v->n && i < MAX_LISTED; i++)
			fprintf(to, "%s%s", i ? "," : "", v->v[i]);
		break;
	}
	case JOULE_ATTR_TENSOR:
		fprintf(to, "%s=", a->name);
		dump_tensor(*(struct joule_tensor *const *)field, to);
		break;
	case JOULE_ATTR_GRAPH:
		fprintf(to, "%s=body%d", a->name, *(const int *)field - 1);
		break;
	}
}

static void dump_attrs(const struct joule_node *node, FILE *to)
{
	const struct joule_attr *a = node->op->attrs;

	if (!a || !a->name)
		return;
	fputs(" {", to);
	for (int i = 0; a[i].name; i++) {
		if (i)
			fputc(' ', to);
		dump_attr(&a[i], (const char *)node->attrs + a[i].offset, to);
	}
	fputc('}', to);
}

void joule_node_dump(const struct joule_node *node, FILE *to)
{
	fprintf(to, "%s %s", node->op->name, node->name);
	dump_attrs(node, to);
	for (int i = 0; i < node->n_in; i++)
		dump_tensor(node->in[i], to);
	fputs(" ->", to);
	for (int i = 0; i < node->n_out; i++)
		dump_tensor(node->out[i], to);
	for (int i = 0; i < node->epilogue.n; i++) {
		const struct joule_ew_step *s = &node->epilogue.step[i];

		fprintf(to, " +%s", joule_ew_name(s->code));
		if (s->operand >= 0)
			fprintf(to, "(%s)", node->in[s->operand]->name);
	}
}

static void dump_graph(const struct joule_graph *graph, int indent, FILE *to)
{
	for (int i = 0; i < graph->n_inputs; i++) {
		fprintf(to, "%*sinput", indent, "");
		dump_tensor(graph->inputs[i], to);
		fputc('\n', to);
	}
	for (int i = 0; i < graph->n_nodes; i++) {
		const struct joule_node *n = graph->nodes[i];

		fprintf(to, "%*s", indent, "");
		joule_node_dump(n, to);
		fputc('\n', to);
		for (int j = 0; j < n->n_body; j++) {
			fprintf(to, "%*sbody%d:\n", indent + 2, "", j);
			dump_graph(n->body[j], indent + 4, to);
		}
	}
	for (int i = 0; i < graph->n_outputs; i++) {
		fprintf(to, "%*soutput", indent, "");
		dump_tensor(graph->outputs[i], to);
		fputc('\n', to);
	}
}

void joule_graph_dump(const struct joule_graph *graph, FILE *to)
{
	dump_graph(graph, 0, to);
}
