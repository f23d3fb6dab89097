// SPDX-License-Identifier: MIT
/*
 * BatchNormalization. For inference it is x * p + q with two numbers for each
 * channel: constants when the statistics are, else computed by a small launch
 * first. The rest, fused steps included, is a chain.
 */
#include <errno.h>
#include <math.h>

#include "ops/chain.h"
#include "ops/common.h"
#include "ops/epilogue.h"

struct batch_norm {
	float epsilon, momentum;
	int64_t training_mode;
	int64_t is_test, spatial;          /* early opsets */
	struct joule_ints consumed_inputs; /* opset 1 */
};

enum { X, SCALE, BIAS, MEAN, VAR };

/* Before opset 9, statistics may belong to every place in a sample, not to channels. */
static bool spatial(const struct joule_node *node)
{
	const struct batch_norm *a = node->attrs;

	return node->op->until != 8 || a->spatial;
}

/* The shape in which the statistics broadcast to X. */
static struct joule_shape stats_shape(const struct joule_node *node)
{
	struct joule_shape s = node->in[X]->shape;

	/* A vector is a batch of one channel. */
	for (int i = 0; i < s.rank - 1; i++)
		s.dims[i] = s.dims[i + 1];
	s.rank = JOULE_MAX(s.rank - 1, 1);
	if (node->in[X]->shape.rank == 1)
		s.dims[0] = 1;
	for (int i = 1; i < s.rank && spatial(node); i++)
		s.dims[i] = 1;
	return s;
}

static int batch_norm_infer(struct joule_node *node)
{
	struct joule_shape want = stats_shape(node);
	const struct batch_norm *a = node->attrs;
	int64_t count = joule_shape_count(&want);
	char have[128];

	if (!joule_dtype_is_float(node->in[X]->dtype))
		return joule_err_dtype(node, node->in[X]);
	if (!node->in[X]->shape.rank)
		return joule_node_err(node, -EINVAL, "the input is a scalar");
	for (int i = SCALE; i <= VAR; i++) {
		const struct joule_tensor *t = node->in[i];

		if (!joule_dtype_is_float(t->dtype))
			return joule_err_dtype(node, t);
		if (joule_tensor_count(t) != count)
			return joule_node_err(node, -EINVAL, "%s %s has not %lld elements", t->name,
					      joule_shape_str(&t->shape, have, sizeof(have)),
					      (long long)count);
	}
	for (int i = 1; i < node->n_out; i++)
		if (node->out[i] && (node->op->until || !a->training_mode || i > 2))
			return joule_node_err(node, -ENOTSUP,
					      "output %s belongs to training in opset %d",
					      node->out[i]->name, node->opset);
	joule_set_out(node, 1, node->in[MEAN]->dtype, &node->in[MEAN]->shape);
	joule_set_out(node, 2, node->in[VAR]->dtype, &node->in[VAR]->shape);
	return joule_infer_same(node);
}

static double stat(const struct joule_node *node, int in, int64_t c)
{
	return joule_get_f64(node->in[in]->dtype, node->in[in]->data, c);
}

/* X as [outer, channels, inner], channels as the statistics count them. */
struct layout {
	int64_t outer, channels, inner;
};

static struct layout layout_of(const struct joule_node *node)
{
	struct joule_shape stats = stats_shape(node);
	const struct joule_shape *x = &node->in[X]->shape;
	struct layout l = { x->rank ? x->dims[0] : 1, joule_shape_count(&stats), 1 };

	for (int i = 2; i < x->rank && spatial(node); i++)
		l.inner *= x->dims[i];
	return l;
}

/* Mean and population variance of a channel over batch and places. */
static void measure(const struct joule_node *node, const struct layout *l, int64_t c, double *mean,
		    double *var)
{
	const struct joule_tensor *x = node->in[X];
	double sum = 0, n = (double)(l->outer * l->inner);

	for (int pass = 0; pass < 2; pass++) {
		*mean = pass ? sum / n : 0;
		sum = 0;
		for (int64_t o = 0; o < l->outer; o++)
			for (int64_t i = 0; i < l->inner; i++) {
				double v = joule_get_f64(x->dtype, x->data,
							 (o * l->channels + c) * l->inner + i);

				sum += pass ? (v - *mean) * (v - *mean) : v;
			}
	}
	*var = sum / n;
}

static void running(struct joule_node *node, int out, int in, int64_t c, double now)
{
	const struct batch_norm *a = node->attrs;
	struct joule_tensor *t = joule_node_out(node, out);

	if (t)
		joule_set_f64(t->dtype, t->data, c,
			      stat(node, in, c) * (double)a->momentum +
				      now * (1 - (double)a->momentum));
}

static int batch_norm_ref(struct joule_node *node)
{
	const struct batch_norm *a = node->attrs;
	const struct joule_tensor *x = node->in[X];
	struct layout l = layout_of(node);

	for (int64_t c = 0; c < l.channels; c++) {
		double mean = stat(node, MEAN, c), var = stat(node, VAR, c), p, q;

		if (a->training_mode) {
			measure(node, &l, c, &mean, &var);
			running(node, 1, MEAN, c, mean);
			running(node, 2, VAR, c, var);
		}
		p = stat(node, SCALE, c) / sqrt(var + (double)a->epsilon);
		q = stat(node, BIAS, c);
		for (int64_t o = 0; o < l.outer; o++) {
			int64_t at = (o * l.channels + c) * l.inner;

			for (int64_t i = at; i < at + l.inner; i++)
				joule_set_f64(x->dtype, node->out[0]->data, i,
					      (joule_get_f64(x->dtype, x->data, i) - mean) * p + q);
		}
	}
	return 0;
}

/* p and q of every channel, f32, behind one another, made now or on the device. */
static int bind_stats(struct joule_binder *b, const struct joule_node *node, int64_t channels,
		      struct joule_operand *place)
{
	const struct batch_norm *a = node->attrs;
	bool known = true, half = node->in[SCALE]->dtype == JOULE_F16;
	struct joule_dispatch *d;

	for (int i = SCALE; i <= VAR; i++)
		known = known && joule_tensor_is_const(node->in[i]);
	if (known) {
		float *v;

		*place = joule_bind_const(b, (size_t)channels * 2 * sizeof(*v) + 4, (void **)&v);
		for (int64_t c = 0; v && c < channels; c++) {
			double p = stat(node, SCALE, c) /
				   sqrt(stat(node, VAR, c) + (double)a->epsilon);

			v[c] = (float)p;
			v[channels + c] = (float)(stat(node, BIAS, c) - stat(node, MEAN, c) * p);
		}
		return 0;
	}
	for (int i = SCALE; i <= VAR; i++)
		if (node->in[i]->dtype != node->in[SCALE]->dtype ||
		    (!half && node->in[i]->dtype != JOULE_F32))
			return joule_bind_refuse(b, "statistics of mixed types");
	*place = joule_bind_scratch(b, (uint64_t)channels * 2 * sizeof(float) + 4);
	d = joule_bind(b, "batch_norm_stats_%s", half ? "f16" : "f32");
	for (int i = SCALE; i <= VAR; i++)
		joule_bind_read(d, JOULE_IN((uint16_t)i));
	joule_bind_write(d, *place);
	joule_bind_u32(d, (uint32_t)channels);
	joule_bind_f32(d, a->epsilon);
	joule_bind_grid(b, d, 64, (uint64_t)channels);
	return 0;
}

static int batch_norm_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct batch_norm *a = node->attrs;
	struct joule_shape shape = stats_shape(node);
	int64_t channels = joule_shape_count(&shape);
	struct joule_chain_launch c;
	struct joule_operand p, q;
	int ret;

	if (a->training_mode)
		return joule_bind_refuse(b, "training mode");
	if (!joule_bind_float(b, node->in[X]))
		return b->err;
	ret = bind_stats(b, node, channels, &p);
	if (ret)
		return ret;
	q = p;
	q.offset = (uint64_t)channels * sizeof(float);
	joule_chain_begin(&c, node, 0);
	joule_chain_input(&c, node, X);
	joule_chain_step(&c, JOULE_EW_MUL, joule_chain_operand(&c, p, JOULE_F32, &shape), 0, 0);
	joule_chain_step(&c, JOULE_EW_ADD, joule_chain_operand(&c, q, JOULE_F32, &shape), 0, 0);
	joule_chain_epilogue(b, &c, node);
	joule_chain_bind(b, &c);
	return joule_bind_end(b);
}

#define F(field, d) JOULE_A_FLOAT(struct batch_norm, field, d)
#define I(field, d) JOULE_A_INT(struct batch_norm, field, d)

static const struct joule_attr old_attrs[] = {
	F(epsilon, 1e-5f), F(momentum, 0.9f), I(is_test, 0), I(spatial, 1),
	JOULE_A_INTS(struct batch_norm, consumed_inputs), { 0 },
};
static const struct joule_attr plain_attrs[] = { F(epsilon, 1e-5f), F(momentum, 0.9f), { 0 } };
static const struct joule_attr training_attrs[] = {
	F(epsilon, 1e-5f), F(momentum, 0.9f), I(training_mode, 0), { 0 },
};

#define BATCH_NORM(from, to, outs, table) \
	{ \
		.name = "BatchNormalization", .since = from, .until = to, .min_in = 5, \
		.max_in = 5, .min_out = 1, .max_out = outs, \
		.traits = JOULE_OP_IN_PLACE | JOULE_OP_EPILOGUE, \
		.attrs_bytes = sizeof(struct batch_norm), .attrs = table, \
		.infer = batch_norm_infer, .ref = batch_norm_ref, .bind = batch_norm_bind, \
	}

JOULE_OPS(batch_norm) = {
	BATCH_NORM(1, 8, 5, old_attrs),
	BATCH_NORM(9, 13, 5, plain_attrs),
	BATCH_NORM(14, 0, 3, training_attrs),
	JOULE_OPS_END,
};
