// SPDX-License-Identifier: MIT
/* RoiAlign: regions of an image pooled to one size, by samples between pixels. */
#include <errno.h>
#include <math.h>

#include "ops/move.h"

enum { ROI_AVG, ROI_MAX };
enum { ROI_HALF_PIXEL, ROI_OUTPUT_HALF_PIXEL };

struct roi {
	int mode, coordinate_transformation_mode;
	int64_t output_height, output_width, sampling_ratio;
	float spatial_scale;
};

/* Samples of a bin along one axis, where the region decides: no more than this. */
#define MOST_SAMPLES 4096

static int roi_infer(struct joule_node *node)
{
	const struct roi *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape, *rois = &node->in[1]->shape;
	const struct joule_shape *batch = &node->in[2]->shape;
	struct joule_shape s = { .rank = 4 };
	char b[3][128];

	if (x->rank != 4 || rois->rank != 2 || rois->dims[1] != 4 || batch->rank != 1 ||
	    batch->dims[0] != rois->dims[0] || !joule_dtype_is_int(node->in[2]->dtype))
		return joule_node_err(node, -EINVAL, "regions %s of batches %s do not go with %s",
				      joule_shape_str(rois, b[0], sizeof(b[0])),
				      joule_shape_str(batch, b[1], sizeof(b[1])),
				      joule_shape_str(x, b[2], sizeof(b[2])));
	if (a->output_height < 0 || a->output_width < 0 || a->sampling_ratio < 0 ||
	    a->sampling_ratio > MOST_SAMPLES)
		return joule_node_err(node, -EINVAL, "output %lldx%lld with %lld samples a bin",
				      (long long)a->output_height, (long long)a->output_width,
				      (long long)a->sampling_ratio);
	s.dims[0] = rois->dims[0];
	s.dims[1] = x->dims[1];
	s.dims[2] = a->output_height;
	s.dims[3] = a->output_width;
	joule_set_out(node, 0, node->in[0]->dtype, &s);
	return 0;
}

/* One axis of a region: where it starts, the size of a bin, samples in it. */
struct span {
	double start, bin;
	int64_t samples;
};

static struct span span_of(const struct roi *a, double from, double to, int64_t bins)
{
	bool half = a->coordinate_transformation_mode == ROI_HALF_PIXEL;
	double offset = half ? 0.5 : 0, size;
	struct span s = { .start = from * a->spatial_scale - offset };

	size = to * a->spatial_scale - offset - s.start;
	if (!half && !(size >= 1))
		size = 1;
	s.bin = size / (double)bins;
	s.samples = a->sampling_ratio;
	if (!s.samples) {
		double n = ceil(s.bin);

		s.samples = n > MOST_SAMPLES ? MOST_SAMPLES + 1 : n > 0 ? (int64_t)n : 0;
	}
	return s;
}

/* The two pixels around a sample; false when it is outside. */
static bool around(double v, int64_t n, int64_t at[2], double w[2])
{
	if (!(v >= -1 && v <= (double)n))
		return false;
	v = v < 0 ? 0 : v;
	at[0] = (int64_t)v;
	if (at[0] >= n - 1) {
		at[0] = at[1] = n - 1;
		w[1] = 0;
	} else {
		at[1] = at[0] + 1;
		w[1] = v - (double)at[0];
	}
	w[0] = 1 - w[1];
	return true;
}

static double pool(const struct roi *a, const struct joule_tensor *x, int64_t image,
		   const struct span *sy, const struct span *sx, int64_t py, int64_t px)
{
	int64_t h = x->shape.dims[2], w = x->shape.dims[3], count = sy->samples * sx->samples;
	double out = 0;

	for (int64_t i = 0; i < count; i++) {
		double y = sy->start + sy->bin * ((double)py + ((double)(i / sx->samples) + 0.5) /
								       (double)sy->samples);
		double v = sx->start + sx->bin * ((double)px + ((double)(i % sx->samples) + 0.5) /
								       (double)sx->samples);
		double sum = 0, most = 0, wy[2], wx[2];
		int64_t iy[2], ix[2];
		bool inside = around(y, h, iy, wy) && around(v, w, ix, wx);

		for (int k = 0; k < 4 && inside; k++) {
			double term = wy[k / 2] * wx[k % 2] *
				      joule_get_f64(x->dtype, x->data,
						    (image * h + iy[k / 2]) * w + ix[k % 2]);

			sum += term;
			most = !k || term > most ? term : most;
		}
		/* ONNX's maximum is that of the weighted corners. */
		if (a->mode == ROI_AVG)
			out += sum;
		else
			out = !i || most > out ? most : out;
	}
	return a->mode == ROI_AVG && count ? out / (double)count : out;
}

static int roi_ref(struct joule_node *node)
{
	const struct roi *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *rois = node->in[1];
	struct joule_tensor *y = node->out[0];
	int64_t c = y->shape.dims[1], h = y->shape.dims[2], w = y->shape.dims[3], at = 0;

	if (!joule_tensor_count(y))
		return 0;
	for (int64_t n = 0; n < y->shape.dims[0]; n++) {
		int64_t batch = joule_node_index(node, node->in[2], n, x->shape.dims[0]);
		struct span sy, sx;
		double v[4];

		if (batch < 0)
			return (int)batch;
		for (int k = 0; k < 4; k++)
			v[k] = joule_get_f64(rois->dtype, rois->data, n * 4 + k);
		sx = span_of(a, v[0], v[2], w);
		sy = span_of(a, v[1], v[3], h);
		if (sx.samples > MOST_SAMPLES || sy.samples > MOST_SAMPLES)
			return joule_node_err(node, -EINVAL, "region %lld is absurdly large",
					      (long long)n);
		for (int64_t i = 0; i < c * h * w; i++)
			joule_set_f64(y->dtype, y->data, at++,
				      pool(a, x, batch * c + i / (h * w), &sy, &sx, i / w % h,
					   i % w));
	}
	return 0;
}

static int roi_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct roi *a = node->attrs;
	const struct joule_tensor *x = node->in[0], *y = node->out[0];
	const char *dtype = joule_bind_float(b, x);
	unsigned int words = joule_bind_index_words(b, node->in[2]);
	int64_t n = joule_tensor_count(y);
	struct joule_dispatch *d;

	if (!dtype || !words || !joule_bind_float(b, y))
		return b->err;
	if (node->in[1]->dtype != x->dtype)
		return joule_bind_refuse(b, "regions and image differ in type");
	if (n && !joule_tensor_count(x))
		return joule_bind_refuse(b, "there is no pixel to read");
	if (!n)
		return joule_bind_end(b);
	d = joule_bind(b, "roi_align_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_read(d, JOULE_IN(2));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	for (int i = 1; i < 4; i++) {
		joule_bind_u32(d, (uint32_t)y->shape.dims[i]);
		joule_bind_u32(d, joule_magic((uint32_t)y->shape.dims[i]));
	}
	joule_bind_i32(d, (int32_t)x->shape.dims[0]);
	joule_bind_i32(d, (int32_t)x->shape.dims[2]);
	joule_bind_i32(d, (int32_t)x->shape.dims[3]);
	joule_bind_i32(d, (int32_t)a->sampling_ratio);
	joule_bind_f32(d, a->spatial_scale);
	joule_bind_spec(d, words);
	joule_bind_spec(d, a->mode == ROI_MAX);
	joule_bind_spec(d, a->coordinate_transformation_mode == ROI_HALF_PIXEL);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static int roi10_prepare(struct joule_node *node)
{
	struct roi *a = node->attrs;

	a->coordinate_transformation_mode = ROI_OUTPUT_HALF_PIXEL;
	return 0;
}

static const char *const modes[] = { "avg", "max", NULL };
static const char *const coords[] = { "half_pixel", "output_half_pixel", NULL };

#define ROI10 \
	JOULE_A_ENUM(struct roi, mode, modes), JOULE_A_INT(struct roi, output_height, 1), \
	JOULE_A_INT(struct roi, output_width, 1), JOULE_A_INT(struct roi, sampling_ratio, 0), \
	JOULE_A_FLOAT(struct roi, spatial_scale, 1)
static const struct joule_attr roi10[] = { ROI10, { 0 } };
static const struct joule_attr roi16[] = {
	ROI10,
	JOULE_A_ENUM(struct roi, coordinate_transformation_mode, coords),
	{ 0 },
};

#define ROI .name = "RoiAlign", .min_in = 3, .max_in = 3, .min_out = 1, .max_out = 1, \
	.attrs_bytes = sizeof(struct roi), .infer = roi_infer, .ref = roi_ref, .bind = roi_bind

JOULE_OPS(roi_align) = {
	{ ROI, .since = 10, .until = 15, .attrs = roi10, .prepare = roi10_prepare },
	{ ROI, .since = 16, .attrs = roi16 },
	JOULE_OPS_END,
};
