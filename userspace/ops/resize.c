// SPDX-License-Identifier: MIT
/*
 * Resize and Upsample. Nearest neighbours are a remap (ops/copy.h), for any
 * type; linear and cubic are weighted sums along each resized axis.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ops/copy.h"
#include "ops/resize_axis.h"

enum { POLICY_STRETCH, POLICY_NOT_LARGER, POLICY_NOT_SMALLER };

struct resize {
	int mode, coordinate_transformation_mode, nearest_mode, keep_aspect_ratio_policy;
	int64_t antialias, exclude_outside;
	float cubic_coeff_a, extrapolation_value;
	struct joule_ints axes;
	struct joule_floats scales;      /* Upsample 7 and 8 */
	float height_scale, width_scale; /* Upsample 1 to 6 */
};

/* What a node does: one entry an axis of the tensor. */
struct plan {
	struct joule_resize_params params;
	int rank;
	struct joule_resize_axis axis[JOULE_MAX_RANK];
};

/* ---- reading the node ---- */

/* Floats of input i: how many, 0 when omitted or empty, -ENODATA, -EINVAL (logged). */
static int read_floats(const struct joule_node *node, int i, double *out, int max)
{
	const struct joule_tensor *t = joule_node_in(node, i);
	int64_t n = t ? joule_tensor_count(t) : 0;

	if (!n)
		return 0;
	if (n > max || !joule_dtype_is_float(t->dtype))
		return joule_node_err(node, -EINVAL, "%s is no list of at most %d floats", t->name,
				      max);
	if (!t->data)
		return -ENODATA;
	for (int k = 0; k < n; k++)
		out[k] = joule_get_f64(t->dtype, t->data, k);
	return (int)n;
}

static int set_scale(const struct joule_node *node, struct joule_resize_axis *a, double scale)
{
	/* In single precision, as the length that other runtimes come to. */
	float out = floorf((float)a->in * (float)scale);

	if (!(scale > 0) || !(out < 0x1p31f))
		return joule_node_err(node, -EINVAL, "scale %g of an axis of %lld", scale,
				      (long long)a->in);
	a->scale = scale;
	a->out = (int64_t)out;
	return 0;
}

/* Sizes for the axes listed; the policy may shrink or grow some. */
static int set_sizes(const struct joule_node *node, struct plan *p, const int *axes, int n,
		     const int64_t *sizes)
{
	const struct resize *a = node->attrs;
	double scale[JOULE_MAX_RANK], least = INFINITY, most = 0;

	for (int i = 0; i < n; i++) {
		struct joule_resize_axis *axis = &p->axis[axes[i]];

		if (sizes[i] < 0 || sizes[i] > INT32_MAX || (sizes[i] && !axis->in))
			return joule_node_err(node, -EINVAL, "size %lld of an axis of %lld",
					      (long long)sizes[i], (long long)axis->in);
		scale[i] = axis->in ? (double)sizes[i] / (double)axis->in : 1;
		least = fmin(least, scale[i]);
		most = fmax(most, scale[i]);
	}
	for (int i = 0; i < n; i++) {
		struct joule_resize_axis *axis = &p->axis[axes[i]];
		double both = a->keep_aspect_ratio_policy == POLICY_NOT_LARGER ? least : most;

		axis->scale = scale[i];
		axis->out = sizes[i];
		if (a->keep_aspect_ratio_policy == POLICY_STRETCH)
			continue;
		if (!(both * (double)axis->in < 0x1p31))
			return joule_node_err(node, -EOVERFLOW, "an axis becomes too long");
		axis->scale = both;
		axis->out = (int64_t)(both * (double)axis->in + 0.5);
	}
	return 0;
}

/* Scales that are attributes or come as the operator's second input. */
static int read_upsample(const struct joule_node *node, struct plan *p)
{
	const struct resize *a = node->attrs;
	double scales[JOULE_MAX_RANK];
	int n = p->rank, ret = 0;

	if (node->op->since == 1) {
		for (int d = 0; d < n; d++)
			scales[d] = d == n - 2 ? a->height_scale : d == n - 1 ? a->width_scale : 1;
	} else if (node->op->since == 7) {
		n = a->scales.n;
		for (int d = 0; d < n && d < p->rank; d++)
			scales[d] = a->scales.v[d];
	} else {
		n = read_floats(node, 1, scales, JOULE_MAX_RANK);
	}
	if (n < 0)
		return n;
	if (n != p->rank)
		return joule_node_err(node, -EINVAL, "%d scales for a tensor of rank %d", n,
				      p->rank);
	for (int d = 0; !ret && d < n; d++)
		ret = set_scale(node, &p->axis[d], scales[d]);
	return ret;
}

static int read_resize(const struct joule_node *node, struct plan *p)
{
	const struct resize *a = node->attrs;
	double roi[2 * JOULE_MAX_RANK], scales[JOULE_MAX_RANK];
	int64_t sizes[JOULE_MAX_RANK];
	int axes[JOULE_MAX_RANK], n, n_roi = 0, n_scales, n_sizes = 0, ret = 0;

	n = joule_node_axes(node, a->axes.v, a->axes.n, p->rank, axes);
	if (n < 0)
		return n;
	if (a->coordinate_transformation_mode == JOULE_COORD_TF_CROP_AND_RESIZE)
		n_roi = read_floats(node, 1, roi, 2 * JOULE_MAX_RANK);
	n_scales = read_floats(node, 2, scales, JOULE_MAX_RANK);
	if (joule_node_in(node, 3))
		n_sizes = joule_node_ints(node, 3, sizes, JOULE_MAX_RANK);
	if (n_roi < 0 || n_scales < 0 || n_sizes < 0)
		return n_roi < 0 ? n_roi : n_scales < 0 ? n_scales : n_sizes;
	if ((n_sizes ? n_sizes : n_scales) != n ||
	    (a->coordinate_transformation_mode == JOULE_COORD_TF_CROP_AND_RESIZE &&
	     n_roi != 2 * n))
		return joule_node_err(node, -EINVAL, "%d scales, %d sizes, %d of a region: %d axes",
				      n_scales, n_sizes, n_roi, n);
	for (int i = 0; i < n && n_roi; i++) {
		p->axis[axes[i]].roi_start = roi[i];
		p->axis[axes[i]].roi_end = roi[n + i];
	}
	if (n_sizes)
		return set_sizes(node, p, axes, n, sizes);
	for (int i = 0; !ret && i < n; i++)
		ret = set_scale(node, &p->axis[axes[i]], scales[i]);
	return ret;
}

/* Shapes and scales of all axes. -ENODATA while something is not known. */
static int read_plan(const struct joule_node *node, struct plan *p)
{
	const struct resize *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;

	*p = (struct plan){
		.rank = x->rank,
		.params = {
			.mode = (enum joule_resize_mode)a->mode,
			.coord = (enum joule_resize_coord)a->coordinate_transformation_mode,
			.round = (enum joule_resize_round)a->nearest_mode,
			.cubic_a = a->cubic_coeff_a,
			.exclude_outside = a->exclude_outside,
			.antialias = a->antialias && a->mode != JOULE_RESIZE_NEAREST,
		},
	};
	for (int d = 0; d < x->rank; d++)
		p->axis[d] = (struct joule_resize_axis){ .in = x->dims[d], .out = x->dims[d],
							 .scale = 1, .roi_end = 1 };
	return node->op->code ? read_resize(node, p) : read_upsample(node, p);
}

static int resize_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = { .rank = x->shape.rank };
	struct plan p;
	int ret = read_plan(node, &p);

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (ret)
		return ret == -ENODATA ? 1 : ret;
	for (int d = 0; d < s.rank; d++)
		s.dims[d] = p.axis[d].out;
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

static void finish(struct plan *p)
{
	for (int d = 0; d < p->rank; d++)
		joule_resize_axis_finish(&p->axis[d]);
}

/* The taps of all axes that change. */
static int make_axes(const struct joule_node *node, struct plan *p)
{
	for (int d = 0; d < p->rank; d++) {
		int ret;

		if (joule_resize_axis_plain(&p->axis[d], &p->params))
			continue;
		ret = joule_resize_axis_make(&p->axis[d], &p->params);
		if (ret)
			return joule_node_err(node, ret, "no table for axis %d: %s", d,
					      ret == -ENOMEM ? "out of memory" : "too large");
	}
	return 0;
}

/* ---- nearest ---- */

static int make_remap(const struct joule_node *node, struct plan *p, struct joule_remap *r)
{
	joule_remap_init(r, &node->in[0]->shape, &node->out[0]->shape);
	for (int d = 0; d < p->rank; d++) {
		int32_t *table;

		if (!p->axis[d].index)
			continue;
		table = joule_remap_table(r, d);
		if (!table)
			return joule_node_err(node, -ENOMEM, "no table for axis %d: out of memory", d);
		memcpy(table, p->axis[d].index, (size_t)p->axis[d].out * sizeof(*table));
	}
	return 0;
}

static int nearest(const struct joule_node *node, struct plan *p, struct joule_binder *b)
{
	const struct resize *a = node->attrs;
	enum joule_dtype dtype = node->in[0]->dtype;
	struct joule_remap r = { 0 };
	uint64_t fill = 0;
	int ret = make_remap(node, p, &r);

	joule_set_f64(dtype, &fill, 0, a->extrapolation_value);
	if (!ret && b)
		joule_remap_bind(b, dtype, &r, JOULE_IN(0), JOULE_OUT(0),
				 joule_remap_fill(b, dtype, &fill));
	else if (!ret)
		joule_remap_ref(dtype, &r, node->in[0]->data, node->out[0]->data, &fill);
	joule_remap_finish(&r);
	return ret;
}

/* ---- linear and cubic, reference: one axis after the other in double ---- */

static void pass(const struct joule_resize_axis *a, double extrapolation, int64_t outer,
		 int64_t inner, const double *x, double *y)
{
	for (int64_t o = 0; o < outer; o++)
		for (int64_t c = 0; c < a->out; c++) {
			const int32_t *index = a->index + c * a->taps;
			double *to = y + (o * a->out + c) * inner;

			for (int64_t i = 0; i < inner; i++)
				to[i] = index[0] < 0 ? extrapolation : 0;
			for (int t = 0; t < a->taps && index[0] >= 0; t++) {
				const double *from = x + (o * a->in + index[t]) * inner;
				double w = a->weight[c * a->taps + t];

				for (int64_t i = 0; i < inner; i++)
					to[i] += w * from[i];
			}
		}
}

static int smooth_ref(struct joule_node *node, struct plan *p)
{
	const struct resize *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	struct joule_shape s = x->shape;
	int64_t n = joule_tensor_count(x);
	double *now = calloc((size_t)n, sizeof(*now));

	for (int64_t i = 0; now && i < n; i++)
		now[i] = joule_get_f64(x->dtype, x->data, i);
	for (int d = 0; now && d < p->rank; d++) {
		struct joule_lines l = joule_lines_of(&s, d);
		double *next = NULL;
		int64_t bytes;

		if (!p->axis[d].index)
			continue;
		s.dims[d] = p->axis[d].out;
		bytes = joule_array_bytes(JOULE_F64, &s);
		if (bytes >= 0)
			next = malloc(bytes ? (size_t)bytes : 1);
		if (next)
			pass(&p->axis[d], a->extrapolation_value, l.outer, l.inner, now, next);
		free(now);
		now = next;
	}
	if (!now)
		return joule_node_err(node, -ENOMEM, "no memory");
	n = joule_tensor_count(y);
	for (int64_t i = 0; i < n; i++)
		joule_set_f64(y->dtype, y->data, i, now[i]);
	free(now);
	return 0;
}

static int resize_ref(struct joule_node *node)
{
	struct plan p;
	int ret = read_plan(node, &p);

	if (ret)
		return ret;
	if (!joule_tensor_count(node->out[0]))
		return 0;
	ret = make_axes(node, &p);
	if (!ret)
		ret = p.params.mode == JOULE_RESIZE_NEAREST ? nearest(node, &p, NULL) :
							      smooth_ref(node, &p);
	finish(&p);
	return ret;
}

/* ---- linear and cubic, kernel ---- */

#define TAPPED 3

/* As the shader has it. */
struct tap_dim {
	uint32_t len, magic;
	int32_t stride;
	uint32_t table;
};

/* The dimensions that the kernel walks, plain neighbours merged. Innermost first. */
struct tap_walk {
	int rank, n_tapped;
	int64_t len[JOULE_MAX_RANK], stride[JOULE_MAX_RANK];
	const struct joule_resize_axis *axis[JOULE_MAX_RANK];
	int tapped[JOULE_MAX_RANK]; /* which of them have taps */
};

static void plan_walk(const struct plan *p, struct tap_walk *w)
{
	int64_t stride = 1;

	*w = (struct tap_walk){ 0 };
	for (int d = p->rank - 1; d >= 0; d--) {
		const struct joule_resize_axis *a = &p->axis[d];
		int last = w->rank - 1;

		if (a->index)
			w->tapped[w->n_tapped++] = w->rank;
		if (!a->index && w->rank && !w->axis[last]) {
			w->len[last] *= a->out;
		} else {
			w->len[w->rank] = a->out;
			w->stride[w->rank] = stride;
			w->axis[w->rank++] = a->index ? a : NULL;
		}
		stride *= a->in;
	}
}

/*
 * A table, tap by tap: offsets, then weights, padded to whole chunks of 4.
 * taps: 1 for pairs, whose first alone is told. There both may be the same
 * element, at the edge: then it has all the weight.
 */
static void write_table(const struct joule_resize_axis *a, int64_t stride, int taps,
			uint32_t *table)
{
	int64_t row = JOULE_ALIGN_UP(a->out, 4), size = row * taps;

	for (int t = 0; t < taps; t++)
		for (int64_t c = 0; c < row; c++) {
			int64_t from = JOULE_MIN(c, a->out - 1) * a->taps + t;
			bool twice = taps < a->taps && a->index[from] == a->index[from + 1];
			float weight = twice ? 1 : (float)a->weight[from];

			table[t * row + c] = a->index[from] < 0 ?
						     0x80000000u :
						     (uint32_t)(a->index[from] * stride);
			memcpy(&table[size + t * row + c], &weight, sizeof(weight));
		}
}

static size_t table_words(const struct joule_resize_axis *a, bool pairs)
{
	return (size_t)JOULE_ALIGN_UP(a->out, 4) * (size_t)(pairs ? 1 : a->taps) * 2;
}

static struct joule_operand bind_walk(struct joule_binder *b, const struct tap_walk *w, int per,
				      bool pairs)
{
	size_t words = (size_t)w->rank * 4, size = words;
	struct joule_operand o;
	struct tap_dim *dim;
	uint32_t *block;

	for (int i = 0; i < w->rank; i++)
		if (w->axis[i])
			size += table_words(w->axis[i], pairs);
	o = joule_bind_const(b, size * 4, (void **)&block);
	dim = (struct tap_dim *)block;
	for (int i = 0; block && i < w->rank; i++) {
		dim[i].len = (uint32_t)(i ? w->len[i] : JOULE_DIV_UP(w->len[i], per));
		dim[i].magic = joule_magic(dim[i].len);
		dim[i].stride = (int32_t)w->stride[i];
		dim[i].table = (uint32_t)words;
		if (!w->axis[i])
			continue;
		write_table(w->axis[i], w->stride[i], pairs ? 1 : w->axis[i]->taps, block + words);
		words += table_words(w->axis[i], pairs);
	}
	return o;
}

static void smooth_bind(const struct joule_node *node, const struct plan *p,
			struct joule_binder *b)
{
	const struct resize *a = node->attrs;
	const char *dtype = joule_bind_float(b, node->in[0]);
	int64_t n = joule_tensor_count(node->out[0]);
	struct joule_dispatch *d;
	struct tap_walk w;
	bool pairs = p->params.mode == JOULE_RESIZE_LINEAR && !p->params.antialias &&
		     !p->params.exclude_outside &&
		     p->params.coord != JOULE_COORD_TF_CROP_AND_RESIZE;
	int per;

	if (!dtype)
		return;
	plan_walk(p, &w);
	if (n > INT32_MAX) {
		joule_bind_refuse(b, "2^31 elements or more");
		return;
	}
	if (w.n_tapped > TAPPED) {
		joule_bind_refuse(b, "%d axes change, the kernel takes %d", w.n_tapped, TAPPED);
		return;
	}
	if (!w.n_tapped) {
		joule_copy_bytes_bind(b, joule_tensor_bytes(node->out[0]), JOULE_IN(0),
				      JOULE_OUT(0));
		return;
	}
	/* Four neighbours at once share all but the innermost axis. */
	per = w.axis[0] && w.len[0] >= 3 ? 4 : 1;
	n = n / w.len[0] * JOULE_DIV_UP(w.len[0], per);
	d = joule_bind(b, "resize_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_read(d, bind_walk(b, &w, per, pairs));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)w.len[0]);
	joule_bind_f32(d, a->extrapolation_value);
	for (int i = 0; i < TAPPED; i++)
		joule_bind_u32(d, i < w.n_tapped ?
					  (uint32_t)JOULE_ALIGN_UP(w.len[w.tapped[i]], 4) : 0);
	for (int i = 0; i < TAPPED; i++)
		joule_bind_i32(d, i < w.n_tapped ? (int32_t)w.stride[w.tapped[i]] : 0);
	for (int i = 0; i < TAPPED; i++) {
		int t = w.tapped[i];

		joule_bind_i32(d, i < w.n_tapped ?
					  (int32_t)((w.axis[t]->in - 1) * w.stride[t]) : 0);
	}
	joule_bind_spec(d, (uint32_t)w.rank);
	joule_bind_spec(d, (uint32_t)per);
	joule_bind_spec(d, p->params.coord == JOULE_COORD_TF_CROP_AND_RESIZE);
	for (int i = 0; i < TAPPED; i++) {
		bool there = i < w.n_tapped;

		joule_bind_spec(d, there ? (uint32_t)w.tapped[i] : 99);
		joule_bind_spec(d, there ? (uint32_t)w.axis[w.tapped[i]]->taps : 1);
	}
	joule_bind_spec(d, pairs);
	joule_bind_grid(b, d, 64, (uint64_t)n);
}

static int resize_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct plan p;
	int ret = read_plan(node, &p);

	if (ret == -ENODATA)
		return joule_bind_refuse(b, "scales or sizes are not known");
	if (ret)
		return ret;
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	ret = make_axes(node, &p);
	if (!ret && p.params.mode == JOULE_RESIZE_NEAREST)
		ret = nearest(node, &p, b);
	else if (!ret)
		smooth_bind(node, &p, b);
	finish(&p);
	return ret ? ret : joule_bind_end(b);
}

static void resize_cost(const struct joule_node *node, struct joule_cost *cost)
{
	cost->bytes = joule_tensor_bytes(node->in[0]) + joule_tensor_bytes(node->out[0]);
}

/* Before opset 11 there was one way: no half pixels, and nearest cut off. */
static int old_prepare(struct joule_node *node)
{
	struct resize *a = node->attrs;

	a->coordinate_transformation_mode = JOULE_COORD_ASYMMETRIC;
	a->nearest_mode = JOULE_ROUND_FLOOR;
	return 0;
}

/* The names in the order of the enums, each list as its opset has them. */
static const char *const modes[] = { "nearest", "linear", "cubic", NULL };
static const char *const upsample1_modes[] = { "nearest", "bilinear", NULL };
static const char *const coords[] = {
	"half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn",
	"tf_crop_and_resize", "pytorch_half_pixel", "half_pixel_symmetric", NULL
};
static const char *const rounds[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil",
				      NULL };
static const char *const policies[] = { "stretch", "not_larger", "not_smaller", NULL };

static const struct joule_attr upsample1[] = {
	{ .name = "mode", .type = JOULE_ATTR_ENUM, .offset = offsetof(struct resize, mode),
	  .def.names = upsample1_modes },
	{ .name = "height_scale", .type = JOULE_ATTR_FLOAT,
	  .offset = offsetof(struct resize, height_scale), .required = true },
	{ .name = "width_scale", .type = JOULE_ATTR_FLOAT,
	  .offset = offsetof(struct resize, width_scale), .required = true },
	{ 0 },
};
static const struct joule_attr upsample7[] = {
	JOULE_A_ENUM(struct resize, mode, modes),
	JOULE_A_FLOATS(struct resize, scales),
	{ 0 },
};
static const struct joule_attr resize10[] = { JOULE_A_ENUM(struct resize, mode, modes), { 0 } };

#define RESIZE11 \
	JOULE_A_ENUM(struct resize, coordinate_transformation_mode, coords), \
	JOULE_A_FLOAT(struct resize, cubic_coeff_a, -0.75f), \
	JOULE_A_INT(struct resize, exclude_outside, 0), \
	JOULE_A_FLOAT(struct resize, extrapolation_value, 0), \
	JOULE_A_ENUM(struct resize, mode, modes), \
	JOULE_A_ENUM(struct resize, nearest_mode, rounds)
static const struct joule_attr resize11[] = { RESIZE11, { 0 } };
static const struct joule_attr resize18[] = {
	RESIZE11,
	JOULE_A_INT(struct resize, antialias, 0),
	JOULE_A_INTS(struct resize, axes),
	JOULE_A_ENUM(struct resize, keep_aspect_ratio_policy, policies),
	{ 0 },
};

#define RESIZE(onnx, inputs_of_11, from, to, inputs_min, inputs_max, attributes) \
	.name = onnx, .code = inputs_of_11, .since = from, .until = to, .min_in = inputs_min, \
	.max_in = inputs_max, .min_out = 1, .max_out = 1, .attrs_bytes = sizeof(struct resize), \
	.attrs = attributes, .infer = resize_infer, .ref = resize_ref, .bind = resize_bind, \
	.cost = resize_cost

JOULE_OPS(resize) = {
	{ RESIZE("Upsample", 0, 1, 6, 1, 1, upsample1), .prepare = old_prepare },
	{ RESIZE("Upsample", 0, 7, 8, 1, 1, upsample7), .prepare = old_prepare },
	{ RESIZE("Upsample", 0, 9, 0, 2, 2, resize10), .prepare = old_prepare },
	{ RESIZE("Resize", 0, 10, 10, 2, 2, resize10), .prepare = old_prepare },
	{ RESIZE("Resize", 1, 11, 17, 1, 4, resize11) },
	{ RESIZE("Resize", 1, 18, 0, 1, 4, resize18) },
	JOULE_OPS_END,
};
