// SPDX-License-Identifier: MIT
/* MaxUnpool: maxima put back where MaxPool found them, zeros around. */
#include <errno.h>

#include "ops/copy.h"

struct unpool {
	struct joule_ints kernel_shape, pads, strides;
};

/* The shape that the indices count in. */
static int pooled_from(const struct joule_node *node, struct joule_shape *s)
{
	const struct unpool *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;
	int dims = x->rank - 2;
	char buf[128];

	*s = *x;
	if (dims < 1 || a->kernel_shape.n != dims || (a->pads.n && a->pads.n != 2 * dims) ||
	    (a->strides.n && a->strides.n != dims) ||
	    !joule_shape_equal(x, &node->in[1]->shape) || !joule_dtype_is_int(node->in[1]->dtype))
		return joule_node_err(node, -EINVAL, "kernel of %d dimensions or indices do not go with %s",
				      a->kernel_shape.n, joule_shape_str(x, buf, sizeof(buf)));
	for (int d = 0; d < dims; d++) {
		int64_t stride = a->strides.n ? a->strides.v[d] : 1, n;
		int64_t pads = a->pads.n ? a->pads.v[d] : 0;

		if ((a->pads.n && !joule_add_i64(pads, a->pads.v[dims + d], &pads)) ||
		    pads < -INT32_MAX || pads > INT32_MAX ||
		    !joule_mul_i64(x->dims[2 + d] - 1, stride, &n) ||
		    !joule_add_i64(n, a->kernel_shape.v[d], &n) || n - pads < 0)
			return joule_node_err(node, -EINVAL, "axis %d comes to no length", 2 + d);
		s->dims[2 + d] = n - pads;
	}
	return 0;
}

static int unpool_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s, want;
	char b[2][128];
	int ret = pooled_from(node, &s);

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (ret)
		return ret;
	if (joule_node_in(node, 2)) {
		want.rank = joule_node_ints(node, 2, want.dims, JOULE_MAX_RANK);
		if (want.rank < 0)
			return want.rank == -ENODATA ? 1 : want.rank;
		for (int d = 0; d < s.rank; d++)
			if (want.rank != s.rank || want.dims[d] < s.dims[d])
				return joule_node_err(node, -EINVAL, "output %s has no room for %s",
						      joule_shape_str(&want, b[0], sizeof(b[0])),
						      joule_shape_str(&s, b[1], sizeof(b[1])));
		s = want;
	}
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

static int unpool_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *idx = node->in[1];
	struct joule_tensor *y = node->out[0];
	int64_t n = joule_tensor_count(x), stride[JOULE_MAX_RANK];
	struct joule_shape s;
	int ret = pooled_from(node, &s);

	joule_shape_strides(&y->shape, stride);
	for (int64_t i = 0; !ret && i < n; i++) {
		int64_t at = joule_node_index(node, idx, i, joule_shape_count(&s)), to = 0;

		if (at < 0)
			return (int)at;
		for (int d = s.rank - 1; d >= 0; d--) {
			to += at % s.dims[d] * stride[d];
			at /= s.dims[d];
		}
		joule_move(x->dtype, y->data, to, x->data, i);
	}
	return ret;
}

struct unpool_dim {
	uint32_t len, magic;
	int32_t stride, unused;
};

static int unpool_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_tensor *x = node->in[0], *y = node->out[0];
	unsigned int bytes = joule_bind_bytes(b, x);
	unsigned int words = joule_bind_index_words(b, node->in[1]);
	int64_t n = joule_tensor_count(x), stride[JOULE_MAX_RANK];
	struct joule_operand block;
	struct unpool_dim *dim;
	struct joule_dispatch *d;
	struct joule_shape s;
	int ret = pooled_from(node, &s);

	if (ret)
		return ret;
	if (b->err || !joule_bind_bytes(b, y))
		return b->err;
	joule_fill_bind(b, y->dtype, NULL, joule_tensor_count(y), JOULE_OUT(0));
	if (!n)
		return joule_bind_end(b);
	joule_shape_strides(&y->shape, stride);
	block = joule_bind_const(b, sizeof(*dim) * (size_t)s.rank, (void **)&dim);
	for (int i = 0; dim && i < s.rank; i++) {
		int k = s.rank - 1 - i;

		dim[i].len = (uint32_t)s.dims[k];
		dim[i].magic = joule_magic(dim[i].len);
		dim[i].stride = (int32_t)stride[k];
	}
	d = joule_bind(b, "max_unpool_%u", bytes);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	/* The zeros that are not written over stay. */
	joule_bind_read_write(d, JOULE_OUT(0));
	joule_bind_read(d, block);
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_i32(d, (int32_t)joule_shape_count(&s));
	joule_bind_spec(d, (uint32_t)s.rank);
	joule_bind_spec(d, words);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = {
	{ .name = "kernel_shape", .type = JOULE_ATTR_INTS,
	  .offset = offsetof(struct unpool, kernel_shape), .required = true },
	JOULE_A_INTS(struct unpool, pads),
	JOULE_A_INTS(struct unpool, strides),
	{ 0 },
};

JOULE_OPS(max_unpool) = {
	{ .name = "MaxUnpool", .since = 9, .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 1,
	  .attrs_bytes = sizeof(struct unpool), .attrs = attrs, .infer = unpool_infer,
	  .ref = unpool_ref, .bind = unpool_bind },
	JOULE_OPS_END,
};
