// SPDX-License-Identifier: MIT
/*
 * Sum, Mean, Max and Min of any number of broadcast tensors: a chain with one
 * step for each further operand.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ops/chain.h"
#include "ops/common.h"
#include "ops/walk.h"

/* MEAN is a sum divided in the end. */
enum code { SUM = JOULE_EW_ADD, MAX = JOULE_EW_MAX, MIN = JOULE_EW_MIN, MEAN = JOULE_EW_COUNT };

struct variadic {
	struct joule_ints consumed_inputs;
};

static enum joule_ew_code step_code(const struct joule_node *node)
{
	return node->op->code == MEAN ? JOULE_EW_ADD : (enum joule_ew_code)node->op->code;
}

static int variadic_infer(struct joule_node *node)
{
	enum joule_dtype type = node->in[0]->dtype;

	for (int i = 0; i < node->n_in; i++) {
		enum joule_dtype t = node->in[i]->dtype;

		if (t == JOULE_BOOL || (joule_dtype_is_int(t) && (node->op->code == MEAN ||
								  node->op->code == SUM)))
			return joule_err_dtype(node, node->in[i]);
		if (t != type)
			return joule_node_err(node, -EINVAL, "operands of types %s and %s",
					      joule_dtype_name(type), joule_dtype_name(t));
	}
	return joule_infer_broadcast(node);
}

/* Folds operand i into the accumulators, one per output element. */
static void accumulate(const struct joule_node *node, int i, double *acc)
{
	const struct joule_tensor *x = node->in[i], *out = node->out[0];
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS];
	enum joule_ew_code code = step_code(node);
	double v[JOULE_ROW_CHUNK];
	struct joule_walk w;

	joule_walk_init(&w, &out->shape);
	joule_walk_add(&w, &x->shape);
	joule_walk_add(&w, &out->shape);
	joule_walk_merge(&w);
	for (bool more = joule_walk_begin(&w, pos, at); more; more = joule_walk_next(&w, pos, at)) {
		int64_t len = w.dims[w.rank - 1], stride = w.strides[0][w.rank - 1];

		for (int64_t k = 0; k < len; k += JOULE_ROW_CHUNK) {
			int n = (int)JOULE_MIN(len - k, JOULE_ROW_CHUNK);
			double *to = acc + at[1] + k;

			joule_row_get_f64(x, at[0] + k * stride, stride, n, v);
			for (int e = 0; e < n; e++)
				to[e] = i ? joule_ew_eval(code, to[e], v[e], 0, 0) : v[e];
		}
	}
}

/* Max and Min of 64-bit integers, which doubles do not hold. */
static void accumulate_ints(const struct joule_node *node, int i)
{
	struct joule_tensor *out = node->out[0];
	const struct joule_tensor *x = node->in[i];
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS];
	bool uns = joule_dtype_is_unsigned(x->dtype);
	struct joule_walk w;

	joule_walk_init(&w, &out->shape);
	joule_walk_add(&w, &x->shape);
	joule_walk_add(&w, &out->shape);
	joule_walk_merge(&w);
	for (bool more = joule_walk_begin(&w, pos, at); more; more = joule_walk_next(&w, pos, at)) {
		int64_t len = w.dims[w.rank - 1], stride = w.strides[0][w.rank - 1];

		for (int64_t k = 0; k < len; k++) {
			int64_t v = joule_get_i64(x->dtype, x->data, at[0] + k * stride);
			int64_t r = joule_get_i64(out->dtype, out->data, at[1] + k);
			bool less = uns ? (uint64_t)v < (uint64_t)r : v < r;

			if (!i || (v != r && less == (node->op->code == MIN)))
				joule_set_i64(out->dtype, out->data, at[1] + k, v);
		}
	}
}

static int variadic_ref(struct joule_node *node)
{
	struct joule_tensor *out = node->out[0];
	int64_t count = joule_tensor_count(out);
	double *acc;

	if (joule_dtype_is_int(out->dtype)) {
		for (int i = 0; i < node->n_in; i++)
			accumulate_ints(node, i);
		return 0;
	}
	acc = calloc(count ? (size_t)count : 1, sizeof(*acc));
	if (!acc)
		return joule_node_err(node, -ENOMEM, "no memory for %lld sums", (long long)count);
	for (int i = 0; i < node->n_in; i++)
		accumulate(node, i, acc);
	for (int64_t i = 0; i < count; i++)
		joule_set_f64(out->dtype, out->data, i,
			      node->op->code == MEAN ? acc[i] / node->n_in : acc[i]);
	free(acc);
	return 0;
}

static int variadic_elementwise(const struct joule_node *node, struct joule_ew_step *step)
{
	const struct joule_shape *out = &node->out[0]->shape;

	if (!joule_dtype_is_float(node->in[0]->dtype) || node->n_in != 2 || node->op->code == MEAN)
		return -ENOTSUP;
	*step = (struct joule_ew_step){ .code = (uint16_t)step_code(node), .operand = 1 };
	if (joule_shape_equal(&node->in[0]->shape, out))
		return 0;
	step->operand = 0;
	return joule_shape_equal(&node->in[1]->shape, out) ? 0 : -ENOTSUP;
}

/* More operands than one launch takes: the next one starts from the output. */
static int variadic_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *out = node->out[0];
	struct joule_chain_launch c;
	int i = 0;

	do {
		joule_chain_begin(&c, node, 0);
		if (i)
			joule_chain_operand(&c, JOULE_OUT(0), out->dtype, &out->shape);
		else
			joule_chain_input(&c, node, i++);
		while (i < node->n_in && joule_chain_input(&c, node, i) >= 0) {
			joule_chain_step(&c, step_code(node), c.n_args - 1, 0, 0);
			i++;
		}
		if (i == node->n_in && node->op->code == MEAN)
			joule_chain_step(&c, JOULE_EW_SCALE, -1, 1.0f / (float)node->n_in, -0.0f);
		joule_chain_bind(b, &c);
	} while (i < node->n_in && !b->err);
	return joule_bind_end(b);
}

static const struct joule_attr variadic_attrs[] = {
	JOULE_A_INTS(struct variadic, consumed_inputs),
	{ 0 },
};

#define VARIADIC(onnx, which) \
	{ \
		.name = onnx, .code = which, .since = 1, .min_in = 1, .max_in = -1, .min_out = 1, \
		.max_out = 1, .traits = JOULE_OP_ELEMENTWISE | JOULE_OP_IN_PLACE, \
		.attrs_bytes = sizeof(struct variadic), .attrs = variadic_attrs, \
		.infer = variadic_infer, .ref = variadic_ref, .bind = variadic_bind, \
		.elementwise = variadic_elementwise, \
	}

JOULE_OPS(variadic) = {
	VARIADIC("Max", MAX),
	VARIADIC("Mean", MEAN),
	VARIADIC("Min", MIN),
	VARIADIC("Sum", SUM),
	JOULE_OPS_END,
};
