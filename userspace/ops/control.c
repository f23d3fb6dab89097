// SPDX-License-Identifier: MIT
/*
 * If, Loop and Scan. They have neither reference nor kernel: an executor runs
 * their bodies (runtime/control.c), or passes inline and unroll them.
 */
#include "ops/control.h"

#include <errno.h>

static int prepare_if(struct joule_node *node)
{
	for (int i = 0; i < node->n_body; i++)
		if (node->body[i]->n_outputs != node->n_out)
			return joule_node_err(node, -EINVAL, "branch %d has %d outputs, the node %d",
					      i, node->body[i]->n_outputs, node->n_out);
	return 0;
}

static int prepare_loop(struct joule_node *node)
{
	const struct joule_graph *body = node->body[0];
	int carried = node->n_in - 2;

	if (body->n_inputs != 2 + carried || body->n_outputs < 1 + carried)
		return joule_node_err(node, -EINVAL,
				      "body has %d inputs and %d outputs for %d carried values",
				      body->n_inputs, body->n_outputs, carried);
	if (node->n_out > body->n_outputs - 1)
		return joule_node_err(node, -EINVAL, "has %d outputs, its body makes %d",
				      node->n_out, body->n_outputs - 1);
	return 0;
}

static int prepare_scan(struct joule_node *node)
{
	const struct joule_scan *a = node->attrs;
	const struct joule_graph *body = node->body[0];
	int lens = node->op->code == JOULE_CONTROL_SCAN8;
	int64_t state = node->n_in - lens - a->num_scan_inputs;

	if (a->num_scan_inputs < 1 || state < 0 || body->n_inputs != node->n_in - lens)
		return joule_node_err(node, -EINVAL,
				      "has %d inputs, %lld of them scanned; its body has %d",
				      node->n_in - lens, (long long)a->num_scan_inputs,
				      body->n_inputs);
	if (body->n_outputs < state || node->n_out > body->n_outputs)
		return joule_node_err(node, -EINVAL, "has %d outputs, its body %d", node->n_out,
				      body->n_outputs);
	return 0;
}

static int control_prepare(struct joule_node *node)
{
	int bodies = node->op->code == JOULE_CONTROL_IF ? 2 : 1;

	if (node->n_body != bodies)
		return joule_node_err(node, -EINVAL, "has %d bodies, not %d", node->n_body, bodies);
	switch (node->op->code) {
	case JOULE_CONTROL_IF:
		return prepare_if(node);
	case JOULE_CONTROL_LOOP:
		return prepare_loop(node);
	default:
		return prepare_scan(node);
	}
}

static const struct joule_attr if_attrs[] = {
	JOULE_A_GRAPH(struct joule_if, then_branch),
	JOULE_A_GRAPH(struct joule_if, else_branch),
	{ 0 },
};

static const struct joule_attr loop_attrs[] = {
	JOULE_A_GRAPH(struct joule_loop, body),
	{ 0 },
};

static const struct joule_attr scan8_attrs[] = {
	JOULE_A_GRAPH(struct joule_scan, body),
	{ .name = "num_scan_inputs",
	  .type = JOULE_ATTR_INT,
	  .offset = offsetof(struct joule_scan, num_scan_inputs),
	  .required = true },
	JOULE_A_INTS(struct joule_scan, directions),
	{ 0 },
};

static const struct joule_attr scan_attrs[] = {
	JOULE_A_GRAPH(struct joule_scan, body),
	{ .name = "num_scan_inputs",
	  .type = JOULE_ATTR_INT,
	  .offset = offsetof(struct joule_scan, num_scan_inputs),
	  .required = true },
	JOULE_A_INTS(struct joule_scan, scan_input_directions),
	JOULE_A_INTS(struct joule_scan, scan_output_directions),
	JOULE_A_INTS(struct joule_scan, scan_input_axes),
	JOULE_A_INTS(struct joule_scan, scan_output_axes),
	{ 0 },
};

#define CONTROL(onnx, kind, first, last, inputs, type, table) \
	{ \
		.name = onnx, .code = JOULE_CONTROL_##kind, .since = first, .until = last, \
		.min_in = inputs, .max_in = -1, .min_out = 1, .max_out = -1, \
		.traits = JOULE_OP_CONTROL, .attrs_bytes = sizeof(struct type), .attrs = table, \
		.prepare = control_prepare, \
	}

JOULE_OPS(control) = {
	CONTROL("If", IF, 1, 0, 1, joule_if, if_attrs),
	CONTROL("Loop", LOOP, 1, 0, 2, joule_loop, loop_attrs),
	CONTROL("Scan", SCAN8, 8, 8, 2, joule_scan, scan8_attrs),
	CONTROL("Scan", SCAN, 9, 0, 1, joule_scan, scan_attrs),
	JOULE_OPS_END,
};
