// SPDX-License-Identifier: MIT
/*
 * Dropout. At inference, and in training mode with a ratio of 0, it is a view;
 * with a mask to write or something to drop it is not, and infer() then turns
 * the node to the row without the trait.
 *
 * Training mode draws from the Mersenne Twister as NumPy's RandomState does:
 * the same seed drops the same elements as in ONNX's own reference.
 */
#include <errno.h>

#include "ops/copy.h"

struct dropout {
	float ratio;
	int64_t is_test, seed;
	struct joule_ints consumed_inputs;
};

#define MT_N 624
#define MT_M 397

struct twister {
	uint32_t s[MT_N];
	int at;
};

static void twister_seed(struct twister *t, uint32_t seed)
{
	t->s[0] = seed;
	for (uint32_t i = 1; i < MT_N; i++)
		t->s[i] = 1812433253u * (t->s[i - 1] ^ (t->s[i - 1] >> 30)) + i;
	t->at = MT_N;
}

static uint32_t twister_next(struct twister *t)
{
	uint32_t y;

	if (t->at == MT_N) {
		for (int i = 0; i < MT_N; i++) {
			y = (t->s[i] & 0x80000000u) | (t->s[(i + 1) % MT_N] & 0x7fffffffu);
			t->s[i] = t->s[(i + MT_M) % MT_N] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
		}
		t->at = 0;
	}
	y = t->s[t->at++];
	y ^= y >> 11;
	y ^= (y << 7) & 0x9d2c5680u;
	y ^= (y << 15) & 0xefc60000u;
	return y ^ (y >> 18);
}

/* In [0, 1), 53 bits. */
static double twister_uniform(struct twister *t)
{
	uint32_t a = twister_next(t) >> 5, b = twister_next(t) >> 6;

	return (a * 67108864.0 + b) / 9007199254740992.0;
}

/* What the node drops: 0 at inference. -ENODATA while an input is not known. */
static int ratio_of(const struct joule_node *node, double *ratio)
{
	const struct joule_tensor *r = joule_node_in(node, 1), *training = joule_node_in(node, 2);

	*ratio = 0;
	/* is_test is 0 by default before opset 7, yet what is run is inference. */
	if (node->op->since < 12 || !training)
		return 0;
	if (!training->data)
		return -ENODATA;
	if (joule_tensor_count(training) != 1)
		return joule_node_err(node, -EINVAL, "training_mode is no scalar");
	if (!joule_get_i64(training->dtype, training->data, 0))
		return 0;
	*ratio = 0.5;
	if (!r)
		return 0;
	if (!r->data)
		return -ENODATA;
	if (joule_tensor_count(r) != 1)
		return joule_node_err(node, -EINVAL, "ratio is no scalar");
	*ratio = joule_get_f64(r->dtype, r->data, 0);
	if (!(*ratio >= 0 && *ratio < 1))
		return joule_node_err(node, -EINVAL, "ratio %g is outside [0, 1)", *ratio);
	return 0;
}

static const struct joule_op dropout_copying[];

static int dropout_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	double ratio;
	int ret = ratio_of(node, &ratio);

	if (ret && ret != -ENODATA)
		return ret;
	joule_set_out(node, 0, x->dtype, &x->shape);
	joule_set_out(node, 1, node->op->since < 10 ? x->dtype : JOULE_BOOL, &x->shape);
	if (node->op->traits & JOULE_OP_VIEW && (ret || ratio || joule_node_out(node, 1)))
		node->op = &dropout_copying[node->op->code];
	return 0;
}

static int dropout_ref(struct joule_node *node)
{
	const struct dropout *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0], *mask = joule_node_out(node, 1);
	int64_t n = joule_tensor_count(x);
	struct twister t;
	double ratio;
	int ret = ratio_of(node, &ratio);

	if (ret)
		return ret;
	if (!ratio) {
		joule_move_run(x->dtype, y->data, 0, x->data, 0, n);
		for (int64_t i = 0; mask && i < n; i++)
			joule_set_i64(mask->dtype, mask->data, i, 1);
		return 0;
	}
	twister_seed(&t, (uint32_t)a->seed);
	for (int64_t i = 0; i < n; i++) {
		bool keep = twister_uniform(&t) >= ratio;
		double v = joule_get_f64(x->dtype, x->data, i);

		joule_set_f64(y->dtype, y->data, i, keep ? v * (1 / (1 - ratio)) : 0);
		if (mask)
			joule_set_i64(mask->dtype, mask->data, i, keep);
	}
	return 0;
}

static int dropout_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *x = node->in[0], *mask = joule_node_out(node, 1);
	double ratio;
	int ret = ratio_of(node, &ratio);

	if (ret && ret != -ENODATA)
		return ret;
	if (ret || ratio)
		return joule_bind_refuse(b, "training mode has no kernel");
	joule_copy_bytes_bind(b, joule_tensor_bytes(x), JOULE_IN(0), JOULE_OUT(0));
	if (mask) {
		uint64_t one = 0;

		joule_set_i64(mask->dtype, &one, 0, 1);
		if (joule_dtype_is_float(mask->dtype))
			joule_set_f64(mask->dtype, &one, 0, 1);
		joule_fill_bind(b, mask->dtype, &one, joule_tensor_count(mask), JOULE_OUT(1));
	}
	return joule_bind_end(b);
}

static const struct joule_attr attrs1[] = {
	JOULE_A_INTS(struct dropout, consumed_inputs),
	JOULE_A_INT(struct dropout, is_test, 0),
	JOULE_A_FLOAT(struct dropout, ratio, 0.5f),
	{ 0 },
};
static const struct joule_attr attrs7[] = { JOULE_A_FLOAT(struct dropout, ratio, 0.5f), { 0 } };
static const struct joule_attr attrs12[] = { JOULE_A_INT(struct dropout, seed, 0), { 0 } };

#define DROPOUT(number, from, to, inputs, attributes, trait) \
	{ \
		.name = "Dropout", .code = number, .since = from, .until = to, .min_in = 1, \
		.max_in = inputs, .min_out = 1, .max_out = 2, .traits = trait, \
		.attrs_bytes = sizeof(struct dropout), .attrs = attributes, \
		.infer = dropout_infer, .ref = dropout_ref, .bind = dropout_bind, \
		.cost = joule_cost_moved, \
	}

/* Not pure views; rows in the order of the list below. */
static const struct joule_op dropout_copying[] = {
	DROPOUT(0, 1, 6, 1, attrs1, 0),
	DROPOUT(1, 7, 9, 1, attrs7, 0),
	DROPOUT(2, 10, 11, 1, attrs7, 0),
	DROPOUT(3, 12, 0, 3, attrs12, JOULE_OP_RANDOM),
};

JOULE_OPS(dropout) = {
	DROPOUT(0, 1, 6, 1, attrs1, JOULE_OP_VIEW),
	DROPOUT(1, 7, 9, 1, attrs7, JOULE_OP_VIEW),
	DROPOUT(2, 10, 11, 1, attrs7, JOULE_OP_VIEW),
	DROPOUT(3, 12, 0, 3, attrs12, JOULE_OP_VIEW),
	JOULE_OPS_END,
};
