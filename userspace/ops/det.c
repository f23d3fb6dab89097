// SPDX-License-Identifier: MIT
/* Det: determinants of square matrices by elimination with row exchanges. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ops/common.h"

static int det_infer(struct joule_node *node)
{
	struct joule_shape shape = node->in[0]->shape;
	char s[128];

	if (!joule_dtype_is_float(node->in[0]->dtype))
		return joule_err_dtype(node, node->in[0]);
	if (shape.rank < 2 || shape.dims[shape.rank - 1] != shape.dims[shape.rank - 2])
		return joule_node_err(node, -EINVAL, "%s holds no square matrices",
				      joule_shape_str(&shape, s, sizeof(s)));
	shape.rank -= 2;
	joule_set_out(node, 0, node->in[0]->dtype, &shape);
	return 0;
}

static double det(double *a, int64_t m)
{
	double r = 1;

	for (int64_t k = 0; k < m; k++) {
		int64_t p = k;

		for (int64_t i = k + 1; i < m; i++)
			if (fabs(a[i * m + k]) > fabs(a[p * m + k]))
				p = i;
		for (int64_t j = k; p != k && j < m; j++) {
			double v = a[k * m + j];

			a[k * m + j] = a[p * m + j];
			a[p * m + j] = v;
		}
		r *= p == k ? a[k * m + k] : -a[k * m + k];
		if (!a[k * m + k])
			return 0;
		for (int64_t i = k + 1; i < m; i++) {
			double f = a[i * m + k] / a[k * m + k];

			for (int64_t j = k + 1; j < m; j++)
				a[i * m + j] -= f * a[k * m + j];
		}
	}
	return r;
}

static int det_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	int64_t m = x->shape.dims[x->shape.rank - 1], n = joule_tensor_count(node->out[0]);
	double *a = calloc((size_t)(m * m) + 1, sizeof(*a));

	if (!a)
		return joule_node_err(node, -ENOMEM, "no memory for a matrix of %lld rows",
				      (long long)m);
	for (int64_t i = 0; i < n; i++) {
		for (int64_t k = 0; k < m * m; k++)
			a[k] = joule_get_f64(x->dtype, x->data, i * m * m + k);
		joule_set_f64(x->dtype, node->out[0]->data, i, det(a, m));
	}
	free(a);
	return 0;
}

/* One invocation a matrix, on a copy in scratch memory. */
static int det_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	const struct joule_shape *s = &node->in[0]->shape;
	int64_t n = joule_tensor_count(node->out[0]);
	struct joule_dispatch *d;

	if (!dtype)
		return b->err;
	d = joule_bind(b, "det_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_read_write(d, joule_bind_scratch(b, (uint64_t)joule_tensor_count(node->in[0]) *
								sizeof(float) + 4));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)s->dims[s->rank - 1]);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

JOULE_OPS(det) = {
	{
		.name = "Det", .since = 11, .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1,
		.infer = det_infer, .ref = det_ref, .bind = det_bind,
	},
	JOULE_OPS_END,
};
