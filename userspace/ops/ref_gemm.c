// SPDX-License-Identifier: MIT
#include "ops/ref_gemm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "ir/access.h"

#define REF_GEMM_BLOCK 16
#define ROWS           4
#define COLS           8
#define STRIP          256 /* columns packed at a time */

/* Constant trip counts and no aliasing: compilers keep sum[][] in registers. */
static void tile(int64_t k, const float *restrict a, const float *restrict b,
		 double *restrict acc)
{
	for (int64_t k0 = 0; k0 < k; k0 += REF_GEMM_BLOCK) {
		float sum[ROWS][COLS] = { { 0 } };
		int64_t n = JOULE_MIN(REF_GEMM_BLOCK, k - k0);

		for (int64_t kk = 0; kk < n; kk++, a += ROWS, b += COLS)
			for (int i = 0; i < ROWS; i++)
				for (int j = 0; j < COLS; j++)
					sum[i][j] += a[i] * b[j];
		for (int i = 0; i < ROWS; i++)
			for (int j = 0; j < COLS; j++)
				acc[i * COLS + j] += (double)sum[i][j];
	}
}

/* Terms that are summed before the sum is added to the result. */
static int64_t float_block(int64_t columns, int64_t k)
{
	int64_t block = 128, width = 128;

	while (columns < k && width > 16 && width / 2 >= columns) {
		block *= 2;
		width /= 2;
	}
	return block;
}

static inline __attribute__((always_inline)) void
float_tile(int64_t k, int64_t block, const float *restrict a, const float *restrict b,
	   double *restrict acc)
{
	float total[ROWS][COLS] = { { 0 } };

	for (int64_t k0 = 0; k0 < k; k0 += block) {
		float sum[ROWS][COLS] = { { 0 } };
		int64_t n = JOULE_MIN(block, k - k0);

		for (int64_t kk = 0; kk < n; kk++, a += ROWS, b += COLS)
			for (int i = 0; i < ROWS; i++)
				for (int j = 0; j < COLS; j++)
					sum[i][j] = __builtin_fmaf(a[i], b[j], sum[i][j]);
		for (int i = 0; i < ROWS; i++)
			for (int j = 0; j < COLS; j++)
				total[i][j] += sum[i][j];
	}
	for (int i = 0; i < ROWS; i++)
		for (int j = 0; j < COLS; j++)
			acc[i * COLS + j] = (double)total[i][j];
}

static void float_tile_any(int64_t k, int64_t block, const float *a, const float *b, double *acc)
{
	float_tile(k, block, a, b, acc);
}

#ifdef __x86_64__
/* Processors without the instruction get the same from the C library, slowly. */
__attribute__((target("avx2,fma"))) static void
float_tile_fma(int64_t k, int64_t block, const float *a, const float *b, double *acc)
{
	float_tile(k, block, a, b, acc);
}
#else
#define float_tile_fma float_tile_any
#endif

static bool has_fma(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
	return false;
#endif
}

/* A single row: products rounded, by fours, then by two and one. */
static void float_row(int64_t k, const float *restrict a, const float *restrict b,
		      double *restrict acc)
{
	float total[COLS] = { 0 };

	for (int64_t kk = 0, n; kk < k; kk += n, a += n * ROWS, b += n * COLS) {
		n = k - kk >= 4 ? 4 : k - kk >= 2 ? 2 : 1;
		for (int j = 0; j < COLS; j++) {
			float t = a[0] * b[j];

			for (int64_t e = 1; e < n; e++)
				t += a[e * ROWS] * b[e * COLS + j];
			total[j] += t;
		}
	}
	for (int j = 0; j < COLS; j++)
		acc[j] = (double)total[j];
}

static void float_sums(const struct joule_ref_gemm *g, const float *a, const float *b, double *acc)
{
	int64_t block = float_block(g->columns, g->k);

	if (g->m == 1)
		float_row(g->k, a, b, acc);
	else if (has_fma())
		float_tile_fma(g->k, block, a, b, acc);
	else
		float_tile_any(g->k, block, a, b, acc);
}

/*
 * Panels of `width` vectors laid side by side, zero beyond n: out[(p, k, i)]
 * holds element k of vector p * width + i.
 */
static void pack(const float *src, int64_t step, int64_t k_step, int64_t n, int64_t k, int width,
		 float *out)
{
	for (int64_t p = 0; p < n; p += width)
		for (int64_t kk = 0; kk < k; kk++)
			for (int i = 0; i < width; i++)
				*out++ = p + i < n ? src[(p + i) * step + kk * k_step] : 0;
}

static void strip(const struct joule_ref_gemm *g, int64_t first, int64_t n, const float *a,
		  const float *b)
{
	for (int64_t i = 0; i < g->m; i += ROWS)
		for (int64_t j = 0; j < n; j += COLS) {
			double acc[ROWS * COLS] = { 0 };
			int64_t rows = JOULE_MIN(ROWS, g->m - i), cols = JOULE_MIN(COLS, n - j);

			if (g->sum == JOULE_SUM_FLOAT)
				float_sums(g, a + i * g->k, b + j * g->k, acc);
			else
				tile(g->k, a + i * g->k, b + j * g->k, acc);
			for (int64_t r = 0; r < rows; r++)
				memcpy(g->c + (i + r) * g->c_row + first + j, acc + r * COLS,
				       (size_t)cols * sizeof(double));
		}
}

int joule_ref_gemm(const struct joule_ref_gemm *g)
{
	int64_t width = JOULE_MIN(JOULE_ALIGN_UP(g->n, COLS), STRIP), a_len, b_len;
	float *a, *b;
	int ret = -ENOMEM;

	if (!g->m || !g->n)
		return 0;
	if (!joule_mul_i64(JOULE_ALIGN_UP(g->m, ROWS), g->k + 1, &a_len) ||
	    !joule_mul_i64(width, g->k + 1, &b_len))
		return -ENOMEM;
	a = calloc((size_t)a_len, sizeof(*a));
	b = calloc((size_t)b_len, sizeof(*b));
	if (!a || !b)
		goto out;
	pack(g->a, g->a_row, g->a_col, g->m, g->k, ROWS, a);
	for (int64_t j = 0; j < g->n; j += width) {
		int64_t n = JOULE_MIN(width, g->n - j);

		pack(g->b + j * g->b_col, g->b_col, g->b_row, n, g->k, COLS, b);
		strip(g, j, n, a, b);
	}
	ret = 0;
out:
	free(a);
	free(b);
	return ret;
}

const float *joule_ref_floats(const struct joule_tensor *t, float **copy)
{
	int64_t n = joule_tensor_count(t);

	*copy = NULL;
	if (t->dtype == JOULE_F32)
		return t->data;
	*copy = calloc(n ? (size_t)n : 1, sizeof(**copy));
	for (int64_t i = 0; *copy && i < n; i++)
		(*copy)[i] = (float)joule_get_f64(t->dtype, t->data, i);
	return *copy;
}

void joule_ref_store(struct joule_tensor *dst, int64_t first, const double *v, int64_t n)
{
	if (dst->dtype == JOULE_F32) {
		float *out = (float *)dst->data + first;

		for (int64_t i = 0; i < n; i++)
			out[i] = (float)v[i];
		return;
	}
	for (int64_t i = 0; i < n; i++)
		if (joule_dtype_is_float(dst->dtype))
			joule_set_f64(dst->dtype, dst->data, first + i, v[i]);
		else
			joule_set_i64(dst->dtype, dst->data, first + i, (int64_t)v[i]);
}
