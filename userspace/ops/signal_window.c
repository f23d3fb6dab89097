// SPDX-License-Identifier: MIT
/* HannWindow, HammingWindow, BlackmanWindow: made on the host from one number. */
#include <errno.h>
#include <math.h>

#include "ops/common.h"
#include "ops/move.h"

enum code { HANN, HAMMING, BLACKMAN };

struct signal_window {
	int64_t output_datatype, periodic;
};

static int window_infer(struct joule_node *node)
{
	const struct signal_window *a = node->attrs;
	struct joule_shape shape = { .rank = 1 };
	enum joule_dtype type = joule_dtype_from_onnx(a->output_datatype);
	int ret;

	if (!joule_dtype_is_float(type) && !joule_dtype_is_int(type))
		return joule_node_err(node, -ENOTSUP, "output_datatype %lld is not supported",
				      (long long)a->output_datatype);
	node->out[0]->dtype = type;
	if (!node->in[0]->data)
		return 1;
	ret = joule_node_int(node, 0, &shape.dims[0]);
	if (ret)
		return ret;
	if (shape.dims[0] < 0)
		return joule_node_err(node, -EINVAL, "size is %lld", (long long)shape.dims[0]);
	joule_set_out(node, 0, type, &shape);
	return 0;
}

/* a0 - a1 cos(2 pi i / n) + a2 cos(4 pi i / n) */
static int window_ref(struct joule_node *node)
{
	static const double c[][3] = {
		[HANN] = { 0.5, 0.5, 0 },
		[HAMMING] = { 25.0 / 46, 21.0 / 46, 0 },
		[BLACKMAN] = { 0.42, 0.5, 0.08 },
	};
	const struct signal_window *a = node->attrs;
	const double *w = c[node->op->code];
	struct joule_tensor *y = node->out[0];
	int64_t n = joule_tensor_count(y), period = a->periodic ? n : n - 1;

	for (int64_t i = 0; i < n; i++) {
		double t = 2 * M_PI * (double)i / (double)JOULE_MAX(period, 1);

		joule_set_f64(y->dtype, y->data, i, w[0] - w[1] * cos(t) + w[2] * cos(2 * t));
	}
	return 0;
}

static const struct joule_attr window_attrs[] = {
	JOULE_A_INT(struct signal_window, output_datatype, 1),
	JOULE_A_INT(struct signal_window, periodic, 1),
	{ 0 },
};

#define WINDOW(onnx, which) \
	{ \
		.name = onnx, .code = which, .since = 17, .min_in = 1, .max_in = 1, .min_out = 1, \
		.max_out = 1, .traits = JOULE_OP_HOST, \
		.attrs_bytes = sizeof(struct signal_window), .attrs = window_attrs, \
		.infer = window_infer, .ref = window_ref, \
	}

JOULE_OPS(signal_window) = {
	WINDOW("BlackmanWindow", BLACKMAN),
	WINDOW("HammingWindow", HAMMING),
	WINDOW("HannWindow", HANN),
	JOULE_OPS_END,
};
