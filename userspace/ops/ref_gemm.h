/* SPDX-License-Identifier: MIT */
/*
 * The matrix product behind the reference of convolutions, products and
 * recurrent layers: fast enough for whole models on one core, and the truth all
 * the same. Products are summed in float over REF_GEMM_BLOCK terms and the
 * blocks in double, so the error is that of a few float roundings however long
 * the sum is; and sums of products of 8-bit integers (held in floats) are exact.
 */
#ifndef JOULE_OPS_REF_GEMM_H
#define JOULE_OPS_REF_GEMM_H

#include <stdint.h>

#include "ir/graph.h"

/*
 * JOULE_SUM_FLOAT instead sums in fp32 alone, fused multiply-adds in the blocks
 * and order of ONNX Runtime's x86 kernels, bit for bit: recorded outputs of
 * quantized models hang on the last bit (docs/quantized.md).
 */
enum joule_sum { JOULE_SUM_WIDE, JOULE_SUM_FLOAT };

/* c(i, j) = sum over k of a(i, k) * b(k, j); strides in elements. */
struct joule_ref_gemm {
	int64_t m, n, k;
	const float *a;
	int64_t a_row, a_col; /* from i to i + 1, from k to k + 1 */
	const float *b;
	int64_t b_row, b_col; /* from k to k + 1, from j to j + 1 */
	double *c;
	int64_t c_row; /* columns lie side by side */
	enum joule_sum sum;
	int64_t columns; /* JOULE_SUM_FLOAT: n of the whole product, of which this is a part */
};

/* -ENOMEM when there is no room for the packed operands. */
int joule_ref_gemm(const struct joule_ref_gemm *g);

/*
 * The tensor's values as float: the
 * data itself when nothing has to change, else a copy in *copy, which the
 * caller frees. Widening is exact for f16, bf16 and integers below 2^24. NULL
 * when out of memory.
 */
const float *joule_ref_floats(const struct joule_tensor *t, float **copy);

/* dst[i] = the i-th value rounded to dst's type; integers wrap modulo 2^32. */
void joule_ref_store(struct joule_tensor *dst, int64_t first, const double *v, int64_t n);

#endif
