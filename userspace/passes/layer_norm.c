// SPDX-License-Identifier: MIT
/*
 * LayerNormalization spelled out:
 *	d = x - ReduceMean(x);  y = d / Sqrt(ReduceMean(d * d) + epsilon) * gamma + beta
 * with Pow(d, 2) or Mul(d, d), Div or Mul by a Reciprocal.
 */
#include <errno.h>
#include <string.h>

#include "ir/access.h"
#include "passes/match.h"
#include "passes/passes.h"

struct spelled {
	struct joule_node *mean, *sub, *square, *variance, *add, *root, *reciprocal, *scale;
	struct joule_tensor *x;
	double epsilon;
	int first_axis; /* normalized axes are this one to the last */
};

/* The axes of a ReduceMean over the last ones, keepdims; -1 otherwise. */
static int last_axes(const struct joule_node *node)
{
	const struct joule_ints *attr = joule_node_attr(node, "axes");
	const int64_t *keep = joule_node_attr(node, "keepdims");
	int64_t axes[JOULE_MAX_RANK];
	int rank = node->in[0]->shape.rank, n = attr ? attr->n : 0, first = rank;
	bool seen[JOULE_MAX_RANK] = { false };

	if (rank < 1 || !keep || !*keep || n > JOULE_MAX_RANK)
		return -1;
	if (n)
		memcpy(axes, attr->v, (size_t)n * sizeof(*axes));
	if (joule_node_in(node, 1))
		n = joule_tensor_is_const(node->in[1]) ?
			    joule_tensor_ints(node->in[1], axes, JOULE_MAX_RANK) :
			    -1;
	if (n < 1)
		return -1;
	for (int i = 0; i < n; i++) {
		int64_t a = axes[i] < 0 ? axes[i] + rank : axes[i];

		if (a < 0 || a >= rank || seen[a])
			return -1;
		seen[a] = true;
		first = a < first ? (int)a : first;
	}
	return rank - first == n ? first : -1;
}

/* d * d or d ^ 2 */
static bool is_square(const struct joule_node *node, const struct joule_tensor *d)
{
	double p;

	if (joule_match_op(node, "Mul"))
		return node->in[0] == d && node->in[1] == d;
	return joule_match_op(node, "Pow") && node->in[0] == d &&
	       joule_match_scalar(node->in[1], &p) && p == 2;
}

/* From the node that divides: everything behind it. */
static bool match(const struct joule_graph *graph, struct joule_node *scale, struct spelled *s)
{
	struct joule_tensor *d, *denominator, *sum;
	int rank;

	memset(s, 0, sizeof(*s));
	s->scale = scale;
	if (joule_match_op(scale, "Div")) {
		d = scale->in[0];
		denominator = scale->in[1];
	} else if (joule_match_op(scale, "Mul")) {
		int k = scale->in[0]->producer && joule_match_op(scale->in[0]->producer, "Reciprocal");

		d = scale->in[k ? 1 : 0];
		s->reciprocal = joule_match_only(graph, scale->in[k ? 0 : 1], "Reciprocal");
		if (!s->reciprocal)
			return false;
		denominator = s->reciprocal->in[0];
	} else {
		return false;
	}
	s->root = joule_match_only(graph, denominator, "Sqrt");
	s->add = s->root ? joule_match_only(graph, s->root->in[0], "Add") : NULL;
	sum = s->add ? joule_match_with_scalar(s->add, &s->epsilon) : NULL;
	s->variance = sum ? joule_match_only(graph, sum, "ReduceMean") : NULL;
	s->square = s->variance && joule_tensor_uses(graph, s->variance->in[0]) == 1 ?
			    s->variance->in[0]->producer :
			    NULL;
	if (!s->square || !is_square(s->square, d))
		return false;
	s->sub = d->producer;
	if (!joule_match_op(s->sub, "Sub") || s->sub->epilogue.n)
		return false;
	s->x = s->sub->in[0];
	s->mean = joule_match_only(graph, s->sub->in[1], "ReduceMean");
	if (!s->mean || s->mean->in[0] != s->x)
		return false;
	/* d is read by the square (twice for a product) and by the division. */
	if (joule_tensor_uses(graph, d) != (joule_match_op(s->square, "Mul") ? 3 : 2))
		return false;
	rank = s->x->shape.rank;
	s->first_axis = last_axes(s->mean);
	return rank > 0 && s->first_axis >= 0 && last_axes(s->variance) == s->first_axis &&
	       joule_dtype_is_float(s->x->dtype);
}

/* Is t a constant of the normalized shape (leading ones allowed)? */
static bool is_parameter(const struct joule_tensor *t, const struct spelled *s)
{
	int extra, n = s->x->shape.rank - s->first_axis;

	if (!joule_tensor_is_const(t) || t->shape.rank < n)
		return false;
	extra = t->shape.rank - n;
	for (int i = 0; i < extra; i++)
		if (t->shape.dims[i] != 1)
			return false;
	for (int i = 0; i < n; i++)
		if (t->shape.dims[extra + i] != s->x->shape.dims[s->first_axis + i])
			return false;
	return true;
}

/* gamma and beta may follow; without gamma a constant of ones stands in. */
static struct joule_tensor *ones(struct joule_graph *graph, const struct spelled *s)
{
	struct joule_shape shape = { .rank = s->x->shape.rank - s->first_axis };
	struct joule_tensor *t;

	for (int i = 0; i < shape.rank; i++)
		shape.dims[i] = s->x->shape.dims[s->first_axis + i];
	t = joule_graph_add_const(graph, NULL, s->x->dtype, &shape);
	for (int64_t i = 0; t && i < joule_tensor_count(t); i++)
		joule_set_f64(t->dtype, t->data, i, 1);
	return t;
}

static struct joule_node *follow(const struct joule_graph *graph, struct joule_node *node,
				 const char *op, const struct spelled *s,
				 struct joule_tensor **parameter)
{
	struct joule_node *user = joule_tensor_only_user(graph, node->out[0]);

	if (!joule_match_op(user, op))
		return NULL;
	*parameter = joule_match_other(user, node->out[0]);
	return *parameter && is_parameter(*parameter, s) ? user : NULL;
}

static int rewrite(struct joule_graph *graph, const struct spelled *s)
{
	struct joule_tensor *in[3] = { s->x, NULL, NULL }, *beta = NULL;
	struct joule_node *gamma_node = follow(graph, s->scale, "Mul", s, &in[1]);
	struct joule_node *last = gamma_node ? gamma_node : s->scale, *beta_node, *node;

	beta_node = follow(graph, last, "Add", s, &beta);
	in[2] = beta_node ? beta : NULL;
	last = beta_node ? beta_node : last;
	if (!gamma_node)
		in[1] = ones(graph, s);
	if (!in[1])
		return -ENOMEM;

	struct joule_node *merged[] = { s->mean, s->sub, s->square, s->variance, s->add, s->root,
					s->reciprocal, s->scale != last ? s->scale : NULL,
					gamma_node != last ? gamma_node : NULL };

	node = joule_rewrite(graph, joule_op_find("", "LayerNormalization", 17), in,
			     in[2] ? 3 : 2, merged, 9, last);
	if (!node)
		return -ENOMEM;
	node->opset = 17;
	joule_node_default_attrs(node);
	*(int64_t *)joule_node_attr(node, "axis") = s->first_axis;
	*(float *)joule_node_attr(node, "epsilon") = (float)s->epsilon;
	return 0;
}

static int layer_norm(struct joule_graph *graph, bool *changed)
{
	int n = graph->n_nodes, ret = 0;

	for (int i = 0; !ret && i < n; i++) {
		struct spelled s;

		if (!graph->nodes[i]->op || !match(graph, graph->nodes[i], &s))
			continue;
		ret = rewrite(graph, &s);
		*changed = true;
	}
	if (*changed)
		joule_remove_dead(graph);
	return ret;
}

const struct joule_pass joule_pass_layer_norm = {
	.name = "layer-norm",
	.description = "spelled-out LayerNormalization becomes the operator",
	.run = layer_norm,
};
