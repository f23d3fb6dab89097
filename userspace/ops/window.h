/* SPDX-License-Identifier: MIT */
/* The sliding window that convolutions and pools share: attributes and geometry. */
#ifndef JOULE_OPS_WINDOW_H
#define JOULE_OPS_WINDOW_H

#include "ir/op.h"

/* Spatial dimensions handled: [N, C, (D, (H,)) W]. */
#define JOULE_WINDOW_DIMS 3

enum joule_auto_pad {
	JOULE_PAD_NOTSET,
	JOULE_PAD_SAME_UPPER,
	JOULE_PAD_SAME_LOWER,
	JOULE_PAD_VALID,
};

struct joule_window_attrs {
	int auto_pad; /* enum joule_auto_pad */
	struct joule_ints kernel_shape, strides, dilations, pads;
	int64_t ceil_mode;
};

extern const char *const joule_auto_pad_names[];

/* Rows of an attribute table for a struct with a `struct joule_window_attrs window`. */
#define JOULE_A_WINDOW(st, attr, kind) \
	{ .name = #attr, .type = kind, .offset = offsetof(st, window.attr) }
#define JOULE_A_AUTO_PAD(st) \
	{ .name = "auto_pad", .type = JOULE_ATTR_ENUM, .offset = offsetof(st, window.auto_pad), \
	  .def.names = joule_auto_pad_names }

/*
 * Geometry with the outer dimensions filled up with ones, so that all code is
 * three-dimensional: out = (in + begin + end - (kernel - 1) * dilation - 1) / stride + 1.
 */
struct joule_window {
	int n; /* spatial dimensions of the file: 1 to 3, the last n of the arrays */
	int64_t in[JOULE_WINDOW_DIMS], out[JOULE_WINDOW_DIMS];
	int64_t kernel[JOULE_WINDOW_DIMS];
	int64_t stride[JOULE_WINDOW_DIMS], dilation[JOULE_WINDOW_DIMS];
	int64_t begin[JOULE_WINDOW_DIMS], end[JOULE_WINDOW_DIMS]; /* padding */
};

/*
 * x: [N, C, spatial...]. weight: [M, C/group, spatial...] gives the kernel's
 * size, or NULL to take it from kernel_shape; where both are there they must
 * agree. -EINVAL (logged) for anything that does not fit together.
 */
int joule_window_resolve(const struct joule_node *node, const struct joule_window_attrs *a,
			 const struct joule_shape *x, const struct joule_shape *weight,
			 struct joule_window *w);

/*
 * The part of joule_window_resolve() that transposed convolution needs: all
 * but out[], begin[] and end[].
 */
int joule_window_attrs_resolve(const struct joule_node *node, const struct joule_window_attrs *a,
			       const struct joule_shape *x, const struct joule_shape *weight,
			       struct joule_window *w);

/* Elements of the spatial part of the input, output and kernel. */
int64_t joule_window_in(const struct joule_window *w);
int64_t joule_window_out(const struct joule_window *w);
int64_t joule_window_kernel(const struct joule_window *w);

/* [n, channels, out...] */
struct joule_shape joule_window_shape(const struct joule_window *w, int64_t n, int64_t channels);

/*
 * First and one past the last output position along dimension d whose input
 * position o * stride + k * dilation - begin lies inside the input.
 */
void joule_window_range(const struct joule_window *w, int d, int64_t k, int64_t *lo, int64_t *hi);

/*
 * Gathers one image's patches as a matrix: row (c, kd, kh, kw), column = output
 * position first + j, for j < n. Elements outside the image are pad.
 */
void joule_im2col(const struct joule_window *w, const float *x, int64_t channels, int64_t first,
		  int64_t n, float pad, float *out);

#endif
