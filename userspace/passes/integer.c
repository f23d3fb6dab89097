// SPDX-License-Identifier: MIT
/*
 * Quantized models say what they mean in floats: DequantizeLinear, Conv,
 * QuantizeLinear. Here such a convolution becomes one of integers, held in
 * floats, whose sums are exact in any order, followed by one multiplication and
 * one rounding (Requantize): the same bits on every device, and those of ONNX
 * Runtime's own integer kernels. Additions between quantized tensors likewise.
 * See docs/quantized.md.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ir/access.h"
#include "ops/requantize.h"
#include "passes/grid.h"
#include "passes/match.h"
#include "passes/passes.h"

/* The DequantizeLinear that makes t, or NULL. */
static struct joule_node *dequantized(const struct joule_tensor *t, struct joule_grid *g)
{
	struct joule_node *p = t->producer;

	if (!joule_match_op(p, "DequantizeLinear") || joule_tensor_is_const(p->in[0]))
		return NULL;
	return joule_grid_read(p, t, p->in[0], g) ? p : NULL;
}

/* ---- constants ---- */

/* Weights: integers less their zero point, and a scale for each output channel. */
struct weights {
	const struct joule_node *node; /* their DequantizeLinear */
	int64_t channels, each;        /* elements of a channel, which is axis 0 */
};

static bool read_weights(const struct joule_tensor *t, struct weights *w)
{
	struct joule_node *p = t->producer;
	const int64_t *axis;
	int64_t n;

	if (!joule_match_op(p, "DequantizeLinear") || p->epilogue.n ||
	    !joule_tensor_is_const(p->in[0]) || !joule_tensor_is_const(p->in[1]) ||
	    (p->in[0]->dtype != JOULE_U8 && p->in[0]->dtype != JOULE_I8) ||
	    p->in[1]->dtype != JOULE_F32 || t->shape.rank < 1 || t->shape.dims[0] < 1 ||
	    !joule_attr_is_zero(p, "block_size") ||
	    (joule_node_in(p, 2) && !joule_tensor_is_const(p->in[2])))
		return false;
	n = joule_tensor_count(p->in[1]);
	axis = joule_node_attr(p, "axis");
	*w = (struct weights){ p, t->shape.dims[0], joule_tensor_count(t) / t->shape.dims[0] };
	return n == 1 || (n == w->channels && axis && (*axis == 0 || *axis == -t->shape.rank));
}

static float weight_scale(const struct weights *w, int64_t c)
{
	const struct joule_tensor *s = w->node->in[1];

	return ((const float *)s->data)[joule_tensor_count(s) == 1 ? 0 : c];
}

static int64_t weight(const struct weights *w, int64_t c, int64_t i)
{
	const struct joule_tensor *v = w->node->in[0], *z = joule_node_in(w->node, 2);
	int64_t at = z && joule_tensor_count(z) != 1 ? c : 0;

	return joule_get_i64(v->dtype, v->data, c * w->each + i) -
	       (z ? joule_get_i64(z->dtype, z->data, at) : 0);
}

static bool is_zero(const struct joule_tensor *t)
{
	for (int64_t i = 0; t && i < joule_tensor_count(t); i++)
		if (!joule_tensor_is_const(t) || joule_get_i64(t->dtype, t->data, i))
			return false;
	return true;
}

/* The int32 bias in steps of the sums, or NULL in *bias where there is none. */
static bool read_bias(const struct joule_node *conv, const struct joule_grid *x,
		      const struct weights *w, const int32_t **bias)
{
	const struct joule_tensor *t = joule_node_in(conv, 2);
	const struct joule_node *p = t ? t->producer : NULL;

	*bias = NULL;
	if (!t)
		return true;
	if (!joule_match_op(p, "DequantizeLinear") || !joule_tensor_is_const(p->in[0]) ||
	    p->in[0]->dtype != JOULE_I32 || joule_tensor_count(p->in[0]) != w->channels ||
	    !joule_tensor_is_const(p->in[1]) || p->in[1]->dtype != JOULE_F32 ||
	    !is_zero(joule_node_in(p, 2)))
		return false;
	/* Files round the product of the two scales in their own way. */
	for (int64_t c = 0, n = joule_tensor_count(p->in[1]); c < w->channels; c++) {
		double step = (double)x->scale * (double)weight_scale(w, c);
		double s = (double)((const float *)p->in[1]->data)[n == 1 ? 0 : c];

		if ((n != 1 && n != w->channels) || !(fabs(s - step) <= 1e-5 * step))
			return false;
	}
	*bias = p->in[0]->data;
	return true;
}

/* May no sum of products, in whatever order, leave the integers that a float holds? */
static bool sums_are_exact(const struct weights *w, const int32_t *bias)
{
	for (int64_t c = 0; c < w->channels; c++) {
		int64_t sum = bias ? llabs((long long)bias[c]) : 0;

		for (int64_t i = 0; i < w->each && sum < JOULE_F32_EXACT; i++)
			sum += 255 * llabs((long long)weight(w, c, i));
		if (sum >= JOULE_F32_EXACT)
			return false;
	}
	return true;
}

/* ---- pieces of the new graph ---- */

/* The integers of a DequantizeLinear as floats, less their zero point. */
static struct joule_tensor *integers(struct joule_graph *graph, struct joule_node *dequantize)
{
	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *n = graph->nodes[i];
		struct joule_grid g;

		if (joule_match_op(n, "DequantizeLinear") && n->in[0] == dequantize->in[0] &&
		    joule_grid_read(n, n->out[0], n->in[0], &g) && g.scale == 1.0f)
			return n->out[0];
	}
	return joule_grid_integers(graph, dequantize->in[0], joule_node_in(dequantize, 2),
				   dequantize);
}

/* x to integers; factors NULL: one for all, in scale. */
static struct joule_tensor *requantize(struct joule_graph *graph, struct joule_tensor *x,
				       struct joule_tensor *factors, float scale, bool divide,
				       const struct joule_grid *to, const struct joule_node *origin)
{
	const struct joule_op *op = joule_op_find("joule", "Requantize", 1);
	struct joule_node *node = joule_graph_add_node(graph, op, NULL, factors ? 2 : 1, 1);
	struct joule_requantize *a;

	if (!node || joule_node_add_origins(node, origin))
		return NULL;
	a = node->attrs;
	*a = (struct joule_requantize){ .scale = scale, .low = joule_grid_low(to), .divide = divide };
	node->in[0] = x;
	if (factors)
		node->in[1] = factors;
	joule_node_set_output(node, 0, joule_graph_add_tensor(graph, NULL));
	if (!node->out[0])
		return NULL;
	node->out[0]->dtype = JOULE_F32;
	node->out[0]->shape = x->shape;
	return node->out[0];
}

static struct joule_node *multiply(struct joule_graph *graph, struct joule_tensor *x, float by,
				   const struct joule_node *origin)
{
	const struct joule_op *op = joule_op_find(NULL, "Mul", 14);
	struct joule_node *node = joule_graph_add_node(graph, op, NULL, 2, 1);
	struct joule_tensor *factor = joule_scalar_const(graph, by);

	if (!node || !factor || joule_node_add_origins(node, origin))
		return NULL;
	node->opset = 14;
	node->in[0] = x;
	node->in[1] = factor;
	return node;
}

/* ---- what follows a convolution or an addition ---- */

struct tail {
	struct joule_node *clip, *quantize; /* clip may be NULL */
	struct joule_grid to;
};

/* A clip that the quantization's own bounds make superfluous. */
static bool is_superfluous(const struct joule_node *clip, const struct joule_grid *g)
{
	const struct joule_ew_step step = { .code = JOULE_EW_QUANT, .p = g->scale,
					    .q = joule_grid_low(g) };

	return joule_clip_is_superfluous(clip, &step);
}

static bool find_tail(const struct joule_graph *graph, const struct joule_node *node,
		      struct tail *t)
{
	struct joule_node *user = joule_tensor_only_user(graph, node->out[0]);

	t->clip = NULL;
	if (user && !joule_match_op(user, "QuantizeLinear") && user->n_out == 1) {
		t->clip = user;
		user = joule_tensor_only_user(graph, user->out[0]);
	}
	t->quantize = user;
	return joule_match_op(user, "QuantizeLinear") &&
	       joule_grid_read(user, user->in[0], user->out[0], &t->to) &&
	       (!t->clip || is_superfluous(t->clip, &t->to));
}

/* From the node's output straight to the integers, which QuantizeLinear only packs. */
static int set_tail(struct joule_graph *graph, struct joule_node *node, const struct tail *t,
		    struct joule_tensor *factors, float factor)
{
	struct joule_tensor *one = joule_scalar_const(graph, 1);
	struct joule_tensor *y = requantize(graph, node->out[0], factors, factor, false, &t->to,
					    t->quantize);

	if (!y || !one)
		return -ENOMEM;
	t->quantize->in[0] = y;
	t->quantize->in[1] = one;
	if (t->clip && joule_node_add_origins(node, t->clip))
		return -ENOMEM;
	if (t->clip)
		joule_node_remove(t->clip);
	return 0;
}

/* ---- Conv ---- */

static struct joule_tensor *factors_of(struct joule_graph *graph, const struct weights *w,
				       const struct joule_grid *x, const struct tail *t, int rank)
{
	struct joule_shape shape = { .rank = rank };
	struct joule_tensor *f;

	for (int i = 0; i < rank; i++)
		shape.dims[i] = i == 1 ? w->channels : 1;
	f = joule_graph_add_const(graph, NULL, JOULE_F32, &shape);
	for (int64_t c = 0; f && c < w->channels; c++)
		((float *)f->data)[c] = x->scale * weight_scale(w, c) / t->to.scale;
	return f;
}

static int set_constants(struct joule_graph *graph, struct joule_node *conv,
			 const struct weights *w, const int32_t *bias)
{
	struct joule_shape line = { .rank = 1, .dims = { w->channels } };
	struct joule_tensor *v =
		joule_graph_add_const(graph, NULL, JOULE_F32, &conv->in[1]->shape);
	struct joule_tensor *b = bias ? joule_graph_add_const(graph, NULL, JOULE_F32, &line) : NULL;

	if (!v || (bias && !b))
		return -ENOMEM;
	for (int64_t c = 0; c < w->channels; c++) {
		for (int64_t i = 0; i < w->each; i++)
			((float *)v->data)[c * w->each + i] = (float)weight(w, c, i);
		if (bias)
			((float *)b->data)[c] = (float)bias[c];
	}
	conv->in[1] = v;
	if (bias)
		conv->in[2] = b;
	return 0;
}

static int convert_conv(struct joule_graph *graph, struct joule_node *conv, bool *changed)
{
	struct joule_tensor *x, *factors = NULL;
	struct joule_node *from;
	const int32_t *bias;
	struct weights w;
	struct joule_grid g;
	struct tail t;

	from = dequantized(conv->in[0], &g);
	if (!from || conv->epilogue.n || !read_weights(conv->in[1], &w) ||
	    !read_bias(conv, &g, &w, &bias) || !find_tail(graph, conv, &t) ||
	    !sums_are_exact(&w, bias))
		return 0;
	x = integers(graph, from);
	if (joule_tensor_count(w.node->in[1]) != 1)
		factors = factors_of(graph, &w, &g, &t, conv->out[0]->shape.rank);
	if (!x || (joule_tensor_count(w.node->in[1]) != 1 && !factors) ||
	    set_tail(graph, conv, &t, factors, g.scale * weight_scale(&w, 0) / t.to.scale) ||
	    set_constants(graph, conv, &w, bias))
		return -ENOMEM;
	conv->in[0] = x;
	*changed = true;
	return 0;
}

/* ---- Add ---- */

static bool has_one_use(const struct joule_graph *graph, const struct joule_node *dequantize)
{
	return joule_tensor_uses(graph, dequantize->out[0]) == 1 &&
	       joule_tensor_uses(graph, dequantize->in[0]) == 1;
}

/*
 * In steps of the second operand: the first comes from a kernel that can do the
 * rest at its end, if one does.
 */
static int convert_add(struct joule_graph *graph, struct joule_node *add, bool *changed)
{
	struct joule_node *from[2], *scaled;
	struct joule_tensor *n[2];
	struct joule_grid g[2];
	struct tail t;
	int first;

	from[0] = dequantized(add->in[0], &g[0]);
	from[1] = dequantized(add->in[1], &g[1]);
	if (!from[0] || !from[1] || from[0] == from[1] || add->epilogue.n ||
	    !joule_shape_equal(&add->in[0]->shape, &add->in[1]->shape) ||
	    !find_tail(graph, add, &t))
		return 0;
	first = !has_one_use(graph, from[0]) && has_one_use(graph, from[1]);
	n[0] = integers(graph, from[0]);
	n[1] = integers(graph, from[1]);
	if (!n[0] || !n[1])
		return -ENOMEM;
	scaled = multiply(graph, n[first], g[first].scale / g[!first].scale, from[first]);
	if (!scaled)
		return -ENOMEM;
	joule_node_set_output(scaled, 0, joule_graph_add_tensor(graph, NULL));
	if (!scaled->out[0] || set_tail(graph, add, &t, NULL, g[!first].scale / t.to.scale))
		return -ENOMEM;
	add->in[0] = scaled->out[0];
	add->in[1] = n[!first];
	*changed = true;
	return 0;
}

/* ---- floats between operators in place of packed integers ---- */

static bool reads(const struct joule_node *node, const struct joule_tensor *t,
		  const struct joule_grid *like, struct joule_grid *g)
{
	return joule_match_op(node, "DequantizeLinear") && node->in[0] == t &&
	       joule_grid_read(node, node->out[0], t, g) && g->zero == like->zero &&
	       g->is_signed == like->is_signed;
}

/* Has an operator been converted that wants the integers themselves? */
static bool wants_integers(const struct joule_graph *graph, const struct joule_tensor *t,
			   const struct joule_grid *like)
{
	struct joule_grid g;

	for (int i = 0; i < graph->n_nodes; i++)
		if (graph->nodes[i]->op && reads(graph->nodes[i], t, like, &g) && g.scale == 1.0f)
			return true;
	return false;
}

/* One DequantizeLinear's output from the integers n. */
static int unpack(struct joule_graph *graph, struct joule_node *node, struct joule_tensor *n,
		  float scale)
{
	struct joule_tensor *out = node->out[0];
	struct joule_node *product;

	if (scale == 1.0f && !joule_graph_replace_uses(graph, out, n)) {
		joule_node_remove(node);
		return 0;
	}
	product = multiply(graph, n, scale, node);
	if (!product)
		return -ENOMEM;
	joule_node_remove(node);
	joule_node_set_output(product, 0, out);
	return 0;
}

static int bypass(struct joule_graph *graph, struct joule_node *quantize, bool *changed)
{
	struct joule_tensor *t = quantize->out[0], *n = quantize->in[0];
	bool made = n->producer && n->producer->op->domain &&
		    n->producer->op == joule_op_find("joule", "Requantize", 1);
	struct joule_grid to, g;
	int count = graph->n_nodes;

	if (!joule_grid_read(quantize, n, t, &to) || (!made && !wants_integers(graph, t, &to)))
		return 0;
	if (!made) {
		struct joule_tensor *one = joule_scalar_const(graph, 1);

		n = requantize(graph, n, NULL, to.scale, true, &to, quantize);
		if (!n || !one)
			return -ENOMEM;
		quantize->in[0] = n;
		quantize->in[1] = one;
		*changed = true;
	}
	for (int i = 0; i < count; i++) {
		struct joule_node *node = graph->nodes[i];

		if (!node->op || !reads(node, t, &to, &g))
			continue;
		if (unpack(graph, node, n, g.scale))
			return -ENOMEM;
		*changed = true;
	}
	if (!joule_tensor_uses(graph, t))
		joule_node_remove(quantize);
	return 0;
}

static int integer(struct joule_graph *graph, bool *changed)
{
	int n = graph->n_nodes, ret = 0;

	for (int i = 0; !ret && i < n; i++) {
		struct joule_node *node = graph->nodes[i];

		if (joule_match_op(node, "Conv"))
			ret = convert_conv(graph, node, changed);
		else if (joule_match_op(node, "Add"))
			ret = convert_add(graph, node, changed);
	}
	for (int i = 0; !ret && *changed && i < n; i++)
		if (joule_match_op(graph->nodes[i], "QuantizeLinear"))
			ret = bypass(graph, graph->nodes[i], changed);
	if (*changed)
		joule_remove_dead(graph);
	return ret;
}

const struct joule_pass joule_pass_integer = {
	.name = "integer",
	.description = "quantized convolutions and additions are computed in exact integers",
	.run = integer,
};
