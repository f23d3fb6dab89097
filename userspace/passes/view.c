// SPDX-License-Identifier: MIT
/*
 * Element-wise work behind a Reshape, Squeeze, ... of what a kernel computed:
 * done before it, where an epilogue or a chain can take it in. The view itself
 * costs nothing on either side.
 */
#include <errno.h>
#include <string.h>

#include "passes/match.h"
#include "passes/passes.h"

static int64_t last_dim(const struct joule_tensor *t)
{
	return t->shape.rank ? t->shape.dims[t->shape.rank - 1] : 1;
}

/* The shape that operand o of y must take beside x instead; false if it has none. */
static bool shape_beside(const struct joule_tensor *o, const struct joule_tensor *y,
			 const struct joule_tensor *x, struct joule_shape *shape)
{
	int64_t n = joule_tensor_count(o);

	*shape = (struct joule_shape){ .rank = 1, .dims = { n } };
	if (n == 1)
		return true;
	if (joule_shape_equal(&o->shape, &y->shape)) {
		*shape = x->shape;
		return true;
	}
	/* Along the last axis alone, which both have. */
	return n == last_dim(o) && n == last_dim(y) && n == last_dim(x);
}

static struct joule_tensor *reshaped(struct joule_graph *graph, struct joule_tensor *t,
				     const struct joule_shape *shape, struct joule_node *for_node)
{
	struct joule_shape list = { .rank = 1, .dims = { shape->rank } };
	struct joule_tensor *dims, *out;
	struct joule_node *node;

	if (joule_shape_equal(&t->shape, shape))
		return t;
	dims = joule_graph_add_const(graph, NULL, JOULE_I64, &list);
	out = joule_graph_add_tensor(graph, NULL);
	node = joule_graph_add_node(graph, joule_op_find("", "Reshape", 14), NULL, 2, 1);
	if (!dims || !out || !node || joule_node_add_origins(node, for_node))
		return NULL;
	if (shape->rank)
		memcpy(dims->data, shape->dims, (size_t)shape->rank * sizeof(int64_t));
	node->opset = 14;
	joule_node_default_attrs(node);
	node->in[0] = t;
	node->in[1] = dims;
	out->dtype = t->dtype;
	out->shape = *shape;
	joule_node_set_output(node, 0, out);
	return out;
}

static bool is_view(const struct joule_graph *graph, const struct joule_tensor *y)
{
	const struct joule_node *view = y->producer;

	return view && view->op && (view->op->traits & JOULE_OP_VIEW) && !view->epilogue.n &&
	       joule_tensor_uses(graph, y) == 1 && view->in[0]->dtype == y->dtype &&
	       joule_tensor_count(y) > 0 &&
	       joule_tensor_count(view->in[0]) == joule_tensor_count(y);
}

/*
 * What lies before the views that make the node's value, if moving those behind
 * the node is of use; else NULL.
 */
static struct joule_tensor *before_views(const struct joule_graph *graph,
					 const struct joule_node *node, struct joule_tensor *y)
{
	struct joule_tensor *x = y;

	if (!joule_shape_equal(&node->out[0]->shape, &y->shape) || node->out[0]->dtype != y->dtype)
		return NULL;
	while (is_view(graph, x))
		x = x->producer->in[0];
	/* A constant belongs to fold. */
	if (x == y || !x->producer || !x->producer->op || joule_tensor_uses(graph, x) != 1)
		return NULL;
	return (x->producer->op->traits & JOULE_OP_EPILOGUE) || x->producer->op->elementwise ?
		       x :
		       NULL;
}

/* The step with its operand and value exchanged, when the view stands before the operand. */
static bool turned(const struct joule_node *node, struct joule_ew_step *step)
{
	enum joule_ew_code back = joule_ew_swapped((enum joule_ew_code)step->code);
	int value = joule_ew_value(node, step);

	if (step->operand < 0 || back == JOULE_EW_COUNT || node->n_in != 2)
		return false;
	step->code = (uint16_t)back;
	step->operand = (int16_t)value;
	return true;
}

/* Takes the views out: node works on x, and one view behind it restores the shape. */
static int move(struct joule_graph *graph, struct joule_node *node, int value,
		struct joule_tensor *x)
{
	struct joule_node *view = node->in[value]->producer;
	struct joule_tensor *out = node->out[0], *back = joule_graph_add_tensor(graph, NULL);

	if (!back)
		return -ENOMEM;
	back->dtype = x->dtype;
	back->shape = x->shape;
	node->in[value] = x;
	joule_node_set_output(node, 0, back);
	if (joule_shape_equal(&back->shape, &out->shape)) {
		/* Views that cancelled out. */
		joule_node_set_output(node, 0, out);
		return 0;
	}
	back = reshaped(graph, back, &out->shape, view);
	if (!back)
		return -ENOMEM;
	joule_node_set_output(back->producer, 0, out);
	return 0;
}

static int try_node(struct joule_graph *graph, struct joule_node *node, bool *changed)
{
	struct joule_ew_step step;
	struct joule_tensor *x, *y, *operand;
	struct joule_shape shape;
	int value;

	if (node->op->elementwise(node, &step))
		return 0;
	value = joule_ew_value(node, &step);
	x = before_views(graph, node, node->in[value]);
	if (!x && turned(node, &step)) {
		value = !value;
		x = before_views(graph, node, node->in[value]);
	}
	if (!x)
		return 0;
	y = node->in[value];
	if (step.operand >= 0) {
		if (node->in[step.operand] == y ||
		    !shape_beside(node->in[step.operand], y, x, &shape))
			return 0;
		operand = reshaped(graph, node->in[step.operand], &shape, y->producer);
		if (!operand)
			return -ENOMEM;
		node->in[step.operand] = operand;
	}
	*changed = true;
	return move(graph, node, value, x);
}

static int run(struct joule_graph *graph, bool *changed)
{
	int n = graph->n_nodes, ret = 0;

	for (int i = 0; !ret && i < n; i++) {
		struct joule_node *node = graph->nodes[i];

		if (node->op && node->op->elementwise && !node->epilogue.n && node->out[0])
			ret = try_node(graph, node, changed);
	}
	if (*changed)
		joule_remove_dead(graph);
	return ret;
}

const struct joule_pass joule_pass_view = {
	.name = "view",
	.description = "element-wise work moves before reshapes, to what can take it in",
	.run = run,
	.repeat = true,
};
