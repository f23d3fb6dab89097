// SPDX-License-Identifier: MIT
/* Attention in the ways that exporters spell it out. */
#include "passes.h"
#include "runtime/objects.h"
#include "test.h"

static struct joule_context *context;
static struct joule_device *device;

static struct joule_tensor *turn(struct joule_graph *g, struct joule_tensor *x, int n,
				 const int64_t *perm)
{
	struct joule_node *node = test_node(g, "Transpose", 1, IN(x));

	test_attr_ints(node, "perm", n, perm);
	return node->out[0];
}

static struct joule_tensor *reshape(struct joule_graph *g, struct joule_tensor *x, int n,
				    const int64_t *dims)
{
	return test_op(g, "Reshape", IN(x, test_ints(g, n, dims)));
}

static struct joule_tensor *softmax(struct joule_graph *g, struct joule_tensor *x)
{
	struct joule_node *node = test_node(g, "Softmax", 1, IN(x));

	test_attr_int(node, "axis", -1);
	return node->out[0];
}

/* Transposes left, and that the answer is the same. */
static void check(struct joule_graph *g, int attentions, int transposes)
{
	struct joule_model *model;

	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	CHECK_EQ(test_count(model, device, "Attention", NULL), attentions);
	CHECK_EQ(test_count(model, device, "Attention", "attention"), 0);
	CHECK_EQ(test_count(model, device, "Transpose", NULL), transposes);
	test_pass(model, device, "attention", 1, 1e-5);
	joule_model_destroy(model);
}

/* BERT: [batch, rows, heads * size] operands, scores divided, a mask added. */
static void bert(int batch, int mask_rows)
{
	static const int64_t rows_out[] = { 0, 2, 1, 3 }, keys_out[] = { 0, 2, 3, 1 };
	int64_t split[] = { batch, 20, 4, 16 }, join[] = { batch, 20, 64 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(batch, 20, 64));
	struct joule_tensor *mask = test_input(g, "mask", JOULE_F32, DIMS(batch, 1, mask_rows, 20));
	struct joule_tensor *t[3], *y;

	for (int i = 0; i < 3; i++) {
		t[i] = test_op(g, "MatMul", IN(x, test_const(g, JOULE_F32, DIMS(64, 64))));
		t[i] = reshape(g, t[i], 4, split);
		t[i] = turn(g, t[i], 4, i == 1 ? keys_out : rows_out);
	}
	y = test_op(g, "MatMul", IN(t[0], t[1]));
	y = test_op(g, "Div", IN(y, test_scalar(g, 4)));
	y = softmax(g, test_op(g, "Add", IN(y, mask)));
	y = turn(g, test_op(g, "MatMul", IN(y, t[2])), 4, rows_out);
	test_output(g, reshape(g, y, 3, join));
	check(g, 1, 0);
}

/* torch's MultiheadAttention: [rows, batch, ...], the scale on both operands. */
static void torch(void)
{
	static const int64_t out[] = { 1, 0, 2 }, keys[] = { 0, 1, 3, 2 }, back[] = { 2, 0, 1, 3 };
	static const int64_t split[] = { 17, 3, 8 }, four[] = { 1, 3, 17, 8 }, join[] = { 17, 24 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *scale = test_scalar(g, 0.6), *t[3], *y;

	for (int i = 0; i < 3; i++) {
		t[i] = test_input(g, i == 0 ? "q" : i == 1 ? "k" : "v", JOULE_F32, DIMS(17, 24));
		t[i] = turn(g, reshape(g, t[i], 3, split), 3, out);
		t[i] = reshape(g, t[i], 4, four);
	}
	t[0] = test_op(g, "Mul", IN(t[0], scale));
	t[1] = test_op(g, "Mul", IN(turn(g, t[1], 4, keys), scale));
	y = softmax(g, test_op(g, "MatMul", IN(t[0], t[1])));
	y = turn(g, test_op(g, "MatMul", IN(y, t[2])), 4, back);
	test_output(g, reshape(g, y, 2, join));
	check(g, 1, 0);
}

/* One head as plain matrices; softmax under another rank. */
static void plain(void)
{
	static const int64_t keys[] = { 1, 0 }, four[] = { 1, 1, 33, 40 }, two[] = { 33, 40 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *q = test_input(g, "q", JOULE_F32, DIMS(33, 16));
	struct joule_tensor *k = test_input(g, "k", JOULE_F32, DIMS(40, 16));
	struct joule_tensor *v = test_input(g, "v", JOULE_F32, DIMS(40, 24)), *y;

	y = test_op(g, "MatMul", IN(q, turn(g, k, 2, keys)));
	y = softmax(g, reshape(g, test_op(g, "Mul", IN(y, test_scalar(g, 0.25))), 4, four));
	test_output(g, test_op(g, "MatMul", IN(reshape(g, y, 2, two), v)));
	check(g, 1, 0);
}

/* Heads apart in memory: four dimensions; a mask for each head. */
static void heads(void)
{
	static const int64_t keys[] = { 0, 2, 1 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *q = test_input(g, "q", JOULE_F32, DIMS(5, 9, 16));
	struct joule_tensor *k = test_input(g, "k", JOULE_F32, DIMS(5, 12, 16));
	struct joule_tensor *v = test_input(g, "v", JOULE_F32, DIMS(5, 12, 16)), *y;

	y = test_op(g, "MatMul", IN(q, turn(g, k, 3, keys)));
	y = softmax(g, test_op(g, "Add", IN(test_const(g, JOULE_F32, DIMS(5, 1, 12)), y)));
	test_output(g, test_op(g, "MatMul", IN(y, v)));
	check(g, 1, 0);
}

/* Not attention: scores that somebody else reads, a softmax over rows, shared keys. */
static void others(void)
{
	static const int64_t keys[] = { 0, 2, 1 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *q = test_input(g, "q", JOULE_F32, DIMS(2, 9, 16));
	struct joule_tensor *k = test_input(g, "k", JOULE_F32, DIMS(2, 9, 16)), *y, *s;
	struct joule_tensor *one = test_input(g, "one", JOULE_F32, DIMS(1, 9, 16));
	struct joule_node *over;

	s = test_op(g, "MatMul", IN(q, turn(g, k, 3, keys)));
	test_output(g, s);
	test_output(g, test_op(g, "MatMul", IN(softmax(g, s), k)));
	over = test_node(g, "Softmax", 1, IN(test_op(g, "MatMul", IN(k, turn(g, q, 3, keys)))));
	test_attr_int(over, "axis", 1);
	test_output(g, test_op(g, "MatMul", IN(over->out[0], k)));
	y = softmax(g, test_op(g, "MatMul", IN(q, turn(g, one, 3, keys))));
	test_output(g, test_op(g, "MatMul", IN(y, k)));
	check(g, 0, 3);
}

int main(void)
{
	context = test_context();
	test_log_quiet = true;
	device = test_device(context, "vulkan");
	test_log_quiet = false;
	if (device) {
		bert(1, 1);
		bert(2, 1);
		bert(3, 20);
		torch();
		plain();
		heads();
		others();
		joule_device_close(device);
	}
	joule_context_destroy(context);
	return device ? 0 : TEST_SKIP;
}
