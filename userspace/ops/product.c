// SPDX-License-Identifier: MIT
#include "ops/product.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/common.h"
#include "ops/ref_gemm.h"

/* First usable wins: fast special cases come before the general one. */
static const struct joule_product_kernel *const kernels[] = {
	&joule_product_lavapipe,
	&joule_product_tile,
};

static int misfit(const struct joule_node *node, const struct joule_shape *a,
		  const struct joule_shape *b)
{
	char s[128], t[128];

	return joule_node_err(node, -EINVAL, "shapes %s and %s do not multiply",
			      joule_shape_str(a, s, sizeof(s)), joule_shape_str(b, t, sizeof(t)));
}

/* The leading dimensions of a stack of matrices, with strides of the whole. */
static void lead(const struct joule_shape *shape, struct joule_shape *out)
{
	*out = *shape;
	out->rank = shape->rank > 2 ? shape->rank - 2 : 0;
}

static void batch_strides(const struct joule_shape *lead_shape, int64_t matrix,
			  const struct joule_shape *batch, int64_t *strides)
{
	joule_broadcast_strides(lead_shape, batch, strides);
	for (int i = 0; i < batch->rank; i++)
		strides[i] *= matrix;
}

/* A shared right operand turns the left's batch into more rows. */
static void fold_batch(struct joule_product *p)
{
	int64_t step = p->m * p->a_row;

	for (int i = p->batch.rank - 1; i >= 0; i--) {
		if (p->b_batch[i] || (p->a_batch[i] != step && p->batch.dims[i] != 1))
			return;
		step *= p->batch.dims[i];
	}
	p->m *= joule_shape_count(&p->batch);
	p->batch.rank = 0;
}

int joule_product_matmul(const struct joule_node *node, const struct joule_shape *a,
			 const struct joule_shape *b, struct joule_product *p,
			 struct joule_shape *y)
{
	struct joule_shape a_lead, b_lead;

	if (a->rank < 1 || b->rank < 1)
		return misfit(node, a, b);
	*p = (struct joule_product){ .alpha = 1, .beta = 1 };
	p->scalar_row = a->rank == 1;
	p->scalar_col = b->rank == 1;
	p->m = p->scalar_row ? 1 : a->dims[a->rank - 2];
	p->k = a->dims[a->rank - 1];
	p->n = p->scalar_col ? 1 : b->dims[b->rank - 1];
	p->a_row = p->k;
	p->a_col = 1;
	p->b_row = p->n;
	p->b_col = 1;
	lead(a, &a_lead);
	lead(b, &b_lead);
	if (p->k != b->dims[p->scalar_col ? 0 : b->rank - 2] ||
	    joule_shape_broadcast(&a_lead, &b_lead, &p->batch))
		return misfit(node, a, b);
	if (y) {
		*y = p->batch;
		if (!p->scalar_row)
			y->dims[y->rank++] = p->m;
		if (!p->scalar_col)
			y->dims[y->rank++] = p->n;
	}
	batch_strides(&a_lead, p->m * p->k, &p->batch, p->a_batch);
	batch_strides(&b_lead, p->k * p->n, &p->batch, p->b_batch);
	fold_batch(p);
	return 0;
}

int64_t joule_product_batch(const struct joule_product *p)
{
	return joule_shape_count(&p->batch);
}

int64_t joule_product_macs(const struct joule_product *p)
{
	int64_t macs = p->m;

	if (!joule_mul_i64(macs, p->n, &macs) || !joule_mul_i64(macs, p->k, &macs) ||
	    !joule_mul_i64(macs, joule_product_batch(p), &macs))
		return INT64_MAX;
	return macs;
}

void joule_product_offsets(const struct joule_product *p, int64_t g, int64_t *a, int64_t *b)
{
	*a = *b = 0;
	for (int i = p->batch.rank - 1; i >= 0; i--) {
		*a += g % p->batch.dims[i] * p->a_batch[i];
		*b += g % p->batch.dims[i] * p->b_batch[i];
		g /= p->batch.dims[i];
	}
}

bool joule_product_regular(const struct joule_product *p, int64_t *a_stride, int64_t *b_stride)
{
	int64_t a = 0, b = 0, count = 1;
	bool first = true;

	for (int i = p->batch.rank - 1; i >= 0; i--) {
		if (p->batch.dims[i] == 1)
			continue;
		if (first) {
			a = p->a_batch[i];
			b = p->b_batch[i];
			first = false;
		} else if (p->a_batch[i] != a * count || p->b_batch[i] != b * count) {
			return false;
		}
		count *= p->batch.dims[i];
	}
	*a_stride = a;
	*b_stride = b;
	return true;
}

struct joule_operand joule_product_table(const struct joule_product *p, struct joule_binder *b)
{
	int64_t n = joule_product_batch(p), offset[2];
	struct joule_operand operand;
	void *data;
	uint32_t *out;

	operand = joule_bind_const(b, (size_t)n * 2 * sizeof(*out), &data);
	out = data;
	for (int64_t g = 0; out && g < n; g++) {
		joule_product_offsets(p, g, &offset[0], &offset[1]);
		*out++ = (uint32_t)offset[0];
		*out++ = (uint32_t)offset[1];
	}
	return operand;
}

/* ---- reference ---- */

/* alpha and beta on one matrix of sums. */
static void scale(const struct joule_product *p, double *sum)
{
	if (p->alpha == 1 && !p->c)
		return;
	for (int64_t i = 0; i < p->m; i++)
		for (int64_t j = 0; j < p->n; j++, sum++) {
			*sum *= (double)p->alpha;
			if (p->c)
				*sum += (double)p->beta *
					joule_get_f64(p->c->dtype, p->c->data,
						      i * p->c_row + j * p->c_col);
		}
}

static void sum_f64(const struct joule_product *p, const double *a, const double *b, double *sum)
{
	memset(sum, 0, (size_t)(p->m * p->n) * sizeof(*sum));
	for (int64_t i = 0; i < p->m; i++, sum += p->n)
		for (int64_t k = 0; k < p->k; k++)
			for (int64_t j = 0; j < p->n; j++)
				sum[j] += a[i * p->a_row + k * p->a_col] *
					  b[k * p->b_row + j * p->b_col];
}

static int ref_float(struct joule_node *node, const struct joule_product *p,
		     const struct joule_tensor *a, const struct joule_tensor *b)
{
	bool wide = a->dtype == JOULE_F64;
	float *a_copy = NULL, *b_copy = NULL;
	const float *fa = wide ? NULL : joule_ref_floats(a, &a_copy);
	const float *fb = wide ? NULL : joule_ref_floats(b, &b_copy);
	double *sum = calloc((size_t)(p->m * p->n) + 1, sizeof(*sum));
	int ret = sum && (wide || (fa && fb)) ? 0 : -ENOMEM;

	for (int64_t g = 0; !ret && g < joule_product_batch(p); g++) {
		int64_t at_a, at_b;

		joule_product_offsets(p, g, &at_a, &at_b);
		if (wide) {
			sum_f64(p, (const double *)a->data + at_a, (const double *)b->data + at_b,
				sum);
		} else {
			struct joule_ref_gemm gemm = {
				.m = p->m, .n = p->n, .k = p->k,
				.a = fa + at_a, .a_row = p->a_row, .a_col = p->a_col,
				.b = fb + at_b, .b_row = p->b_row, .b_col = p->b_col,
				.c = sum, .c_row = p->n,
			};

			ret = joule_ref_gemm(&gemm);
		}
		scale(p, sum);
		joule_ref_store(node->out[0], g * p->m * p->n, sum, p->m * p->n);
	}
	free(sum);
	free(a_copy);
	free(b_copy);
	return ret ? joule_node_err(node, ret, "no memory for the reference") : 0;
}

/* Integer products wrap. alpha and beta, if not 1, round toward zero as C does. */
static void ref_int(struct joule_node *node, const struct joule_product *p,
		    const struct joule_tensor *a, const struct joule_tensor *b)
{
	struct joule_tensor *y = node->out[0];

	for (int64_t i = 0; i < joule_tensor_count(y); i++) {
		int64_t row = i / p->n % p->m, col = i % p->n, at_a, at_b, v;
		uint64_t sum = 0;

		joule_product_offsets(p, i / p->n / p->m, &at_a, &at_b);
		at_a += row * p->a_row;
		at_b += col * p->b_col;
		for (int64_t k = 0; k < p->k; k++)
			sum += (uint64_t)joule_get_i64(a->dtype, a->data, at_a + k * p->a_col) *
			       (uint64_t)joule_get_i64(b->dtype, b->data, at_b + k * p->b_row);
		if (p->alpha != 1)
			sum = (uint64_t)(int64_t)((double)p->alpha * (double)(int64_t)sum);
		if (p->c) {
			v = joule_get_i64(p->c->dtype, p->c->data, row * p->c_row + col * p->c_col);
			sum += p->beta == 1 ? (uint64_t)v :
					      (uint64_t)(int64_t)((double)p->beta * (double)v);
		}
		joule_set_i64(y->dtype, y->data, i, (int64_t)sum);
	}
}

int joule_product_ref(struct joule_node *node, const struct joule_product *p,
		      const struct joule_tensor *a, const struct joule_tensor *b)
{
	if (joule_dtype_is_float(a->dtype))
		return ref_float(node, p, a, b);
	ref_int(node, p, a, b);
	return 0;
}

/* ---- kernels ---- */

int joule_product_bind(const struct joule_node *node, const struct joule_product *p,
		       struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->out[0]);

	if (!dtype || !joule_bind_float(b, node->in[0]) || !joule_bind_float(b, node->in[1]))
		return b->err;
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	for (size_t i = 0; i < JOULE_ARRAY_LEN(kernels); i++)
		if (kernels[i]->usable(node, p, b))
			return kernels[i]->bind(node, p, dtype, b);
	return joule_bind_refuse(b, "no kernel for this product");
}
