// SPDX-License-Identifier: MIT
/*
 * Activations that files spell out: x * sigmoid(x), x * clip(x + 3, 0, 6) / 6,
 * 0.5 * x * (1 + erf(x / sqrt(2))) and so on, in whatever order and nesting.
 * Instead of one pattern for each spelling, every cone of element-wise nodes
 * that is a function of a single tensor is evaluated at sample points and
 * compared with the activations joule knows. GELU by x * sigmoid(1.702 x), and
 * Swish with any other factor, are told by what they make of 1.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "passes/match.h"
#include "passes/passes.h"

#define MAX_CONE   12 /* nodes; the longest spelling known (tanh GELU) has 9 */
#define MAX_SOURCES 16

static const struct {
	enum joule_ew_code code;
	float p, q;
	const char *op;
	int opset;
} known[] = {
	{ JOULE_EW_SWISH, 1, 0, "Swish", 24 },
	{ JOULE_EW_HARD_SWISH, 0, 0, "HardSwish", 14 },
	{ JOULE_EW_GELU, 0, 0, "Gelu", 20 },
	{ JOULE_EW_GELU_TANH, 0, 0, "Gelu", 20 },
	{ JOULE_EW_MISH, 0, 0, "Mish", 18 },
	{ JOULE_EW_SIGMOID, 0, 0, "Sigmoid", 13 },
	{ JOULE_EW_HARD_SIGMOID, 1.0f / 6, 0.5f, "HardSigmoid", 6 },
};

/* Dense where activations bend, wide enough to tell a clip from none. */
static const double samples[] = {
	-1e4, -100, -20, -9.7, -6.5, -6, -5.2, -4.1, -3.3, -3, -2.9, -2.2, -1.7, -1.3,
	-1, -0.73, -0.51, -0.25, -0.11, -1e-3, 0, 1e-3, 0.13, 0.29, 0.47, 0.77, 1, 1.4,
	1.9, 2.3, 2.8, 3, 3.1, 3.7, 4.4, 5.3, 6, 6.4, 9.1, 21, 99, 1e4,
};

#define N_SAMPLES JOULE_ARRAY_LEN(samples)

struct cone {
	const struct joule_graph *graph;
	const struct joule_tensor *root;
	struct joule_node *node[MAX_CONE];
	int n;
	float p; /* which()'s: what the activation has for p */
};

/* The tensor's value at root = x; NAN with *ok cleared if it is no such function. */
static double eval(struct cone *c, const struct joule_tensor *t, double x, bool *ok, int depth)
{
	struct joule_node *p = t->producer;
	struct joule_ew_step step;
	double scalar, v, w = 0;
	int at = 0;

	if (t == c->root)
		return x;
	if (joule_match_scalar(t, &scalar))
		return scalar;
	if (!p || !p->op->elementwise || depth > MAX_CONE || p->epilogue.n ||
	    (t->flags & JOULE_TENSOR_OUTPUT && depth) || p->op->elementwise(p, &step))
		goto no;
	while (at < c->n && c->node[at] != p)
		at++;
	if (at == MAX_CONE)
		goto no;
	if (at == c->n)
		c->node[c->n++] = p;
	v = eval(c, p->in[joule_ew_value(p, &step)], x, ok, depth + 1);
	if (step.operand >= 0)
		w = eval(c, p->in[step.operand], x, ok, depth + 1);
	return joule_ew_eval((enum joule_ew_code)step.code, v, w, step.p, step.q);
no:
	*ok = false;
	return NAN;
}

/* Node constants are floats, so a spelled 1/sqrt(2) is off by 1e-8. */
static bool same(double a, double b)
{
	return fabs(a - b) <= 2e-6 * fmax(1, fabs(b));
}

/* p of y = 1 / (1 + exp(-p)); 1 where there is none. */
static float swish_factor(double y)
{
	double p = y > 0.5 && y < 0.99 ? log(y / (1 - y)) : 1;

	/* 1 and 1.702 as files have them, not as a sum of roundings. */
	return (float)(round(p * 1e6) / 1e6);
}

static int which(struct cone *c, const struct joule_tensor *y)
{
	double got[N_SAMPLES];
	bool ok = true;

	for (size_t i = 0; i < N_SAMPLES && ok; i++)
		got[i] = eval(c, y, samples[i], &ok, 0);
	if (!ok || c->n < 2)
		return -1;
	for (size_t k = 0; k < JOULE_ARRAY_LEN(known); k++) {
		size_t i = 0;

		c->p = known[k].p;
		if (known[k].code == JOULE_EW_SWISH)
			c->p = swish_factor(eval(c, y, 1, &ok, 0));
		while (i < N_SAMPLES && same(got[i], joule_ew_eval(known[k].code, samples[i], 0,
								   c->p, known[k].q)))
			i++;
		if (i == N_SAMPLES)
			return (int)k;
	}
	return -1;
}

/* Nothing outside may read what the cone computes on its way. */
static bool is_closed(const struct cone *c, const struct joule_node *last)
{
	for (int i = 0; i < c->n; i++) {
		int inside = 0;

		if (c->node[i] == last)
			continue;
		for (int j = 0; j < c->n; j++)
			for (int k = 0; k < c->node[j]->n_in; k++)
				inside += c->node[j]->in[k] == c->node[i]->out[0];
		if (inside != joule_tensor_uses(c->graph, c->node[i]->out[0]))
			return false;
	}
	return true;
}

/* Tensors from which y might be a function: what lies behind it, element-wise. */
static int sources(const struct joule_tensor *y, const struct joule_tensor **list, int n, int depth)
{
	const struct joule_node *p = y->producer;
	struct joule_ew_step step;

	if (!p || !p->op->elementwise || depth > MAX_CONE || p->op->elementwise(p, &step))
		return n;
	for (int i = 0; i < p->n_in; i++) {
		const struct joule_tensor *t = p->in[i];
		double scalar;
		int k = 0;

		if (!t || joule_match_scalar(t, &scalar))
			continue;
		while (k < n && list[k] != t)
			k++;
		if (k < n || n == MAX_SOURCES)
			continue;
		list[n++] = t;
		n = sources(t, list, n, depth + 1);
	}
	return n;
}

static int replace(struct joule_graph *graph, const struct cone *c, int k, struct joule_node *last)
{
	const struct joule_op *op = joule_op_find("", known[k].op, known[k].opset);
	struct joule_tensor *root = (struct joule_tensor *)c->root;
	struct joule_node *merged[MAX_CONE], *node;
	int n = 0;

	for (int i = c->n - 1; i >= 0; i--)
		if (c->node[i] != last)
			merged[n++] = c->node[i];
	node = joule_rewrite(graph, op, &root, 1, merged, n, last);
	if (!node)
		return -ENOMEM;
	node->opset = known[k].opset;
	joule_node_default_attrs(node);
	if (known[k].code == JOULE_EW_GELU_TANH)
		*(int *)joule_node_attr(node, "approximate") = 1;
	if (known[k].code == JOULE_EW_HARD_SIGMOID || known[k].code == JOULE_EW_SWISH)
		*(float *)joule_node_attr(node, "alpha") = c->p;
	return 0;
}

static int try_node(struct joule_graph *graph, struct joule_node *last, bool *changed)
{
	const struct joule_tensor *list[MAX_SOURCES];
	struct cone best = { 0 };
	int n, best_k = -1;

	n = sources(last->out[0], list, 0, 0);
	for (int i = 0; i < n; i++) {
		struct cone c = { .graph = graph, .root = list[i] };
		int k;

		if (list[i]->dtype != last->out[0]->dtype ||
		    !joule_shape_equal(&list[i]->shape, &last->out[0]->shape))
			continue;
		k = which(&c, last->out[0]);
		if (k < 0 || !is_closed(&c, last) || c.n <= best.n)
			continue;
		best = c;
		best_k = k;
	}
	if (best_k < 0)
		return 0;
	*changed = true;
	return replace(graph, &best, best_k, last);
}

static int activation(struct joule_graph *graph, bool *changed)
{
	int ret = 0;

	/* From the end, so that a whole spelling is seen before its parts. */
	for (int i = graph->n_nodes - 1; !ret && i >= 0; i--) {
		struct joule_node *node = graph->nodes[i];
		struct joule_ew_step step;

		if (node->op && node->op->elementwise && node->out[0] && !node->epilogue.n &&
		    !node->op->elementwise(node, &step))
			ret = try_node(graph, node, changed);
	}
	if (*changed)
		joule_remove_dead(graph);
	return ret;
}

const struct joule_pass joule_pass_activation = {
	.name = "activation",
	.description = "spelled-out Swish, HardSwish, GELU, Mish and sigmoids become one operator",
	.run = activation,
};
