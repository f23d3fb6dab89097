// SPDX-License-Identifier: MIT
/* Which nodes fp16 does not suit, found out on real inputs. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/strmap.h"
#include "ir/access.h"
#include "ir/op.h"
#include "runtime/session.h"

#define DEFAULT_LIMIT 0.01 /* of the graph's outputs */
#define GROWTH	      3.0 /* an error so much larger than the operands' is the node's own */
#define LEAST_GROWTH  1.5
#define SMALLEST      (1.0 / 32) /* of the limit: smaller errors of a node are not worth fp32 */
#define MAX_ROUNDS    24
#define MAX_DEPTH     32 /* of nodes between a loss and where it shows */

/* A session like s that keeps all values, with s's inputs. */
static int twin_create(struct joule_session *s, enum joule_precision precision,
		       struct joule_session **out)
{
	struct joule_session_params params = {
		.precision = precision,
		.deterministic = s->deterministic,
		.disabled_passes = (const char *const *)s->disabled_passes,
		.random_weights = s->random_weights,
		.keep_all = true,
		.n_shapes = s->n_inputs,
		.keep_fp32 = (const char *const *)s->engine.keep_f32,
	};
	struct joule_value_info *shapes = calloc((size_t)s->n_inputs + 1, sizeof(*shapes));
	int ret;

	if (!shapes)
		return joule_err_nomem(s->log, "calibration");
	for (int i = 0; i < s->n_inputs; i++) {
		shapes[i].name = s->inputs[i].name;
		shapes[i].shape = s->inputs[i].shape;
	}
	params.shapes = shapes;
	ret = joule_session_create(s->model, s->device, &params, out);
	free(shapes);
	for (int i = 0; !ret && i < s->n_inputs; i++) {
		struct joule_view view = {
			.dtype = s->inputs[i].dtype,
			.shape = s->inputs[i].shape,
			.data = joule_input_data(&s->inputs[i]),
		};

		view.bytes = (size_t)joule_array_bytes(view.dtype, &view.shape);
		ret = joule_session_set_input(*out, i, &view);
	}
	if (!ret)
		ret = joule_session_run(*out, 0);
	return ret;
}

/*
 * Root mean square of the difference over that of the values around their
 * mean; infinite where only got overflowed.
 */
static double difference(const struct joule_view *got, const struct joule_view *want)
{
	int64_t n = joule_shape_count(&want->shape), used = 0;
	double sum = 0, squares = 0, errors = 0, variance;

	for (int64_t i = 0; i < n; i++) {
		double a = joule_get_f64(got->dtype, got->data, i);
		double b = joule_get_f64(want->dtype, want->data, i);

		if (!isfinite(b))
			continue;
		if (!isfinite(a))
			return INFINITY;
		sum += b;
		squares += b * b;
		errors += (a - b) * (a - b);
		used++;
	}
	if (!used || errors == 0)
		return 0;
	variance = squares - sum * sum / (double)used;
	/* One value, or many that are alike: against their size. */
	if (variance <= 1e-6 * squares)
		variance = squares;
	return variance > 0 ? sqrt(errors / variance) : 1;
}

static int keep(struct joule_session *s, const char *name)
{
	int n = 0;
	const char **list;

	while (s->engine.keep_f32 && s->engine.keep_f32[n])
		if (!strcmp(s->engine.keep_f32[n++], name))
			return 0;
	list = joule_arena_array(&s->arena, (size_t)n + 2, sizeof(*list));
	if (!list)
		return joule_err_nomem(s->log, "calibration");
	if (n)
		memcpy(list, s->engine.keep_f32, (size_t)n * sizeof(*list));
	list[n] = joule_arena_strdup(&s->arena, name);
	if (!list[n])
		return joule_err_nomem(s->log, "calibration");
	s->engine.keep_f32 = list;
	return 1;
}

struct comparison {
	struct joule_session *s, *whole, *half;
	struct joule_strmap tensors; /* of the fp32 graph, by name */
	double *error;               /* by tensor of the fp16 graph */
	double limit;
	double node_limit, growth; /* a node whose error exceeds both is blamed */
	bool outputs_bad;
	int found;
};

static int error_of(struct comparison *c, const struct joule_tensor *t, double *error)
{
	const struct joule_tensor *w = joule_strmap_get(&c->tensors, t->name);
	struct joule_view got, want;
	int ret;

	*error = 0;
	if (!w || joule_tensor_is_const(w) || joule_tensor_is_const(t) || w->dtype != JOULE_F32 ||
	    !joule_shape_equal(&w->shape, &t->shape) || joule_tensor_count(t) < 1)
		return 0;
	ret = joule_session_view(c->half, t, &got);
	if (!ret)
		ret = joule_session_view(c->whole, w, &want);
	if (!ret)
		*error = difference(&got, &want);
	return ret;
}

static int blame(struct comparison *c, const struct joule_node *node, double error)
{
	int ret = keep(c->s, node->name);

	if (ret <= 0)
		return ret;
	c->found++;
	if (isinf(error))
		joule_logf(c->s->log, JOULE_LOG_INFO, "%s: node %s (%s) overflows fp16: stays fp32",
			   c->s->model->graph->file, node->name, node->op->name);
	else
		joule_logf(c->s->log, JOULE_LOG_INFO,
			   "%s: node %s (%s) errs by %.2g in fp16: stays fp32",
			   c->s->model->graph->file, node->name, node->op->name, error);
	return 0;
}

static double operand_error(const struct comparison *c, const struct joule_node *node)
{
	double in = 0;

	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] && !joule_tensor_is_const(node->in[i]))
			in = fmax(in, c->error[node->in[i]->index]);
	return in;
}

/*
 * The nodes whose halves an fp32 node reads, directly or by way of nodes that
 * only hand on what was lost before them.
 */
static int blame_operands(struct comparison *c, const struct joule_node *node, double error,
			  int depth)
{
	int ret = 0;

	for (int i = 0; !ret && depth < MAX_DEPTH && i < node->n_in; i++) {
		const struct joule_tensor *t = node->in[i];
		const struct joule_node *p = t ? t->producer : NULL;
		bool half;

		if (!p || joule_tensor_is_const(t) || c->error[t->index] <= 0)
			continue;
		half = t->dtype == JOULE_F16 && !(p->op->traits & JOULE_OP_VIEW) &&
		       strcmp(p->op->name, "Cast") != 0;
		if (half)
			ret = blame(c, p, error);
		/* Its own error, or its operands'? Small ones are followed no further. */
		if (!ret && (!half || (c->node_limit >= c->limit &&
				       operand_error(c, p) * LEAST_GROWTH >= c->error[t->index])))
			ret = blame_operands(c, p, error, depth + 1);
	}
	return ret;
}

static int judge(struct comparison *c, struct joule_node *node)
{
	double in = operand_error(c, node), out = 0;
	bool half = false, ours = false;
	int ret;

	for (int i = 0; i < node->n_out; i++) {
		struct joule_tensor *t = node->out[i];
		double *error = t ? &c->error[t->index] : NULL;

		if (!t)
			continue;
		ret = error_of(c, t, error);
		if (ret)
			return ret;
		/* A Cast has its operand's error: the twin in fp32 lacks it. */
		if (joule_strmap_get(&c->tensors, t->name))
			ours = true;
		else
			*error = in;
		half |= t->dtype == JOULE_F16;
		out = fmax(out, *error);
	}
	if (!ours || out <= c->node_limit || isinf(in) || out <= c->growth * in)
		return 0;
	/* Cancellation makes some values poor that nothing depends on. */
	if (!isinf(out) && !c->outputs_bad)
		return 0;
	/* A node that is fp32 already suffers from what its operands lost. */
	return half ? blame(c, node, out) : blame_operands(c, node, out, 0);
}

/* One round; found counts nodes that are new on the list. */
static int compare(struct comparison *c)
{
	const struct joule_graph *w = joule_session_graph(c->whole);
	const struct joule_graph *h = joule_session_graph(c->half);
	int ret = 0;

	joule_strmap_init(&c->tensors);
	c->found = 0;
	c->error = calloc((size_t)h->n_tensors + 1, sizeof(*c->error));
	if (!c->error)
		ret = joule_err_nomem(c->s->log, "calibration");
	for (int i = 0; !ret && i < w->n_tensors; i++)
		if (joule_strmap_set(&c->tensors, w->tensors[i]->name, w->tensors[i]))
			ret = joule_err_nomem(c->s->log, "calibration");
	c->outputs_bad = false;
	for (int i = 0; !ret && i < h->n_outputs; i++) {
		double error;

		ret = error_of(c, h->outputs[i], &error);
		c->outputs_bad |= error > c->limit;
	}
	for (int i = 0; !ret && i < h->n_nodes; i++)
		ret = judge(c, h->nodes[i]);
	free(c->error);
	joule_strmap_finish(&c->tensors);
	return ret;
}

int joule_session_calibrate(struct joule_session *session, double limit)
{
	struct comparison c = { .s = session, .limit = limit > 0 ? limit : DEFAULT_LIMIT };
	bool idle = false;
	int n = 0, ret;

	if (!session->engine.f16_storage)
		return 0;
	for (int i = 0; i < session->n_inputs; i++)
		if (!session->inputs[i].set)
			return joule_err(session->log, -EINVAL, "%s: input %s was not set",
					 session->model->graph->file, session->inputs[i].name);
	if (!atomic_compare_exchange_strong(&session->busy, &idle, true))
		return joule_err(session->log, -EBUSY, "%s: a run is under way",
				 session->model->graph->file);
	ret = twin_create(session, JOULE_PRECISION_FP32, &c.whole);
	c.node_limit = c.limit;
	c.growth = GROWTH;
	for (int round = 0; !ret && round < MAX_ROUNDS; round++) {
		ret = twin_create(session, session->precision, &c.half);
		if (!ret)
			ret = compare(&c);
		/* Many small errors that add up: blame smaller ones, the largest first. */
		while (!ret && !c.found && c.outputs_bad && c.node_limit > c.limit * SMALLEST) {
			c.node_limit /= 2;
			c.growth = fmax(LEAST_GROWTH, c.growth * 0.75);
			ret = compare(&c);
		}
		joule_session_destroy(c.half);
		c.half = NULL;
		if (!c.found)
			break;
	}
	joule_session_destroy(c.whole);
	while (session->engine.keep_f32 && session->engine.keep_f32[n])
		n++;
	if (!ret && n) {
		joule_session_drop_instances(session);
		session->ran = false;
		ret = joule_session_prepare(session);
	}
	atomic_store(&session->busy, false);
	return ret ? ret : n;
}
