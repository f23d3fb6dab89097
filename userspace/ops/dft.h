/* SPDX-License-Identifier: MIT */
/* Discrete Fourier transforms along strided lines: what DFT and STFT share. */
#ifndef JOULE_OPS_DFT_H
#define JOULE_OPS_DFT_H

#include "hal/binder.h"
#include "ir/op.h"

/*
 * `lines` transforms of length n. Line l = (a, b), b fastest, starts at element
 * a * a_step + b * b_step of the input; its samples lie `step` apart, each one
 * (real) or two (complex) elements. Samples from in_len on are zero; with `half`
 * the input is the first half of a spectrum whose rest is its mirrored
 * conjugate. In the output line (a, b) starts at a * a_out + b * b_out, with
 * out_step between bins.
 */
struct joule_dft {
	int64_t n, in_len, out_len;
	int64_t lines_a, lines_b;
	int64_t a_step, b_step, step;
	int64_t a_out, b_out, out_step;
	bool in_complex, out_complex;
	bool inverse; /* conjugate twiddles and division by n */
	bool half;
	const struct joule_tensor *window; /* multiplies the samples; or NULL */
	int window_in; /* the window's place among the node's inputs */
};

/* node->out[0] from node->in[0]. */
int joule_dft_ref(struct joule_node *node, const struct joule_dft *f);
int joule_dft_bind(const struct joule_node *node, const struct joule_dft *f,
		   struct joule_binder *b);

/* Complex multiply-accumulates times four. */
int64_t joule_dft_macs(const struct joule_dft *f);

#endif
