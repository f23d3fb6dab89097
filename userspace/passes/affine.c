// SPDX-License-Identifier: MIT
/*
 * BatchNormalization, and products and sums with constants by channel, behind
 * Conv, ConvTranspose or Gemm: y = scale[c] * x + shift[c] goes into the
 * weights and the bias, computed in double and rounded once.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/access.h"
#include "passes/match.h"
#include "passes/passes.h"

struct affine {
	int64_t channels;
	double *scale, *shift;
};

/* Element c of a constant that varies along axis 1 of rank at most, or a scalar. */
static bool by_channel(const struct joule_tensor *t, const struct joule_tensor *out, int64_t c,
		       double *v)
{
	int64_t n = joule_tensor_count(t);
	int axis = t->shape.rank - (out->shape.rank - 1);

	if (!joule_tensor_is_const(t) || (n != 1 && (n != out->shape.dims[1] || axis < 0 ||
						     t->shape.dims[axis] != n)))
		return false;
	*v = joule_get_f64(t->dtype, t->data, n == 1 ? 0 : c);
	return true;
}

/* What the node does to channel c of in[value]. */
static bool read_channel(const struct joule_node *node, const struct joule_tensor *x, int64_t c,
			 double *scale, double *shift)
{
	const struct joule_tensor *out = node->out[0];
	struct joule_ew_step step;
	double v = 0;

	if (joule_match_op(node, "BatchNormalization")) {
		const float *epsilon = joule_node_attr(node, "epsilon");
		const int64_t *training = joule_node_attr(node, "training_mode");
		double p[4];

		if (!epsilon || (training && *training) || node->n_in != 5)
			return false;
		for (int i = 0; i < 4; i++)
			if (!joule_tensor_is_const(node->in[i + 1]) ||
			    joule_tensor_count(node->in[i + 1]) != out->shape.dims[1])
				return false;
			else
				p[i] = joule_get_f64(node->in[i + 1]->dtype,
						     node->in[i + 1]->data, c);
		*scale = p[0] / sqrt(p[3] + *epsilon);
		*shift = p[1] - p[2] * *scale;
		return true;
	}
	if (!node->op->elementwise || node->epilogue.n || node->op->elementwise(node, &step) ||
	    node->in[joule_ew_value(node, &step)] != x ||
	    (step.operand >= 0 && !by_channel(node->in[step.operand], out, c, &v)))
		return false;
	*scale = 1;
	*shift = 0;
	switch (step.code) {
	case JOULE_EW_SCALE:
		*scale = step.p;
		*shift = step.q;
		return true;
	case JOULE_EW_ADD:
		*shift = v;
		return true;
	case JOULE_EW_SUB:
		*shift = -v;
		return true;
	case JOULE_EW_RSUB:
		*scale = -1;
		*shift = v;
		return true;
	case JOULE_EW_MUL:
		*scale = v;
		return true;
	case JOULE_EW_DIV:
		*scale = 1 / v;
		return true;
	default:
		return false;
	}
}

static bool read_affine(const struct joule_node *node, const struct joule_tensor *x,
			struct affine *a)
{
	for (int64_t c = 0; c < a->channels; c++) {
		if (!read_channel(node, x, c, &a->scale[c], &a->shift[c]))
			return false;
		/* A division by zero is better left where a person can see it. */
		if (!isfinite(a->scale[c]) || !isfinite(a->shift[c]))
			return false;
	}
	return true;
}

/* Which output channel weight i belongs to. */
static int64_t weight_channel(const struct joule_node *node, const struct joule_tensor *w,
			      int64_t i)
{
	const int64_t *d = w->shape.dims, *attr;
	int64_t inner = 1;

	for (int k = 2; k < w->shape.rank; k++)
		inner *= d[k];
	if (joule_match_op(node, "Conv"))
		return i / (inner * d[1]);
	if (joule_match_op(node, "Gemm")) {
		attr = joule_node_attr(node, "transB");
		return attr && *attr ? i / d[1] : i % d[1];
	}
	/* ConvTranspose: [C, M / group, ...], the group follows from the input channel. */
	attr = joule_node_attr(node, "group");
	return i / (inner * d[1]) / (d[0] / *attr) * d[1] + i / inner % d[1];
}

static bool is_linear(const struct joule_node *node)
{
	const float *alpha = joule_node_attr(node, "alpha"), *beta = joule_node_attr(node, "beta");

	if (joule_match_op(node, "Gemm"))
		return (!alpha || *alpha == 1) && (!beta || *beta == 1 || !joule_node_in(node, 2));
	return joule_match_op(node, "Conv") || joule_match_op(node, "ConvTranspose");
}

static struct joule_tensor *new_weight(struct joule_graph *graph, const struct joule_node *node,
				       const struct affine *a)
{
	const struct joule_tensor *w = node->in[1];
	int64_t n = joule_tensor_count(w);
	struct joule_tensor *t = joule_graph_add_const(graph, NULL, w->dtype, &w->shape);

	for (int64_t i = 0; t && i < n; i++)
		joule_set_f64(t->dtype, t->data, i,
			      joule_get_f64(w->dtype, w->data, i) *
				      a->scale[weight_channel(node, w, i)]);
	/* A benchmark that wants random weights fills these in, after the passes. */
	if (t)
		t->flags |= w->flags & JOULE_TENSOR_FILLED;
	return t;
}

static struct joule_tensor *new_bias(struct joule_graph *graph, const struct joule_node *node,
				     const struct affine *a)
{
	const struct joule_tensor *old = joule_node_in(node, 2);
	struct joule_shape shape = { .rank = 1, .dims = { a->channels } };
	struct joule_tensor *t = joule_graph_add_const(graph, NULL, node->in[1]->dtype, &shape);
	bool one = old && joule_tensor_count(old) == 1;

	for (int64_t c = 0; t && c < a->channels; c++) {
		double v = old ? joule_get_f64(old->dtype, old->data, one ? 0 : c) : 0;

		joule_set_f64(t->dtype, t->data, c, a->scale[c] * v + a->shift[c]);
	}
	return t;
}

static int fold(struct joule_graph *graph, struct joule_node *node, struct joule_node *user,
		const struct affine *a)
{
	struct joule_tensor *w = new_weight(graph, node, a), *bias = new_bias(graph, node, a);
	struct joule_tensor *out = user->out[0];
	int ret;

	if (!w || !bias)
		return -ENOMEM;
	node->in[1] = w;
	ret = joule_node_set_input(node, 2, bias);
	if (!ret)
		ret = joule_node_add_origins(node, user);
	joule_node_remove(user);
	joule_node_set_output(node, 0, out);
	return ret;
}

/* 1 when a node was taken in. */
static int absorb(struct joule_graph *graph, struct joule_node *node)
{
	const struct joule_tensor *bias = joule_node_in(node, 2), *t = node->out[0];
	struct joule_node *user = joule_tensor_only_user(graph, t);
	struct affine a = { .channels = t->shape.rank >= 2 ? t->shape.dims[1] : -1 };
	int ret = 0;

	if (!user || a.channels < 1 || !is_linear(node) || node->epilogue.n ||
	    !joule_tensor_is_const(node->in[1]) || !joule_dtype_is_float(node->in[1]->dtype) ||
	    (bias && !joule_tensor_is_const(bias)) || user->n_out < 1 || !user->out[0] ||
	    user->out[0]->dtype != t->dtype ||
	    !joule_shape_equal(&user->out[0]->shape, &t->shape))
		return 0;
	/* Gemm's C may be a whole matrix. */
	if (bias && joule_tensor_count(bias) != 1 &&
	    (joule_tensor_count(bias) != a.channels ||
	     bias->shape.dims[bias->shape.rank - 1] != a.channels))
		return 0;
	a.scale = calloc((size_t)a.channels, sizeof(*a.scale));
	a.shift = calloc((size_t)a.channels, sizeof(*a.shift));
	if (!a.scale || !a.shift)
		ret = -ENOMEM;
	else if (read_affine(user, t, &a))
		ret = fold(graph, node, user, &a) ? -ENOMEM : 1;
	free(a.scale);
	free(a.shift);
	return ret;
}

static int affine(struct joule_graph *graph, bool *changed)
{
	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *node = graph->nodes[i];
		int ret = 1;

		while (ret == 1 && node->op && node->n_in >= 2 && node->in[1] && node->out[0]) {
			ret = absorb(graph, node);
			*changed |= ret == 1;
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}

const struct joule_pass joule_pass_affine = {
	.name = "affine",
	.description = "BatchNormalization and constants by channel go into weights and bias",
	.run = affine,
};
