// SPDX-License-Identifier: MIT
/* What a session is made of: figures, operator counts, text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ir/access.h"
#include "ir/dump.h"
#include "ir/op.h"
#include "passes/passes.h"
#include "runtime/instance.h"
#include "runtime/interp.h"
#include "runtime/session.h"

static bool makes_floats(const struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i] && joule_dtype_is_float(node->out[i]->dtype))
			return true;
	return false;
}

static void add_stage(void *arg, const struct joule_stage *stage)
{
	struct joule_session_stats *s = arg;
	const struct joule_plan *p = stage->plan;

	s->arena_bytes += p->device_bytes + p->host_bytes;
	s->arena_lower_bound_bytes += p->lower_bound_bytes;
	s->macs += p->macs;
	s->steps += p->n_steps;
	s->host_steps += p->host_steps;
	s->launches += p->n_dispatches;
	s->barriers += p->barriers;
	for (int i = 0; i < p->n_steps; i++)
		s->host_float_steps += p->steps[i].kind == JOULE_STEP_HOST &&
				       makes_floats(p->steps[i].node);
	for (int i = 0; i < stage->n_segments; i++)
		s->submissions += stage->segments[i].launches > 0;
}

static void add_cpu(const struct joule_graph *g, struct joule_session_stats *s)
{
	for (int i = 0; i < g->n_nodes; i++) {
		const struct joule_node *n = g->nodes[i];
		struct joule_cost cost;

		joule_node_cost(n, &cost);
		s->macs += cost.macs;
		s->steps++;
		s->host_steps++;
		s->host_float_steps += makes_floats(n);
	}
}

/* Nodes whose result's shape is known only afterwards run between stages. */
static void add_late(const struct joule_graph *g, struct joule_session_stats *s)
{
	for (int i = 0; g && i < g->n_nodes; i++)
		if (g->nodes[i]->op->traits & JOULE_OP_LATE_SHAPE) {
			s->steps++;
			s->host_steps++;
			s->host_float_steps += makes_floats(g->nodes[i]);
		}
}

int joule_session_get_stats(struct joule_session *session, struct joule_session_stats *out)
{
	memset(out, 0, sizeof(*out));
	out->create_ns = session->create_ns;
	if (session->graph) {
		add_cpu(session->graph, out);
		return 0;
	}
	out->device_bytes = session->engine.bytes;
	out->weight_bytes = session->engine.weight_bytes;
	out->compile_ns = session->engine.compile_ns;
	if (session->instances)
		joule_frame_for_each_stage(session->instances->frame, add_stage, out);
	add_late(joule_session_graph(session), out);
	return 0;
}

/* ---- operator counts ---- */

struct counts {
	int n, cap;
	struct joule_op_count *list;
	bool failed;
};

static void count_one(struct counts *c, const char *op, bool before)
{
	struct joule_op_count *at = NULL;

	for (int i = 0; i < c->n; i++)
		if (!strcmp(c->list[i].op, op))
			at = &c->list[i];
	if (!at && c->n == c->cap) {
		int cap = c->cap ? c->cap * 2 : 32;
		struct joule_op_count *fresh = realloc(c->list, (size_t)cap * sizeof(*fresh));

		if (!fresh) {
			c->failed = true;
			return;
		}
		c->list = fresh;
		c->cap = cap;
	}
	if (!at) {
		at = &c->list[c->n++];
		*at = (struct joule_op_count){ .op = op };
	}
	if (before)
		at->before++;
	else
		at->after++;
}

static void count_graph(struct counts *c, const struct joule_graph *g, bool before)
{
	for (int i = 0; i < g->n_nodes; i++) {
		count_one(c, g->nodes[i]->op->name, before);
		for (int j = 0; j < g->nodes[i]->n_body; j++)
			count_graph(c, g->nodes[i]->body[j], before);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct joule_op_count *x = a, *y = b;

	return strcmp(x->op, y->op);
}

int joule_session_op_counts(struct joule_session *session, struct joule_op_count *list, int max)
{
	const struct joule_graph *after = joule_session_graph(session);
	struct counts c = { 0 };

	count_graph(&c, session->model->graph, true);
	if (after)
		count_graph(&c, after, false);
	if (c.failed) {
		free(c.list);
		return joule_err_nomem(session->log, "operator counts");
	}
	qsort(c.list, (size_t)c.n, sizeof(*c.list), by_name);
	for (int i = 0; i < c.n && i < max; i++)
		list[i] = c.list[i];
	free(c.list);
	return c.n;
}

int joule_pass_info(int i, const char **name, const char **description)
{
	const struct joule_pass *pass = joule_pass_get(i);

	if (!pass)
		return -ERANGE;
	*name = pass->name;
	*description = pass->description;
	return 0;
}

/* ---- text ---- */

static void dump_stage(void *arg, const struct joule_stage *stage)
{
	joule_plan_dump(stage->plan, arg);
}

int joule_session_dump(struct joule_session *session, const char *stage, FILE *to)
{
	const struct joule_graph *g = joule_session_graph(session);
	bool plan = !strcmp(stage, "plan");

	if (!plan && strcmp(stage, "passes") != 0)
		return joule_err(session->log, -EINVAL, "there is no stage %s to show", stage);
	if (!g)
		return joule_err(session->log, -EINVAL,
				 "%s: nothing is planned before the input shapes are known",
				 session->model->graph->file);
	if (!plan)
		joule_graph_dump(g, to);
	else if (session->instances)
		joule_frame_for_each_stage(session->instances->frame, dump_stage, to);
	return 0;
}
