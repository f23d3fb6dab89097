// SPDX-License-Identifier: MIT
/* fp16 sessions: types at the borders, what stays fp32, calibration. */
#include <math.h>
#include <string.h>

#include "graphs.h"
#include "runtime/objects.h"
#include "test.h"

static struct joule_context *context;
static struct joule_device *vulkan;

static struct joule_session *fp16(struct joule_model *model, const float *data, int64_t n)
{
	struct joule_session_params params = { .precision = JOULE_PRECISION_FP16 };
	struct joule_view v = { .dtype = JOULE_F32,
				.shape = { 2, { 1, n } },
				.data = (void *)(uintptr_t)data,
				.bytes = (size_t)n * 4 };
	struct joule_session *s;

	CHECK_EQ(joule_session_create(model, vulkan, &params, &s), 0);
	CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
	return s;
}

/* The precision of the step that came from that ONNX node. */
static bool ran_in(struct joule_session *s, const char *origin, const char *precision)
{
	struct joule_profile p;

	CHECK_EQ(joule_session_profile(s, &p), 0);
	for (int i = 0; i < p.n_steps; i++)
		for (int j = 0; j < p.steps[i].n_origins; j++)
			if (!strcmp(p.steps[i].origins[j], origin))
				return !strcmp(p.steps[i].precision, precision);
	return false;
}

/* x * 300 * 300 overflows for |x| near 1, and * 1e-5 brings it back. */
static void overflow(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *w = test_const(g, JOULE_F32, DIMS(64, 64)), *bias;
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 64)), *t;
	struct joule_node *first, *big, *last;
	struct joule_session *s;
	struct joule_model *model;
	struct joule_view out;
	float data[64];

	for (int i = 0; i < 64 * 64; i++)
		((float *)w->data)[i] = i % 65 ? 0.0f : 1.0f;
	for (int i = 0; i < 64; i++)
		data[i] = (float)(i - 32) / 33.0f;
	bias = test_const(g, JOULE_F32, DIMS(1, 64));
	memset(bias->data, 0, 256);
	first = test_node(g, "MatMul", 1, IN(x, w));
	t = test_op(g, "Mul", IN(first->out[0], test_scalar(g, 300)));
	big = test_node(g, "MatMul", 1, IN(t, w));
	t = test_op(g, "Mul", IN(big->out[0], test_scalar(g, 300)));
	last = test_node(g, "MatMul", 1, IN(t, w));
	t = test_op(g, "Mul", IN(last->out[0], test_scalar(g, 1e-5)));
	test_output(g, test_op(g, "Add", IN(t, bias)));
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	s = fp16(model, data, 64);
	CHECK_EQ(joule_session_run(s, 0), 0);
	CHECK_EQ(joule_session_output(s, 0, &out), 0);
	CHECK_EQ(out.dtype, JOULE_F32);
	CHECK(!isfinite(((float *)out.data)[0]));
	CHECK(joule_session_calibrate(s, 0) > 0);
	CHECK_EQ(joule_session_run(s, 0), 0);
	CHECK_EQ(joule_session_output(s, 0, &out), 0);
	for (int i = 0; i < 64; i++)
		CHECK(fabs(((float *)out.data)[i] - 0.9f * data[i]) < 2e-3);
	CHECK(ran_in(s, big->name, "f32"));
	joule_session_destroy(s);
	joule_model_destroy(model);
}

/* What the caller names stays fp32, and what has integers too. */
static void keeps(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *w = test_const(g, JOULE_F32, DIMS(32, 4096));
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 32));
	struct joule_node *a = test_node(g, "MatMul", 1, IN(x, w)), *b, *c;
	const char *names[] = { NULL, NULL };
	struct joule_session_params params = { .precision = JOULE_PRECISION_FP16,
					       .keep_fp32 = names };
	struct joule_session *s;
	struct joule_model *model;
	float data[32] = { 1 };
	struct joule_view v = { .dtype = JOULE_F32, .shape = { 2, { 1, 32 } }, .data = data,
				.bytes = sizeof(data) };

	b = test_node(g, "MatMul", 1, IN(a->out[0], test_const(g, JOULE_F32, DIMS(4096, 64))));
	c = test_node(g, "ArgMax", 1, IN(b->out[0]));
	test_attr_int(c, "axis", 1);
	test_output(g, c->out[0]);
	test_output(g, b->out[0]);
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	names[0] = a->name;
	CHECK_EQ(joule_session_create(model, vulkan, &params, &s), 0);
	CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
	CHECK_EQ(joule_session_run(s, 0), 0);
	CHECK(ran_in(s, a->name, "f32"));
	CHECK(ran_in(s, b->name, "f16"));
	joule_session_destroy(s);
	joule_model_destroy(model);
}

/* Views between nodes that stay fp32 (Exp and Log do) must not round what they show. */
static void views(void)
{
	static const int64_t two[] = { 8, 8 }, axis[] = { 1 };
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 64)), *t;
	struct joule_session *s;
	struct joule_model *model;
	struct joule_view out;
	float data[64];

	for (int i = 0; i < 64; i++)
		data[i] = (float)(i - 32) / 33.0f;
	t = test_op(g, "Exp", IN(x));
	t = test_op(g, "Reshape", IN(t, test_ints(g, 2, two)));
	t = test_op(g, "Unsqueeze", IN(t, test_ints(g, 1, axis)));
	t = test_op(g, "Transpose", IN(t));
	test_output(g, test_op(g, "Log", IN(t)));
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	s = fp16(model, data, 64);
	CHECK_EQ(joule_session_run(s, 0), 0);
	CHECK_EQ(joule_session_output(s, 0, &out), 0);
	for (int i = 0; i < 64; i++)
		CHECK(fabs(((float *)out.data)[i] - data[i % 8 * 8 + i / 8]) < 1e-5);
	joule_session_destroy(s);
	joule_model_destroy(model);
}

/*
 * Squares of small values are below the least half, and Log shows it, with data
 * movement between: everything on the way is found.
 */
static void underflow(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(1, 64)), *t;
	struct joule_tensor *w = test_const(g, JOULE_F32, DIMS(64, 64));
	struct joule_session *s;
	struct joule_model *model;
	struct joule_view out;
	float data[64];

	for (int i = 0; i < 64 * 64; i++)
		((float *)w->data)[i] = i % 65 ? 0.0f : 1e-4f;
	for (int i = 0; i < 64; i++)
		data[i] = 1e-3f * (float)(i + 1);
	t = test_op(g, "MatMul", IN(x, w));
	t = test_op(g, "Transpose", IN(t));
	t = test_op(g, "Concat", IN(t, t));
	test_output(g, test_op(g, "Log", IN(test_op(g, "Softplus", IN(test_op(g, "Log", IN(t)))))));
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	s = fp16(model, data, 64);
	CHECK(joule_session_calibrate(s, 0) > 0);
	CHECK_EQ(joule_session_run(s, 0), 0);
	CHECK_EQ(joule_session_output(s, 0, &out), 0);
	for (int i = 0; i < 64; i++) {
		double v = log(1 + 1e-4 * (double)data[i]);

		CHECK(fabs(((float *)out.data)[i] - log(log1p(1e-4 * (double)data[i]))) <
		      0.01 * fabs(log(v)));
	}
	joule_session_destroy(s);
	joule_model_destroy(model);
}

int main(void)
{
	struct joule_device_info info;

	context = test_context();
	test_log_quiet = true;
	vulkan = test_device(context, NULL);
	test_log_quiet = false;
	if (!vulkan) {
		joule_context_destroy(context);
		return TEST_SKIP;
	}
	joule_device_get_info(vulkan, &info);
	if (info.f16_storage) {
		overflow();
		keeps();
		views();
		underflow();
	}
	joule_device_close(vulkan);
	joule_context_destroy(context);
	return info.f16_storage ? 0 : TEST_SKIP;
}
