// SPDX-License-Identifier: MIT
/* Runs of element-wise nodes become one kernel that reads and writes once. */
#include <errno.h>

#include "ops/chain.h"
#include "passes/match.h"
#include "passes/passes.h"

struct chain {
	struct joule_chain attrs;
	struct joule_tensor *in[JOULE_CHAIN_MAX_ARGS];
	struct joule_node *node[JOULE_EW_MAX_STEPS];
	int n_in;
};

/* The operand's number among the chain's inputs, added if new; -1 if there is no room. */
static int operand_number(struct chain *c, struct joule_tensor *t)
{
	for (int i = 0; i < c->n_in; i++)
		if (c->in[i] == t)
			return i;
	if (c->n_in == JOULE_CHAIN_MAX_ARGS)
		return -1;
	c->in[c->n_in] = t;
	return c->n_in++;
}

/* The node as the chain's next step; value is what the chain has computed so far. */
static bool append(struct chain *c, struct joule_node *node, const struct joule_tensor *value)
{
	struct joule_ew_step step;

	if (c->attrs.n == JOULE_EW_MAX_STEPS || !node->op->elementwise || node->epilogue.n ||
	    node->op->elementwise(node, &step))
		return false;
	if (!c->n_in) {
		c->in[c->n_in++] = node->in[joule_ew_value(node, &step)];
		value = c->in[0];
	}
	if (node->in[joule_ew_value(node, &step)] != value ||
	    node->out[0]->dtype != c->in[0]->dtype ||
	    !joule_shape_equal(&node->out[0]->shape, &c->in[0]->shape))
		return false;
	if (step.operand >= 0) {
		struct joule_tensor *t = node->in[step.operand];
		int k;

		/* value op value has no operand of its own unless value is the chain's input */
		if (t->dtype != c->in[0]->dtype || (t == value && t != c->in[0]))
			return false;
		k = operand_number(c, t);
		if (k < 0)
			return false;
		step.operand = (int16_t)k;
	}
	c->node[c->attrs.n] = node;
	c->attrs.step[c->attrs.n++] = step;
	return true;
}

static int make(struct joule_graph *graph, struct chain *c)
{
	const struct joule_op *op = joule_op_find("joule", "Chain", 1);
	struct joule_node *node;

	node = joule_rewrite(graph, op, c->in, c->n_in, c->node, c->attrs.n - 1,
			     c->node[c->attrs.n - 1]);
	if (!node)
		return -ENOMEM;
	*(struct joule_chain *)node->attrs = c->attrs;
	for (int i = 0; i < c->attrs.n - 1; i++)
		joule_node_remove(c->node[i]);
	return 0;
}

static int chain(struct joule_graph *graph, bool *changed)
{
	int n = graph->n_nodes, ret = 0;

	for (int i = 0; !ret && i < n; i++) {
		struct joule_node *node = graph->nodes[i];
		struct chain c = { 0 };

		if (!node->op || !node->out[0] || !append(&c, node, NULL))
			continue;
		for (struct joule_node *u = joule_tensor_only_user(graph, node->out[0]); u;
		     u = joule_tensor_only_user(graph, u->out[0])) {
			const struct joule_tensor *value = c.node[c.attrs.n - 1]->out[0];
			struct chain before = c;

			if (append(&c, u, value))
				continue;
			c = before;
			break;
		}
		if (c.attrs.n < 2)
			continue;
		ret = make(graph, &c);
		*changed = true;
	}
	return ret;
}

const struct joule_pass joule_pass_chain = {
	.name = "chain",
	.description = "runs of element-wise operators become one kernel",
	.run = chain,
};
