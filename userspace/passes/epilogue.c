// SPDX-License-Identifier: MIT
/* Bias, activation and residual additions at the end of a bigger kernel. */
#include <errno.h>

#include "ops/epilogue.h"
#include "passes/match.h"
#include "passes/passes.h"

/*
 * Is the step's operand there before the node runs, or can it be? A view of
 * what is there may come later in the list: the graph is sorted anew.
 */
static bool is_ready(const struct joule_node *node, const struct joule_tensor *operand)
{
	const struct joule_node *p = operand->producer;

	while (p && p->op && p->index >= node->index && (p->op->traits & JOULE_OP_VIEW) &&
	       !p->epilogue.n)
		p = p->in[0]->producer;
	return !p || p->index < node->index;
}

/* The user's step on t, turned around if t is its operand. */
static bool step_on(const struct joule_node *user, const struct joule_tensor *t,
		    struct joule_ew_step *step)
{
	enum joule_ew_code back;
	int value;

	if (!user || !user->op->elementwise || user->epilogue.n ||
	    user->op->elementwise(user, step))
		return false;
	value = joule_ew_value(user, step);
	if (user->in[value] == t)
		return true;
	back = joule_ew_swapped((enum joule_ew_code)step->code);
	if (step->operand < 0 || user->in[step->operand] != t || back == JOULE_EW_COUNT)
		return false;
	step->code = (uint16_t)back;
	step->operand = (int16_t)value;
	return true;
}

/* Takes the user's step in; false if it does not go. */
static bool absorb(struct joule_graph *graph, struct joule_node *node, int *err)
{
	struct joule_tensor *t = node->out[0];
	struct joule_node *user = joule_tensor_only_user(graph, t);
	struct joule_epilogue *e = &node->epilogue;
	struct joule_tensor *operand = NULL, *out;
	struct joule_ew_step step;
	int n_in = node->n_in, first = e->n ? e->first_in : n_in;

	if (!step_on(user, t, &step))
		return false;
	out = user->out[0];
	if (out->dtype != t->dtype || !joule_shape_equal(&out->shape, &t->shape) ||
	    e->n == JOULE_EW_MAX_STEPS)
		return false;
	if (step.operand >= 0) {
		operand = user->in[step.operand];
		if (operand == t || !is_ready(node, operand))
			return false;
		/* Behind every optional input, or it would pass for one of them. */
		if (!e->n && node->op->max_in > n_in)
			first = n_in = node->op->max_in;
		step.operand = (int16_t)n_in;
		*err = joule_node_set_input(node, n_in, operand);
		if (*err)
			return false;
	}
	e->step[e->n] = step;
	if (!joule_epilogue_fits(node, e->step, e->n + 1, t)) {
		if (operand)
			node->n_in--;
		return false;
	}
	e->first_in = first;
	e->n++;
	*err = joule_node_add_origins(node, user);
	joule_node_remove(user);
	joule_node_set_output(node, 0, out);
	return !*err;
}

static int epilogue(struct joule_graph *graph, bool *changed)
{
	int err = 0;

	for (int i = 0; !err && i < graph->n_nodes; i++) {
		struct joule_node *node = graph->nodes[i];

		if (!node->op || !(node->op->traits & JOULE_OP_EPILOGUE) || !node->out[0])
			continue;
		while (!err && absorb(graph, node, &err))
			*changed = true;
	}
	return err;
}

const struct joule_pass joule_pass_epilogue = {
	.name = "epilogue",
	.description = "activations, biases and residual additions run at the end of the kernel before",
	.run = epilogue,
};
