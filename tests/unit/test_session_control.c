// SPDX-License-Identifier: MIT
/*
 * Graphs whose shapes depend on values: each runs on the reference and in
 * stages on a device, and both must agree. The reference itself is held to
 * results worked out by hand.
 */
#include <string.h>

#include "graphs.h"
#include "runtime/objects.h"
#include "test.h"

static struct joule_context *context;
static struct joule_device *cpu, *vulkan;

static void both(struct joule_graph *g)
{
	struct joule_model *model;

	CHECK_EQ(joule_graph_verify(g), 0);
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	test_same(model, vulkan ? vulkan : cpu, cpu, NULL, 1e-5);
	joule_model_destroy(model);
}

/* y = Relu(x) + sum over the nonzero part of Relu(x). */
static void late_shape(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(3, 5));
	struct joule_tensor *r = test_op(g, "Relu", IN(x));
	struct joule_tensor *nz = test_op(g, "NonZero", IN(r));
	struct joule_node *tr = test_node(g, "Transpose", 1, IN(nz));
	struct joule_tensor *picked = test_op(g, "GatherND", IN(r, tr->out[0]));
	struct joule_tensor *n = test_op(g, "Neg", IN(picked));
	struct joule_node *sum = test_node(g, "ReduceSum", 1, IN(n));

	test_attr_int(sum, "keepdims", 0);
	test_output(g, test_op(g, "Add", IN(r, sum->out[0])));
	test_output(g, n);
	both(g);
}

/* A shape computed from another input's values. */
static void computed_reshape(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(4, 6));
	struct joule_tensor *b = test_input(g, "b", JOULE_BOOL, SCALAR);
	struct joule_tensor *s = test_op(g, "Where", IN(b, test_ints(g, 2, (int64_t[]){ 3, 8 }),
							test_ints(g, 2, (int64_t[]){ 12, 2 })));
	struct joule_tensor *y = test_op(g, "Reshape", IN(test_op(g, "Tanh", IN(x)), s));

	test_output(g, test_op(g, "Neg", IN(y)));
	both(g);
}

/* If on a computed condition, both branches capture from outside. */
static void if_computed(void)
{
	struct joule_graph *g = test_graph(), *yes, *no;
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(2, 7));
	struct joule_tensor *c = test_input(g, "c", JOULE_BOOL, SCALAR);
	struct joule_tensor *r = test_op(g, "Abs", IN(x));
	struct joule_node *n = test_node(g, "If", 1, IN(test_op(g, "Not", IN(c))));
	struct joule_tensor *t;

	yes = test_body(n, "then_branch");
	no = test_body(n, "else_branch");
	t = test_capture(yes, r);
	test_output(yes, test_op(yes, "Mul", IN(t, t)));
	t = test_capture(no, r);
	test_output(no, test_op(no, "Sqrt", IN(t)));
	test_output(g, test_op(g, "Neg", IN(n->out[0])));
	both(g);
}

/*
 * for i in range(m): s = tanh(s * w) ; scan s. m comes as a value. Checked by
 * hand too: with w = 0.5 and no tanh it would be s / 2^m.
 */
static void loop(void)
{
	struct joule_graph *g = test_graph(), *body;
	struct joule_tensor *m = test_input(g, "m", JOULE_I64, SCALAR);
	struct joule_tensor *s = test_input(g, "s", JOULE_F32, DIMS(3, 4));
	struct joule_tensor *w = test_input(g, "w", JOULE_F32, DIMS(4));
	struct joule_tensor *state, *next;
	struct joule_node *n = test_node(g, "Loop", 2, IN(m, s, s));

	n->in[1] = NULL;
	body = test_body(n, "body");
	test_input(body, "i", JOULE_I64, SCALAR);
	test_input(body, "cond", JOULE_BOOL, SCALAR);
	state = test_input(body, "state", JOULE_F32, DIMS(-1, -1));
	next = test_op(body, "Tanh", IN(test_op(body, "Mul", IN(state, test_capture(body, w)))));
	test_output(body, test_op(body, "Identity", IN(body->inputs[1])));
	test_output(body, next);
	test_output(body, test_op(body, "Neg", IN(next)));
	test_output(g, test_op(g, "Neg", IN(n->out[0])));
	test_output(g, n->out[1]);
	both(g);
}

/* A state that grows in every iteration: no two plans of the body are alike. */
static void growing_loop(void)
{
	struct joule_graph *g = test_graph(), *body;
	struct joule_tensor *s = test_input(g, "s", JOULE_F32, DIMS(1, 3));
	struct joule_tensor *m = test_ints(g, 1, (int64_t[]){ 12 });
	struct joule_node *n = test_node(g, "Loop", 1, IN(m, s, s)), *cat;
	struct joule_tensor *state;

	n->in[1] = NULL;
	body = test_body(n, "body");
	test_input(body, "i", JOULE_I64, SCALAR);
	test_input(body, "cond", JOULE_BOOL, SCALAR);
	state = test_input(body, "state", JOULE_F32, DIMS(-1, 3));
	cat = test_node(body, "Concat", 1, IN(state, test_op(body, "Neg", IN(test_capture(body, s)))));
	test_attr_int(cat, "axis", 0);
	test_output(body, test_op(body, "Identity", IN(body->inputs[1])));
	test_output(body, cat->out[0]);
	test_output(g, test_op(g, "Abs", IN(n->out[0])));
	both(g);
}

/* Slices that depend on the iteration: the plan would change each time. */
static void slicing_loop(void)
{
	struct joule_graph *g = test_graph(), *body;
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(50, 3));
	struct joule_tensor *m = test_ints(g, 1, (int64_t[]){ 50 }), *i, *one, *row;
	struct joule_node *n = test_node(g, "Loop", 1, IN(m, x));

	n->in[1] = NULL;
	CHECK_EQ(joule_node_set_input(n, 1, NULL), 0);
	n->n_in = 2;
	body = test_body(n, "body");
	i = test_input(body, "i", JOULE_I64, SCALAR);
	test_input(body, "cond", JOULE_BOOL, SCALAR);
	one = test_ints(body, 1, (int64_t[]){ 1 });
	i = test_op(body, "Reshape", IN(i, one));
	row = test_op(body, "Slice", IN(test_capture(body, x), i, test_op(body, "Add", IN(i, one))));
	test_output(body, test_op(body, "Identity", IN(body->inputs[1])));
	test_output(body, test_op(body, "Neg", IN(row)));
	test_output(g, test_op(g, "Abs", IN(n->out[0])));
	both(g);
}

/* Cumulative sum by Scan, against the obvious. */
static void scan(void)
{
	struct joule_graph *g = test_graph(), *body;
	struct joule_tensor *s = test_input(g, "s", JOULE_F32, DIMS(2));
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(3, 2));
	struct joule_node *n = test_node(g, "Scan", 2, IN(s, x));
	struct joule_session *session;
	struct joule_model *model;
	struct joule_view v;
	float zero[2] = { 0 }, in[6] = { 1, 2, 3, 4, 5, 6 };
	const float want[6] = { 1, 2, 4, 6, 9, 12 };
	struct joule_tensor *t;

	test_attr_int(n, "num_scan_inputs", 1);
	body = test_body(n, "body");
	t = test_op(body, "Add", IN(test_input(body, "a", JOULE_F32, DIMS(2)),
				    test_input(body, "b", JOULE_F32, DIMS(2))));
	test_output(body, t);
	test_output(body, test_op(body, "Identity", IN(t)));
	test_output(g, n->out[0]);
	test_output(g, n->out[1]);
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	CHECK_EQ(joule_session_create(model, vulkan ? vulkan : cpu, NULL, &session), 0);
	v = (struct joule_view){ .dtype = JOULE_F32, .shape = { 1, { 2 } }, .data = zero,
				 .bytes = sizeof(zero) };
	CHECK_EQ(joule_session_set_input(session, 0, &v), 0);
	v = (struct joule_view){ .dtype = JOULE_F32, .shape = { 2, { 3, 2 } }, .data = in,
				 .bytes = sizeof(in) };
	CHECK_EQ(joule_session_set_input(session, 1, &v), 0);
	for (int run = 0; run < 3; run++) {
		CHECK_EQ(joule_session_run(session, 0), 0);
		CHECK_EQ(joule_session_output(session, 1, &v), 0);
		CHECK_EQ(v.bytes, sizeof(want));
		CHECK(!memcmp(v.data, want, sizeof(want)));
		CHECK_EQ(joule_session_output(session, 0, &v), 0);
		CHECK(!memcmp(v.data, want + 4, 2 * sizeof(*want)));
	}
	joule_session_destroy(session);
	joule_model_destroy(model);
}

/* A Loop in an If in a Loop. */
static void nested(void)
{
	struct joule_graph *g = test_graph(), *outer, *yes, *no, *inner;
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(2, 3));
	struct joule_tensor *four = test_ints(g, 1, (int64_t[]){ 4 }), *s, *i, *odd;
	struct joule_node *loop_node = test_node(g, "Loop", 1, IN(four, x, x)), *mod, *sel, *in;

	loop_node->in[1] = NULL;
	outer = test_body(loop_node, "body");
	i = test_input(outer, "i", JOULE_I64, SCALAR);
	test_input(outer, "cond", JOULE_BOOL, SCALAR);
	s = test_input(outer, "s", JOULE_F32, DIMS(2, 3));
	mod = test_node(outer, "Mod", 1, IN(i, test_ints(outer, 1, (int64_t[]){ 2 })));
	odd = test_op(outer, "Reshape", IN(mod->out[0], test_ints(outer, 0, NULL)));
	sel = test_node(outer, "If", 1,
			IN(test_op(outer, "Equal", IN(odd, test_op(outer, "Sub", IN(i, i))))));
	yes = test_body(sel, "then_branch");
	no = test_body(sel, "else_branch");
	test_output(yes, test_op(yes, "Neg", IN(test_capture(yes, s))));
	{
		struct joule_tensor *cs = test_capture(no, s);
		struct joule_tensor *two = test_ints(no, 1, (int64_t[]){ 2 }), *t;

		in = test_node(no, "Loop", 1, IN(two, cs, cs));
		in->in[1] = NULL;
		inner = test_body(in, "body");
		test_input(inner, "k", JOULE_I64, SCALAR);
		test_input(inner, "cond", JOULE_BOOL, SCALAR);
		t = test_input(inner, "t", JOULE_F32, DIMS(2, 3));
		test_output(inner, test_op(inner, "Identity", IN(inner->inputs[1])));
		test_output(inner, test_op(inner, "Add", IN(t, test_capture(inner, cs))));
		test_output(no, in->out[0]);
	}
	test_output(outer, test_op(outer, "Identity", IN(outer->inputs[1])));
	test_output(outer, sel->out[0]);
	test_output(g, loop_node->out[0]);
	both(g);
}

/* One session, inputs of several shapes; old plans come back. */
static void dynamic_inputs(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(-1, 4));
	struct joule_session *session[2];
	struct joule_model *model;
	static const int sizes[] = { 3, 5, 3, 1, 5, 0, 2 };

	test_output(g, test_op(g, "Relu", IN(test_op(g, "Neg", IN(x)))));
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	CHECK_EQ(joule_session_create(model, vulkan ? vulkan : cpu, NULL, &session[0]), 0);
	CHECK_EQ(joule_session_create(model, cpu, NULL, &session[1]), 0);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		float data[20];
		struct joule_view v = {
			.dtype = JOULE_F32,
			.shape = { 2, { sizes[k], 4 } },
			.data = data,
			.bytes = (size_t)sizes[k] * 16,
		}, a, b;

		test_fill(JOULE_F32, data, 20);
		for (int d = 0; d < 2; d++) {
			CHECK_EQ(joule_session_set_input(session[d], 0, &v), 0);
			CHECK_EQ(joule_session_run(session[d], 0), 0);
		}
		CHECK_EQ(joule_session_output(session[0], 0, &a), 0);
		CHECK_EQ(joule_session_output(session[1], 0, &b), 0);
		CHECK_EQ(a.bytes, v.bytes);
		CHECK(test_difference(&a, &b) < 1e-6);
	}
	joule_session_destroy(session[0]);
	joule_session_destroy(session[1]);
	joule_model_destroy(model);
}

int main(void)
{
	context = test_context();
	cpu = test_device(context, "cpu");
	test_log_quiet = true;
	vulkan = test_device(context, NULL);
	test_log_quiet = false;
	late_shape();
	computed_reshape();
	if_computed();
	loop();
	growing_loop();
	slicing_loop();
	scan();
	nested();
	dynamic_inputs();
	if (!vulkan)
		printf("no Vulkan device: the reference was tested alone\n");
	joule_device_close(vulkan);
	joule_device_close(cpu);
	joule_context_destroy(context);
	return 0;
}
