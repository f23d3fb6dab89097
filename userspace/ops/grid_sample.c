// SPDX-License-Identifier: MIT
/*
 * GridSample: an image read at given places, in any number of dimensions. Each
 * coordinate becomes up to four taps along its axis; the value is the sum over
 * their products. Coordinates are worked out in single precision, so that ties
 * of nearest fall the same way everywhere.
 */
#include <errno.h>
#include <math.h>

#include "ops/move.h"

enum { GRID_LINEAR, GRID_NEAREST, GRID_CUBIC };
enum { PAD_ZEROS, PAD_BORDER, PAD_REFLECTION };

struct grid {
	int mode, padding_mode;
	int64_t align_corners;
};

#define KERNEL_DIMS 3

static int grid_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *grid = node->in[1];
	struct joule_shape s = grid->shape;
	int k = x->shape.rank - 2;
	char b[2][128];

	if (k < 1 || s.rank != x->shape.rank || s.dims[0] != x->shape.dims[0] ||
	    s.dims[s.rank - 1] != k)
		return joule_node_err(node, -EINVAL, "grid %s does not go with %s",
				      joule_shape_str(&grid->shape, b[0], sizeof(b[0])),
				      joule_shape_str(&x->shape, b[1], sizeof(b[1])));
	if (!joule_dtype_is_float(grid->dtype))
		return joule_err_dtype(node, grid);
	s.dims[1] = x->shape.dims[1];
	for (int d = 0; d < k; d++)
		s.dims[2 + d] = grid->shape.dims[1 + d];
	for (int d = 0; d < k; d++)
		if (!x->shape.dims[2 + d] && joule_shape_count(&s))
			return joule_node_err(node, -EINVAL, "there is no pixel to read");
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

/* ---- reference ---- */

/* Mirrored at the borders until inside. */
static float reflect(float x, float lo, float hi)
{
	float range = hi - lo, d, n, r;

	if (!(range > 0))
		return lo;
	if (x >= lo && x <= hi)
		return x;
	d = x < lo ? lo - x : x - hi;
	n = truncf(d / range);
	r = d - n * range;
	return (fmodf(n, 2) == 0) == (x < lo) ? lo + r : hi - r;
}

struct taps {
	int n;
	int64_t index[4]; /* -1: outside, worth 0 */
	double weight[4];
};

static void cubic_weights(double t, double *w)
{
	const double a = -0.75;

	w[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
	w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
	w[2] = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1;
	w[3] = ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a;
}

static void make_taps(const struct grid *a, float g, int64_t n, int dims, struct taps *t)
{
	float lo = a->align_corners ? 0 : -0.5f, hi = (float)n - (a->align_corners ? 1 : 0.5f);
	float x = a->align_corners ? (g + 1) / 2 * (float)(n - 1) : ((g + 1) * (float)n - 1) / 2;
	float base;

	/* In three dimensions ties go away from zero, as in PyTorch. */
	if (a->mode == GRID_NEAREST)
		x = dims == 3 ? roundf(x) : nearbyintf(x);
	if ((x < lo || x > hi) && a->padding_mode == PAD_BORDER)
		x = x < 0 ? 0 : x > (float)(n - 1) ? (float)(n - 1) : x;
	else if (a->padding_mode == PAD_REFLECTION)
		x = reflect(x, lo, hi);
	/* Far out, or no number at all: integers would overflow. */
	if (!(x >= -2e9f && x <= 2e9f))
		x = -2e9f;
	base = floorf(x);
	t->n = a->mode == GRID_NEAREST ? 1 : a->mode == GRID_LINEAR ? 2 : 4;
	if (a->mode == GRID_NEAREST)
		t->weight[0] = 1;
	else if (a->mode == GRID_LINEAR)
		t->weight[0] = 1 - (t->weight[1] = x - base);
	else
		cubic_weights(x - base, t->weight);
	for (int k = 0; k < t->n; k++) {
		int64_t i = (int64_t)base + k - (t->n == 4);

		if (a->padding_mode == PAD_ZEROS)
			i = i < 0 || i >= n ? -1 : i;
		else if (a->padding_mode == PAD_REFLECTION)
			i = (int64_t)reflect((float)i, lo, hi);
		t->index[k] = a->padding_mode == PAD_ZEROS ? i : i < 0 ? 0 : i >= n ? n - 1 : i;
	}
}

/* The sum over all products of taps of dimensions d and on; at: offset so far. */
static double sample(const struct joule_tensor *x, const struct taps *t, const int64_t *stride,
		     int dims, int64_t at)
{
	double sum = 0;

	for (int k = 0; k < t->n; k++) {
		int64_t to = at + t->index[k] * stride[0];

		if (t->index[k] < 0)
			continue;
		sum += t->weight[k] * (dims > 1 ? sample(x, t + 1, stride + 1, dims - 1, to) :
						  joule_get_f64(x->dtype, x->data, to));
	}
	return sum;
}

static int grid_ref(struct joule_node *node)
{
	const struct grid *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *grid = node->in[1];
	struct joule_tensor *y = node->out[0];
	int dims = x->shape.rank - 2;
	int64_t stride[JOULE_MAX_RANK], places = 1, n = y->shape.dims[0], c = y->shape.dims[1];

	joule_shape_strides(&x->shape, stride);
	for (int d = 0; d < dims; d++)
		places *= y->shape.dims[2 + d];
	for (int64_t i = 0; i < n * places && c; i++) {
		struct taps t[JOULE_MAX_RANK];
		int64_t batch = i / places, place = i % places;

		/* The last number of a grid entry is the innermost coordinate. */
		for (int d = 0; d < dims; d++)
			make_taps(a, (float)joule_get_f64(grid->dtype, grid->data,
							  i * dims + dims - 1 - d),
				  x->shape.dims[2 + d], dims, &t[d]);
		for (int64_t ch = 0; ch < c; ch++)
			joule_set_f64(y->dtype, y->data, (batch * c + ch) * places + place,
				      sample(x, t, stride + 2, dims,
					     batch * stride[0] + ch * stride[1]));
	}
	return 0;
}

/* ---- kernel ---- */

static int grid_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct grid *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *y = node->out[0];
	const char *dtype = joule_bind_float(b, x);
	int dims = x->shape.rank - 2;
	int64_t n = joule_tensor_count(y), places = 1, c = x->shape.dims[1];
	struct joule_dispatch *d;
	uint32_t channels = 8;

	if (!dtype || !joule_bind_float(b, y))
		return b->err;
	if (node->in[1]->dtype != x->dtype)
		return joule_bind_refuse(b, "grid and image differ in type");
	if (dims > KERNEL_DIMS)
		return joule_bind_refuse(b, "%d dimensions, the kernel takes %d", dims,
					 KERNEL_DIMS);
	if (!n)
		return joule_bind_end(b);
	for (int i = 0; i < dims; i++)
		places *= y->shape.dims[2 + i];
	d = joule_bind(b, "grid_sample_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)places);
	joule_bind_u32(d, (uint32_t)c);
	joule_bind_u32(d, channels);
	/* Outermost first, those missing are of length 1. */
	for (int i = 0; i < KERNEL_DIMS; i++) {
		int axis = i - (KERNEL_DIMS - dims);

		joule_bind_i32(d, axis < 0 ? 1 : (int32_t)x->shape.dims[2 + axis]);
	}
	joule_bind_spec(d, (uint32_t)dims);
	joule_bind_spec(d, (uint32_t)a->mode);
	joule_bind_spec(d, (uint32_t)a->padding_mode);
	joule_bind_spec(d, a->align_corners != 0);
	joule_bind_local(d, 64, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(places, 64),
			  (uint64_t)JOULE_DIV_UP(c, channels), (uint64_t)x->shape.dims[0]);
	return joule_bind_end(b);
}

static const char *const modes16[] = { "bilinear", "nearest", "bicubic", NULL };
static const char *const modes20[] = { "linear", "nearest", "cubic", NULL };
static const char *const paddings[] = { "zeros", "border", "reflection", NULL };

#define ATTRS(modes) \
	{ .name = "mode", .type = JOULE_ATTR_ENUM, .offset = offsetof(struct grid, mode), \
	  .def.names = modes }, \
	JOULE_A_ENUM(struct grid, padding_mode, paddings), \
	JOULE_A_INT(struct grid, align_corners, 0)
static const struct joule_attr attrs16[] = { ATTRS(modes16), { 0 } };
static const struct joule_attr attrs20[] = { ATTRS(modes20), { 0 } };

#define GRID .name = "GridSample", .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, \
	.attrs_bytes = sizeof(struct grid), .infer = grid_infer, .ref = grid_ref, \
	.bind = grid_bind

JOULE_OPS(grid_sample) = {
	{ GRID, .since = 16, .until = 19, .attrs = attrs16 },
	{ GRID, .since = 20, .attrs = attrs20 },
	JOULE_OPS_END,
};
