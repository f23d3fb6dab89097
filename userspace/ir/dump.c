// SPDX-License-Identifier: MIT
#include "ir/dump.h"

#include <inttypes.h>
#include <string.h>

#include "ir/access.h"
#include "ir/graph.h"
#include "ir/op.h"

/* Constants of up to so many elements are shown by value, longer lists cut there. */
#define MAX_VALUES 8
#define MAX_LIST 64

/* Names come from files: what could steer a terminal does not get there. */
static void put_text(const char *s, FILE *to)
{
	for (; *s; s++)
		putc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, to);
}

static void put_type(const struct joule_tensor *t, FILE *to)
{
	char buf[256];

	fprintf(to, "%s%s", joule_dtype_name(t->dtype),
		joule_shape_str(&t->shape, buf, sizeof(buf)));
}

static void put_element(const struct joule_tensor *t, int64_t i, FILE *to)
{
	if (joule_dtype_is_float(t->dtype))
		fprintf(to, "%.9g", joule_get_f64(t->dtype, t->data, i));
	else if (t->dtype == JOULE_U64)
		fprintf(to, "%" PRIu64, (uint64_t)joule_get_i64(t->dtype, t->data, i));
	else
		fprintf(to, "%" PRId64, joule_get_i64(t->dtype, t->data, i));
}

/* "{1,2}" for a short list, "3" for a scalar; false if it is neither. */
static bool put_value(const struct joule_tensor *t, FILE *to)
{
	int64_t n = joule_tensor_count(t);

	if (!t->data || t->shape.rank > 1 || n > MAX_VALUES)
		return false;
	if (t->shape.rank)
		putc('{', to);
	for (int64_t i = 0; i < n; i++) {
		if (i)
			putc(',', to);
		put_element(t, i, to);
	}
	if (t->shape.rank)
		putc('}', to);
	return true;
}

static void put_operand(const struct joule_tensor *t, FILE *to)
{
	if (!t) {
		putc('_', to);
		return;
	}
	put_text(t->name, to);
	if (!joule_tensor_is_const(t))
		return;
	putc('!', to);
	put_type(t, to);
	if (t->shape.rank <= 1 && joule_tensor_count(t) <= MAX_VALUES)
		putc('=', to);
	put_value(t, to);
}

/* ---- attributes ---- */

static void put_ints(const struct joule_ints *l, FILE *to)
{
	for (int i = 0; i < l->n && i < MAX_LIST; i++)
		fprintf(to, "%s%" PRId64, i ? "," : "", l->v[i]);
	if (l->n > MAX_LIST)
		fprintf(to, ",... (%d)", l->n);
}

static void put_floats(const struct joule_floats *l, FILE *to)
{
	for (int i = 0; i < l->n && i < MAX_LIST; i++)
		fprintf(to, "%s%.9g", i ? "," : "", (double)l->v[i]);
	if (l->n > MAX_LIST)
		fprintf(to, ",... (%d)", l->n);
}

static void put_strings(const struct joule_strings *l, FILE *to)
{
	for (int i = 0; i < l->n && i < MAX_LIST; i++) {
		if (i)
			putc(',', to);
		put_text(l->v[i], to);
	}
	if (l->n > MAX_LIST)
		fprintf(to, ",... (%d)", l->n);
}

static void put_attr(const struct joule_attr *a, const void *p, FILE *to)
{
	const struct joule_tensor *t;

	fprintf(to, "%s=", a->name);
	switch (a->type) {
	case JOULE_ATTR_INT:
		fprintf(to, "%" PRId64, *(const int64_t *)p);
		break;
	case JOULE_ATTR_FLOAT:
		fprintf(to, "%.9g", (double)*(const float *)p);
		break;
	case JOULE_ATTR_STRING:
		put_text(*(const char *const *)p ? *(const char *const *)p : "", to);
		break;
	case JOULE_ATTR_ENUM:
		put_text(a->def.names[*(const int *)p], to);
		break;
	case JOULE_ATTR_INTS:
		put_ints(p, to);
		break;
	case JOULE_ATTR_FLOATS:
		put_floats(p, to);
		break;
	case JOULE_ATTR_STRINGS:
		put_strings(p, to);
		break;
	case JOULE_ATTR_TENSOR:
		t = *(struct joule_tensor *const *)p;
		put_type(t, to);
		put_value(t, to);
		break;
	case JOULE_ATTR_GRAPH:
		fprintf(to, "body %d", *(const int *)p);
		break;
	}
}

static void put_attrs(const struct joule_node *node, FILE *to)
{
	const struct joule_attr *a = node->op->attrs;
	bool any = false;

	for (; a && a->name; a++) {
		if (joule_attr_is_default(a, node->attrs))
			continue;
		fputs(any ? " " : " {", to);
		put_attr(a, (const char *)node->attrs + a->offset, to);
		any = true;
	}
	if (any)
		putc('}', to);
}

/* ---- nodes ---- */

static void put_epilogue(const struct joule_node *node, FILE *to)
{
	for (int i = 0; i < node->epilogue.n; i++) {
		const struct joule_ew_step *s = &node->epilogue.step[i];

		fprintf(to, " + %s", joule_ew_name((enum joule_ew_code)s->code));
		if (s->operand >= 0 && s->operand < node->n_in) {
			putc('(', to);
			put_operand(node->in[s->operand], to);
			putc(')', to);
		} else if (s->p != 0 || s->q != 0) {
			fprintf(to, "(%.9g,%.9g)", (double)s->p, (double)s->q);
		}
	}
}

static void put_origins(const struct joule_node *node, FILE *to)
{
	if (!node->n_origins || (node->n_origins == 1 && !strcmp(node->origins[0], node->name)))
		return;
	for (int i = 0; i < node->n_origins; i++) {
		fputs(i ? ", " : " <- ", to);
		put_text(node->origins[i], to);
	}
}

static int plain_inputs(const struct joule_node *node)
{
	return node->epilogue.n ? node->epilogue.first_in : node->n_in;
}

void joule_node_dump(const struct joule_node *node, FILE *to)
{
	for (int i = 0; i < node->n_out; i++) {
		fputs(i ? ", " : "", to);
		if (!node->out[i]) {
			putc('_', to);
			continue;
		}
		put_text(node->out[i]->name, to);
		fputs(": ", to);
		put_type(node->out[i], to);
	}
	fprintf(to, " = %s(", node->op ? node->op->name : "removed");
	for (int i = 0; i < plain_inputs(node) && i < node->n_in; i++) {
		fputs(i ? ", " : "", to);
		put_operand(node->in[i], to);
	}
	putc(')', to);
	if (node->op)
		put_attrs(node, to);
	put_epilogue(node, to);
	put_origins(node, to);
	putc('\n', to);
}

static void put_list(const char *what, struct joule_tensor *const *list, int n, int indent,
		     FILE *to)
{
	for (int i = 0; i < n; i++) {
		fprintf(to, "%*s%s ", indent, "", what);
		put_text(list[i]->name, to);
		fputs(": ", to);
		put_type(list[i], to);
		putc('\n', to);
	}
}

static void dump_graph(const struct joule_graph *graph, int indent, FILE *to)
{
	int64_t bytes = 0;
	int n = 0;

	for (int i = 0; i < graph->n_tensors; i++) {
		const struct joule_tensor *t = graph->tensors[i];

		if (!joule_tensor_is_const(t) || t->outer)
			continue;
		n++;
		bytes += joule_tensor_bytes(t);
	}
	fprintf(to, "%*sgraph ", indent, "");
	put_text(graph->name, to);
	fprintf(to, " (opset %d, %d nodes, %d constants of %" PRId64 " bytes)\n", graph->opset,
		graph->n_nodes, n, bytes);
	indent += 2;
	put_list("input", graph->inputs, graph->n_inputs, indent, to);
	put_list("output", graph->outputs, graph->n_outputs, indent, to);
	for (int i = 0; i < graph->n_nodes; i++) {
		const struct joule_node *node = graph->nodes[i];

		fprintf(to, "%*s", indent, "");
		joule_node_dump(node, to);
		for (int j = 0; j < node->n_body; j++)
			dump_graph(node->body[j], indent + 2, to);
	}
}

void joule_graph_dump(const struct joule_graph *graph, FILE *to)
{
	dump_graph(graph, 0, to);
}
