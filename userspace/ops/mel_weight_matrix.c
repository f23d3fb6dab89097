// SPDX-License-Identifier: MIT
/*
 * MelWeightMatrix: triangles that sum a spectrum's bins into mel bands. Its
 * inputs are five numbers, so it is computed once, on the CPU.
 */
#include <errno.h>
#include <math.h>

#include "ops/common.h"
#include "ops/move.h"

struct mel {
	int64_t output_datatype;
};

struct numbers {
	int64_t bands, length, rate;
	double low, high;
};

/* 1 while a value is not known. */
static int read_numbers(const struct joule_node *node, struct numbers *n)
{
	int64_t *ints[] = { &n->bands, &n->length, &n->rate };

	for (int i = 0; i < 5; i++) {
		const struct joule_tensor *t = node->in[i];

		if (!t->data)
			return 1;
		if (joule_tensor_count(t) != 1)
			return joule_node_err(node, -EINVAL, "%s is not one number", t->name);
		if (i < 3)
			*ints[i] = joule_get_i64(t->dtype, t->data, 0);
	}
	n->low = joule_get_f64(node->in[3]->dtype, node->in[3]->data, 0);
	n->high = joule_get_f64(node->in[4]->dtype, node->in[4]->data, 0);
	if (n->bands < 1 || n->length < 1 || n->rate < 1 || n->bands > INT32_MAX ||
	    n->length > INT32_MAX || n->rate > INT32_MAX || !(n->low >= 0) || !(n->high >= n->low))
		return joule_node_err(node, -EINVAL,
				      "%lld bands of %lld points at %lld Hz, %g to %g Hz",
				      (long long)n->bands, (long long)n->length,
				      (long long)n->rate, n->low, n->high);
	return 0;
}

static int mel_infer(struct joule_node *node)
{
	const struct mel *a = node->attrs;
	enum joule_dtype dtype = joule_dtype_from_onnx(a->output_datatype);
	struct joule_shape y = { .rank = 2 };
	struct numbers n;
	int ret;

	if (!dtype)
		return joule_node_err(node, -ENOTSUP, "output_datatype %lld is not supported",
				      (long long)a->output_datatype);
	ret = read_numbers(node, &n);
	if (ret < 0)
		return ret;
	y.dims[0] = ret ? -1 : n.length / 2 + 1;
	y.dims[1] = ret ? -1 : n.bands;
	joule_set_out(node, 0, dtype, &y);
	return ret;
}

static double to_mel(double hertz)
{
	return 2595 * log10(1 + hertz / 700);
}

/* The spectrum bin where band edge i lies. */
static int64_t edge(const struct numbers *n, int64_t i)
{
	double low = to_mel(n->low), step = (to_mel(n->high) - low) / (double)(n->bands + 2);
	double hertz = 700 * (pow(10, (low + step * (double)i) / 2595) - 1);

	return (int64_t)floor((double)(n->length + 1) * hertz / (double)n->rate);
}

static void put(struct joule_tensor *y, int64_t row, int64_t band, int64_t bands, double v)
{
	joule_set_f64(y->dtype, y->data, row * bands + band, v);
}

static int mel_ref(struct joule_node *node)
{
	struct joule_tensor *y = node->out[0];
	struct numbers n = { 0 };
	int ret = read_numbers(node, &n);

	if (ret)
		return ret < 0 ? ret : -ENODATA;
	if (edge(&n, n.bands + 1) > n.length / 2 + 1)
		return joule_node_err(node, -EINVAL, "%g Hz is beyond the spectrum", n.high);
	for (int64_t band = 0; band < n.bands; band++) {
		int64_t left = edge(&n, band), mid = edge(&n, band + 1), right = edge(&n, band + 2);

		if (mid > n.length / 2)
			continue;
		for (int64_t j = left; j < mid; j++)
			put(y, j, band, n.bands, (double)(j - left) / (double)(mid - left));
		put(y, mid, band, n.bands, 1);
		for (int64_t j = mid + 1; j < right; j++)
			put(y, j, band, n.bands, (double)(right - j) / (double)(right - mid));
	}
	return 0;
}

static const struct joule_attr attrs[] = {
	JOULE_A_INT(struct mel, output_datatype, 1),
	{ 0 },
};

JOULE_OPS(mel_weight_matrix) = {
	{
		.name = "MelWeightMatrix", .since = 17, .min_in = 5, .max_in = 5, .min_out = 1,
		.max_out = 1, .traits = JOULE_OP_HOST, .attrs_bytes = sizeof(struct mel),
		.attrs = attrs, .infer = mel_infer, .ref = mel_ref,
	},
	JOULE_OPS_END,
};
