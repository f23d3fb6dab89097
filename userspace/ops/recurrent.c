// SPDX-License-Identifier: MIT
/* LSTM, GRU and RNN: attributes, shapes and the operators' descriptions. */
#include "ops/recurrent.h"

#include <errno.h>
#include <strings.h>

#include "ops/common.h"

/* Defaults for functions whose list of alphas or betas is too short. */
static const struct activation {
	const char *name;
	enum joule_ew_code code;
	bool alpha, beta; /* takes one from the list */
	float p, q;
} activations[] = {
	{ "Sigmoid", JOULE_EW_SIGMOID, false, false, 0, 0 },
	{ "Tanh", JOULE_EW_TANH, false, false, 0, 0 },
	{ "Relu", JOULE_EW_RELU, false, false, 0, 0 },
	{ "Softsign", JOULE_EW_SOFTSIGN, false, false, 0, 0 },
	{ "Softplus", JOULE_EW_SOFTPLUS, false, false, 0, 0 },
	{ "Affine", JOULE_EW_SCALE, true, true, 1, 0 },
	{ "LeakyRelu", JOULE_EW_LEAKY_RELU, true, false, 0.01f, 0 },
	{ "ThresholdedRelu", JOULE_EW_THRESHOLDED, true, false, 1, 0 },
	{ "ScaledTanh", JOULE_EW_SCALED_TANH, true, true, 1, 1 },
	{ "HardSigmoid", JOULE_EW_HARD_SIGMOID, true, true, 0.2f, 0.5f },
	{ "Elu", JOULE_EW_ELU, true, false, 1, 0 },
};

static const struct activation *find(const char *name)
{
	for (size_t i = 0; i < JOULE_ARRAY_LEN(activations); i++)
		if (!strcasecmp(name, activations[i].name))
			return &activations[i];
	return NULL;
}

static int recurrent_prepare(struct joule_node *node)
{
	static const char *const defaults[][3] = {
		[JOULE_RNN] = { "Tanh" },
		[JOULE_GRU] = { "Sigmoid", "Tanh" },
		[JOULE_LSTM] = { "Sigmoid", "Tanh", "Tanh" },
	};
	struct joule_recurrent_attrs *a = node->attrs;
	int each = node->op->code + 1, dirs = a->direction == JOULE_BIDIRECTIONAL ? 2 : 1;
	int n_alpha = 0, n_beta = 0;

	if (a->activations.n && a->activations.n != each * dirs)
		return joule_node_err(node, -EINVAL, "%d activations, %d expected",
				      a->activations.n, each * dirs);
	if (!(a->clip >= 0))
		return joule_node_err(node, -EINVAL, "clip is %g", (double)a->clip);
	for (int i = 0; i < each * dirs; i++) {
		const char *name = a->activations.n ? a->activations.v[i] :
						      defaults[node->op->code][i % each];
		const struct activation *f = find(name);
		float p, q;

		if (!f)
			return joule_node_err(node, -ENOTSUP, "activation %s is not known", name);
		p = f->p;
		q = f->q;
		if (f->alpha && n_alpha < a->activation_alpha.n)
			p = a->activation_alpha.v[n_alpha++];
		if (f->beta && n_beta < a->activation_beta.n)
			q = a->activation_beta.v[n_beta++];
		a->activation[i / each][i % each] = (struct joule_ew_step){
			.code = (uint16_t)f->code, .operand = -1, .p = p, .q = q,
		};
	}
	return 0;
}

/* One operand against the shape it must have. */
static int expect(const struct joule_node *node, const char *what, int i, int rank, int64_t d0,
		  int64_t d1, int64_t d2)
{
	const struct joule_tensor *t = joule_node_in(node, i);
	struct joule_shape want = { .rank = rank, .dims = { d0, d1, d2 } };
	char s[128], u[128];

	if (!t || joule_shape_equal(&t->shape, &want))
		return 0;
	return joule_node_err(node, -EINVAL, "%s is %s, not %s", what,
			      joule_shape_str(&t->shape, s, sizeof(s)),
			      joule_shape_str(&want, u, sizeof(u)));
}

static int expect_state(const struct joule_node *node, const struct joule_recurrent *r,
			const char *what, int i)
{
	return expect(node, what, i, 3, r->batch_first ? r->batch : r->dirs,
		      r->batch_first ? r->dirs : r->batch, r->hidden);
}

int joule_recurrent_resolve(const struct joule_node *node, struct joule_recurrent *r)
{
	static const int gates[] = { [JOULE_RNN] = 1, [JOULE_GRU] = 3, [JOULE_LSTM] = 4 };
	const struct joule_recurrent_attrs *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape, *rec = &node->in[2]->shape;
	char s[128], t[128];
	int ret;

	*r = (struct joule_recurrent){ .kind = node->op->code, .attrs = a };
	r->gates = gates[r->kind];
	r->dirs = a->direction == JOULE_BIDIRECTIONAL ? 2 : 1;
	r->reverse = a->direction == JOULE_REVERSE;
	r->batch_first = a->layout == 1;
	if (x->rank != 3 || rec->rank != 3)
		return joule_node_err(node, -EINVAL, "X %s and R %s must have three dimensions",
				      joule_shape_str(x, s, sizeof(s)),
				      joule_shape_str(rec, t, sizeof(t)));
	r->steps = x->dims[r->batch_first ? 1 : 0];
	r->batch = x->dims[r->batch_first ? 0 : 1];
	r->input = x->dims[2];
	r->hidden = rec->dims[2];
	if (a->hidden_size && a->hidden_size != r->hidden)
		return joule_node_err(node, -EINVAL, "hidden_size is %lld, R is %s",
				      (long long)a->hidden_size, joule_shape_str(rec, t, sizeof(t)));
	ret = expect(node, "W", 1, 3, r->dirs, r->gates * r->hidden, r->input);
	if (!ret)
		ret = expect(node, "R", 2, 3, r->dirs, r->gates * r->hidden, r->hidden);
	if (!ret)
		ret = expect(node, "B", 3, 2, r->dirs, 2 * r->gates * r->hidden, 0);
	if (!ret)
		ret = expect(node, "sequence_lens", 4, 1, r->batch, 0, 0);
	if (!ret)
		ret = expect_state(node, r, "initial_h", 5);
	if (!ret)
		ret = expect_state(node, r, "initial_c", 6);
	return ret ? ret : expect(node, "P", 7, 2, r->dirs, 3 * r->hidden, 0);
}

int64_t joule_recurrent_x(const struct joule_recurrent *r, int64_t t, int64_t b)
{
	return (r->batch_first ? b * r->steps + t : t * r->batch + b) * r->input;
}

int64_t joule_recurrent_y(const struct joule_recurrent *r, int64_t t, int dir, int64_t b)
{
	return (r->batch_first ? (b * r->steps + t) * r->dirs + dir :
				 (t * r->dirs + dir) * r->batch + b) * r->hidden;
}

int64_t joule_recurrent_state(const struct joule_recurrent *r, int dir, int64_t b)
{
	return (r->batch_first ? b * r->dirs + dir : dir * r->batch + b) * r->hidden;
}

static int recurrent_infer(struct joule_node *node)
{
	enum joule_dtype dtype = node->in[0]->dtype;
	struct joule_shape y = { .rank = 4 }, state = { .rank = 3 };
	const struct joule_tensor *lens = joule_node_in(node, 4);
	struct joule_recurrent r;
	int ret;

	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] && i != 4 && (node->in[i]->dtype != dtype ||
					      !joule_dtype_is_float(dtype)))
			return joule_err_dtype(node, node->in[i]);
	if (lens && lens->dtype != JOULE_I32)
		return joule_err_dtype(node, lens);
	ret = joule_recurrent_resolve(node, &r);
	if (ret)
		return ret;
	y.dims[0] = r.batch_first ? r.batch : r.steps;
	y.dims[1] = r.batch_first ? r.steps : r.dirs;
	y.dims[2] = r.batch_first ? r.dirs : r.batch;
	y.dims[3] = r.hidden;
	state.dims[0] = r.batch_first ? r.batch : r.dirs;
	state.dims[1] = r.batch_first ? r.dirs : r.batch;
	state.dims[2] = r.hidden;
	joule_set_out(node, 0, dtype, &y);
	joule_set_out(node, 1, dtype, &state);
	joule_set_out(node, 2, dtype, &state);
	return 0;
}

static void recurrent_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct joule_recurrent r;

	if (!joule_recurrent_resolve(node, &r))
		cost->macs = r.dirs * r.batch * r.steps * r.gates * r.hidden * (r.input + r.hidden);
}

static const char *const directions[] = { "forward", "reverse", "bidirectional", NULL };

#define ST struct joule_recurrent_attrs
#define COMMON \
	JOULE_A_STRINGS(ST, activations), JOULE_A_FLOATS(ST, activation_alpha), \
	JOULE_A_FLOATS(ST, activation_beta), JOULE_A_FLOAT(ST, clip, 0), \
	JOULE_A_ENUM(ST, direction, directions), JOULE_A_INT(ST, hidden_size, 0)

/* output_sequence was opset 1's way to ask for Y; layout came with opset 14. */
#define TABLES(name, ...) \
	static const struct joule_attr name##_1[] = { COMMON, ##__VA_ARGS__, \
						      JOULE_A_INT(ST, output_sequence, 0), { 0 } }; \
	static const struct joule_attr name##_7[] = { COMMON, ##__VA_ARGS__, { 0 } }; \
	static const struct joule_attr name##_14[] = { COMMON, ##__VA_ARGS__, \
						       JOULE_A_INT(ST, layout, 0), { 0 } }

TABLES(rnn);
TABLES(gru, JOULE_A_INT(ST, linear_before_reset, 0));
TABLES(lstm, JOULE_A_INT(ST, input_forget, 0));

#define RECURRENT(onnx, kind, from, to, inputs, outputs, table) \
	{ \
		.name = onnx, .code = kind, .since = from, .until = to, .min_in = 3, \
		.max_in = inputs, .min_out = 0, .max_out = outputs, .attrs_bytes = sizeof(ST), \
		.attrs = table, .prepare = recurrent_prepare, .infer = recurrent_infer, \
		.ref = joule_recurrent_ref, .bind = joule_recurrent_bind, .cost = recurrent_cost, \
	}

JOULE_OPS(recurrent) = {
	RECURRENT("RNN", JOULE_RNN, 1, 6, 6, 2, rnn_1),
	RECURRENT("RNN", JOULE_RNN, 7, 13, 6, 2, rnn_7),
	RECURRENT("RNN", JOULE_RNN, 14, 0, 6, 2, rnn_14),
	RECURRENT("GRU", JOULE_GRU, 1, 6, 6, 2, gru_1),
	RECURRENT("GRU", JOULE_GRU, 7, 13, 6, 2, gru_7),
	RECURRENT("GRU", JOULE_GRU, 14, 0, 6, 2, gru_14),
	RECURRENT("LSTM", JOULE_LSTM, 1, 6, 8, 3, lstm_1),
	RECURRENT("LSTM", JOULE_LSTM, 7, 13, 8, 3, lstm_7),
	RECURRENT("LSTM", JOULE_LSTM, 14, 0, 8, 3, lstm_14),
	JOULE_OPS_END,
};
