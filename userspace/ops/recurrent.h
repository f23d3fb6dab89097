/* SPDX-License-Identifier: MIT */
/* LSTM, GRU and RNN: one description for reference and kernels. */
#ifndef JOULE_OPS_RECURRENT_H
#define JOULE_OPS_RECURRENT_H

#include "hal/binder.h"
#include "ir/op.h"

/* node->op->code */
enum joule_recurrent_kind { JOULE_RNN, JOULE_GRU, JOULE_LSTM };

enum joule_direction { JOULE_FORWARD, JOULE_REVERSE, JOULE_BIDIRECTIONAL };

struct joule_recurrent_attrs {
	struct joule_strings activations;
	struct joule_floats activation_alpha, activation_beta;
	float clip; /* 0: none */
	int direction; /* enum joule_direction */
	int64_t hidden_size, input_forget, layout, linear_before_reset, output_sequence;
	/* f, g, h of each direction; settled by prepare */
	struct joule_ew_step activation[2][3];
};

/*
 * in[]: X, W, R, B, sequence_lens, initial_h, and for LSTM initial_c, P.
 * out[]: Y, Y_h, and for LSTM Y_c. Gates in the file's order: LSTM i o f c,
 * GRU z r h.
 */
struct joule_recurrent {
	enum joule_recurrent_kind kind;
	int gates, dirs;
	bool reverse;     /* direction 0 runs backwards */
	bool batch_first; /* layout 1 */
	int64_t steps, batch, input, hidden;
	const struct joule_recurrent_attrs *attrs;
};

/* Checks all shapes against each other. -EINVAL. */
int joule_recurrent_resolve(const struct joule_node *node, struct joule_recurrent *r);

/* Element offsets of x(t, b), y(t, dir, b) and of a state(dir, b). */
int64_t joule_recurrent_x(const struct joule_recurrent *r, int64_t t, int64_t b);
int64_t joule_recurrent_y(const struct joule_recurrent *r, int64_t t, int dir, int64_t b);
int64_t joule_recurrent_state(const struct joule_recurrent *r, int dir, int64_t b);

int joule_recurrent_ref(struct joule_node *node);
int joule_recurrent_bind(const struct joule_node *node, struct joule_binder *b);

#endif
