// SPDX-License-Identifier: MIT
/* From a row to a one-node graph: attributes, inputs, outputs, epilogue. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "ir/access.h"
#include "row.h"

/* xorshift32 (Marsaglia): the same numbers everywhere. */
static double next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state / 4294967296.0;
}

static void fill(struct joule_tensor *t, const struct row_input *in, uint32_t *state)
{
	int64_t n = joule_tensor_count(t);

	for (int64_t i = 0; i < n; i++) {
		double r = next_random(state);

		if (in->values)
			joule_set_f64(t->dtype, t->data, i, in->values[i]);
		else if (joule_dtype_is_float(t->dtype))
			joule_set_f64(t->dtype, t->data, i, in->lo + (in->hi - in->lo) * r);
		else
			joule_set_i64(t->dtype, t->data, i,
				      (int64_t)(in->lo + (in->hi - in->lo + 1) * r));
	}
}

static struct joule_tensor *add_input(struct joule_graph *g, const struct row_input *in, bool half,
				      uint32_t *state)
{
	enum joule_dtype dtype = half && in->dtype == JOULE_F32 ? JOULE_F16 : in->dtype;
	struct joule_tensor *t = joule_graph_add_tensor(g, NULL);

	if (!t)
		return NULL;
	t->dtype = dtype;
	t->shape = in->shape;
	if (joule_tensor_alloc(t))
		return NULL;
	fill(t, in, state);
	t->flags |= in->constant ? JOULE_TENSOR_CONST : JOULE_TENSOR_INPUT;
	return t;
}

static int bad_attr(const struct row *row, const char *name)
{
	fprintf(stderr, "%s:%d: attribute %s\n", row->file, row->line, name);
	return -EINVAL;
}

static int set_attr(const struct row *row, struct joule_node *node, const struct joule_attr *a,
		    const char *text)
{
	struct joule_arena *arena = &node->graph->arena;
	char *at = (char *)node->attrs + a->offset;
	int n = 1;

	for (const char *p = text; *p; p++)
		n += *p == ',';
	switch (a->type) {
	case JOULE_ATTR_INT:
		*(int64_t *)at = atoll(text);
		return 0;
	case JOULE_ATTR_FLOAT:
		*(float *)at = (float)atof(text);
		return 0;
	case JOULE_ATTR_STRING:
		*(const char **)at = joule_arena_strdup(arena, text);
		return 0;
	case JOULE_ATTR_ENUM:
		for (int i = 0; a->def.names[i]; i++)
			if (!strcmp(a->def.names[i], text)) {
				*(int *)at = i;
				return 0;
			}
		return bad_attr(row, text);
	case JOULE_ATTR_INTS: {
		int64_t *v = joule_arena_array(arena, (size_t)n, sizeof(*v));
		const char *p = text;

		for (int i = 0; v && i < n; i++, p = strchr(p, ',') ? strchr(p, ',') + 1 : p)
			v[i] = atoll(p);
		*(struct joule_ints *)at = (struct joule_ints){ n, v };
		return v ? 0 : -ENOMEM;
	}
	case JOULE_ATTR_FLOATS: {
		float *v = joule_arena_array(arena, (size_t)n, sizeof(*v));
		const char *p = text;

		for (int i = 0; v && i < n; i++, p = strchr(p, ',') ? strchr(p, ',') + 1 : p)
			v[i] = (float)atof(p);
		*(struct joule_floats *)at = (struct joule_floats){ n, v };
		return v ? 0 : -ENOMEM;
	}
	case JOULE_ATTR_STRINGS: {
		const char **v = joule_arena_array(arena, (size_t)n, sizeof(*v));
		char *copy = joule_arena_strdup(arena, text), *save = NULL;

		if (!v || !copy)
			return -ENOMEM;
		for (int i = 0; i < n; i++)
			v[i] = strtok_r(i ? NULL : copy, ",", &save);
		*(struct joule_strings *)at = (struct joule_strings){ n, v };
		return 0;
	}
	case JOULE_ATTR_TENSOR:
	case JOULE_ATTR_GRAPH:
		break;
	}
	return bad_attr(row, a->name);
}

/* The operator's own defaults, then what the row says. */
static int set_attrs(const struct row *row, struct joule_node *node)
{
	char *copy = strdup(row->attrs), *save = NULL;
	int ret = copy ? 0 : -ENOMEM;

	joule_node_default_attrs(node);
	for (char *tok = copy ? strtok_r(copy, " \t", &save) : NULL; !ret && tok;
	     tok = strtok_r(NULL, " \t", &save)) {
		const struct joule_attr *a = node->op->attrs;
		char *value = strchr(tok, '=');

		if (value)
			*value++ = 0;
		while (a && a->name && strcmp(a->name, tok))
			a++;
		ret = a && a->name && value ? set_attr(row, node, a, value) : bad_attr(row, tok);
	}
	free(copy);
	return ret;
}

/* Like strtok_r(s, ",", save), but commas inside brackets belong to a shape. */
static char *next_step(char *s, char **save)
{
	char *start = s ? s : *save, *p = start;
	int depth = 0;

	if (!start || !*start)
		return NULL;
	for (; *p && (*p != ',' || depth); p++)
		depth += (*p == '[') - (*p == ']');
	*save = *p ? p + 1 : NULL;
	*p = 0;
	return start;
}

/*
 * Operands of fused steps need the output's shape, so the node is inferred
 * once before they are added.
 */
static int add_epilogue(const struct row *row, struct joule_node *node, bool half, uint32_t *state)
{
	char *copy = strdup(row->epilogue), *save = NULL;
	int ret = copy ? joule_node_infer(node) : -ENOMEM;

	/* Behind every optional input, or an operand would pass for one of them. */
	if (!ret && node->op->max_in > node->n_in)
		ret = joule_node_set_input(node, node->op->max_in - 1, NULL);
	node->epilogue.first_in = node->n_in;
	for (char *tok = copy ? next_step(copy, &save) : NULL; !ret && tok;
	     tok = next_step(NULL, &save)) {
		struct joule_ew_step *s = &node->epilogue.step[node->epilogue.n];
		char *spec = strchr(tok, ':');
		struct row tmp = { .file = row->file, .line = row->line };
		int code = 0;

		if (spec)
			*spec++ = 0;
		while (code < JOULE_EW_COUNT && strcasecmp(joule_ew_name(code), tok))
			code++;
		if (code == JOULE_EW_COUNT || node->epilogue.n == JOULE_EW_MAX_STEPS) {
			ret = bad_attr(row, tok);
			break;
		}
		*s = (struct joule_ew_step){ .code = (uint16_t)code, .operand = -1, .p = 0.1f,
					     .q = 6.0f };
		if (joule_ew_arity(code) == 2) {
			char text[64];
			struct joule_tensor *t;

			snprintf(text, sizeof(text), "%s", spec ? spec : "");
			ret = -EINVAL;
			if (!spec)
				break;
			/* Reuse the input grammar through a one-input row. */
			char line[96];

			snprintf(line, sizeof(line), "X.1 %s", text);
			ret = row_parse(&tmp, row->file, row->line, line);
			t = ret ? NULL : add_input(node->graph, &tmp.in[0], half, state);
			row_finish(&tmp);
			if (!t) {
				ret = ret ? ret : -ENOMEM;
				break;
			}
			s->operand = (int16_t)node->n_in;
			ret = joule_node_set_input(node, node->n_in, t);
		}
		node->epilogue.n++;
	}
	free(copy);
	return ret;
}

int row_build(const struct row *row, bool half, unsigned int seed, const struct joule_log *log,
	      struct joule_graph **out)
{
	const struct joule_op *op = joule_op_find(row->domain, row->op, row->opset);
	uint32_t state = seed * 2654435761u + 12345;
	struct joule_graph *g;
	struct joule_node *node;
	char where[300];
	int ret, n_out;

	*out = NULL;
	if (!op)
		return joule_err(log, -ENOENT, "%s:%d: no operator %s in opset %d", row->file,
				 row->line, row->op, row->opset);
	snprintf(where, sizeof(where), "%s:%d", row->file, row->line);
	ret = joule_graph_create(log, where, &g);
	if (ret)
		return ret;
	g->opset = row->opset;
	n_out = row->n_out ? row->n_out : op->min_out ? op->min_out : 1;
	node = joule_graph_add_node(g, op, "test", row->n_in, n_out);
	ret = node ? 0 : -ENOMEM;
	for (int i = 0; !ret && i < row->n_in; i++) {
		if (row->in[i].omitted)
			continue;
		node->in[i] = add_input(g, &row->in[i], half, &state);
		ret = node->in[i] ? 0 : -ENOMEM;
	}
	for (int i = 0; !ret && i < n_out; i++) {
		struct joule_tensor *t = joule_graph_add_tensor(g, NULL);

		ret = t ? 0 : -ENOMEM;
		if (t) {
			t->flags = JOULE_TENSOR_OUTPUT;
			joule_node_set_output(node, i, t);
		}
	}
	if (!ret)
		ret = set_attrs(row, node);
	if (!ret && op->prepare)
		ret = op->prepare(node);
	if (!ret && row->epilogue)
		ret = add_epilogue(row, node, half, &state);
	if (ret) {
		joule_graph_destroy(g);
		return ret;
	}
	*out = g;
	return 0;
}
