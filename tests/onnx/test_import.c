// SPDX-License-Identifier: MIT
/* What the importer makes of valid models. */
#include "check.h"
#include "small_models.h"

#include "ir/op.h"

static void plain(void **state)
{
	struct joule_wire_buf b;
	struct joule_graph *g;
	size_t graph;

	write_frame(&b, 13, &graph);
	w_node(&b, "Relu", "x", "y", "act");
	model_end(&b, graph);
	g = load_good(&b);
	assert_string_equal(g->name, "test");
	assert_int_equal(g->opset, 13);
	assert_int_equal(g->n_nodes, 1);
	assert_string_equal(g->nodes[0]->name, "act");
	assert_int_equal(g->nodes[0]->n_origins, 1);
	assert_string_equal(g->nodes[0]->origins[0], "act");
	assert_int_equal(g->n_inputs, 1);
	assert_int_equal(g->inputs[0]->dtype, JOULE_F32);
	assert_int_equal(g->inputs[0]->shape.dims[1], 3);
	assert_ptr_equal(g->outputs[0], g->nodes[0]->out[0]);
	joule_graph_destroy(g);
}

/* Nodes out of order are put in order; equal and missing node names are told apart. */
static void order_and_names(void **state)
{
	struct joule_wire_buf b;
	struct joule_graph *g;
	size_t graph;

	write_frame(&b, 13, &graph);
	w_node(&b, "Relu", "q", "y", "n");
	w_node(&b, "Relu", "p", "q", "n");
	w_node(&b, "Relu", "x", "p", NULL);
	w_node(&b, "Relu", "x", "unused", "Relu_2");
	model_end(&b, graph);
	g = load_good(&b);
	assert_int_equal(g->n_nodes, 4);
	assert_ptr_equal(g->outputs[0]->producer->in[0]->producer->in[0]->producer->in[0],
			 g->inputs[0]);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(g->nodes[i]->name, g->nodes[j]->name);
	joule_graph_destroy(g);
}

static void attributes(void **state)
{
	struct joule_wire_buf b;
	struct joule_graph *g;
	const struct joule_attr *a;
	size_t graph, node;

	write_frame(&b, 13, &graph);
	node = w_node_begin(&b, 1, "LeakyRelu", "x", "p", "leaky");
	w_attr_float(&b, "alpha", 0.5f);
	joule_wire_end(&b, node);
	w_node(&b, "LeakyRelu", "p", "q", "default");
	node = w_node_begin(&b, 1, "Transpose", "q", "y", "turn");
	w_attr_ints(&b, "perm", DIMS(1, 0));
	joule_wire_end(&b, node);
	model_end(&b, graph);
	g = load_good(&b);
	a = g->nodes[0]->op->attrs;
	assert_true(*(float *)(void *)((char *)g->nodes[0]->attrs + a->offset) == 0.5f);
	assert_true(*(float *)(void *)((char *)g->nodes[1]->attrs + a->offset) == 0.01f);
	a = g->nodes[2]->op->attrs;
	assert_int_equal(((struct joule_ints *)(void *)((char *)g->nodes[2]->attrs + a->offset))->n,
			 2);
	joule_graph_destroy(g);
}

/* Every way to store elements comes to the same values. */
static void typed_data(void **state)
{
	static const uint8_t bools[] = { 0, 7, 1 };
	static const float floats[] = { 1, 2, 3 };
	static const double doubles[] = { 4, 5 };
	struct joule_wire_buf b;
	struct joule_graph *g;
	size_t graph, t, packed;

	write_frame(&b, 13, &graph);
	w_node(&b, "Relu", "x", "y", NULL);
	t = joule_wire_begin(&b, 5); /* float_data, packed in two parts */
	w_int(&b, 1, 3);
	w_int(&b, 2, T_FLOAT);
	joule_wire_put_bytes(&b, 4, floats, 8);
	joule_wire_put_bytes(&b, 4, floats + 2, 4);
	w_str(&b, 8, "f");
	joule_wire_end(&b, t);
	t = joule_wire_begin(&b, 5); /* int32_data for int8, not packed, negative */
	w_str(&b, 8, "i8");
	w_int(&b, 2, T_INT8);
	w_int(&b, 1, 2);
	w_int(&b, 5, -128);
	w_int(&b, 5, 127);
	joule_wire_end(&b, t);
	t = joule_wire_begin(&b, 5); /* int64_data packed */
	w_str(&b, 8, "i64");
	w_int(&b, 2, T_INT64);
	w_int(&b, 1, 2);
	packed = joule_wire_begin(&b, 7);
	joule_wire_put_varint(&b, UINT64_MAX);
	joule_wire_put_varint(&b, 300);
	joule_wire_end(&b, packed);
	joule_wire_end(&b, t);
	t = joule_wire_begin(&b, 5);
	w_str(&b, 8, "f64");
	w_int(&b, 2, T_DOUBLE);
	w_int(&b, 1, 2);
	joule_wire_put_bytes(&b, 10, doubles, sizeof(doubles));
	joule_wire_end(&b, t);
	t = joule_wire_begin(&b, 5); /* float16 bits in int32_data, scalar */
	w_str(&b, 8, "f16");
	w_int(&b, 2, T_FLOAT16);
	w_int(&b, 5, 0x3c00);
	joule_wire_end(&b, t);
	t = joule_wire_begin(&b, 5); /* three 4-bit values in two bytes */
	w_str(&b, 8, "i4");
	w_int(&b, 2, T_INT4);
	w_int(&b, 1, 3);
	w_int(&b, 5, 0x21);
	w_int(&b, 5, 0x0f);
	joule_wire_end(&b, t);
	w_tensor(&b, 5, "bool", T_BOOL, DIMS(3), bools, sizeof(bools));
	w_tensor(&b, 5, "empty", T_FLOAT, DIMS(0, 4), NULL, 0);
	model_end(&b, graph);
	g = load_good(&b);
	assert_memory_equal(tensor_of(g, "f")->data, floats, sizeof(floats));
	assert_int_equal(((int8_t *)tensor_of(g, "i8")->data)[0], -128);
	assert_int_equal(((int8_t *)tensor_of(g, "i8")->data)[1], 127);
	assert_int_equal(((int64_t *)tensor_of(g, "i64")->data)[0], -1);
	assert_int_equal(((int64_t *)tensor_of(g, "i64")->data)[1], 300);
	assert_memory_equal(tensor_of(g, "f64")->data, doubles, sizeof(doubles));
	assert_int_equal(*(uint16_t *)tensor_of(g, "f16")->data, 0x3c00);
	assert_int_equal(tensor_of(g, "f16")->shape.rank, 0);
	assert_memory_equal(tensor_of(g, "i4")->data, "\x21\x0f", 2);
	assert_memory_equal(tensor_of(g, "bool")->data, "\0\1\1", 3);
	assert_non_null(tensor_of(g, "empty")->data);
	joule_graph_destroy(g);
}

static void constants(void **state)
{
	static const float two[] = { 2, 2 };
	struct joule_wire_buf b;
	struct joule_graph *g;
	size_t graph, node, attr;

	write_frame(&b, 13, &graph);
	node = w_node_begin(&b, 1, "Constant", NULL, "c", NULL);
	attr = w_attr_begin(&b, 5, "value", 4);
	w_tensor(&b, 5, NULL, T_FLOAT, DIMS(2, 1), two, sizeof(two));
	joule_wire_end(&b, attr);
	joule_wire_end(&b, node);
	node = w_node_begin(&b, 1, "Constant", NULL, "i", NULL);
	w_attr_int(&b, "value_int", -7);
	joule_wire_end(&b, node);
	node = w_node_begin(&b, 1, "Constant", NULL, "l", NULL);
	w_attr_ints(&b, "value_ints", DIMS(1, 2, 3));
	joule_wire_end(&b, node);
	node = w_node_begin(&b, 1, "Constant", NULL, "s", NULL);
	w_attr_float(&b, "value_float", 0.25f);
	joule_wire_end(&b, node);
	w_node(&b, "Add", "x,c", "y", NULL);
	model_end(&b, graph);
	g = load_good(&b);
	assert_int_equal(g->n_nodes, 1);
	assert_true(joule_tensor_is_const(g->nodes[0]->in[1]));
	assert_int_equal(tensor_of(g, "i")->shape.rank, 0);
	assert_int_equal(*(int64_t *)tensor_of(g, "i")->data, -7);
	assert_int_equal(tensor_of(g, "l")->shape.dims[0], 3);
	assert_true(*(float *)tensor_of(g, "s")->data == 0.25f);
	joule_graph_destroy(g);
}

/* Up to IR version 3 initializers were listed as inputs. */
static void old_initializers(void **state)
{
	static const float one = 1;
	struct joule_wire_buf b;
	struct joule_graph *g;
	size_t graph;

	model_begin(&b, 3, 7, &graph);
	w_value(&b, 11, "w", T_FLOAT, DIMS(1));
	w_value(&b, 11, "x", T_FLOAT, DIMS(4));
	w_value(&b, 12, "y", T_FLOAT, DIMS(4));
	w_tensor(&b, 5, "w", T_FLOAT, DIMS(1), &one, sizeof(one));
	w_node(&b, "Add", "x,w", "y", NULL);
	model_end(&b, graph);
	g = load_good(&b);
	assert_int_equal(g->n_inputs, 1);
	assert_string_equal(g->inputs[0]->name, "x");
	assert_int_equal(tensor_of(g, "w")->flags, JOULE_TENSOR_CONST);
	joule_graph_destroy(g);
}

static void dynamic_dims(void **state)
{
	struct joule_wire_buf b;
	struct joule_graph *g;
	enum joule_dtype dtype;
	struct joule_shape shape;
	size_t graph, entry;

	model_begin(&b, 8, 13, &graph);
	w_symbolic_input(&b, "x", "batch");
	w_value(&b, 11, "z", T_FLOAT, DIMS(-1, 3));
	w_value(&b, 12, "y", T_FLOAT, DIMS(4, 5));
	w_node(&b, "Add", "x,z", "y", NULL);
	model_end(&b, graph);
	entry = joule_wire_begin(&b, 14);
	w_str(&b, 1, "author");
	w_str(&b, 2, "nobody");
	joule_wire_end(&b, entry);
	g = load_good(&b);
	assert_int_equal(g->inputs[0]->shape.rank, 1);
	assert_int_equal(g->inputs[0]->shape.dims[0], -1);
	assert_string_equal(joule_onnx_dim_name(g, g->inputs[0], 0), "batch");
	assert_null(joule_onnx_dim_name(g, g->inputs[1], 0));
	assert_int_equal(g->n_metadata % 2, 0);
	assert_string_equal(g->metadata[g->n_metadata - 2], "author");
	assert_string_equal(g->metadata[g->n_metadata - 1], "nobody");
	assert_true(joule_onnx_declared_type(g, g->outputs[0], &dtype, &shape));
	assert_int_equal(dtype, JOULE_F32);
	assert_int_equal(shape.rank, 2);
	assert_int_equal(shape.dims[1], 5);
	joule_graph_destroy(g);
}

static void captures(void **state)
{
	struct joule_graph *g, *then_body, *inner;
	struct joule_wire_buf b;
	struct joule_node *sum;

	write_nested_if(&b);
	g = load_good(&b);
	assert_int_equal(g->n_nodes, 2);
	assert_string_equal(g->nodes[0]->name, "before");
	assert_int_equal(g->nodes[1]->n_body, 2);
	then_body = g->nodes[1]->body[0];
	assert_string_equal(then_body->name, "then_branch");
	assert_ptr_equal(then_body->parent, g);
	inner = then_body->nodes[0]->body[1];
	sum = inner->nodes[0];
	assert_ptr_equal(sum->in[0]->outer->outer, tensor_of(g, "p"));
	assert_null(sum->in[0]->data);
	assert_ptr_equal(sum->in[1]->outer->outer, tensor_of(g, "c"));
	assert_ptr_equal(sum->in[1]->data, tensor_of(g, "c")->data);
	assert_true(joule_tensor_is_const(sum->in[1]));
	joule_graph_destroy(g);
}

static float alpha_of(const struct joule_node *node)
{
	return *(float *)(void *)((char *)node->attrs + node->op->attrs[0].offset);
}

static void functions(void **state)
{
	struct joule_wire_buf b;
	struct joule_graph *g;
	struct joule_node *n;

	write_functions(&b);
	g = load_good(&b);
	/* Each call of g makes two LeakyRelu; a constant output needs an Identity. */
	assert_int_equal(g->n_nodes, 6);
	n = g->outputs[0]->producer;
	assert_string_equal(n->op->name, "LeakyRelu");
	assert_string_equal(n->name, "call/second/leaky");
	assert_string_equal(n->origins[0], "call");
	assert_true(alpha_of(n) == 0.5f);
	n = n->in[0]->producer;
	assert_true(alpha_of(n) == 0.125f);
	assert_ptr_equal(n->in[0], g->inputs[0]);
	n = g->outputs[1]->producer;
	assert_string_equal(n->op->name, "Identity");
	assert_true(*(float *)n->in[0]->data == 3);
	/* The second call of the same name, without a slope: defaults all the way. */
	n = tensor_of(g, "z")->producer;
	assert_string_equal(n->name, "call_1/second/leaky");
	assert_true(alpha_of(n->in[0]->producer) == 0.5f);
	joule_graph_destroy(g);
}

/* Two functions of one name are told apart by overload. */
static void overloads(void **state)
{
	struct joule_wire_buf b;
	struct joule_graph *g;
	size_t graph, node, f;

	write_frame(&b, 13, &graph);
	node = w_node_begin(&b, 1, "f", "x", "y", NULL);
	w_str(&b, 7, "local");
	w_str(&b, 8, "second");
	joule_wire_end(&b, node);
	model_end(&b, graph);
	for (int i = 0; i < 2; i++) {
		f = joule_wire_begin(&b, 25);
		w_str(&b, 1, "f");
		w_str(&b, 10, "local");
		w_str(&b, 13, i ? "second" : "first");
		w_str(&b, 4, "a");
		w_str(&b, 5, "b");
		joule_wire_end(&b, w_node_begin(&b, 7, i ? "Sqrt" : "Exp", "a", "b", NULL));
		joule_wire_end(&b, f);
	}
	g = load_good(&b);
	assert_string_equal(g->nodes[0]->op->name, "Sqrt");
	joule_graph_destroy(g);
}

/* Cut anywhere, and with any bit turned over, a model loads or is refused. */
static void damage(struct joule_wire_buf *b)
{
	struct joule_graph *g;

	for (size_t n = 0; n < b->n; n++) {
		load_bytes(b->data, n, &g);
		joule_graph_destroy(g);
	}
	for (size_t i = 0; i < b->n * 8; i++) {
		b->data[i / 8] ^= (uint8_t)(1 << i % 8);
		load_bytes(b->data, b->n, &g);
		joule_graph_destroy(g);
		b->data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	joule_wire_buf_finish(b);
}

static void damaged(void **state)
{
	struct joule_wire_buf b;

	write_nested_if(&b);
	damage(&b);
	write_functions(&b);
	damage(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(order_and_names),
		cmocka_unit_test(attributes),
		cmocka_unit_test(typed_data),
		cmocka_unit_test(constants),
		cmocka_unit_test(old_initializers),
		cmocka_unit_test(dynamic_dims),
		cmocka_unit_test(captures),
		cmocka_unit_test(functions),
		cmocka_unit_test(overloads),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
