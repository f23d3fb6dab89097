// SPDX-License-Identifier: MIT
/*
 * QuantizeLinear with the DequantizeLinear that undoes it, as quantized models
 * have them between any two operators: one element-wise step, which chains and
 * epilogues then take in. Its results are those of the two, bit for bit. What
 * such a step does anyway goes away: the clip before it whose bounds are its
 * own, and the same step done before.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "ir/access.h"
#include "ops/fake_quantize.h"
#include "passes/match.h"
#include "passes/passes.h"

/* Does an attribute that may not be there have the value it has by default? */
static bool is_zero(const struct joule_node *node, const char *attr)
{
	const int64_t *v = joule_node_attr(node, attr);

	return !v || *v == 0;
}

/* One scale and zero point for all, fp32, 8 bits. */
static bool read(const struct joule_node *node, const struct joule_tensor *real,
		 const struct joule_tensor *quantized, double *scale, double *zero)
{
	*zero = 0;
	return real->dtype == JOULE_F32 && node->in[1]->dtype == JOULE_F32 &&
	       (quantized->dtype == JOULE_U8 || quantized->dtype == JOULE_I8) &&
	       is_zero(node, "block_size") && is_zero(node, "precision") &&
	       joule_match_scalar(node->in[1], scale) && *scale > 0 && isnormal((float)*scale) &&
	       isnormal(1 / (float)*scale) &&
	       (!joule_node_in(node, 2) || joule_match_scalar(node->in[2], zero));
}

static bool undoes(const struct joule_node *node, const struct joule_tensor *t, double scale,
		   double zero)
{
	double s, z;

	return joule_match_op(node, "DequantizeLinear") && node->in[0] == t && !node->epilogue.n &&
	       read(node, node->out[0], t, &s, &z) && s == scale && z == zero;
}

/* One node for the pair; further DequantizeLinear of the same integers share it. */
static int join(struct joule_graph *graph, struct joule_node *quantize, bool *changed)
{
	const struct joule_op *op = joule_op_find("joule", "FakeQuantize", 1);
	struct joule_tensor *t = quantize->out[0];
	struct joule_node *first = NULL, *node;
	struct joule_fake_quantize *a;
	double scale, zero;
	int users = 0;

	if (!read(quantize, quantize->in[0], t, &scale, &zero))
		return 0;
	for (int i = 0; i < graph->n_nodes; i++)
		if (graph->nodes[i]->op && undoes(graph->nodes[i], t, scale, zero)) {
			first = first ? first : graph->nodes[i];
			users++;
		}
	/* Somebody else wants the integers. */
	if (!users || users != joule_tensor_uses(graph, t))
		return 0;
	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *other = graph->nodes[i];

		if (other == first || !other->op || !undoes(other, t, scale, zero))
			continue;
		if (joule_graph_replace_uses(graph, other->out[0], first->out[0]))
			return 0; /* two outputs of the graph */
		joule_node_remove(other);
		*changed = true;
	}
	node = joule_rewrite(graph, op, quantize->in, 1, &quantize, 1, first);
	if (!node)
		return -ENOMEM;
	a = node->attrs;
	a->scale = (float)scale;
	a->low = (float)((t->dtype == JOULE_I8 ? -128 : 0) - zero);
	joule_node_remove(quantize);
	*changed = true;
	return 0;
}

static const struct joule_fake_quantize *attrs_of(const struct joule_node *node)
{
	bool is = node && node->op && node->op->domain && !strcmp(node->op->name, "FakeQuantize");

	return is ? node->attrs : NULL;
}

static double eval(const struct joule_fake_quantize *a, double x)
{
	return joule_ew_eval(JOULE_EW_FAKE_QUANT, x, 0, a->scale, a->low);
}

/*
 * A step that never falls commutes with a clip; so the clip changes nothing if
 * the step makes its lowest and highest value of the bounds.
 */
static bool clips_no_more(const struct joule_fake_quantize *a, const struct joule_node *clip)
{
	struct joule_ew_step s;

	if (clip->epilogue.n || !clip->op->elementwise || clip->op->elementwise(clip, &s))
		return false;
	if (s.code == JOULE_EW_RELU) {
		s.p = 0;
		s.q = INFINITY;
	} else if (s.code != JOULE_EW_CLIP) {
		return false;
	}
	return s.p <= s.q && eval(a, s.p) == eval(a, -INFINITY) &&
	       eval(a, s.q) == eval(a, INFINITY);
}

/* Behind what only moves values, the node that computed them. */
static const struct joule_node *source(const struct joule_tensor *t)
{
	const struct joule_node *p = t->producer;

	while (p && p->op && !p->epilogue.n && p->in[0] &&
	       ((p->op->traits & JOULE_OP_VIEW) || joule_match_op(p, "Transpose")))
		p = p->in[0]->producer;
	return p;
}

static bool simplify(struct joule_graph *graph, struct joule_node *node)
{
	const struct joule_fake_quantize *a = attrs_of(node), *before;
	struct joule_node *p = node->in[0]->producer;

	before = attrs_of(source(node->in[0]));
	if (before && before->scale == a->scale && before->low == a->low &&
	    !joule_graph_replace_uses(graph, node->out[0], node->in[0])) {
		joule_node_remove(node);
		return true;
	}
	/* Others may read the clipped value: it stays for them. */
	if (!p || !p->op || !p->in[0] || !clips_no_more(a, p) ||
	    joule_tensor_uses(graph, node->in[0]) != 1)
		return false;
	node->in[0] = p->in[0];
	return !joule_node_add_origins(node, p);
}

static int fake_quantize(struct joule_graph *graph, bool *changed)
{
	int n = graph->n_nodes, ret = 0;

	for (int i = 0; !ret && i < n; i++)
		if (joule_match_op(graph->nodes[i], "QuantizeLinear"))
			ret = join(graph, graph->nodes[i], changed);
	for (int i = 0; !ret && i < graph->n_nodes; i++)
		if (attrs_of(graph->nodes[i]))
			*changed |= simplify(graph, graph->nodes[i]);
	if (*changed)
		joule_remove_dead(graph);
	return ret;
}

const struct joule_pass joule_pass_fake_quantize = {
	.name = "fake-quantize",
	.description = "quantization that is undone at once becomes one element-wise step",
	.run = fake_quantize,
};
