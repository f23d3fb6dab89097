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
#include "passes/grid.h"
#include "passes/match.h"
#include "passes/passes.h"

static bool read(const struct joule_node *node, const struct joule_tensor *real,
		 const struct joule_tensor *integers, struct joule_grid *grid)
{
	return joule_grid_read(node, real, integers, grid) && isnormal(1 / grid->scale);
}

static bool undoes(const struct joule_node *node, const struct joule_tensor *t,
		   const struct joule_grid *grid)
{
	struct joule_grid g;

	return joule_match_op(node, "DequantizeLinear") && node->in[0] == t &&
	       read(node, node->out[0], t, &g) && g.scale == grid->scale && g.zero == grid->zero;
}

/* One node for the pair; further DequantizeLinear of the same integers share it. */
static int join(struct joule_graph *graph, struct joule_node *quantize, bool *changed)
{
	const struct joule_op *op = joule_op_find("joule", "FakeQuantize", 1);
	struct joule_tensor *t = quantize->out[0];
	struct joule_node *first = NULL, *node;
	struct joule_fake_quantize *a;
	struct joule_grid grid;
	int users = 0;

	if (!read(quantize, quantize->in[0], t, &grid))
		return 0;
	for (int i = 0; i < graph->n_nodes; i++)
		if (graph->nodes[i]->op && undoes(graph->nodes[i], t, &grid)) {
			first = first ? first : graph->nodes[i];
			users++;
		}
	/* Somebody else wants the integers. */
	if (!users || users != joule_tensor_uses(graph, t))
		return 0;
	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *other = graph->nodes[i];

		if (other == first || !other->op || !undoes(other, t, &grid))
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
	a->scale = grid.scale;
	a->low = joule_grid_low(&grid);
	joule_node_remove(quantize);
	*changed = true;
	return 0;
}

static const struct joule_fake_quantize *attrs_of(const struct joule_node *node)
{
	bool is = node && node->op && node->op->domain && !strcmp(node->op->name, "FakeQuantize");

	return is ? node->attrs : NULL;
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
	const struct joule_ew_step step = { .code = JOULE_EW_FAKE_QUANT, .p = a->scale, .q = a->low };
	struct joule_node *p = node->in[0]->producer;

	before = attrs_of(source(node->in[0]));
	if (before && before->scale == a->scale && before->low == a->low &&
	    !joule_graph_replace_uses(graph, node->out[0], node->in[0])) {
		joule_node_remove(node);
		return true;
	}
	/* Others may read the clipped value: it stays for them. */
	if (!p || !p->op || !p->in[0] || !joule_clip_is_superfluous(p, &step) ||
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
