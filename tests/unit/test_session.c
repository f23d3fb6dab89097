// SPDX-License-Identifier: MIT
/* The session's promises: errors, asynchronous runs, callers' memory, state. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "graphs.h"
#include "runtime/objects.h"
#include "test.h"

#define N 1000

static struct joule_context *context;
static struct joule_device *devices[2];
static int n_devices;

/* y = Relu(x) * w, z = Neg(x) */
static struct joule_model *small_model(void)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(10, 100));
	struct joule_tensor *w = test_const(g, JOULE_F32, DIMS(10, 100));
	struct joule_model *model;

	for (int i = 0; i < N; i++)
		((float *)w->data)[i] = 2;
	test_output(g, test_op(g, "Mul", IN(test_op(g, "Relu", IN(x)), w)));
	test_output(g, test_op(g, "Neg", IN(x)));
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	return model;
}

static struct joule_view view_of(float *data)
{
	return (struct joule_view){ .dtype = JOULE_F32,
				    .shape = { 2, { 10, 100 } },
				    .data = data,
				    .bytes = N * 4 };
}

static void check_outputs(struct joule_session *s, const float *x)
{
	struct joule_view y, z;

	CHECK_EQ(joule_session_output(s, 0, &y), 0);
	CHECK_EQ(joule_session_output(s, 1, &z), 0);
	for (int i = 0; i < N; i++) {
		CHECK(((float *)y.data)[i] == (x[i] > 0 ? 2 * x[i] : 0));
		CHECK(((float *)z.data)[i] == -x[i]);
	}
}

static void errors(struct joule_device *device)
{
	struct joule_model *model = small_model();
	struct joule_session_params params = { 0 };
	const char *passes[] = { "no-such-pass", NULL };
	struct joule_session *s;
	struct joule_view v, out;
	float x[N] = { 0 };

	test_log_quiet = true;
	CHECK_EQ(joule_session_create(model, device, NULL, &s), 0);
	CHECK_EQ(joule_session_run(s, 0), -EINVAL);
	CHECK_EQ(joule_session_output(s, 0, &out), -EINVAL);
	v = view_of(x);
	CHECK_EQ(joule_session_set_input(s, 1, &v), -ERANGE);
	CHECK_EQ(joule_session_set_input(s, -1, &v), -ERANGE);
	v.dtype = JOULE_I32;
	CHECK_EQ(joule_session_set_input(s, 0, &v), -EINVAL);
	v = view_of(x);
	v.shape.dims[0] = 11;
	CHECK_EQ(joule_session_set_input(s, 0, &v), -EINVAL);
	v = view_of(x);
	v.bytes--;
	CHECK_EQ(joule_session_set_input(s, 0, &v), -EINVAL);
	v = view_of(x);
	CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
	CHECK_EQ(joule_session_run(s, 0), 0);
	CHECK_EQ(joule_session_output(s, 2, &out), -ERANGE);
	CHECK_EQ(joule_session_tensor(s, "x", &out), -EINVAL);
	check_outputs(s, x);
	joule_session_destroy(s);
	params.disabled_passes = passes;
	if (device != devices[0]) /* the reference takes no passes */
		CHECK_EQ(joule_session_create(model, device, &params, &s), -EINVAL);
	test_log_quiet = false;
	joule_model_destroy(model);
}

static void asynchronous(struct joule_device *device)
{
	struct joule_model *model = small_model();
	struct joule_session *s;
	float x[N];
	struct joule_view v = view_of(x);

	CHECK_EQ(joule_session_create(model, device, NULL, &s), 0);
	/* The session holds what it needs. */
	joule_model_destroy(model);
	for (int run = 0; run < 5; run++) {
		struct joule_fence *fence;
		int ret;

		test_fill(JOULE_F32, x, N);
		CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
		CHECK_EQ(joule_session_submit(s, &fence), 0);
		while ((ret = joule_fence_wait(fence, 1000000)) == -ETIME)
			;
		CHECK_EQ(ret, 0);
		CHECK_EQ(joule_fence_wait(fence, 0), 0);
		joule_fence_cancel(fence);
		check_outputs(s, x);
		joule_fence_destroy(fence);
	}
	CHECK_EQ(joule_session_run(s, 0), 0);
	check_outputs(s, x);
	joule_session_destroy(s);
}

/* A loop that would take for ever, stopped by time and by hand. */
static void stopped(struct joule_device *device)
{
	struct joule_graph *g = test_graph(), *body;
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(4));
	struct joule_tensor *m = test_ints(g, 1, (int64_t[]){ 1 << 23 }), *t;
	struct joule_node *n = test_node(g, "Loop", 1, IN(m, x, x));
	struct joule_session *s;
	struct joule_model *model;
	struct joule_fence *fence;
	float data[4] = { 1, 2, 3, 4 };
	struct joule_view v = { .dtype = JOULE_F32, .shape = { 1, { 4 } }, .data = data,
				.bytes = sizeof(data) };

	n->in[1] = NULL;
	body = test_body(n, "body");
	test_input(body, "i", JOULE_I64, SCALAR);
	test_input(body, "cond", JOULE_BOOL, SCALAR);
	t = test_input(body, "t", JOULE_F32, DIMS(4));
	test_output(body, test_op(body, "Identity", IN(body->inputs[1])));
	test_output(body, test_op(body, "Neg", IN(t)));
	test_output(g, n->out[0]);
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	CHECK_EQ(joule_session_create(model, device, NULL, &s), 0);
	CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
	test_log_quiet = true;
	CHECK_EQ(joule_session_run(s, 30000000), -ETIME);
	test_log_quiet = false;
	CHECK_EQ(joule_session_submit(s, &fence), 0);
	test_log_quiet = true;
	CHECK_EQ(joule_session_run(s, 0), -EBUSY);
	CHECK_EQ(joule_session_set_input(s, 0, &v), -EBUSY);
	test_log_quiet = false;
	CHECK_EQ(joule_fence_wait(fence, 20000000), -ETIME);
	joule_fence_cancel(fence);
	CHECK_EQ(joule_fence_wait(fence, 0), -ECANCELED);
	joule_fence_destroy(fence);
	/* Destroyed while it runs. */
	CHECK_EQ(joule_session_submit(s, &fence), 0);
	joule_session_destroy(s);
	CHECK_EQ(joule_fence_wait(fence, 0), -ECANCELED);
	joule_fence_destroy(fence);
	joule_model_destroy(model);
}

static void bound(struct joule_device *device)
{
	struct joule_model *model = small_model();
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	float *x = aligned_alloc(page, page), *y = aligned_alloc(page, page), other[N];
	struct joule_view v, w;
	struct joule_session *s;
	struct joule_view out;
	int ret;

	CHECK(x && y);
	memset(x, 0, page);
	v = view_of(x);
	w = view_of(y);
	v.bytes = w.bytes = page;
	CHECK_EQ(joule_session_create(model, device, NULL, &s), 0);
	test_log_quiet = true;
	ret = joule_session_bind_input(s, 0, &v);
	test_log_quiet = false;
	if (ret == -ENOTSUP) {
		printf("no import of host memory here\n");
		goto out;
	}
	CHECK_EQ(ret, 0);
	CHECK_EQ(joule_session_bind_output(s, 0, &w), 0);
	for (int run = 0; run < 3; run++) {
		test_fill(JOULE_F32, x, N);
		memset(y, 0xff, page);
		CHECK_EQ(joule_session_run(s, 0), 0);
		check_outputs(s, x);
		for (int i = 0; i < N; i++)
			CHECK(y[i] == (x[i] > 0 ? 2 * x[i] : 0));
	}
	CHECK_EQ(joule_session_output(s, 0, &out), 0);
	CHECK(device == devices[0] || out.data == y);
	/* Back to memory of its own. */
	CHECK_EQ(joule_session_bind_output(s, 0, NULL), 0);
	CHECK_EQ(joule_session_bind_input(s, 0, NULL), 0);
	test_log_quiet = true;
	CHECK_EQ(joule_session_run(s, 0), -EINVAL);
	test_log_quiet = false;
	v = view_of(other);
	test_fill(JOULE_F32, other, N);
	CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
	memset(y, 0, page);
	CHECK_EQ(joule_session_run(s, 0), 0);
	check_outputs(s, other);
	CHECK(y[0] == 0 && y[N - 1] == 0);
out:
	joule_session_destroy(s);
	joule_model_destroy(model);
	free(x);
	free(y);
}

/* s' = s + x */
static void state(struct joule_device *device)
{
	struct joule_graph *g = test_graph();
	struct joule_tensor *x = test_input(g, "x", JOULE_F32, DIMS(3));
	struct joule_tensor *h = test_input(g, "h", JOULE_F32, DIMS(3));
	struct joule_session *s;
	struct joule_model *model;
	float data[3] = { 1, 2, 3 };
	struct joule_view v = { .dtype = JOULE_F32, .shape = { 1, { 3 } }, .data = data,
				.bytes = sizeof(data) }, out;

	test_output(g, test_op(g, "Add", IN(x, h)));
	CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
	CHECK_EQ(joule_session_create(model, device, NULL, &s), 0);
	CHECK_EQ(joule_session_loop_state(s, 0, 1), 0);
	CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
	for (int run = 1; run <= 4; run++) {
		CHECK_EQ(joule_session_run(s, 0), 0);
		CHECK_EQ(joule_session_output(s, 0, &out), 0);
		for (int i = 0; i < 3; i++)
			CHECK(((float *)out.data)[i] == (float)run * data[i]);
	}
	joule_session_destroy(s);
	joule_model_destroy(model);
}

/* The rows of a profile add up, and say where things ran. */
static void profile(struct joule_device *device)
{
	struct joule_model *model = small_model();
	struct joule_session_stats stats;
	struct joule_session *s;
	struct joule_profile p;
	float x[N];
	struct joule_view v = view_of(x);

	test_fill(JOULE_F32, x, N);
	CHECK_EQ(joule_session_create(model, device, NULL, &s), 0);
	CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
	for (int run = 0; run < 2; run++) {
		uint64_t sum = 0;

		CHECK_EQ(joule_session_profile(s, &p), 0);
		CHECK(p.n_steps >= 2);
		for (int i = 0; i < p.n_steps; i++) {
			sum += p.steps[i].ns;
			CHECK(p.steps[i].n_origins >= 1);
			CHECK(p.steps[i].bytes > 0);
		}
		CHECK_EQ(sum, p.steps_ns);
		CHECK_EQ(p.steps_ns + p.gaps_ns + p.host_ns, p.total_ns);
		check_outputs(s, x);
		CHECK_EQ(joule_session_run(s, 0), 0);
	}
	CHECK_EQ(joule_session_get_stats(s, &stats), 0);
	CHECK(stats.steps >= 2);
	joule_session_destroy(s);
	joule_model_destroy(model);
}

/* One model and one device, a session for each thread. */
static void *worker(void *arg)
{
	void **args = arg;
	struct joule_session *s;
	float x[N];
	struct joule_view v = view_of(x);

	for (int round = 0; round < 3; round++) {
		CHECK_EQ(joule_session_create(args[0], args[1], NULL, &s), 0);
		for (int i = 0; i < N; i++)
			x[i] = (float)((i * 7 + round) % 13 - 6);
		CHECK_EQ(joule_session_set_input(s, 0, &v), 0);
		for (int run = 0; run < 5; run++) {
			CHECK_EQ(joule_session_run(s, 0), 0);
			check_outputs(s, x);
		}
		joule_session_destroy(s);
	}
	return NULL;
}

static void threads(struct joule_device *device)
{
	struct joule_model *model = small_model();
	void *args[] = { model, device };
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, worker, args), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	joule_model_destroy(model);
}

int main(void)
{
	context = test_context();
	devices[n_devices++] = test_device(context, "cpu");
	test_log_quiet = true;
	devices[n_devices] = test_device(context, NULL);
	test_log_quiet = false;
	n_devices += devices[n_devices] != NULL;
	for (int i = 0; i < n_devices; i++) {
		errors(devices[i]);
		asynchronous(devices[i]);
		stopped(devices[i]);
		bound(devices[i]);
		state(devices[i]);
		profile(devices[i]);
		threads(devices[i]);
	}
	for (int i = 0; i < n_devices; i++)
		joule_device_close(devices[i]);
	joule_context_destroy(context);
	return 0;
}
