/* SPDX-License-Identifier: MIT */
/*
 * The chain kernel: up to eight element-wise steps on one value, each with a
 * broadcast operand or none. It is the kernel of every broadcasting operator
 * (one step), of variadic ones, and of the internal operator "Chain" that the
 * fusion pass makes.
 */
#ifndef JOULE_OPS_CHAIN_H
#define JOULE_OPS_CHAIN_H

#include "hal/binder.h"
#include "ir/elementwise.h"
#include "ir/graph.h"

/* Attributes of "Chain" (domain "joule"). Operand 0 is the chain's own input. */
struct joule_chain {
	int n;
	struct joule_ew_step step[JOULE_EW_MAX_STEPS];
};

/* The most inputs that the kernel takes, the chain's own included. */
#define JOULE_CHAIN_MAX_ARGS 5

struct joule_chain_arg {
	struct joule_operand place;
	enum joule_dtype dtype;
	int64_t strides[JOULE_MAX_RANK]; /* over the output's axes */
};

/* One launch in the making. Fill it with the functions below. */
struct joule_chain_launch {
	struct joule_shape space; /* the output's */
	struct joule_operand out;
	enum joule_dtype out_dtype;
	int n_args, n_steps;
	struct joule_chain_arg arg[JOULE_CHAIN_MAX_ARGS]; /* 0 starts the chain */
	struct joule_ew_step step[JOULE_EW_MAX_STEPS];    /* operand: number of the arg */
};

/* A launch that writes that output of the node. */
void joule_chain_begin(struct joule_chain_launch *c, const struct joule_node *node, int out);

/* The node's input, NumPy-broadcast to the output; its number, or -1 when there is no room. */
int joule_chain_input(struct joule_chain_launch *c, const struct joule_node *node, int in);

/* Any operand with that shape; its number, or -1. */
int joule_chain_operand(struct joule_chain_launch *c, struct joule_operand place,
			enum joule_dtype dtype, const struct joule_shape *shape);

/* -1 when there is no room. operand: number of an arg, -1 for none. */
int joule_chain_step(struct joule_chain_launch *c, enum joule_ew_code code, int operand, float p,
		     float q);

/* Appends the node's fused steps. Refuses more than there is room for. */
int joule_chain_epilogue(struct joule_binder *b, struct joule_chain_launch *c,
			 const struct joule_node *node);

/* Binds the launch; call joule_bind_end() after it. Refuses what the kernel lacks. */
int joule_chain_bind(struct joule_binder *b, const struct joule_chain_launch *c);

#endif
