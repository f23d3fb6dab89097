// SPDX-License-Identifier: MIT
/* Layer normalization as TensorFlow has it, quick GELU, work moved past views, neutral operands. */
#include "passes.h"
#include "runtime/objects.h"
#include "test.h"

static struct joule_context *context;
static struct joule_device *device;

static void check(struct joule_graph *g, const char *pass, const char *op, int n)
{
	struct joule_model *model;

	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	CHECK_EQ(test_count(model, device, op, NULL), n);
	test_pass(model, device, pass, 3, 1e-5);
	joule_model_destroy(model);
}

static struct joule_tensor *mean(struct joule_graph *g, struct joule_tensor *x)
{
	static const int64_t last[] = { -1 };
	struct joule_node *node = test_node(g, "ReduceMean", 1, IN(x));

	test_attr_ints(node, "axes", 1, last);
	return node->out[0];
}

/* x * (r * gamma) + (beta - m * (r * gamma)), in the order that bits of form pick. */
static void tensorflow(unsigned int form)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(2, 9, 32));
	struct joule_tensor *m = mean(g, x), *d = test_op(g, "Sub", IN(x, m)), *r, *inv, *a, *b;

	r = mean(g, test_op(g, "Mul", IN(d, d)));
	r = test_op(g, "Add", IN(r, test_scalar(g, 1e-3)));
	if (form & 1) {
		r = test_op(g, "Pow", IN(r, test_scalar(g, -0.5)));
	} else {
		r = test_op(g, "Sqrt", IN(r));
		r = form & 2 ? test_op(g, "Div", IN(test_scalar(g, 1), r)) :
			       test_op(g, "Reciprocal", IN(r));
	}
	inv = form & 4 ? r : test_op(g, "Mul", IN(test_const(g, JOULE_F32, DIMS(32)), r));
	a = form & 8 ? test_op(g, "Mul", IN(inv, x)) : test_op(g, "Mul", IN(x, inv));
	b = test_op(g, "Mul", IN(m, inv));
	if (form & 16) {
		test_output(g, test_op(g, "Sub", IN(a, b)));
	} else {
		b = test_op(g, "Sub", IN(test_const(g, JOULE_F32, DIMS(32)), b));
		test_output(g, form & 8 ? test_op(g, "Add", IN(b, a)) :
					  test_op(g, "Add", IN(a, b)));
	}
	check(g, "layer-norm", "LayerNormalization", 1);
}

/* Not one: the mean of something else; inv that somebody else reads. */
static void no_norm(bool other)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(9, 32));
	struct joule_tensor *m = mean(g, x), *d = test_op(g, "Sub", IN(x, m)), *r, *a, *b;

	r = mean(g, test_op(g, "Mul", IN(d, d)));
	r = test_op(g, "Add", IN(r, test_scalar(g, 1e-3)));
	r = test_op(g, "Reciprocal", IN(test_op(g, "Sqrt", IN(r))));
	a = test_op(g, "Mul", IN(x, r));
	b = test_op(g, "Mul", IN(other ? mean(g, d) : m, r));
	test_output(g, test_op(g, "Sub", IN(a, b)));
	if (!other)
		test_output(g, r);
	check(g, "layer-norm", "LayerNormalization", 0);
}

static void quick_gelu(double factor)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(300)), *y;

	y = test_op(g, "Sigmoid", IN(test_op(g, "Mul", IN(x, test_scalar(g, factor)))));
	test_output(g, test_op(g, "Mul", IN(x, y)));
	check(g, "activation", "Swish", 1);
}

/* A product, a view, then what an epilogue can hold. */
static void views(void)
{
	static const int64_t three[] = { 1, 12, 24 }, other[] = { 2, 6, 24 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(12, 16));
	struct joule_tensor *full = test_input(g, "full", JOULE_F32, DIMS(1, 12, 24)), *y;
	struct joule_model *model;

	y = test_op(g, "MatMul", IN(x, test_const(g, JOULE_F32, DIMS(16, 24))));
	y = test_op(g, "Reshape", IN(y, test_ints(g, 3, three)));
	y = test_op(g, "Add", IN(test_const(g, JOULE_F32, DIMS(24)), y));
	y = test_op(g, "Sub", IN(full, y));
	y = test_op(g, "Reshape", IN(y, test_ints(g, 3, other)));
	y = test_op(g, "Mul", IN(y, test_scalar(g, 0.3)));
	test_output(g, test_op(g, "Relu", IN(y)));
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	CHECK_EQ(test_count(model, device, "Chain", NULL), 0);
	CHECK_EQ(test_count(model, device, "Chain", "view"), 1);
	CHECK_EQ(test_count(model, device, "Relu", NULL), 0);
	test_pass(model, device, "view", 1, 1e-6);
	joule_model_destroy(model);
}

/* Operands along other axes, and views that somebody else reads, stay where they are. */
static void no_views(void)
{
	static const int64_t three[] = { 3, 4, 24 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(12, 16)), *y;

	y = test_op(g, "MatMul", IN(x, test_const(g, JOULE_F32, DIMS(16, 24))));
	y = test_op(g, "Reshape", IN(y, test_ints(g, 3, three)));
	test_output(g, test_op(g, "Add", IN(y, test_const(g, JOULE_F32, DIMS(3, 1, 1)))));
	test_output(g, test_op(g, "Relu", IN(y)));
	check(g, "view", "Relu", 1);
}

/* An integer input times 0, added: nothing is left of it. x * 1, 0 + x, x / 1 neither. */
static void neutral(void)
{
	static const int64_t zero[] = { 0 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(4, 5)), *y;
	struct joule_tensor *rate = test_input(g, "rate", JOULE_I64, DIMS(1));
	struct joule_node *cast = test_node(g, "Cast", 1,
					    IN(test_op(g, "Mul", IN(rate, test_ints(g, 1, zero)))));
	struct joule_model *model;

	test_attr_int(cast, "to", 1);
	y = test_op(g, "Relu", IN(x));
	y = test_op(g, "Add", IN(y, cast->out[0]));
	y = test_op(g, "Mul", IN(test_scalar(g, 1), y));
	y = test_op(g, "Div", IN(y, test_scalar(g, 1)));
	test_output(g, test_op(g, "Sub", IN(test_scalar(g, 0), y)));
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	CHECK_EQ(test_count(model, device, "Mul", NULL), 0);
	CHECK_EQ(test_count(model, device, "Add", "chain"), 0);
	CHECK_EQ(test_count(model, device, "Div", "chain"), 0);
	CHECK_EQ(test_count(model, device, "Sub", "chain"), 1);
	test_pass(model, device, "identity", 1, 0);
	joule_model_destroy(model);
}

int main(void)
{
	context = test_context();
	test_log_quiet = true;
	device = test_device(context, "vulkan");
	test_log_quiet = false;
	if (device) {
		for (unsigned int form = 0; form < 32; form++)
			tensorflow(form);
		no_norm(false);
		no_norm(true);
		quick_gelu(1);
		quick_gelu(1.702);
		views();
		no_views();
		neutral();
		joule_device_close(device);
	}
	joule_context_destroy(context);
	return device ? 0 : TEST_SKIP;
}
