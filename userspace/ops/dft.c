// SPDX-License-Identifier: MIT
/*
 * Fourier transforms of any length. The reference is the definition, in double.
 * Kernels go through the factors of the length, one launch each (Stockham's
 * order, so that no reordering is needed), with roots of unity computed in
 * double; a prime factor is summed directly.
 */
#include "ops/dft.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ops/common.h"

/* exp(-2 pi i k / n), exact at multiples of an eighth of the circle. */
static void root(int64_t k, int64_t n, double *re, double *im)
{
	double angle;

	/* Octant by octant, so that the symmetric roots agree to the last bit. */
	if (k > n - k) {
		root(n - k, n, re, im);
		*im = -*im;
	} else if (4 * k > n) {
		root(n - 2 * k < 0 ? 2 * k - n : n - 2 * k, 2 * n, re, im);
		*re = -*re;
	} else if (8 * k > n) {
		root(n - 4 * k, 4 * n, im, re);
		*re = -*re;
		*im = -*im;
	} else {
		angle = 2 * M_PI * (double)k / (double)n;
		*re = cos(angle);
		*im = -sin(angle);
	}
}

/* ---- reference ---- */

struct line {
	double *re, *im;       /* n samples */
	double *w_re, *w_im;   /* n roots */
};

static void load(const struct joule_tensor *x, const struct joule_dft *f, int64_t at,
		 const struct line *l)
{
	for (int64_t t = 0; t < f->n; t++) {
		/* The mirrored half is the conjugate of what it mirrors. */
		bool mirrored = f->half && t > f->n / 2;
		int64_t s = mirrored ? f->n - t : t;
		int64_t i = at + s * f->step;
		double w = 1;

		l->re[t] = l->im[t] = 0;
		if (s >= f->in_len)
			continue;
		if (f->window)
			w = joule_get_f64(f->window->dtype, f->window->data, s);
		l->re[t] = w * joule_get_f64(x->dtype, x->data, i);
		if (f->in_complex)
			l->im[t] = w * joule_get_f64(x->dtype, x->data, i + 1);
		if (mirrored)
			l->im[t] = -l->im[t];
	}
}

static void transform(struct joule_tensor *y, const struct joule_dft *f, int64_t at,
		      const struct line *l)
{
	double scale = f->inverse ? 1 / (double)f->n : 1;

	for (int64_t k = 0; k < f->out_len; k++) {
		double re = 0, im = 0;

		for (int64_t t = 0, w = 0; t < f->n; t++) {
			double wr = l->w_re[w], wi = f->inverse ? -l->w_im[w] : l->w_im[w];

			re += l->re[t] * wr - l->im[t] * wi;
			im += l->re[t] * wi + l->im[t] * wr;
			w += k;
			if (w >= f->n)
				w -= f->n;
		}
		joule_set_f64(y->dtype, y->data, at + k * f->out_step, re * scale);
		if (f->out_complex)
			joule_set_f64(y->dtype, y->data, at + k * f->out_step + 1, im * scale);
	}
}

int joule_dft_ref(struct joule_node *node, const struct joule_dft *f)
{
	double *work = calloc((size_t)f->n, 4 * sizeof(*work));
	struct line l = { work, work + f->n, work + 2 * f->n, work + 3 * f->n };

	if (!work)
		return joule_node_err(node, -ENOMEM, "no memory for the reference");
	for (int64_t k = 0; k < f->n; k++)
		root(k, f->n, &l.w_re[k], &l.w_im[k]);
	for (int64_t i = 0; i < f->lines_a * f->lines_b; i++) {
		int64_t a = i / f->lines_b, b = i % f->lines_b;

		load(node->in[0], f, a * f->a_step + b * f->b_step, &l);
		transform(node->out[0], f, a * f->a_out + b * f->b_out, &l);
	}
	free(work);
	return 0;
}

/* ---- kernels ---- */

#define MAX_PASSES 32
#define RADIX 32 /* factors are multiplied up to this */

/* Factors of n, prime ones as they come, small ones gathered. Returns how many. */
static int factors(int64_t n, int64_t *out)
{
	int count = 0;

	for (int64_t p = 2; n > 1; p++) {
		if (p * p > n)
			p = n;
		while (n % p == 0) {
			n /= p;
			if (count && out[count - 1] * p <= RADIX)
				out[count - 1] *= p;
			else
				out[count++] = p;
		}
	}
	if (!count)
		out[count++] = 1;
	return count;
}

int64_t joule_dft_macs(const struct joule_dft *f)
{
	int64_t radix[MAX_PASSES], sum = 0;
	int passes = factors(f->n, radix);

	for (int i = 0; i < passes; i++)
		sum += radix[i];
	return f->lines_a * f->lines_b * f->n * sum * 4;
}

static struct joule_operand bind_roots(int64_t n, struct joule_binder *b)
{
	struct joule_operand operand;
	void *data;
	float *out;

	operand = joule_bind_const(b, (size_t)n * 2 * sizeof(*out), &data);
	out = data;
	for (int64_t k = 0; out && k < n; k++) {
		double re, im;

		root(k, n, &re, &im);
		*out++ = (float)re;
		*out++ = (float)im;
	}
	return operand;
}

/* As in shaders/dft.comp. */
struct params {
	uint32_t lines_b, in_len, out_len;
	uint32_t a_step, b_step, step, a_out, b_out, out_step;
};

static struct joule_operand bind_params(const struct joule_dft *f, struct joule_binder *b)
{
	struct joule_operand operand;
	void *data;

	operand = joule_bind_const(b, sizeof(struct params), &data);
	if (data)
		*(struct params *)data = (struct params){
			.lines_b = (uint32_t)f->lines_b, .in_len = (uint32_t)f->in_len,
			.out_len = (uint32_t)f->out_len, .a_step = (uint32_t)f->a_step,
			.b_step = (uint32_t)f->b_step, .step = (uint32_t)f->step,
			.a_out = (uint32_t)f->a_out, .b_out = (uint32_t)f->b_out,
			.out_step = (uint32_t)f->out_step,
		};
	return operand;
}

int joule_dft_bind(const struct joule_node *node, const struct joule_dft *f,
		   struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	int64_t radix[MAX_PASSES], lines = f->lines_a * f->lines_b, s = 1;
	struct joule_operand roots, params, work[2] = { JOULE_IN(0), JOULE_IN(0) };
	int passes = factors(f->n, radix);

	if (!dtype || !joule_bind_float(b, node->out[0]) ||
	    (f->window && !joule_bind_float(b, f->window)))
		return b->err;
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	if (lines > INT32_MAX / f->n || f->n > INT32_MAX / RADIX)
		return joule_bind_refuse(b, "2^31 elements or more");
	roots = bind_roots(f->n, b);
	params = bind_params(f, b);
	for (int i = 0; i < 2 && i < passes - 1; i++)
		work[i] = joule_bind_scratch(b, (uint64_t)(lines * f->n) * 2 * sizeof(float));
	for (int i = 0; i < passes; i++, s *= radix[i - 1]) {
		bool last = i == passes - 1;
		struct joule_dispatch *d = joule_bind(b, "dft_%s", dtype);

		joule_bind_read(d, JOULE_IN(0));
		joule_bind_read(d, f->window ? JOULE_IN((uint16_t)f->window_in) : JOULE_IN(0));
		joule_bind_read(d, roots);
		joule_bind_read(d, params);
		joule_bind_read(d, i ? work[(i - 1) % 2] : JOULE_IN(0));
		joule_bind_write(d, last ? JOULE_OUT(0) : work[i % 2]);
		joule_bind_write(d, JOULE_OUT(0));
		joule_bind_u32(d, (uint32_t)f->n);
		joule_bind_u32(d, (uint32_t)(lines * f->n));
		joule_bind_u32(d, (uint32_t)radix[i]);
		joule_bind_u32(d, (uint32_t)s);
		joule_bind_spec(d, i == 0);
		joule_bind_spec(d, last);
		joule_bind_spec(d, f->in_complex);
		joule_bind_spec(d, f->out_complex);
		joule_bind_spec(d, f->inverse);
		joule_bind_spec(d, f->half);
		joule_bind_spec(d, f->window != NULL);
		joule_bind_grid(b, d, 64, (uint64_t)(lines * f->n));
	}
	return joule_bind_end(b);
}
