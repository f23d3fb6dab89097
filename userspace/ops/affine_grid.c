// SPDX-License-Identifier: MIT
/* AffineGrid: where each output pixel of an affine transform comes from, for GridSample. */
#include <errno.h>

#include "ops/move.h"

struct affine {
	int64_t align_corners;
};

static int affine_infer(struct joule_node *node)
{
	const struct joule_tensor *theta = node->in[0];
	struct joule_shape s = { 0 };
	int64_t size[5];
	char buf[128];
	int n, dims;

	joule_set_out(node, 0, theta->dtype, &(struct joule_shape){ .rank = -1 });
	n = joule_node_ints(node, 1, size, 5);
	if (n < 0)
		return n == -ENODATA ? 1 : n;
	dims = n - 2;
	if ((dims != 2 && dims != 3) || theta->shape.rank != 3 || theta->shape.dims[0] != size[0] ||
	    theta->shape.dims[1] != dims || theta->shape.dims[2] != dims + 1)
		return joule_node_err(node, -EINVAL, "theta %s does not go with %d sizes",
				      joule_shape_str(&theta->shape, buf, sizeof(buf)), n);
	s.rank = dims + 2;
	s.dims[0] = size[0];
	for (int d = 0; d < dims; d++) {
		s.dims[1 + d] = size[2 + d];
		if (size[2 + d] < 0)
			return joule_node_err(node, -EINVAL, "size %d is negative", 2 + d);
	}
	s.dims[1 + dims] = dims;
	joule_set_out(node, 0, theta->dtype, &s);
	return 0;
}

/* The normalised coordinate of pixel i of n: the middle is 0. */
static double coordinate(int64_t i, int64_t n, bool align)
{
	if (align)
		return n > 1 ? 2.0 * (double)i / (double)(n - 1) - 1 : 0;
	return (2.0 * (double)i + 1) / (double)n - 1;
}

static int affine_ref(struct joule_node *node)
{
	const struct affine *a = node->attrs;
	const struct joule_tensor *theta = node->in[0];
	struct joule_tensor *y = node->out[0];
	int dims = y->shape.rank - 2;
	int64_t places = 1, count = joule_tensor_count(y) / dims;

	for (int d = 0; d < dims; d++)
		places *= y->shape.dims[1 + d];
	for (int64_t i = 0; i < count; i++) {
		int64_t rest = i % places, m = i / places * dims * (dims + 1);
		double v[4] = { 0 };

		/* x first, as in theta's columns. */
		for (int d = 0; d < dims; d++) {
			int64_t len = y->shape.dims[dims - d];

			v[d] = coordinate(rest % len, len, a->align_corners);
			rest /= len;
		}
		v[dims] = 1;
		for (int r = 0; r < dims; r++) {
			double sum = 0;

			for (int k = 0; k <= dims; k++)
				sum += v[k] * joule_get_f64(theta->dtype, theta->data,
							    m + r * (dims + 1) + k);
			joule_set_f64(y->dtype, y->data, i * dims + r, sum);
		}
	}
	return 0;
}

static int affine_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct affine *a = node->attrs;
	const struct joule_tensor *y = node->out[0];
	const char *dtype = joule_bind_float(b, y);
	int dims = y->shape.rank - 2;
	int64_t count = joule_tensor_count(y) / dims;
	struct joule_dispatch *d;

	if (!dtype || !count)
		return joule_bind_end(b);
	d = joule_bind(b, "affine_grid_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)count);
	for (int i = 0; i < 3; i++) {
		uint32_t len = i < dims ? (uint32_t)y->shape.dims[dims - i] : 1;

		joule_bind_u32(d, len);
		joule_bind_u32(d, joule_magic(len));
	}
	joule_bind_spec(d, (uint32_t)dims);
	joule_bind_spec(d, a->align_corners != 0);
	joule_bind_grid(b, d, 64, (uint64_t)count);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = { JOULE_A_INT(struct affine, align_corners, 0), { 0 } };

JOULE_OPS(affine_grid) = {
	{ .name = "AffineGrid", .since = 20, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1,
	  .attrs_bytes = sizeof(struct affine), .attrs = attrs, .infer = affine_infer,
	  .ref = affine_ref, .bind = affine_bind },
	JOULE_OPS_END,
};
