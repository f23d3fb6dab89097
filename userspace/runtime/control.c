// SPDX-License-Identifier: MIT
#include "runtime/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/access.h"
#include "ops/control.h"

/* A value carried from one iteration to the next. */
struct state {
	enum joule_dtype dtype;
	struct joule_shape shape;
	void *data; /* malloc'ed */
};

/* Slices collected over the iterations, as they come: the scan axis first. */
struct series {
	enum joule_dtype dtype;
	struct joule_shape slice;
	unsigned char *data;
	size_t slice_bytes, n, cap;
};

static int fail_nomem(const struct joule_node *node)
{
	return joule_node_err(node, -ENOMEM, "out of memory");
}

static int state_set(const struct joule_node *node, struct state *s, const struct joule_tensor *t)
{
	int64_t bytes = joule_tensor_bytes(t);
	void *data;

	if (bytes < 0 || !t->data)
		return joule_node_err(node, -EINVAL, "%s has no value", t->name);
	data = malloc(bytes ? (size_t)bytes : 1);
	if (!data)
		return fail_nomem(node);
	memcpy(data, t->data, (size_t)bytes);
	free(s->data);
	*s = (struct state){ .dtype = t->dtype, .shape = t->shape, .data = data };
	return 0;
}

/* The body's result, without a copy where it owns its storage. */
static int state_take(const struct joule_node *node, struct state *s, struct joule_tensor *t)
{
	if (!t->owned || joule_tensor_is_const(t))
		return state_set(node, s, t);
	free(s->data);
	*s = (struct state){ .dtype = t->dtype, .shape = t->shape, .data = t->data };
	t->owned = false;
	t->data = NULL;
	return 0;
}

/*
 * Results first .. first + n of a body as new states. Bodies may name a tensor
 * twice or hand an input through.
 */
static int collect(const struct joule_node *node, struct joule_graph *body, int first, int n,
		   struct state *fresh)
{
	int ret = 0;

	for (int i = 0; !ret && i < n; i++) {
		struct joule_tensor *t = body->outputs[first + i];
		int twin = 0;

		while (twin < i && body->outputs[first + twin] != t)
			twin++;
		if (twin < i) {
			struct joule_tensor same = *t;

			same.data = fresh[twin].data;
			ret = state_set(node, &fresh[i], &same);
		} else {
			ret = state_take(node, &fresh[i], t);
		}
	}
	return ret;
}

static void states_free(struct state *states, int n)
{
	for (int i = 0; states && i < n; i++)
		free(states[i].data);
	free(states);
}

static void lend(struct joule_tensor *t, enum joule_dtype dtype, const struct joule_shape *shape,
		 void *data)
{
	joule_tensor_release(t);
	t->dtype = dtype;
	t->shape = *shape;
	t->data = data;
	t->owned = false;
}

static void state_lend(const struct state *s, struct joule_tensor *t)
{
	lend(t, s->dtype, &s->shape, s->data);
}

/* Hands the storage over to an output of the node. */
static void state_give(struct state *s, struct joule_tensor *t)
{
	if (!t) {
		free(s->data);
	} else {
		joule_tensor_release(t);
		t->dtype = s->dtype;
		t->shape = s->shape;
		t->data = s->data;
		t->owned = true;
	}
	s->data = NULL;
}

static void take_back(struct joule_graph *body)
{
	for (int i = 0; i < body->n_inputs; i++)
		if (!body->inputs[i]->owned && !joule_tensor_is_const(body->inputs[i]))
			body->inputs[i]->data = NULL;
}

static int series_add(const struct joule_node *node, struct series *s,
		      const struct joule_tensor *t)
{
	int64_t bytes = joule_tensor_bytes(t);
	char a[128], b[128];

	if (bytes < 0 || !t->data)
		return joule_node_err(node, -EINVAL, "%s has no value", t->name);
	if (!s->n) {
		s->dtype = t->dtype;
		s->slice = t->shape;
		s->slice_bytes = (size_t)bytes;
	} else if (t->dtype != s->dtype || !joule_shape_equal(&t->shape, &s->slice)) {
		return joule_node_err(node, -EINVAL, "%s changes its shape from %s to %s", t->name,
				      joule_shape_str(&s->slice, a, sizeof(a)),
				      joule_shape_str(&t->shape, b, sizeof(b)));
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 8, total;
		unsigned char *fresh;

		if (!joule_mul_size(cap, s->slice_bytes, &total))
			return fail_nomem(node);
		fresh = realloc(s->data, total ? total : 1);
		if (!fresh)
			return fail_nomem(node);
		s->data = fresh;
		s->cap = cap;
	}
	if (s->slice_bytes)
		memcpy(s->data + s->n * s->slice_bytes, t->data, s->slice_bytes);
	s->n++;
	return 0;
}

/* What an empty series would have held: the body's declared result. */
static void series_guess(struct series *s, const struct joule_tensor *t)
{
	s->dtype = t->dtype;
	s->slice = t->shape;
	if (s->slice.rank < 0)
		s->slice.rank = 0;
	for (int i = 0; i < s->slice.rank; i++)
		s->slice.dims[i] = JOULE_MAX(s->slice.dims[i], 0);
}

/* out[..., axis, ...] = slices in order, or backwards. */
static int series_give(const struct joule_node *node, struct series *s, struct joule_tensor *t,
		       int64_t axis, bool backwards)
{
	struct joule_shape shape = s->slice;
	size_t outer = 1, inner = joule_dtype_bits(s->dtype) / 8;
	int ret;

	if (axis < 0)
		axis += s->slice.rank + 1;
	if (axis < 0 || axis > s->slice.rank || s->slice.rank >= JOULE_MAX_RANK || !inner)
		return joule_node_err(node, -EINVAL, "cannot stack %s of rank %d along axis %lld",
				      t->name, s->slice.rank, (long long)axis);
	for (int d = s->slice.rank; d > axis; d--)
		shape.dims[d] = shape.dims[d - 1];
	shape.dims[axis] = (int64_t)s->n;
	shape.rank++;
	for (int d = 0; d < axis; d++)
		outer *= (size_t)shape.dims[d];
	for (int d = (int)axis + 1; d < shape.rank; d++)
		inner *= (size_t)shape.dims[d];
	joule_tensor_release(t);
	t->dtype = s->dtype;
	t->shape = shape;
	ret = joule_tensor_alloc(t);
	if (ret)
		return joule_node_err(node, ret, "no memory for %s", t->name);
	for (size_t k = 0; k < s->n; k++) {
		size_t from = backwards ? s->n - 1 - k : k;

		for (size_t o = 0; o < outer && inner; o++)
			memcpy((unsigned char *)t->data + (o * s->n + k) * inner,
			       s->data + from * s->slice_bytes + o * inner, inner);
	}
	return 0;
}

static void series_free(struct series *series, int n)
{
	for (int i = 0; series && i < n; i++)
		free(series[i].data);
	free(series);
}

static int check(const struct joule_control *c)
{
	return c->check ? c->check(c->user) : 0;
}

/* One value as an integer; a rank-1 tensor of one element will do. */
static int scalar(const struct joule_node *node, const struct joule_tensor *t, int64_t *out)
{
	if (!t->data || joule_tensor_count(t) != 1)
		return joule_node_err(node, -EINVAL, "%s is not one value", t->name);
	*out = joule_get_i64(t->dtype, t->data, 0);
	return 0;
}

static int run_if(const struct joule_control *c, struct joule_node *node)
{
	const struct joule_if *a = node->attrs;
	struct state *fresh = calloc((size_t)node->n_out, sizeof(*fresh));
	int64_t cond = 0;
	int which, ret;

	if (!fresh)
		return fail_nomem(node);
	ret = scalar(node, node->in[0], &cond);
	which = (cond ? a->then_branch : a->else_branch) - 1;
	if (!ret)
		ret = c->run_body(c->user, node, which);
	if (!ret)
		ret = collect(node, node->body[which], 0, node->n_out, fresh);
	for (int i = 0; !ret && i < node->n_out; i++)
		state_give(&fresh[i], node->out[i]);
	states_free(fresh, node->n_out);
	return ret;
}

/* ---- Loop ---- */

static int loop_trip(const struct joule_control *c, struct joule_node *node, int64_t *i,
		     int64_t *cond, struct state *state, struct series *series)
{
	struct joule_graph *body = node->body[0];
	int carried = node->n_in - 2, scans = body->n_outputs - 1 - carried;
	struct state *fresh = calloc((size_t)carried + 1, sizeof(*fresh));
	struct joule_shape one = { .rank = 0 };
	uint8_t go_on = 1;
	int ret;

	if (!fresh)
		return fail_nomem(node);
	lend(body->inputs[0], JOULE_I64, &one, i);
	lend(body->inputs[1], JOULE_BOOL, &one, &go_on);
	for (int j = 0; j < carried; j++)
		state_lend(&state[j], body->inputs[2 + j]);
	ret = c->run_body(c->user, node, 0);
	if (!ret)
		ret = scalar(node, body->outputs[0], cond);
	for (int j = 0; !ret && j < scans; j++)
		ret = series_add(node, &series[j], body->outputs[1 + carried + j]);
	if (!ret)
		ret = collect(node, body, 1, carried, fresh);
	for (int j = 0; !ret && j < carried; j++) {
		free(state[j].data);
		state[j] = fresh[j];
		fresh[j].data = NULL;
	}
	take_back(body);
	states_free(fresh, carried);
	return ret;
}

static int run_loop(const struct joule_control *c, struct joule_node *node)
{
	struct joule_graph *body = node->body[0];
	int carried = node->n_in - 2, scans = body->n_outputs - 1 - carried, ret = 0;
	struct state *state = calloc((size_t)carried + 1, sizeof(*state));
	struct series *series = calloc((size_t)scans + 1, sizeof(*series));
	int64_t trips = INT64_MAX, cond = 1;

	if (!state || !series)
		ret = fail_nomem(node);
	if (!ret && node->in[0])
		ret = scalar(node, node->in[0], &trips);
	if (!ret && node->in[1])
		ret = scalar(node, node->in[1], &cond);
	for (int j = 0; !ret && j < carried; j++)
		ret = state_set(node, &state[j], node->in[2 + j]);
	for (int64_t i = 0; !ret && i < trips && cond; i++) {
		ret = check(c);
		if (!ret && i >= JOULE_LOOP_LIMIT)
			ret = joule_node_err(node, -EOVERFLOW, "does not end after %d iterations",
					     JOULE_LOOP_LIMIT);
		if (!ret)
			ret = loop_trip(c, node, &i, &cond, state, series);
	}
	for (int j = 0; !ret && j < carried && j < node->n_out; j++)
		state_give(&state[j], node->out[j]);
	for (int j = 0; !ret && j < scans; j++) {
		struct joule_tensor *t = joule_node_out(node, carried + j);

		if (t && !series[j].n)
			series_guess(&series[j], body->outputs[1 + carried + j]);
		if (t)
			ret = series_give(node, &series[j], t, 0, false);
	}
	states_free(state, carried);
	series_free(series, scans);
	return ret;
}

/* ---- Scan ---- */

static int64_t int_at(const struct joule_ints *ints, int i, int64_t absent)
{
	return i < ints->n ? ints->v[i] : absent;
}

/* A scanned input: slice k of in along axis goes to a body's input. */
struct scanned {
	const struct joule_tensor *in;
	int64_t axis, length;
	bool backwards;
	struct joule_shape slice;
	unsigned char *data;
};

static int scanned_init(const struct joule_node *node, struct scanned *s,
			const struct joule_tensor *in, int64_t axis, bool backwards)
{
	int rank = in->shape.rank;

	if (axis < 0)
		axis += rank;
	if (axis < 0 || axis >= rank || joule_dtype_bits(in->dtype) < 8)
		return joule_node_err(node, -EINVAL, "%s cannot be scanned along axis %lld",
				      in->name, (long long)axis);
	*s = (struct scanned){ .in = in, .axis = axis, .length = in->shape.dims[axis],
			       .backwards = backwards, .slice = in->shape };
	for (int d = (int)axis; d + 1 < rank; d++)
		s->slice.dims[d] = s->slice.dims[d + 1];
	s->slice.rank--;
	s->data = malloc((size_t)joule_array_bytes(in->dtype, &s->slice) + 1);
	return s->data ? 0 : fail_nomem(node);
}

static void scanned_lend(struct scanned *s, int64_t k, struct joule_tensor *t)
{
	const unsigned char *from = s->in->data;
	size_t outer = 1, inner = joule_dtype_bits(s->in->dtype) / 8;

	if (s->backwards)
		k = s->length - 1 - k;
	for (int d = 0; d < s->axis; d++)
		outer *= (size_t)s->in->shape.dims[d];
	for (int d = (int)s->axis + 1; d < s->in->shape.rank; d++)
		inner *= (size_t)s->in->shape.dims[d];
	for (size_t o = 0; o < outer && inner; o++)
		memcpy(s->data + o * inner, from + (o * (size_t)s->length + (size_t)k) * inner,
		       inner);
	lend(t, s->in->dtype, &s->slice, s->data);
}

struct scan {
	const struct joule_control *c;
	struct joule_node *node;
	struct joule_graph *body;
	int states, inputs, series_n;
	struct state *state;
	struct scanned *in;
	struct series *series;
};

static int scan_init(struct scan *s, const struct joule_control *c, struct joule_node *node)
{
	const struct joule_scan *a = node->attrs;

	s->c = c;
	s->node = node;
	s->body = node->body[0];
	s->inputs = (int)a->num_scan_inputs;
	s->states = s->body->n_inputs - s->inputs;
	s->series_n = s->body->n_outputs - s->states;
	s->state = calloc((size_t)s->states + 1, sizeof(*s->state));
	s->in = calloc((size_t)s->inputs + 1, sizeof(*s->in));
	s->series = calloc((size_t)s->series_n + 1, sizeof(*s->series));
	return s->state && s->in && s->series ? 0 : fail_nomem(node);
}

static void scan_finish(struct scan *s)
{
	states_free(s->state, s->states);
	series_free(s->series, s->series_n);
	for (int i = 0; s->in && i < s->inputs; i++)
		free(s->in[i].data);
	free(s->in);
}

static int scan_trips(struct scan *s, int64_t trips)
{
	struct state *fresh = calloc((size_t)s->states + 1, sizeof(*fresh));
	int ret = fresh ? 0 : fail_nomem(s->node);

	for (int64_t k = 0; !ret && k < trips; k++) {
		ret = check(s->c);
		if (ret)
			break;
		for (int j = 0; j < s->states; j++)
			state_lend(&s->state[j], s->body->inputs[j]);
		for (int j = 0; j < s->inputs; j++)
			scanned_lend(&s->in[j], k, s->body->inputs[s->states + j]);
		ret = s->c->run_body(s->c->user, s->node, 0);
		for (int j = 0; !ret && j < s->series_n; j++)
			ret = series_add(s->node, &s->series[j], s->body->outputs[s->states + j]);
		if (!ret)
			ret = collect(s->node, s->body, 0, s->states, fresh);
		for (int j = 0; !ret && j < s->states; j++) {
			free(s->state[j].data);
			s->state[j] = fresh[j];
			fresh[j].data = NULL;
		}
		take_back(s->body);
	}
	states_free(fresh, s->states);
	return ret;
}

static int run_scan(const struct joule_control *c, struct joule_node *node)
{
	const struct joule_scan *a = node->attrs;
	struct scan s = { 0 };
	int ret = scan_init(&s, c, node);

	for (int j = 0; !ret && j < s.states; j++)
		ret = state_set(node, &s.state[j], node->in[j]);
	for (int j = 0; !ret && j < s.inputs; j++) {
		ret = scanned_init(node, &s.in[j], node->in[s.states + j],
				   int_at(&a->scan_input_axes, j, 0),
				   int_at(&a->scan_input_directions, j, 0) != 0);
		if (!ret && s.in[j].length != s.in[0].length)
			ret = joule_node_err(node, -EINVAL, "scans %lld slices of %s, %lld of %s",
					     (long long)s.in[0].length, s.in[0].in->name,
					     (long long)s.in[j].length, s.in[j].in->name);
	}
	if (!ret)
		ret = scan_trips(&s, s.in[0].length);
	for (int j = 0; !ret && j < s.states && j < node->n_out; j++)
		state_give(&s.state[j], node->out[j]);
	for (int j = 0; !ret && j < s.series_n; j++) {
		struct joule_tensor *t = joule_node_out(node, s.states + j);

		if (t && !s.series[j].n)
			series_guess(&s.series[j], s.body->outputs[s.states + j]);
		if (t)
			ret = series_give(node, &s.series[j], t,
					  int_at(&a->scan_output_axes, j, 0),
					  int_at(&a->scan_output_directions, j, 0) != 0);
	}
	scan_finish(&s);
	return ret;
}

/* ---- Scan of opset 8: each element of the batch by itself ---- */

/* Element b of a batched tensor, as a view into it. */
static struct joule_tensor batch_element(const struct joule_tensor *t, int64_t b)
{
	struct joule_tensor e = *t;

	e.shape.rank--;
	for (int d = 0; d < e.shape.rank; d++)
		e.shape.dims[d] = t->shape.dims[d + 1];
	e.flags = 0;
	e.owned = false;
	e.data = (unsigned char *)t->data + b * joule_tensor_bytes(&e);
	return e;
}

/* Puts n bytes of element b's result into the batched output, making it first. */
static int batch_put(const struct joule_node *node, struct joule_tensor *out, int64_t batch,
		     int64_t b, enum joule_dtype dtype, const struct joule_shape *shape,
		     const void *data, size_t bytes)
{
	int64_t element;

	if (!out)
		return 0;
	if (!b) {
		if (shape->rank >= JOULE_MAX_RANK)
			return joule_node_err(node, -EINVAL, "%s has too many dimensions",
					      out->name);
		joule_tensor_release(out);
		out->dtype = dtype;
		out->shape.rank = shape->rank + 1;
		out->shape.dims[0] = batch;
		for (int d = 0; d < shape->rank; d++)
			out->shape.dims[d + 1] = shape->dims[d];
		if (joule_tensor_alloc(out))
			return fail_nomem(node);
	}
	element = joule_tensor_bytes(out) / JOULE_MAX(batch, 1);
	if (bytes > (size_t)element)
		return joule_node_err(node, -EINVAL, "%s differs between batch elements",
				      out->name);
	memcpy((unsigned char *)out->data + b * element, data, bytes);
	return 0;
}

static int scan8_element(struct scan *s, int64_t batch, int64_t b)
{
	const struct joule_scan *a = s->node->attrs;
	const struct joule_tensor *lens = s->node->in[0];
	struct joule_tensor *element = calloc((size_t)s->inputs + 1, sizeof(*element));
	int64_t full, trips;
	int ret = element ? 0 : fail_nomem(s->node);

	for (int j = 0; !ret && j < s->states; j++) {
		struct joule_tensor e = batch_element(s->node->in[1 + j], b);

		ret = state_set(s->node, &s->state[j], &e);
	}
	for (int j = 0; !ret && j < s->inputs; j++) {
		element[j] = batch_element(s->node->in[1 + s->states + j], b);
		ret = scanned_init(s->node, &s->in[j], &element[j], 0,
				   int_at(&a->directions, j, 0) != 0);
	}
	if (ret)
		goto out;
	full = trips = s->in[0].length;
	if (lens)
		trips = joule_get_i64(lens->dtype, lens->data, b);
	if (trips < 0 || trips > full) {
		ret = joule_node_err(s->node, -EINVAL, "sequence length %lld of %lld",
				     (long long)trips, (long long)full);
		goto out;
	}
	ret = scan_trips(s, trips);
	for (int j = 0; !ret && j < s->states; j++)
		ret = batch_put(s->node, joule_node_out(s->node, j), batch, b, s->state[j].dtype,
				&s->state[j].shape, s->state[j].data,
				(size_t)joule_array_bytes(s->state[j].dtype, &s->state[j].shape));
	for (int j = 0; !ret && j < s->series_n; j++) {
		struct series *r = &s->series[j];
		struct joule_shape shape = r->slice;

		if (!r->n)
			series_guess(r, s->body->outputs[s->states + j]);
		for (int d = shape.rank; d > 0; d--)
			shape.dims[d] = shape.dims[d - 1];
		shape.dims[0] = full;
		shape.rank++;
		ret = batch_put(s->node, joule_node_out(s->node, s->states + j), batch, b,
				r->dtype, &shape, r->data, r->n * r->slice_bytes);
	}
out:
	free(element);
	return ret;
}

static int run_scan8(const struct joule_control *c, struct joule_node *node)
{
	int64_t batch = -1;
	int ret = 0;

	for (int j = 1; !ret && j < node->n_in; j++) {
		const struct joule_tensor *t = node->in[j];

		if (!t || t->shape.rank < 1 || (batch >= 0 && t->shape.dims[0] != batch))
			ret = joule_node_err(node, -EINVAL, "input %d has another batch size", j);
		else
			batch = t->shape.dims[0];
	}
	if (!ret && node->in[0] && joule_tensor_count(node->in[0]) < batch)
		ret = joule_node_err(node, -EINVAL, "has too few sequence lengths");
	for (int64_t b = 0; !ret && b < batch; b++) {
		struct scan s = { 0 };

		ret = scan_init(&s, c, node);
		if (!ret)
			ret = scan8_element(&s, batch, b);
		scan_finish(&s);
	}
	return ret;
}

int joule_control_run(const struct joule_control *control, struct joule_node *node)
{
	switch ((enum joule_control_kind)node->op->code) {
	case JOULE_CONTROL_IF:
		return run_if(control, node);
	case JOULE_CONTROL_LOOP:
		return run_loop(control, node);
	case JOULE_CONTROL_SCAN:
		return run_scan(control, node);
	case JOULE_CONTROL_SCAN8:
		return run_scan8(control, node);
	}
	return joule_node_err(node, -ENOTSUP, "is not control flow");
}
