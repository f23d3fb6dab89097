// SPDX-License-Identifier: MIT
/* LSTM, GRU and RNN in plain C, in double throughout. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/common.h"
#include "ops/recurrent.h"

/* Operands as double; NULL where omitted. */
struct operands {
	double *x, *w, *r, *b, *h0, *c0, *p;
};

/* State and work space of one sequence. */
struct run {
	const struct joule_recurrent *r;
	int dir;
	const double *w, *rec, *p; /* this direction's */
	const double *wb, *rb;     /* biases, or zeros */
	double *h, *c, *h_next;
	double *gate;              /* [gates][hidden] sums, then values */
	double *reset_h;           /* GRU: r * h */
};

static double *widen(const struct joule_node *node, int i, bool *failed)
{
	const struct joule_tensor *t = joule_node_in(node, i);
	int64_t n = t ? joule_tensor_count(t) : 0;
	double *v = t ? calloc((size_t)n + 1, sizeof(*v)) : NULL;

	*failed |= t && !v;
	for (int64_t k = 0; v && k < n; k++)
		v[k] = joule_get_f64(t->dtype, t->data, k);
	return v;
}

/* Four running sums, so that additions need not wait for each other. */
static double dot(const double *a, const double *b, int64_t n)
{
	double s[4] = { 0 };
	int64_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (int j = 0; j < 4; j++)
			s[j] += a[i + j] * b[i + j];
	for (; i < n; i++)
		s[0] += a[i] * b[i];
	return s[0] + s[1] + s[2] + s[3];
}

/* Activation k of this direction, its argument clipped. */
static double act(const struct run *u, int k, double v)
{
	const struct joule_ew_step *s = &u->r->attrs->activation[u->dir][k];
	double clip = (double)u->r->attrs->clip;

	if (clip > 0)
		v = v < -clip ? -clip : v > clip ? clip : v;
	return joule_ew_eval(s->code, v, 0, s->p, s->q);
}

/* gate[g][j] for gates first..last-1: input, recurrence on h and biases. */
static void gate_sums(const struct run *u, const double *x, const double *h, int first, int last)
{
	int64_t n = u->r->hidden;

	for (int64_t j = first * n; j < last * n; j++)
		u->gate[j] = dot(u->w + j * u->r->input, x, u->r->input) +
			     dot(u->rec + j * n, h, n) + u->wb[j] + u->rb[j];
}

static void step_rnn(const struct run *u, const double *x)
{
	gate_sums(u, x, u->h, 0, 1);
	for (int64_t j = 0; j < u->r->hidden; j++)
		u->h[j] = act(u, 0, u->gate[j]);
}

static void step_gru(const struct run *u, const double *x)
{
	int64_t n = u->r->hidden;
	double *z = u->gate, *r = u->gate + n, *c = u->gate + 2 * n;

	gate_sums(u, x, u->h, 0, 2);
	for (int64_t j = 0; j < n; j++) {
		z[j] = act(u, 0, z[j]);
		r[j] = act(u, 0, r[j]);
		u->reset_h[j] = r[j] * u->h[j];
	}
	if (!u->r->attrs->linear_before_reset)
		gate_sums(u, x, u->reset_h, 2, 3);
	for (int64_t j = 0; u->r->attrs->linear_before_reset && j < n; j++) {
		int64_t row = 2 * n + j;

		c[j] = dot(u->w + row * u->r->input, x, u->r->input) + u->wb[row] +
		       r[j] * (dot(u->rec + row * n, u->h, n) + u->rb[row]);
	}
	for (int64_t j = 0; j < n; j++)
		u->h_next[j] = (1 - z[j]) * act(u, 1, c[j]) + z[j] * u->h[j];
	memcpy(u->h, u->h_next, (size_t)n * sizeof(double));
}

static void step_lstm(const struct run *u, const double *x)
{
	int64_t n = u->r->hidden;
	const double *p = u->p;

	gate_sums(u, x, u->h, 0, 4);
	for (int64_t j = 0; j < n; j++) {
		double i = u->gate[j], o = u->gate[n + j], f = u->gate[2 * n + j];

		i = act(u, 0, i + (p ? p[j] * u->c[j] : 0));
		f = act(u, 0, f + (p ? p[2 * n + j] * u->c[j] : 0));
		if (u->r->attrs->input_forget)
			f = 1 - i;
		u->c[j] = f * u->c[j] + i * act(u, 1, u->gate[3 * n + j]);
		o = act(u, 0, o + (p ? p[n + j] * u->c[j] : 0));
		u->h[j] = o * act(u, 2, u->c[j]);
	}
}

static void put(struct joule_tensor *t, int64_t at, const double *v, int64_t n)
{
	for (int64_t i = 0; t && i < n; i++)
		joule_set_f64(t->dtype, t->data, at + i, v[i]);
}

static void run_sequence(struct joule_node *node, const struct run *u, const struct operands *o,
			 int64_t b)
{
	const struct joule_recurrent *r = u->r;
	const struct joule_tensor *lens = joule_node_in(node, 4);
	int64_t n = lens ? ((const int32_t *)lens->data)[b] : r->steps;
	int64_t state = joule_recurrent_state(r, u->dir, b);
	size_t bytes = (size_t)r->hidden * sizeof(double);
	bool backwards = r->reverse || u->dir == 1;

	n = n < 0 ? 0 : JOULE_MIN(n, r->steps);
	memset(u->h, 0, bytes);
	memset(u->c, 0, bytes);
	if (o->h0)
		memcpy(u->h, o->h0 + state, bytes);
	if (o->c0)
		memcpy(u->c, o->c0 + state, bytes);
	for (int64_t k = 0; k < n; k++) {
		int64_t t = backwards ? n - 1 - k : k;
		const double *x = o->x + joule_recurrent_x(r, t, b);

		if (r->kind == JOULE_LSTM)
			step_lstm(u, x);
		else if (r->kind == JOULE_GRU)
			step_gru(u, x);
		else
			step_rnn(u, x);
		put(joule_node_out(node, 0), joule_recurrent_y(r, t, u->dir, b), u->h, r->hidden);
	}
	put(joule_node_out(node, 1), state, u->h, r->hidden);
	put(joule_node_out(node, 2), state, u->c, r->hidden);
}

int joule_recurrent_ref(struct joule_node *node)
{
	struct joule_recurrent r;
	struct operands o;
	bool failed = false;
	double *work = NULL;
	int ret = joule_recurrent_resolve(node, &r);
	int64_t n = r.hidden;

	if (ret)
		return ret;
	o = (struct operands){ .x = widen(node, 0, &failed), .w = widen(node, 1, &failed),
			       .r = widen(node, 2, &failed), .b = widen(node, 3, &failed),
			       .h0 = widen(node, 5, &failed), .c0 = widen(node, 6, &failed),
			       .p = widen(node, 7, &failed) };
	/* h, c, next h, r * h, the gates, and a bias of zeros */
	work = calloc((size_t)n * (size_t)(4 + 3 * r.gates) + 1, sizeof(*work));
	failed |= !work;
	for (int dir = 0; !failed && dir < r.dirs; dir++) {
		int64_t rows = r.gates * n;
		double *zeros = work + 4 * n + rows;
		struct run u = {
			.r = &r, .dir = dir,
			.w = o.w + dir * rows * r.input, .rec = o.r + dir * rows * n,
			.p = o.p ? o.p + dir * 3 * n : NULL,
			.wb = o.b ? o.b + dir * 2 * rows : zeros,
			.rb = o.b ? o.b + dir * 2 * rows + rows : zeros,
			.h = work, .c = work + n, .h_next = work + 2 * n,
			.reset_h = work + 3 * n, .gate = work + 4 * n,
		};

		for (int64_t b = 0; b < r.batch; b++)
			run_sequence(node, &u, &o, b);
	}
	free(o.x);
	free(o.w);
	free(o.r);
	free(o.b);
	free(o.h0);
	free(o.c0);
	free(o.p);
	free(work);
	return failed ? joule_node_err(node, -ENOMEM, "no memory for the reference") : 0;
}
