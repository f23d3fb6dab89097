/* SPDX-License-Identifier: MIT */
/* Einsum: the equation as strides by label, for reference and kernels. */
#ifndef JOULE_OPS_EINSUM_H
#define JOULE_OPS_EINSUM_H

#include "hal/binder.h"
#include "ir/op.h"

/*
 * Labels are numbers: A to Z 0 to 25, a to z 26 to 51, and the dimensions of
 * "..." from 52 on, aligned at the right. Sets of labels are bit masks.
 */
#define JOULE_EINSUM_ELLIPSIS 52
#define JOULE_EINSUM_LABELS   (JOULE_EINSUM_ELLIPSIS + JOULE_MAX_RANK)
#define JOULE_EINSUM_OPERANDS 16

struct joule_einsum_term {
	uint64_t labels;
	int64_t dim[JOULE_EINSUM_LABELS];    /* 1 where it is broadcast or absent */
	int64_t stride[JOULE_EINSUM_LABELS]; /* 0 where it is broadcast or absent */
};

struct joule_einsum {
	int n_terms;
	struct joule_einsum_term term[JOULE_EINSUM_OPERANDS];
	int n_out;
	int out[JOULE_MAX_RANK];           /* the output's labels */
	int64_t dim[JOULE_EINSUM_LABELS];  /* of each label, broadcast */
};

/* Parses the equation against the inputs' shapes. -EINVAL, -ENOTSUP. */
int joule_einsum_resolve(const struct joule_node *node, struct joule_einsum *e);

int joule_einsum_bind(const struct joule_node *node, struct joule_binder *b);

static inline uint64_t joule_einsum_out_set(const struct joule_einsum *e)
{
	uint64_t set = 0;

	for (int i = 0; i < e->n_out; i++)
		set |= UINT64_C(1) << e->out[i];
	return set;
}

#endif
