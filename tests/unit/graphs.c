// SPDX-License-Identifier: MIT
#include "graphs.h"

#include <math.h>
#include <string.h>

#include "ir/access.h"
#include "runtime/objects.h"
#include "test.h"

bool test_log_quiet;

static void print(void *user, enum joule_log_level level, const char *msg)
{
	(void)user;
	if (!test_log_quiet)
		fprintf(stderr, "[%d] %s\n", level, msg);
}

struct joule_log test_log = { .fn = print, .level = JOULE_LOG_WARN };

struct joule_graph *test_graph(void)
{
	struct joule_graph *g;

	CHECK_EQ(joule_graph_create(&test_log, "test", &g), 0);
	g->opset = 17;
	return g;
}

static struct joule_shape shape_of(const int64_t *dims)
{
	struct joule_shape s = { 0 };

	while (dims[s.rank] != -2) {
		s.dims[s.rank] = dims[s.rank];
		s.rank++;
	}
	return s;
}

struct joule_tensor *test_input(struct joule_graph *g, const char *name, enum joule_dtype dtype,
				const int64_t *dims)
{
	struct joule_tensor *t = joule_graph_add_tensor(g, name);
	struct joule_tensor **list;

	CHECK(t);
	t->dtype = dtype;
	t->shape = shape_of(dims);
	t->flags = JOULE_TENSOR_INPUT;
	list = joule_arena_array(&g->arena, (size_t)g->n_inputs + 1, sizeof(*list));
	CHECK(list);
	if (g->n_inputs)
		memcpy(list, g->inputs, (size_t)g->n_inputs * sizeof(*list));
	list[g->n_inputs++] = t;
	g->inputs = list;
	return t;
}

uint32_t test_rnd(uint32_t n)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return (state >> 8) % n;
}

void test_fill(enum joule_dtype dtype, void *data, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (joule_dtype_is_float(dtype))
			joule_set_f64(dtype, data, i, test_rnd(20001) / 10000.0 - 1.0);
		else
			joule_set_i64(dtype, data, i, test_rnd(dtype == JOULE_BOOL ? 2 : 10));
}

struct joule_tensor *test_const(struct joule_graph *g, enum joule_dtype dtype,
				const int64_t *dims)
{
	struct joule_shape shape = shape_of(dims);
	struct joule_tensor *t = joule_graph_add_const(g, NULL, dtype, &shape);

	CHECK(t);
	test_fill(dtype, t->data, joule_tensor_count(t));
	return t;
}

struct joule_tensor *test_ints(struct joule_graph *g, int n, const int64_t *values)
{
	struct joule_shape shape = { .rank = 1, .dims = { n } };
	struct joule_tensor *t = joule_graph_add_const(g, NULL, JOULE_I64, &shape);

	CHECK(t);
	if (n)
		memcpy(t->data, values, (size_t)n * sizeof(*values));
	return t;
}

struct joule_tensor *test_scalar(struct joule_graph *g, double value)
{
	struct joule_shape shape = { .rank = 0 };
	struct joule_tensor *t = joule_graph_add_const(g, NULL, JOULE_F32, &shape);

	CHECK(t);
	joule_set_f64(JOULE_F32, t->data, 0, value);
	return t;
}

struct joule_node *test_node(struct joule_graph *g, const char *op, int n_out,
			     struct joule_tensor *const *in)
{
	const struct joule_op *o = joule_op_find(NULL, op, 17);
	struct joule_node *node;
	int n = 0;

	while (in[n])
		n++;
	if (!o) {
		fprintf(stderr, "no operator %s\n", op);
		exit(1);
	}
	node = joule_graph_add_node(g, o, NULL, n, n_out);
	CHECK(node);
	node->opset = 17;
	joule_node_default_attrs(node);
	for (int i = 0; i < n; i++)
		node->in[i] = in[i];
	for (int i = 0; i < n_out; i++) {
		struct joule_tensor *t = joule_graph_add_tensor(g, NULL);

		CHECK(t);
		joule_node_set_output(node, i, t);
	}
	node->origins = joule_arena_array(&g->arena, 1, sizeof(*node->origins));
	CHECK(node->origins);
	node->origins[0] = node->name;
	node->n_origins = 1;
	return node;
}

struct joule_tensor *test_op(struct joule_graph *g, const char *op,
			     struct joule_tensor *const *in)
{
	return test_node(g, op, 1, in)->out[0];
}

void test_attr_int(struct joule_node *node, const char *name, int64_t v)
{
	int64_t *at = joule_node_attr(node, name);

	CHECK(at);
	*at = v;
}

void test_attr_float(struct joule_node *node, const char *name, float v)
{
	float *at = joule_node_attr(node, name);

	CHECK(at);
	*at = v;
}

void test_attr_ints(struct joule_node *node, const char *name, int n, const int64_t *v)
{
	struct joule_ints *at = joule_node_attr(node, name);

	CHECK(at);
	at->n = n;
	at->v = joule_arena_dup(&node->graph->arena, v, (size_t)n * sizeof(*v));
	CHECK(at->v);
}

void test_output(struct joule_graph *g, struct joule_tensor *t)
{
	struct joule_tensor **list;

	list = joule_arena_array(&g->arena, (size_t)g->n_outputs + 1, sizeof(*list));
	CHECK(list);
	if (g->n_outputs)
		memcpy(list, g->outputs, (size_t)g->n_outputs * sizeof(*list));
	list[g->n_outputs++] = t;
	g->outputs = list;
	t->flags |= JOULE_TENSOR_OUTPUT;
}

struct joule_graph *test_body(struct joule_node *node, const char *attr)
{
	struct joule_graph **list, *body = test_graph();
	int *at = joule_node_attr(node, attr);

	list = joule_arena_array(&node->graph->arena, (size_t)node->n_body + 1, sizeof(*list));
	CHECK(list && at);
	if (node->n_body)
		memcpy(list, node->body, (size_t)node->n_body * sizeof(*list));
	list[node->n_body++] = body;
	node->body = list;
	*at = node->n_body;
	body->parent = node->graph;
	return body;
}

struct joule_tensor *test_capture(struct joule_graph *body, struct joule_tensor *outer)
{
	struct joule_tensor *t = joule_graph_add_tensor(body, NULL);

	CHECK(t);
	t->outer = outer;
	return t;
}

struct joule_context *test_context(void)
{
	struct joule_context_params params = { .log = test_log };
	struct joule_context *context;

	CHECK_EQ(joule_context_create(&params, &context), 0);
	return context;
}

struct joule_device *test_device(struct joule_context *context, const char *id)
{
	struct joule_device *device;

	joule_device_open(context, id, &device);
	return device;
}

double test_difference(const struct joule_view *got, const struct joule_view *want)
{
	int64_t n = joule_shape_count(&want->shape);
	double lo = INFINITY, hi = -INFINITY, worst = 0, range;

	CHECK_EQ(got->dtype, want->dtype);
	CHECK(joule_shape_equal(&got->shape, &want->shape));
	for (int64_t i = 0; i < n; i++) {
		double a = joule_get_f64(got->dtype, got->data, i);
		double b = joule_get_f64(want->dtype, want->data, i);

		if (isnan(a) && isnan(b))
			continue;
		if (!isfinite(a) || !isfinite(b)) {
			if (a == b)
				continue;
			return INFINITY;
		}
		lo = fmin(lo, b);
		hi = fmax(hi, b);
		worst = fmax(worst, fabs(a - b));
	}
	range = fmax(hi - lo, fmax(fabs(hi), fabs(lo)));
	return worst && range > 0 ? worst / range : worst;
}

void test_same(struct joule_model *model, struct joule_device *a, struct joule_device *b,
	       const struct joule_session_params *params, double tol)
{
	struct joule_session *s[2];

	CHECK_EQ(joule_session_create(model, a, params, &s[0]), 0);
	CHECK_EQ(joule_session_create(model, b, params, &s[1]), 0);
	for (int i = 0; i < joule_model_inputs(model); i++) {
		struct joule_value_info info;
		struct joule_view view;

		CHECK_EQ(joule_model_input(model, i, &info), 0);
		for (int k = 0; params && k < params->n_shapes; k++)
			if (!strcmp(params->shapes[k].name, info.name))
				info.shape = params->shapes[k].shape;
		view = (struct joule_view){
			.dtype = info.dtype,
			.shape = info.shape,
			.bytes = (size_t)joule_array_bytes(info.dtype, &info.shape),
		};
		view.data = malloc(view.bytes + 1);
		CHECK(view.data);
		test_fill(view.dtype, view.data, joule_shape_count(&view.shape));
		CHECK_EQ(joule_session_set_input(s[0], i, &view), 0);
		CHECK_EQ(joule_session_set_input(s[1], i, &view), 0);
		free(view.data);
	}
	for (int run = 0; run < 2; run++) {
		CHECK_EQ(joule_session_run(s[0], 0), 0);
		CHECK_EQ(joule_session_run(s[1], 0), 0);
		for (int i = 0; i < joule_model_outputs(model); i++) {
			struct joule_view x, y;
			double d;

			CHECK_EQ(joule_session_output(s[0], i, &x), 0);
			CHECK_EQ(joule_session_output(s[1], i, &y), 0);
			d = test_difference(&x, &y);
			if (d > tol) {
				fprintf(stderr, "output %d differs by %g of its range\n", i, d);
				joule_session_dump(s[0], "passes", stderr);
				joule_session_dump(s[0], "plan", stderr);
				exit(1);
			}
		}
	}
	joule_session_destroy(s[0]);
	joule_session_destroy(s[1]);
}
