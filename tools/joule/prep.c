// SPDX-License-Identifier: MIT
#include "prep.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <joule/tensor_file.h>

#include "npy.h"

void prep_defaults(struct prep *prep)
{
	*prep = (struct prep){ .crop = 1, .pad = 114, .divide = 1, .std = { 1, 1, 1 } };
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcasecmp(s + n - m, end);
}

bool prep_is_image(const char *path)
{
	return ends_with(path, ".jpg") || ends_with(path, ".jpeg") || ends_with(path, ".png");
}

/* Where channel, row and column are in the model's input. */
struct layout {
	int channels, height, width;
	size_t step_c, step_y, step_x;
};

static int find_layout(const struct prep *prep, const char *name,
		       const struct joule_value_info *info, struct joule_shape *shape,
		       struct layout *l)
{
	int64_t *d = shape->dims;
	char text[128];
	bool nhwc;

	*shape = info->shape;
	if (shape->rank != 4 && shape->rank != 3) {
		tool_error("%s: input %s %s does not look like a picture", name, info->name,
			   joule_shape_str(shape, text, sizeof(text)));
		return TOOL_BAD_INPUT;
	}
	if (shape->rank == 4) {
		d[0] = d[0] < 0 ? 1 : d[0];
		d++;
	}
	nhwc = prep->layout_given ? prep->nhwc :
				    d[0] != 1 && d[0] != 3 && (d[2] == 1 || d[2] == 3);
	int c = nhwc ? 2 : 0, y = nhwc ? 0 : 1, x = nhwc ? 1 : 2;

	if (d[c] < 0)
		d[c] = prep->colour == PREP_GREY ? 1 : 3;
	if (prep->height && d[y] < 0)
		d[y] = prep->height;
	if (prep->width && d[x] < 0)
		d[x] = prep->width;
	if ((d[y] < 0 || d[x] < 0) && (!prep->width || !prep->height)) {
		tool_error("%s: input %s %s leaves the size open: give it with --size WxH", name,
			   info->name, joule_shape_str(&info->shape, text, sizeof(text)));
		return TOOL_BAD_INPUT;
	}
	if ((d[c] != 1 && d[c] != 3) || d[y] < 1 || d[x] < 1 || d[y] > 65536 || d[x] > 65536 ||
	    (prep->height && d[y] != prep->height) || (prep->width && d[x] != prep->width) ||
	    (shape->rank == 4 && shape->dims[0] != 1)) {
		tool_error("%s: a %dx%d picture does not fit input %s %s", name, prep->width,
			   prep->height, info->name, joule_shape_str(&info->shape, text, sizeof(text)));
		return TOOL_BAD_INPUT;
	}
	*l = (struct layout){ .channels = (int)d[c], .height = (int)d[y], .width = (int)d[x] };
	l->step_c = nhwc ? 1 : (size_t)(d[y] * d[x]);
	l->step_y = nhwc ? (size_t)(d[x] * d[c]) : (size_t)d[x];
	l->step_x = nhwc ? (size_t)d[c] : 1;
	return 0;
}

/* Scaled and placed on a canvas of the model's size. */
static int place(const struct prep *prep, const struct image *src, int width, int height,
		 struct image *canvas, struct prep_map *map)
{
	double sx = (double)src->width / width, sy = (double)src->height / height;
	double scale;
	int ret;

	*map = (struct prep_map){ .scale_x = sx, .scale_y = sy, .width = width, .height = height };
	ret = image_create(width, height, canvas);
	if (ret || prep->fit == PREP_STRETCH)
		return ret ? ret :
			     image_resize(src, 0, 0, src->width, src->height, canvas);
	if (prep->fit == PREP_CROP) {
		scale = fmin(sx, sy) * prep->crop;
		map->scale_x = map->scale_y = scale;
		map->x = (src->width - width * scale) / 2;
		map->y = (src->height - height * scale) / 2;
		return image_resize(src, map->x, map->y, width * scale, height * scale, canvas);
	}
	scale = fmax(sx, sy);

	struct image inner;
	int w = (int)lrint(src->width / scale), h = (int)lrint(src->height / scale);
	int left, top;

	w = w < 1 ? 1 : w > width ? width : w;
	h = h < 1 ? 1 : h > height ? height : h;
	left = prep->pad_corner ? 0 : (width - w) / 2;
	top = prep->pad_corner ? 0 : (height - h) / 2;
	map->scale_x = map->scale_y = scale;
	map->x = -left * scale;
	map->y = -top * scale;
	ret = image_create(w, h, &inner);
	if (!ret)
		ret = image_resize(src, 0, 0, src->width, src->height, &inner);
	if (!ret) {
		memset(canvas->rgb, prep->pad, (size_t)width * (size_t)height * 3);
		for (int y = 0; y < h; y++)
			memcpy(canvas->rgb + ((size_t)(top + y) * (size_t)width + (size_t)left) * 3,
			       inner.rgb + (size_t)y * (size_t)w * 3, (size_t)w * 3);
	}
	image_finish(&inner);
	return ret;
}

/* What the model gets for each value of a channel. */
static double scaled(const struct prep *prep, int c, double v)
{
	return (v / prep->divide - prep->mean[c]) / prep->std[c];
}

/* ITU-R BT.601 luma */
static double luma(const uint8_t *p)
{
	return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

static void fill_channel(const struct prep *prep, const struct image *canvas,
			 const struct layout *l, int c, struct joule_view *view)
{
	bool bytes = view->dtype == JOULE_U8, grey = l->channels == 1;
	int from = prep->colour == PREP_BGR ? 2 - c : c;
	float table[256];

	for (int i = 0; i < 256; i++)
		table[i] = (float)scaled(prep, c, i);
	for (int y = 0; y < l->height; y++) {
		const uint8_t *p = canvas->rgb + (size_t)y * (size_t)l->width * 3;
		size_t at = (size_t)c * l->step_c + (size_t)y * l->step_y;

		for (int x = 0; x < l->width; x++, p += 3, at += l->step_x)
			if (bytes)
				((uint8_t *)view->data)[at] = grey ? (uint8_t)lrint(luma(p)) : p[from];
			else
				((float *)view->data)[at] =
					grey ? (float)scaled(prep, c, luma(p)) : table[p[from]];
	}
}

int prep_image(const struct prep *prep, const char *name, const struct image *image,
	       const struct joule_value_info *info, struct joule_view *view, struct prep_map *map)
{
	struct image canvas = { 0 };
	struct prep_map own;
	struct layout l;
	size_t bytes;
	int ret;

	if (info->dtype != JOULE_F32 && info->dtype != JOULE_U8) {
		tool_error("%s: input %s wants %s, a picture gives f32 or u8", name, info->name,
			   joule_dtype_name(info->dtype));
		return TOOL_UNSUPPORTED;
	}
	ret = find_layout(prep, name, info, &view->shape, &l);
	if (ret)
		return ret;
	bytes = (size_t)joule_array_bytes(info->dtype, &view->shape);
	if (!view->data || view->bytes != bytes) {
		free(view->data);
		view->data = malloc(bytes);
	}
	view->dtype = info->dtype;
	view->bytes = bytes;
	if (!view->data || place(prep, image, l.width, l.height, &canvas, map ? map : &own)) {
		tool_error("%s: no memory to scale the picture", name);
		image_finish(&canvas);
		return TOOL_NO_MEMORY;
	}
	for (int c = 0; c < l.channels; c++)
		fill_channel(prep, &canvas, &l, c, view);
	image_finish(&canvas);
	return 0;
}

static int load_sound(const char *path, const struct joule_value_info *info,
		      struct joule_view *view)
{
	SF_INFO sf = { 0 };
	SNDFILE *f = sf_open(path, SFM_READ, &sf);
	int64_t want;

	if (!f) {
		tool_error("%s: %s", path, sf_strerror(NULL));
		return TOOL_BAD_INPUT;
	}
	view->dtype = JOULE_F32;
	view->shape = info->shape;
	/* Open dimensions: batch 1, and the last one as long as the sound. */
	for (int i = 0; i < view->shape.rank; i++)
		if (view->shape.dims[i] < 0)
			view->shape.dims[i] = i == view->shape.rank - 1 ? sf.frames : 1;
	want = joule_shape_count(&view->shape);
	if (info->dtype != JOULE_F32 || want < 1 || sf.channels < 1) {
		tool_error("%s: input %s does not take a sound", path, info->name);
		sf_close(f);
		return TOOL_BAD_INPUT;
	}
	view->bytes = (size_t)want * sizeof(float);
	view->data = calloc(1, view->bytes);

	float *frame = calloc((size_t)sf.channels, sizeof(*frame));

	if (!view->data || !frame) {
		tool_error("%s: out of memory", path);
		free(frame);
		joule_view_free(view);
		sf_close(f);
		return TOOL_NO_MEMORY;
	}
	for (int64_t i = 0; i < want && sf_readf_float(f, frame, 1) == 1; i++) {
		float sum = 0;

		for (int c = 0; c < sf.channels; c++)
			sum += frame[c];
		((float *)view->data)[i] = sum / (float)sf.channels;
	}
	free(frame);
	sf_close(f);
	return 0;
}

int prep_file(struct joule_context *context, const char *path,
	      const struct joule_value_info *info, struct joule_view *view)
{
	memset(view, 0, sizeof(*view));
	if (ends_with(path, ".npy"))
		return npy_load(path, view);
	if (ends_with(path, ".pb"))
		return tool_exit_code(joule_tensor_file_read(context, path, view));
	if (ends_with(path, ".wav"))
		return load_sound(path, info, view);
	tool_error("%s: not a .jpg, .png, .npy, .pb or .wav file", path);
	return TOOL_BAD_INPUT;
}
