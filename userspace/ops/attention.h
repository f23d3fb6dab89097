/* SPDX-License-Identifier: MIT */
/* Scaled dot product attention: one description for reference and kernel. */
#ifndef JOULE_OPS_ATTENTION_H
#define JOULE_OPS_ATTENTION_H

#include <math.h>

#include "hal/binder.h"
#include "ir/op.h"

/* in[] and out[] of the node */
enum {
	JOULE_ATTN_Q,
	JOULE_ATTN_K,
	JOULE_ATTN_V,
	JOULE_ATTN_MASK,
	JOULE_ATTN_PAST_K,
	JOULE_ATTN_PAST_V,
	JOULE_ATTN_NONPAD,
};

enum {
	JOULE_ATTN_Y,
	JOULE_ATTN_PRESENT_K,
	JOULE_ATTN_PRESENT_V,
	JOULE_ATTN_QK,
};

/* What the fourth output shows. */
enum joule_qk_mode {
	JOULE_QK_RAW,     /* scaled products */
	JOULE_QK_CAPPED,  /* after softcap */
	JOULE_QK_BIASED,  /* and with mask added */
	JOULE_QK_SOFTMAX, /* probabilities */
};

struct joule_attention_attrs {
	int64_t is_causal, q_num_heads, kv_num_heads, qk_matmul_output_mode;
	int64_t softmax_precision, local_window_size;
	float scale; /* NaN: 1 / sqrt(head size) */
	float softcap;
	/*
	 * Of nodes that a pass made of MatMul, Add and Softmax, never of a
	 * file's: a query all of whose keys are masked need not give zeros.
	 */
	bool plain;
};

/* Strides in elements of a [batch, heads, sequence, head size] view. */
struct joule_heads {
	int64_t batch, head, row;
};

struct joule_attention {
	const struct joule_attention_attrs *attrs;
	int64_t batch, heads, kv_heads;
	int64_t rows;          /* queries */
	int64_t past, current; /* keys before and in this call */
	int64_t depth, v_depth; /* head sizes of q and k, and of v */
	struct joule_heads q, k, v, y, past_k, past_v, present_k, present_v;
	struct joule_heads mask; /* 0 where it is broadcast */
	int64_t mask_row_len;  /* keys it covers; the others are masked */
	int64_t group;         /* query heads for each key head */
	bool four_d;
	double scale;
};

/* Checks all shapes against each other. -EINVAL. */
int joule_attention_resolve(const struct joule_node *node, struct joule_attention *a);

static inline int64_t joule_attention_keys(const struct joule_attention *a)
{
	return a->past + a->current;
}

/*
 * First and one past the last key that query row i of a batch entry may see by
 * causality, window and padding. nonpad: its number of valid keys, or -1.
 */
static inline void joule_attention_range(const struct joule_attention *a, int64_t i,
					 int64_t nonpad, int64_t *lo, int64_t *hi)
{
	int64_t keys = joule_attention_keys(a), window = a->attrs->local_window_size;
	/* Where row 0 stands among the keys. */
	int64_t at = (a->past || nonpad < 0 ? a->past : nonpad - a->rows) + i;

	*lo = window > 0 ? at - window + 1 : 0;
	*hi = a->attrs->is_causal || window > 0 ? at + 1 : keys;
	if (nonpad >= 0 && *hi > nonpad)
		*hi = nonpad;
	if (*lo < 0)
		*lo = 0;
	if (*hi > keys)
		*hi = keys;
}

/*
 * On lavapipe: products, softmax, products, each by its tuned kernel. False
 * where that does not do, with nothing bound.
 */
bool joule_attention_bind_products(const struct joule_node *node, const struct joule_attention *a,
				   const char *dtype, struct joule_binder *b);

int joule_attention_bind(const struct joule_node *node, struct joule_binder *b);

#endif
