// SPDX-License-Identifier: MIT
#include "passes.h"

#include <string.h>

#include "runtime/session.h"
#include "test.h"

struct joule_tensor *test_byte(struct joule_graph *g, enum joule_dtype dtype, int value)
{
	struct joule_tensor *t = test_const(g, dtype, SCALAR);

	*(int8_t *)t->data = (int8_t)value;
	return t;
}

struct joule_tensor *test_quantize(struct joule_graph *g, struct joule_tensor *x, double scale,
				   struct joule_tensor *zero)
{
	struct joule_tensor *s = test_scalar(g, scale), *q;

	q = test_op(g, "QuantizeLinear", IN(x, s, zero));
	return test_op(g, "DequantizeLinear", IN(q, test_scalar(g, scale), zero));
}

struct joule_model *test_model(struct joule_context *context, struct joule_graph *g)
{
	struct joule_model *model;

	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	return model;
}

static struct joule_session *open_session(struct joule_model *model, struct joule_device *device,
					  const char *without)
{
	const char *names[] = { without, NULL };
	struct joule_session_params params = { .disabled_passes = names };
	struct joule_session *s;

	CHECK_EQ(joule_session_create(model, device, without ? &params : NULL, &s), 0);
	return s;
}

static void feed(struct joule_model *model, struct joule_session *const *s, float scale)
{
	for (int i = 0; i < joule_model_inputs(model); i++) {
		struct joule_value_info info;
		struct joule_view view;
		int64_t n;

		CHECK_EQ(joule_model_input(model, i, &info), 0);
		n = joule_shape_count(&info.shape);
		view = (struct joule_view){
			.dtype = info.dtype,
			.shape = info.shape,
			.bytes = (size_t)joule_array_bytes(info.dtype, &info.shape),
		};
		view.data = malloc(view.bytes + 1);
		CHECK(view.data);
		test_fill(view.dtype, view.data, n);
		for (int64_t k = 0; view.dtype == JOULE_F32 && k < n; k++)
			((float *)view.data)[k] *= scale;
		CHECK_EQ(joule_session_set_input(s[0], i, &view), 0);
		CHECK_EQ(joule_session_set_input(s[1], i, &view), 0);
		free(view.data);
	}
}

int test_count(struct joule_model *model, struct joule_device *device, const char *op,
	       const char *without)
{
	struct joule_session *s = open_session(model, device, without);
	const struct joule_graph *g;
	int n = 0;

	g = joule_session_graph(s);
	for (int i = 0; i < g->n_nodes; i++)
		n += !strcmp(g->nodes[i]->op->name, op);
	joule_session_destroy(s);
	return n;
}

void test_pass(struct joule_model *model, struct joule_device *device, const char *pass,
	       float scale, double tol)
{
	struct joule_session *s[2] = { open_session(model, device, NULL),
				       open_session(model, device, pass) };

	feed(model, s, scale);
	CHECK_EQ(joule_session_run(s[0], 0), 0);
	CHECK_EQ(joule_session_run(s[1], 0), 0);
	for (int i = 0; i < joule_model_outputs(model); i++) {
		struct joule_view with, without;
		double d;

		CHECK_EQ(joule_session_output(s[0], i, &with), 0);
		CHECK_EQ(joule_session_output(s[1], i, &without), 0);
		d = test_difference(&with, &without);
		if (d > tol) {
			fprintf(stderr, "%s: output %d differs by %g of its range\n", pass, i, d);
			joule_session_dump(s[0], "passes", stderr);
			exit(1);
		}
	}
	joule_session_destroy(s[0]);
	joule_session_destroy(s[1]);
}
