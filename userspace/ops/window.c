// SPDX-License-Identifier: MIT
#include "ops/window.h"

#include <errno.h>

#include "base/checked.h"

/* Larger than any real one and small enough that no sum below can overflow. */
#define LIMIT (INT64_C(1) << 31)

const char *const joule_auto_pad_names[] = { "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", NULL };

/* A list of n numbers in [lo, LIMIT), or all def when it is absent. */
static int take(const struct joule_node *node, const char *what, const struct joule_ints *v,
		int n, int64_t lo, int64_t def, int64_t *out)
{
	if (v->n && v->n != n)
		return joule_node_err(node, -EINVAL, "%s has %d numbers, the shape asks for %d",
				      what, v->n, n);
	for (int i = 0; i < n; i++) {
		out[i] = v->n ? v->v[i] : def;
		if (out[i] < lo || out[i] >= LIMIT)
			return joule_node_err(node, -EINVAL, "%s: %lld is out of range", what,
					      (long long)out[i]);
	}
	return 0;
}

static int take_kernel(const struct joule_node *node, const struct joule_window_attrs *a,
		       const struct joule_shape *weight, int n, int64_t *kernel)
{
	int ret;

	if (!weight && !a->kernel_shape.n)
		return joule_node_err(node, -EINVAL, "kernel_shape is missing");
	if (weight && weight->rank != n + 2)
		return joule_node_err(node, -EINVAL, "weights have rank %d, the input has %d",
				      weight->rank, n + 2);
	ret = take(node, "kernel_shape", &a->kernel_shape, n, 1, 1, kernel);
	if (ret || !weight)
		return ret;
	for (int i = 0; i < n; i++) {
		int64_t k = weight->dims[i + 2];

		if (k < 1 || k >= LIMIT || (a->kernel_shape.n && kernel[i] != k))
			return joule_node_err(node, -EINVAL,
					      "kernel_shape[%d] is %lld, the weights have %lld", i,
					      (long long)kernel[i], (long long)k);
		kernel[i] = k;
	}
	return 0;
}

int joule_window_attrs_resolve(const struct joule_node *node, const struct joule_window_attrs *a,
			       const struct joule_shape *x, const struct joule_shape *weight,
			       struct joule_window *w)
{
	int n = x->rank - 2, o = JOULE_WINDOW_DIMS - n, ret;

	if (n < 1 || n > JOULE_WINDOW_DIMS) {
		char s[128];

		return joule_node_err(node, n < 1 ? -EINVAL : -ENOTSUP,
				      "input %s must have 1 to %d spatial dimensions",
				      joule_shape_str(x, s, sizeof(s)), JOULE_WINDOW_DIMS);
	}
	*w = (struct joule_window){ .n = n };
	for (int i = 0; i < o; i++)
		w->in[i] = w->out[i] = w->kernel[i] = w->stride[i] = w->dilation[i] = 1;
	for (int i = 0; i < n; i++) {
		w->in[o + i] = x->dims[i + 2];
		if (w->in[o + i] >= LIMIT)
			return joule_node_err(node, -ENOTSUP, "dimension %lld is too large",
					      (long long)w->in[o + i]);
	}
	ret = take_kernel(node, a, weight, n, w->kernel + o);
	if (!ret)
		ret = take(node, "strides", &a->strides, n, 1, 1, w->stride + o);
	if (!ret)
		ret = take(node, "dilations", &a->dilations, n, 1, 1, w->dilation + o);
	for (int i = 0; !ret && i < n; i++)
		if ((w->kernel[o + i] - 1) * w->dilation[o + i] >= LIMIT)
			ret = joule_node_err(node, -EINVAL, "the dilated kernel is too large");
	return ret;
}

static int resolve_dim(const struct joule_node *node, const struct joule_window_attrs *a,
		       struct joule_window *w, int d)
{
	int64_t in = w->in[d], s = w->stride[d];
	int64_t span = (w->kernel[d] - 1) * w->dilation[d] + 1, room;

	if (a->auto_pad == JOULE_PAD_SAME_UPPER || a->auto_pad == JOULE_PAD_SAME_LOWER) {
		int64_t total;

		w->out[d] = JOULE_DIV_UP(in, s);
		total = (w->out[d] - 1) * s + span - in;
		if (total < 0)
			total = 0;
		w->begin[d] = a->auto_pad == JOULE_PAD_SAME_LOWER ? (total + 1) / 2 : total / 2;
		w->end[d] = total - w->begin[d];
		return 0;
	}
	room = in + w->begin[d] + w->end[d] - span;
	if (room < 0)
		return joule_node_err(node, -EINVAL,
				      "a window of %lld does not fit %lld + %lld + %lld",
				      (long long)span, (long long)w->begin[d], (long long)in,
				      (long long)w->end[d]);
	w->out[d] = room / s + 1;
	/* Rounding up must not make a window that starts in the padding at the end. */
	if (a->ceil_mode && room % s && w->out[d] * s < in + w->begin[d])
		w->out[d]++;
	return 0;
}

int joule_window_resolve(const struct joule_node *node, const struct joule_window_attrs *a,
			 const struct joule_shape *x, const struct joule_shape *weight,
			 struct joule_window *w)
{
	int ret = joule_window_attrs_resolve(node, a, x, weight, w);
	int o = JOULE_WINDOW_DIMS - w->n;
	int64_t pads[2 * JOULE_WINDOW_DIMS];

	if (ret)
		return ret;
	ret = take(node, "pads", &a->pads, 2 * w->n, 0, 0, pads);
	for (int i = 0; !ret && i < w->n; i++) {
		/* auto_pad VALID means no padding; the SAME kinds make their own. */
		if (a->auto_pad == JOULE_PAD_NOTSET) {
			w->begin[o + i] = pads[i];
			w->end[o + i] = pads[w->n + i];
		}
		ret = resolve_dim(node, a, w, o + i);
	}
	return ret;
}

int64_t joule_window_in(const struct joule_window *w)
{
	return w->in[0] * w->in[1] * w->in[2];
}

int64_t joule_window_out(const struct joule_window *w)
{
	return w->out[0] * w->out[1] * w->out[2];
}

int64_t joule_window_kernel(const struct joule_window *w)
{
	return w->kernel[0] * w->kernel[1] * w->kernel[2];
}

struct joule_shape joule_window_shape(const struct joule_window *w, int64_t n, int64_t channels)
{
	struct joule_shape s = { .rank = 2 + w->n, .dims = { n, channels } };

	for (int i = 0; i < w->n; i++)
		s.dims[2 + i] = w->out[JOULE_WINDOW_DIMS - w->n + i];
	return s;
}

void joule_window_range(const struct joule_window *w, int d, int64_t k, int64_t *lo, int64_t *hi)
{
	int64_t shift = k * w->dilation[d] - w->begin[d], s = w->stride[d];
	int64_t last = w->in[d] - 1 - shift;

	*lo = shift < 0 ? JOULE_DIV_UP(-shift, s) : 0;
	*hi = last < 0 ? 0 : last / s + 1;
	if (*hi > w->out[d])
		*hi = w->out[d];
	if (*lo > *hi)
		*lo = *hi;
}

/* One row of the matrix: kernel position k of one channel. */
static void im2col_row(const struct joule_window *w, const float *x, const int64_t *k,
		       int64_t first, int64_t n, float pad, float *out)
{
	int64_t lo, hi, j = 0;

	joule_window_range(w, 2, k[2], &lo, &hi);
	while (j < n) {
		int64_t pos = first + j, ox = pos % w->out[2], rows = pos / w->out[2];
		int64_t z = rows / w->out[1] * w->stride[0] + k[0] * w->dilation[0] - w->begin[0];
		int64_t y = rows % w->out[1] * w->stride[1] + k[1] * w->dilation[1] - w->begin[1];
		int64_t shift = k[2] * w->dilation[2] - w->begin[2];
		int64_t run = JOULE_MIN(n - j, w->out[2] - ox), end = ox + run;
		const float *row = x + (z * w->in[1] + y) * w->in[2] + shift;

		if (z < 0 || z >= w->in[0] || y < 0 || y >= w->in[1]) {
			for (; ox < end; ox++)
				out[j++] = pad;
			continue;
		}
		for (; ox < end && ox < lo; ox++)
			out[j++] = pad;
		for (; ox < end && ox < hi; ox++)
			out[j++] = row[ox * w->stride[2]];
		for (; ox < end; ox++)
			out[j++] = pad;
	}
}

void joule_im2col(const struct joule_window *w, const float *x, int64_t channels, int64_t first,
		  int64_t n, float pad, float *out)
{
	int64_t k[JOULE_WINDOW_DIMS];

	for (int64_t c = 0; c < channels; c++, x += joule_window_in(w))
		for (k[0] = 0; k[0] < w->kernel[0]; k[0]++)
			for (k[1] = 0; k[1] < w->kernel[1]; k[1]++)
				for (k[2] = 0; k[2] < w->kernel[2]; k[2]++, out += n)
					im2col_row(w, x, k, first, n, pad, out);
}
