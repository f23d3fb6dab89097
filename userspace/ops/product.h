/* SPDX-License-Identifier: MIT */
/* Matrix products: what MatMul, Gemm and their quantized kin share. */
#ifndef JOULE_OPS_PRODUCT_H
#define JOULE_OPS_PRODUCT_H

#include "hal/binder.h"
#include "ir/op.h"

/*
 * y(g, i, j) = alpha * sum over k of a(g, i, k) * b(g, k, j) + beta * c(i, j)
 * with strides in elements; y is dense. g runs over the broadcast batch.
 */
struct joule_product {
	int64_t m, n, k;
	int64_t a_row, a_col; /* from i to i + 1, from k to k + 1 */
	int64_t b_row, b_col; /* from k to k + 1, from j to j + 1 */
	struct joule_shape batch; /* rank 0: one product */
	int64_t a_batch[JOULE_MAX_RANK], b_batch[JOULE_MAX_RANK];
	bool scalar_row, scalar_col; /* y lacks the dimension i or j (a 1-D operand) */
	float alpha, beta;
	const struct joule_tensor *c; /* or NULL */
	int64_t c_row, c_col;
};

/* MatMul's rules for operands of any rank (1-D ones too). *y may be NULL. -EINVAL. */
int joule_product_matmul(const struct joule_node *node, const struct joule_shape *a,
			 const struct joule_shape *b, struct joule_product *p,
			 struct joule_shape *y);

int64_t joule_product_batch(const struct joule_product *p);
int64_t joule_product_macs(const struct joule_product *p);

/* Element offsets of batch entry g in a and b. */
void joule_product_offsets(const struct joule_product *p, int64_t g, int64_t *a, int64_t *b);

/* The reference: y = node->out[0] from a and b of the same type, floats or integers. */
int joule_product_ref(struct joule_node *node, const struct joule_product *p,
		      const struct joule_tensor *a, const struct joule_tensor *b);

/* One way to compute such a product on a device. Operands are node inputs 0 and 1. */
struct joule_product_kernel {
	const char *name;
	bool (*usable)(const struct joule_node *node, const struct joule_product *p,
		       const struct joule_binder *b);
	/* dtype: "f32" or "f16", the storage type of all operands. */
	int (*bind)(const struct joule_node *node, const struct joule_product *p,
		    const char *dtype, struct joule_binder *b);
};

/* product_lavapipe.c: most cases, on lavapipe. */
extern const struct joule_product_kernel joule_product_lavapipe;

/* product_tile.c: every case. */
extern const struct joule_product_kernel joule_product_tile;

/* Where a launch's operands are. */
struct joule_product_places {
	struct joule_operand a, b, c, y;
};

/*
 * Adds a launch of that kernel for operands anywhere. axis: as for
 * joule_epilogue_bind(), of the product's columns. The binder's error.
 */
int joule_product_tile_launch(const struct joule_node *node, const struct joule_product *p,
			      const char *dtype, const struct joule_product_places *at, int axis,
			      struct joule_binder *b);

/* Chooses a kernel. Refuses types without one. */
int joule_product_bind(const struct joule_node *node, const struct joule_product *p,
		       struct joule_binder *b);

/*
 * For kernels that find a batch entry's operands by number: true when all
 * entries lie a constant stride apart (0: shared), else the offsets have to
 * come from joule_product_table().
 */
bool joule_product_regular(const struct joule_product *p, int64_t *a_stride, int64_t *b_stride);

/* Constant [batch][2] of u32: each entry's element offset in a and b. */
struct joule_operand joule_product_table(const struct joule_product *p, struct joule_binder *b);

#endif
