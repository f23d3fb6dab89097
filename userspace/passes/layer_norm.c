// SPDX-License-Identifier: MIT
/*
 * LayerNormalization spelled out, as PyTorch's exporters do it and as
 * TensorFlow's batch_normalization does, with m = ReduceMean(x), d = x - m and
 * r = 1 / Sqrt(ReduceMean(d * d) + epsilon):
 *	y = d * r * gamma + beta
 *	y = x * (r * gamma) + (beta - m * (r * gamma))
 * gamma and beta may be missing; d * d may be Pow(d, 2); r a Reciprocal, a
 * division by the root, or Pow(..., -0.5).
 */
#include <errno.h>
#include <string.h>

#include "ir/access.h"
#include "passes/match.h"
#include "passes/passes.h"

#define MAX_NODES 16

struct spelled {
	struct joule_node *node[MAX_NODES], *last; /* last is not among node[] */
	int n;
	struct joule_node *mean, *variance;
	struct joule_tensor *x, *d, *gamma, *beta;
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

static struct joule_node *note(struct spelled *s, struct joule_node *node)
{
	if (node && s->n < MAX_NODES)
		s->node[s->n++] = node;
	return node;
}

/* From Sqrt(ReduceMean(d * d) + epsilon), or with power that without the root, to d. */
static bool match_root(const struct joule_graph *graph, struct joule_tensor *t, bool power,
		       struct spelled *s)
{
	struct joule_node *node, *square;
	struct joule_tensor *sum;

	if (!power) {
		node = note(s, joule_match_only(graph, t, "Sqrt"));
		if (!node)
			return false;
		t = node->in[0];
	}
	node = note(s, joule_match_only(graph, t, "Add"));
	sum = node ? joule_match_with_scalar(node, &s->epsilon) : NULL;
	s->variance = sum ? note(s, joule_match_only(graph, sum, "ReduceMean")) : NULL;
	square = s->variance && joule_tensor_uses(graph, s->variance->in[0]) == 1 ?
			 note(s, s->variance->in[0]->producer) :
			 NULL;
	if (!square || square->epilogue.n)
		return false;
	s->d = square->in[0];
	return is_square(square, s->d);
}

/* t = 1 / Sqrt(...), by whichever operators. */
static bool match_inverse(const struct joule_graph *graph, struct joule_tensor *t,
			  struct spelled *s)
{
	struct joule_node *p = t->producer;
	double v;

	if (!p || !p->op || p->epilogue.n)
		return false;
	note(s, p);
	if (joule_match_op(p, "Reciprocal"))
		return match_root(graph, p->in[0], false, s);
	if (joule_match_op(p, "Div") && joule_match_scalar(p->in[0], &v) && v == 1)
		return match_root(graph, p->in[1], false, s);
	return joule_match_op(p, "Pow") && joule_match_scalar(p->in[1], &v) && v == -0.5 &&
	       match_root(graph, p->in[0], true, s);
}

/* d = x - ReduceMean(x), over the same last axes as the variance. */
static bool match_mean(struct spelled *s, int mean_uses, const struct joule_graph *graph)
{
	struct joule_node *sub = s->d->producer;

	if (!joule_match_op(sub, "Sub") || sub->epilogue.n)
		return false;
	note(s, sub);
	s->x = sub->in[0];
	s->mean = sub->in[1]->producer;
	if (!joule_match_op(s->mean, "ReduceMean") || s->mean->in[0] != s->x ||
	    joule_tensor_uses(graph, s->mean->out[0]) != mean_uses)
		return false;
	note(s, s->mean);
	s->first_axis = last_axes(s->mean);
	return s->x->shape.rank > 0 && s->first_axis >= 0 &&
	       last_axes(s->variance) == s->first_axis && joule_dtype_is_float(s->x->dtype);
}

/* How often the square reads d. */
static int square_uses(const struct spelled *s)
{
	return joule_match_op(s->variance->in[0]->producer, "Mul") ? 2 : 1;
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

static struct joule_node *follow(const struct joule_graph *graph, struct joule_node *node,
				 const char *op, const struct spelled *s,
				 struct joule_tensor **parameter)
{
	struct joule_node *user = joule_tensor_only_user(graph, node->out[0]);

	if (!joule_match_op(user, op))
		return NULL;
	*parameter = joule_match_other(user, node->out[0]);
	if (*parameter && is_parameter(*parameter, s))
		return user;
	*parameter = NULL;
	return NULL;
}

/* y = d * r * gamma + beta, from the node that makes d * r. */
static bool match_torch(const struct joule_graph *graph, struct joule_node *scale,
			struct spelled *s)
{
	struct joule_node *gamma, *beta;
	struct joule_tensor *d;

	memset(s, 0, sizeof(*s));
	if (joule_match_op(scale, "Div")) {
		d = scale->in[0];
		if (!match_root(graph, scale->in[1], false, s))
			return false;
	} else if (joule_match_op(scale, "Mul")) {
		int k = 1;

		if (!match_inverse(graph, scale->in[1], s)) {
			memset(s, 0, sizeof(*s));
			k = 0;
			if (!match_inverse(graph, scale->in[0], s))
				return false;
		}
		d = scale->in[1 - k];
		if (joule_tensor_uses(graph, scale->in[k]) != 1)
			return false;
	} else {
		return false;
	}
	if (s->d != d || !match_mean(s, 1, graph) ||
	    joule_tensor_uses(graph, d) != square_uses(s) + 1)
		return false;
	gamma = follow(graph, scale, "Mul", s, &s->gamma);
	beta = follow(graph, gamma ? gamma : scale, "Add", s, &s->beta);
	s->last = beta ? beta : gamma ? gamma : scale;
	if (s->last != scale)
		note(s, scale);
	if (gamma && s->last != gamma)
		note(s, gamma);
	return true;
}

/* The factor of t = a * factor (in either order), or NULL. */
static struct joule_tensor *factor_of(struct joule_tensor *t, const struct joule_tensor *a)
{
	return joule_match_op(t->producer, "Mul") && !t->producer->epilogue.n ?
		       joule_match_other(t->producer, a) :
		       NULL;
}

/* x * inv, with x not known yet: the operand of product that shift multiplies with a mean. */
static bool match_products(struct joule_tensor *product, struct joule_tensor *shift,
			   struct spelled *s, struct joule_tensor **inv)
{
	if (!joule_match_op(product->producer, "Mul") || product->producer->epilogue.n)
		return false;
	for (int i = 0; i < 2; i++) {
		*inv = product->producer->in[i];
		s->x = product->producer->in[!i];
		if (*inv != s->x && factor_of(shift, *inv))
			return true;
	}
	return false;
}

/* y = x * inv + (beta - m * inv), or x * inv - m * inv, with inv = r * gamma or r. */
static bool match_tensorflow(const struct joule_graph *graph, struct joule_node *last,
			     struct spelled *s)
{
	bool plain = joule_match_op(last, "Sub");
	struct joule_node *sub = NULL, *times;
	struct joule_tensor *inv, *shift, *product = last->in[0], *r, *x;

	memset(s, 0, sizeof(*s));
	if (!plain && !joule_match_op(last, "Add"))
		return false;
	shift = last->in[1];
	if (!plain) {
		int k = joule_match_op(last->in[1]->producer, "Sub");

		sub = joule_match_only(graph, last->in[k], "Sub");
		if (!sub)
			return false;
		product = last->in[!k];
		s->beta = sub->in[0];
		shift = sub->in[1];
	}
	if (joule_tensor_uses(graph, product) != 1 || joule_tensor_uses(graph, shift) != 1 ||
	    !match_products(product, shift, s, &inv) || joule_tensor_uses(graph, inv) != 2)
		return false;
	x = s->x;
	times = inv->producer;
	r = inv;
	if (joule_match_op(times, "Mul") && !times->epilogue.n) {
		int k = joule_tensor_is_const(times->in[0]);

		s->gamma = times->in[!k];
		r = times->in[k];
		note(s, times);
		if (joule_tensor_uses(graph, r) != 1)
			return false;
	}
	note(s, sub);
	note(s, product->producer);
	note(s, shift->producer);
	s->last = last;
	return match_inverse(graph, r, s) && match_mean(s, 2, graph) && s->x == x &&
	       factor_of(shift, inv) == s->mean->out[0] &&
	       joule_tensor_uses(graph, s->d) == square_uses(s) &&
	       (!s->gamma || is_parameter(s->gamma, s)) && (!s->beta || is_parameter(s->beta, s));
}

/* Without gamma a constant of ones stands in. */
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

static int rewrite(struct joule_graph *graph, const struct spelled *s)
{
	struct joule_tensor *in[3] = { s->x, s->gamma ? s->gamma : ones(graph, s), s->beta };
	struct joule_node *node;

	if (!in[1])
		return -ENOMEM;
	node = joule_rewrite(graph, joule_op_find("", "LayerNormalization", 17), in, in[2] ? 3 : 2,
			     s->node, s->n, s->last);
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

		if (!graph->nodes[i]->op || (!match_torch(graph, graph->nodes[i], &s) &&
					     !match_tensorflow(graph, graph->nodes[i], &s)))
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
