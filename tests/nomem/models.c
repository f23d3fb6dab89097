// SPDX-License-Identifier: MIT
#include "models.h"

#include "../unit/graphs.h"
#include "../unit/test.h"
#include "ir/access.h"

static struct joule_tensor *filled(struct joule_graph *g, const int64_t *dims, double v)
{
	struct joule_tensor *t = test_const(g, JOULE_F32, dims);

	for (int64_t i = 0; i < joule_tensor_count(t); i++)
		joule_set_f64(JOULE_F32, t->data, i, v);
	return t;
}

static struct joule_tensor *batch_norm(struct joule_graph *g, struct joule_tensor *x)
{
	return test_op(g, "BatchNormalization",
		       IN(x, test_const(g, JOULE_F32, DIMS(4)), test_const(g, JOULE_F32, DIMS(4)),
			  test_const(g, JOULE_F32, DIMS(4)), filled(g, DIMS(4), 2)));
}

static struct joule_tensor *mean(struct joule_graph *g, struct joule_tensor *x)
{
	struct joule_node *n = test_node(g, "ReduceMean", 1, IN(x));

	test_attr_ints(n, "axes", 1, (int64_t[]){ -1 });
	return n->out[0];
}

static struct joule_tensor *transpose(struct joule_graph *g, struct joule_tensor *x)
{
	struct joule_node *n = test_node(g, "Transpose", 1, IN(x));

	test_attr_ints(n, "perm", 4, (int64_t[]){ 0, 2, 3, 1 });
	return n->out[0];
}

struct joule_graph *model_vision(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 3, 6, 6)), *y, *d, *r;
	struct joule_node *n;

	y = test_op(g, "Pad", IN(x, test_ints(g, 8, (int64_t[]){ 0, 0, 1, 1, 0, 0, 1, 1 })));
	y = test_op(g, "Conv", IN(y, test_const(g, JOULE_F32, DIMS(4, 3, 3, 3))));
	r = y = test_op(g, "Relu", IN(batch_norm(g, y)));
	y = test_op(g, "Conv", IN(y, test_const(g, JOULE_F32, DIMS(4, 4, 1, 1)),
				  test_const(g, JOULE_F32, DIMS(4))));
	y = test_op(g, "Identity", IN(test_op(g, "Add", IN(y, r))));
	y = test_op(g, "Mul", IN(y, test_op(g, "Sigmoid", IN(y))));
	n = test_node(g, "Concat", 1, IN(y, r));
	test_attr_int(n, "axis", 1);
	y = transpose(g, transpose(g, n->out[0]));
	/* LayerNormalization, spelled out. */
	d = test_op(g, "Sub", IN(y, mean(g, y)));
	r = test_op(g, "Add", IN(mean(g, test_op(g, "Mul", IN(d, d))), test_scalar(g, 1e-3)));
	y = test_op(g, "Div", IN(d, test_op(g, "Sqrt", IN(r))));
	y = test_op(g, "Tanh", IN(test_op(g, "Abs", IN(test_op(g, "Exp", IN(y))))));
	y = test_op(g, "Reshape", IN(y, test_ints(g, 2, (int64_t[]){ 6, -1 })));
	y = test_op(g, "MatMul",
		    IN(y, test_op(g, "Neg", IN(test_const(g, JOULE_F32, DIMS(48, 5))))));
	n = test_node(g, "Softmax", 1, IN(y));
	test_output(g, n->out[0]);
	n = test_node(g, "TopK", 2, IN(y, test_ints(g, 1, (int64_t[]){ 2 })));
	test_output(g, n->out[1]);
	return g;
}

/* for three times: s = tanh(s * w), kept in a list; w captured. */
static struct joule_node *loop(struct joule_graph *g, struct joule_tensor *s, struct joule_tensor *w)
{
	struct joule_tensor *m = test_ints(g, 1, (int64_t[]){ 3 }), *state, *next;
	struct joule_node *n = test_node(g, "Loop", 2, IN(m, s, s));
	struct joule_graph *body;

	n->in[1] = NULL;
	body = test_body(n, "body");
	test_input(body, "i", JOULE_I64, SCALAR);
	test_input(body, "cond", JOULE_BOOL, SCALAR);
	state = test_input(body, "state", JOULE_F32, DIMS(-1, -1));
	next = test_op(body, "Tanh", IN(test_op(body, "Mul", IN(state, test_capture(body, w)))));
	test_output(body, test_op(body, "Identity", IN(body->inputs[1])));
	test_output(body, next);
	test_output(body, test_op(body, "Neg", IN(next)));
	return n;
}

/* x * x where c, else the root of it. */
static struct joule_tensor *either(struct joule_graph *g, struct joule_tensor *c,
				   struct joule_tensor *x)
{
	struct joule_node *n = test_node(g, "If", 1, IN(c));
	struct joule_graph *yes = test_body(n, "then_branch"), *no = test_body(n, "else_branch");
	struct joule_tensor *t = test_capture(yes, x);

	test_output(yes, test_op(yes, "Mul", IN(t, t)));
	test_output(no, test_op(no, "Sqrt", IN(test_capture(no, x))));
	return n->out[0];
}

struct joule_graph *model_control(void)
{
	struct joule_shape scalar = { .rank = 0 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(3, 4)), *y, *yes;
	struct joule_node *n;

	yes = joule_graph_add_const(g, NULL, JOULE_BOOL, &scalar);
	CHECK(yes);
	*(unsigned char *)yes->data = 1;
	y = either(g, yes, test_op(g, "Abs", IN(x)));
	n = test_node(g, "ReduceSum", 1, IN(y));
	test_attr_int(n, "keepdims", 0);
	y = either(g, test_op(g, "Greater", IN(n->out[0], test_scalar(g, 3))), y);
	n = loop(g, y, test_const(g, JOULE_F32, DIMS(4)));
	test_output(g, n->out[1]);
	y = n->out[0];
	n = test_node(g, "Transpose", 1, IN(test_op(g, "NonZero", IN(y))));
	test_output(g, test_op(g, "Neg", IN(test_op(g, "GatherND", IN(y, n->out[0])))));
	return g;
}

struct joule_graph *model_quantized(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 3, 6, 6));
	struct joule_tensor *scale = test_scalar(g, 0.02), *zero, *w, *y, *sum;
	struct joule_shape scalar = { .rank = 0 };
	struct joule_node *n;

	zero = joule_graph_add_const(g, NULL, JOULE_U8, &scalar);
	CHECK(zero);
	*(unsigned char *)zero->data = 100;
	y = test_op(g, "QuantizeLinear", IN(x, scale, zero));
	y = test_op(g, "DequantizeLinear", IN(y, scale, zero));
	w = test_op(g, "DequantizeLinear",
		    IN(test_const(g, JOULE_I8, DIMS(4, 3, 3, 3)), test_scalar(g, 0.1)));
	y = test_op(g, "Relu", IN(test_op(g, "Conv", IN(y, w))));
	y = test_op(g, "QuantizeLinear", IN(y, scale, zero));
	test_output(g, y);
	y = test_op(g, "DequantizeLinear", IN(y, scale, zero));
	y = test_op(g, "Reshape", IN(y, test_ints(g, 2, (int64_t[]){ 4, 16 })));
	n = test_node(g, "DynamicQuantizeLinear", 3, IN(y));
	w = test_const(g, JOULE_U8, DIMS(16, 5));
	sum = test_op(g, "MatMulInteger", IN(n->out[0], w, n->out[2]));
	n = test_node(g, "Cast", 1, IN(sum));
	test_attr_int(n, "to", 1);
	test_output(g, test_op(g, "Mul", IN(n->out[0], scale)));
	return g;
}
