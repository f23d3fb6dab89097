// SPDX-License-Identifier: MIT
/* Col2Im: columns of blocks added up to the image they were taken from. */
#include <errno.h>

#include "ops/move.h"

struct col2im {
	struct joule_ints dilations, pads, strides;
};

/* Geometry along each image axis. */
struct blocks {
	int dims;
	int64_t image[JOULE_MAX_RANK], block[JOULE_MAX_RANK], dilation[JOULE_MAX_RANK];
	int64_t pad[JOULE_MAX_RANK], stride[JOULE_MAX_RANK];
	int64_t count[JOULE_MAX_RANK]; /* blocks */
	int64_t channels, kernel, columns, pixels;
};

static int64_t attr_at(const struct joule_ints *list, int i, int64_t otherwise)
{
	return i < list->n ? list->v[i] : otherwise;
}

/* -ENODATA while shapes are not known. */
static int read_blocks(const struct joule_node *node, struct blocks *g)
{
	const struct col2im *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;
	char buf[128];
	int n;

	*g = (struct blocks){ .kernel = 1, .columns = 1, .pixels = 1 };
	g->dims = joule_node_ints(node, 1, g->image, JOULE_MAX_RANK - 2);
	if (g->dims < 0)
		return g->dims;
	n = joule_node_ints(node, 2, g->block, JOULE_MAX_RANK - 2);
	if (n < 0)
		return n;
	if (n != g->dims || !n || (a->dilations.n && a->dilations.n != n) ||
	    (a->strides.n && a->strides.n != n) || (a->pads.n && a->pads.n != 2 * n))
		return joule_node_err(node, -EINVAL, "image of %d dimensions, blocks of %d", g->dims,
				      n);
	for (int d = 0; d < n; d++) {
		int64_t end = attr_at(&a->pads, n + d, 0), room;

		g->dilation[d] = attr_at(&a->dilations, d, 1);
		g->pad[d] = attr_at(&a->pads, d, 0);
		g->stride[d] = attr_at(&a->strides, d, 1);
		if (g->image[d] < 0 || g->image[d] > INT32_MAX || g->block[d] < 1 ||
		    g->block[d] > INT32_MAX || g->dilation[d] < 1 || g->dilation[d] > INT32_MAX ||
		    g->stride[d] < 1 || g->stride[d] > INT32_MAX || g->pad[d] < -INT32_MAX ||
		    g->pad[d] > INT32_MAX || end < -INT32_MAX || end > INT32_MAX)
			return joule_node_err(node, -EINVAL, "image axis %d is out of bounds", d);
		room = g->image[d] + g->pad[d] + end - g->dilation[d] * (g->block[d] - 1) - 1;
		g->count[d] = room < 0 ? 0 : room / g->stride[d] + 1;
		if (!joule_mul_i64(g->kernel, g->block[d], &g->kernel) ||
		    !joule_mul_i64(g->columns, g->count[d], &g->columns) ||
		    !joule_mul_i64(g->pixels, g->image[d], &g->pixels))
			return joule_node_err(node, -EOVERFLOW, "the image is too large");
	}
	if (x->rank != 3 || x->dims[1] % g->kernel || x->dims[2] != g->columns)
		return joule_node_err(node, -EINVAL, "%s is not columns of %lld for %lld blocks",
				      joule_shape_str(x, buf, sizeof(buf)), (long long)g->kernel,
				      (long long)g->columns);
	g->channels = x->dims[1] / g->kernel;
	return 0;
}

static int col2im_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = { 0 };
	struct blocks g;
	int ret = read_blocks(node, &g);

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (ret)
		return ret == -ENODATA ? 1 : ret;
	s.rank = g.dims + 2;
	s.dims[0] = x->shape.dims[0];
	s.dims[1] = g.channels;
	for (int d = 0; d < g.dims; d++)
		s.dims[2 + d] = g.image[d];
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

/* The column of block element k that holds the pixel, or -1. */
static int64_t column_of(const struct blocks *g, int64_t pixel, int64_t k)
{
	int64_t column = 0, step = 1;

	for (int d = g->dims - 1; d >= 0; d--) {
		int64_t t = pixel % g->image[d] + g->pad[d] - k % g->block[d] * g->dilation[d];

		if (t < 0 || t % g->stride[d] || t / g->stride[d] >= g->count[d])
			return -1;
		column += t / g->stride[d] * step;
		step *= g->count[d];
		pixel /= g->image[d];
		k /= g->block[d];
	}
	return column;
}

static int col2im_ref(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	int64_t n = joule_tensor_count(y);
	struct blocks g;
	int ret = read_blocks(node, &g);

	for (int64_t i = 0; !ret && i < n; i++) {
		int64_t image = i / g.pixels;
		double sum = 0;

		for (int64_t k = 0; k < g.kernel; k++) {
			int64_t column = column_of(&g, i % g.pixels, k);

			if (column >= 0)
				sum += joule_get_f64(x->dtype, x->data,
						     (image * g.kernel + k) * g.columns + column);
		}
		joule_set_f64(y->dtype, y->data, i, sum);
	}
	return ret;
}

/* As the shader has it, innermost first. */
struct block_dim {
	uint32_t image, image_magic, block, block_magic, stride_magic;
	int32_t dilation, pad, stride, count, unused;
};

static int col2im_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	int64_t n = joule_tensor_count(node->out[0]);
	struct joule_operand block;
	struct joule_dispatch *d;
	struct block_dim *dim;
	struct blocks g;
	int ret = read_blocks(node, &g);

	if (ret == -ENODATA)
		return joule_bind_refuse(b, "shapes are not known");
	if (ret)
		return ret;
	if (!dtype || !joule_bind_float(b, node->out[0]) || !n)
		return joule_bind_end(b);
	block = joule_bind_const(b, sizeof(*dim) * (size_t)g.dims, (void **)&dim);
	for (int i = 0; dim && i < g.dims; i++) {
		int k = g.dims - 1 - i;

		dim[i] = (struct block_dim){
			.image = (uint32_t)g.image[k],
			.image_magic = joule_magic((uint32_t)g.image[k]),
			.block = (uint32_t)g.block[k],
			.block_magic = joule_magic((uint32_t)g.block[k]),
			.stride_magic = joule_magic((uint32_t)g.stride[k]),
			.dilation = (int32_t)g.dilation[k],
			.pad = (int32_t)g.pad[k],
			.stride = (int32_t)g.stride[k],
			.count = (int32_t)g.count[k],
		};
	}
	d = joule_bind(b, "col2im_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_read(d, block);
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)g.pixels);
	joule_bind_u32(d, joule_magic((uint32_t)g.pixels));
	joule_bind_u32(d, (uint32_t)g.kernel);
	joule_bind_u32(d, (uint32_t)g.columns);
	joule_bind_spec(d, (uint32_t)g.dims);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = {
	JOULE_A_INTS(struct col2im, dilations),
	JOULE_A_INTS(struct col2im, pads),
	JOULE_A_INTS(struct col2im, strides),
	{ 0 },
};

JOULE_OPS(col2im) = {
	{ .name = "Col2Im", .since = 18, .min_in = 3, .max_in = 3, .min_out = 1, .max_out = 1,
	  .attrs_bytes = sizeof(struct col2im), .attrs = attrs, .infer = col2im_infer,
	  .ref = col2im_ref, .bind = col2im_bind },
	JOULE_OPS_END,
};
