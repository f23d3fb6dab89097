// SPDX-License-Identifier: MIT
/* DFT and STFT. */
#include <errno.h>

#include "ops/common.h"
#include "ops/dft.h"

struct fourier {
	int64_t axis; /* DFT before opset 20; an input since */
	int64_t inverse, onesided;
};

/* The scalar input i; 1 when its value is not known yet, -EINVAL for no scalar. */
static int scalar(const struct joule_node *node, int i, int64_t *out)
{
	const struct joule_tensor *t = joule_node_in(node, i);
	int n;

	if (!t)
		return 0;
	if (!t->data)
		return 1;
	n = joule_tensor_ints(t, out, 1);
	return n == 1 ? 0 : joule_node_err(node, -EINVAL, "%s is not one integer", t->name);
}

static int check_float(const struct joule_node *node, const struct joule_tensor *t)
{
	return !t || joule_dtype_is_float(t->dtype) ? 0 : joule_err_dtype(node, t);
}

/* A real or complex signal: its last dimension is 1 or 2. */
static int check_signal(const struct joule_node *node, int min_rank)
{
	const struct joule_shape *s = &node->in[0]->shape;
	char buf[128];

	if (s->rank >= min_rank && (s->dims[s->rank - 1] == 1 || s->dims[s->rank - 1] == 2))
		return check_float(node, node->in[0]);
	return joule_node_err(node, -EINVAL, "input %s is no real or complex signal",
			      joule_shape_str(s, buf, sizeof(buf)));
}

/* ---- DFT ---- */

static int resolve_dft(const struct joule_node *node, struct joule_dft *f, struct joule_shape *y)
{
	const struct joule_shape *x = &node->in[0]->shape;
	const struct fourier *a = node->attrs;
	int64_t axis = node->op->code ? -2 : a->axis, length = 0, inner = 1, outer = 1;
	int ret = check_signal(node, 2), at;
	bool given = joule_node_in(node, 1);

	if (!ret)
		ret = scalar(node, 1, &length);
	if (!ret && node->op->code)
		ret = scalar(node, 2, &axis);
	if (ret)
		return ret;
	at = joule_node_axis(node, axis, x->rank);
	if (at < 0)
		return at;
	if (at == x->rank - 1)
		return joule_node_err(node, -EINVAL, "axis %lld is that of real and imaginary parts",
				      (long long)axis);
	for (int i = 0; i < x->rank - 1; i++) {
		outer *= i < at ? x->dims[i] : 1;
		inner *= i > at ? x->dims[i] : 1;
	}
	*f = (struct joule_dft){
		.in_complex = x->dims[x->rank - 1] == 2, .inverse = a->inverse != 0,
		.half = a->inverse && a->onesided, .lines_a = outer, .lines_b = inner,
	};
	f->out_complex = !f->half;
	f->n = given ? length : f->half ? 2 * (x->dims[at] - 1) : x->dims[at];
	if (f->n < 1 || f->n > INT32_MAX)
		return joule_node_err(node, -EINVAL, "transform of length %lld", (long long)f->n);
	f->in_len = JOULE_MIN(x->dims[at], f->half ? f->n / 2 + 1 : f->n);
	f->out_len = a->onesided && !a->inverse ? f->n / 2 + 1 : f->n;
	f->b_step = f->in_complex ? 2 : 1;
	f->step = inner * f->b_step;
	f->a_step = x->dims[at] * f->step;
	f->b_out = f->out_complex ? 2 : 1;
	f->out_step = inner * f->b_out;
	f->a_out = f->out_len * f->out_step;
	*y = *x;
	y->dims[at] = f->out_len;
	y->dims[y->rank - 1] = f->b_out;
	return 0;
}

/* ---- STFT: signal, frame_step, window, frame_length ---- */

static int resolve_stft(const struct joule_node *node, struct joule_dft *f, struct joule_shape *y)
{
	const struct joule_shape *x = &node->in[0]->shape;
	const struct joule_tensor *window = joule_node_in(node, 2);
	const struct fourier *a = node->attrs;
	int64_t step = 0, length = 0, frames;
	int ret = check_signal(node, 3);

	if (!ret)
		ret = scalar(node, 1, &step);
	if (!ret)
		ret = scalar(node, 3, &length);
	if (!ret)
		ret = check_float(node, window);
	if (ret)
		return ret;
	if (!joule_node_in(node, 3))
		length = window ? joule_tensor_count(window) : x->dims[1];
	if (x->rank != 3 || step < 1 || length < 1 || length > x->dims[1] || length > INT32_MAX)
		return joule_node_err(node, -EINVAL,
				      "frames of %lld, %lld apart, in a signal of %lld",
				      (long long)length, (long long)step, (long long)x->dims[1]);
	if (window && (window->shape.rank != 1 || window->shape.dims[0] > length))
		return joule_node_err(node, -EINVAL, "the window is longer than a frame of %lld",
				      (long long)length);
	frames = (x->dims[1] - length) / step + 1;
	*f = (struct joule_dft){
		.n = length, .in_len = window ? window->shape.dims[0] : length,
		.out_len = a->onesided ? length / 2 + 1 : length,
		.in_complex = x->dims[2] == 2, .out_complex = true,
		.lines_a = x->dims[0], .lines_b = frames,
		.a_step = x->dims[1] * x->dims[2], .b_step = step * x->dims[2],
		.step = x->dims[2], .window = window, .window_in = 2,
	};
	f->out_step = 2;
	f->b_out = f->out_len * 2;
	f->a_out = frames * f->b_out;
	*y = (struct joule_shape){ 4, { x->dims[0], frames, f->out_len, 2 } };
	return 0;
}

static int resolve(const struct joule_node *node, struct joule_dft *f, struct joule_shape *y)
{
	return node->op->code == 2 ? resolve_stft(node, f, y) : resolve_dft(node, f, y);
}

static int fourier_infer(struct joule_node *node)
{
	struct joule_shape y = { .rank = -1 };
	struct joule_dft f;
	int ret = resolve(node, &f, &y);

	if (ret >= 0)
		joule_set_out(node, 0, node->in[0]->dtype, &y);
	return ret;
}

static int fourier_ref(struct joule_node *node)
{
	struct joule_shape y;
	struct joule_dft f;
	int ret = resolve(node, &f, &y);

	if (ret)
		return ret < 0 ? ret : -ENODATA;
	return joule_dft_ref(node, &f);
}

static int fourier_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_shape y;
	struct joule_dft f;
	int ret = resolve(node, &f, &y);

	if (ret > 0)
		return joule_bind_refuse(b, "lengths are not constant");
	return ret ? ret : joule_dft_bind(node, &f, b);
}

static void fourier_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct joule_shape y;
	struct joule_dft f;

	if (!resolve(node, &f, &y))
		cost->macs = joule_dft_macs(&f);
}

#define ST struct fourier
static const struct joule_attr dft_17[] = {
	JOULE_A_INT(ST, axis, 1), JOULE_A_INT(ST, inverse, 0), JOULE_A_INT(ST, onesided, 0), { 0 },
};
static const struct joule_attr dft_20[] = {
	JOULE_A_INT(ST, inverse, 0), JOULE_A_INT(ST, onesided, 0), { 0 },
};
static const struct joule_attr stft[] = {
	JOULE_A_INT(ST, onesided, 1), { 0 },
};

#define FOURIER(onnx, kind, from, to, least, most, table) \
	{ \
		.name = onnx, .code = kind, .since = from, .until = to, .min_in = least, \
		.max_in = most, .min_out = 1, .max_out = 1, .attrs_bytes = sizeof(ST), \
		.attrs = table, .infer = fourier_infer, .ref = fourier_ref, \
		.bind = fourier_bind, .cost = fourier_cost, \
	}

JOULE_OPS(fourier) = {
	FOURIER("DFT", 0, 17, 19, 1, 2, dft_17),
	FOURIER("DFT", 1, 20, 0, 1, 3, dft_20),
	FOURIER("STFT", 2, 17, 0, 2, 4, stft),
	JOULE_OPS_END,
};
