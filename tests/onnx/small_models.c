// SPDX-License-Identifier: MIT
#include "small_models.h"

void write_frame(struct joule_wire_buf *b, int64_t opset, size_t *graph)
{
	model_begin(b, 8, opset, graph);
	w_value(b, 11, "x", T_FLOAT, DIMS(2, 3));
	w_value(b, 12, "y", T_FLOAT, DIMS(2, 3));
}

/* A branch that adds an outer value to an outer constant, through two levels. */
static void write_branch(struct joule_wire_buf *b, const char *attr_name, int levels)
{
	size_t attr = w_attr_begin(b, 5, attr_name, 5), body = joule_wire_begin(b, 6), node;
	const char *result = levels ? "r" : "s";

	w_str(b, 2, attr_name);
	w_value(b, 12, result, T_FLOAT, SCALAR);
	if (levels) {
		node = w_node_begin(b, 1, "If", "cond", result, "inner");
		write_branch(b, "then_branch", levels - 1);
		write_branch(b, "else_branch", levels - 1);
		joule_wire_end(b, node);
	} else {
		w_node(b, "Add", "p,c", result, "sum");
	}
	joule_wire_end(b, body);
	joule_wire_end(b, attr);
}

void write_nested_if(struct joule_wire_buf *b)
{
	static const float one = 1;
	size_t graph, node;

	write_frame(b, 13, &graph);
	w_value(b, 11, "cond", T_BOOL, SCALAR);
	w_tensor(b, 5, "c", T_FLOAT, DIMS(1), &one, sizeof(one));
	node = w_node_begin(b, 1, "If", "cond", "y", "outer");
	write_branch(b, "then_branch", 1);
	write_branch(b, "else_branch", 0);
	joule_wire_end(b, node);
	/* Made after the node that captures it. */
	w_node(b, "Relu", "x", "p", "before");
	model_end(b, graph);
}

/*
 * f(a) = (LeakyRelu(a, alpha=slope), constant 3), with slope defaulting to 0.5;
 * g(a) calls f twice, once with the slope it was itself given.
 */
void write_functions(struct joule_wire_buf *b)
{
	size_t graph, node, f, mark, attr;
	static const float three = 3;

	write_frame(b, 13, &graph);
	node = w_node_begin(b, 1, "g", "x", "y,k", "call");
	w_str(b, 7, "local");
	w_attr_float(b, "slope", 0.125f);
	joule_wire_end(b, node);
	node = w_node_begin(b, 1, "g", "x", "z", "call");
	w_str(b, 7, "local");
	joule_wire_end(b, node);
	w_value(b, 12, "k", T_FLOAT, SCALAR);
	model_end(b, graph);

	f = joule_wire_begin(b, 25);
	w_str(b, 1, "f");
	w_str(b, 10, "local");
	w_str(b, 4, "a");
	w_str(b, 5, "b");
	w_str(b, 5, "c");
	mark = joule_wire_begin(b, 11); /* attribute_proto */
	w_str(b, 1, "slope");
	w_int(b, 20, 1);
	joule_wire_put_tag(b, 2, JOULE_WIRE_I32);
	joule_wire_put(b, (float[]){ 0.5f }, 4);
	joule_wire_end(b, mark);
	node = w_node_begin(b, 7, "LeakyRelu", "a", "b", "leaky");
	w_attr_ref(b, "alpha", "slope", 1);
	joule_wire_end(b, node);
	node = w_node_begin(b, 7, "Constant", NULL, "c", NULL);
	attr = w_attr_begin(b, 5, "value", 4);
	w_tensor(b, 5, NULL, T_FLOAT, SCALAR, &three, sizeof(three));
	joule_wire_end(b, attr);
	joule_wire_end(b, node);
	joule_wire_end(b, f);

	f = joule_wire_begin(b, 25);
	w_str(b, 1, "g");
	w_str(b, 10, "local");
	w_str(b, 4, "a");
	w_str(b, 5, "out");
	w_str(b, 5, "k");
	w_str(b, 6, "slope");
	node = w_node_begin(b, 7, "f", "a", "t", "first");
	w_str(b, 7, "local");
	w_attr_ref(b, "slope", "slope", 1);
	joule_wire_end(b, node);
	node = w_node_begin(b, 7, "f", "t", "out,k", "second");
	w_str(b, 7, "local");
	joule_wire_end(b, node);
	joule_wire_end(b, f);
}

/* A bit of everything that the others lack; external data in weights.bin. */
void write_mixture(struct joule_wire_buf *b)
{
	static const float six[] = { 1, 2, 3, 4, 5, 6 };
	size_t graph, node, t, entry;

	write_frame(b, 13, &graph);
	w_symbolic_input(b, "n", "batch");
	w_tensor(b, 5, "w", T_FLOAT, DIMS(2, 3), six, sizeof(six));
	w_external(b, "e", T_FLOAT, DIMS(2), "weights.bin", "2", NULL);
	t = joule_wire_begin(b, 5);
	w_str(b, 8, "axes");
	w_int(b, 2, T_INT64);
	w_int(b, 1, 2);
	w_int(b, 7, 0);
	w_int(b, 7, 1);
	joule_wire_end(b, t);
	w_node(b, "Add", "x,w", "sum", "same");
	node = w_node_begin(b, 1, "Conv", "sum,w", "conv", "same");
	w_attr_str(b, "auto_pad", "SAME_UPPER");
	w_attr_ints(b, "strides", DIMS(2, 2));
	joule_wire_end(b, node);
	node = w_node_begin(b, 1, "Constant", NULL, "c", NULL);
	w_attr_ints(b, "value_ints", DIMS(3, 2));
	joule_wire_end(b, node);
	node = w_node_begin(b, 1, "Transpose", "sum", "p", NULL);
	w_attr_ints(b, "perm", DIMS(1, 0));
	joule_wire_end(b, node);
	node = w_node_begin(b, 1, "LeakyRelu", "p", "q", NULL);
	w_attr_float(b, "alpha", 0.1f);
	joule_wire_end(b, node);
	w_node(b, "Reshape", "q,c", "y", NULL);
	model_end(b, graph);
	entry = joule_wire_begin(b, 14);
	w_str(b, 1, "author");
	w_str(b, 2, "nobody");
	joule_wire_end(b, entry);
}
