// SPDX-License-Identifier: MIT
#include "image.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "output.h"
#include "tool.h"

int image_create(int width, int height, struct image *out)
{
	out->width = width;
	out->height = height;
	out->rgb = NULL;
	if (width < 1 || height < 1 || (int64_t)width * height > IMAGE_MAX_PIXELS)
		return -EINVAL;
	out->rgb = calloc((size_t)width * (size_t)height, 3);
	return out->rgb ? 0 : -ENOMEM;
}

void image_finish(struct image *image)
{
	free(image->rgb);
	image->rgb = NULL;
}

static int read_file(const char *path, uint8_t **data, size_t *size)
{
	FILE *f = fopen(path, "rbe");
	long end = -1;

	*data = NULL;
	if (!f) {
		tool_error("%s: %s", path, strerror(errno));
		return TOOL_IO;
	}
	if (!fseek(f, 0, SEEK_END))
		end = ftell(f);
	if (end < 0 || fseek(f, 0, SEEK_SET)) {
		tool_error("%s: %s", path, strerror(errno));
		fclose(f);
		return TOOL_IO;
	}
	*size = (size_t)end;
	*data = malloc(*size + 1);
	if (!*data || fread(*data, 1, *size, f) != *size) {
		tool_error("%s: %s", path, *data ? "cannot be read" : "out of memory");
		free(*data);
		*data = NULL;
		fclose(f);
		return TOOL_IO;
	}
	fclose(f);
	return 0;
}

static int fill_jpeg(tjhandle tj, const uint8_t *data, size_t size, struct image *out,
		     const char **why)
{
	int width, height, subsampling, colours;

	if (tjDecompressHeader3(tj, data, size, &width, &height, &subsampling, &colours)) {
		*why = tjGetErrorStr2(tj);
		return TOOL_BAD_INPUT;
	}
	if (!out->rgb || out->width != width || out->height != height) {
		image_finish(out);
		*why = "too large";
		if (image_create(width, height, out))
			return TOOL_BAD_INPUT;
	}
	*why = NULL;
	if (!tjDecompress2(tj, data, size, out->rgb, width, 0, height, TJPF_RGB, 0))
		return 0;
	*why = tjGetErrorStr2(tj);
	return tjGetErrorCode(tj) == TJERR_FATAL || strstr(*why, "Premature end") ?
		       TOOL_BAD_INPUT :
		       0;
}

int image_decode_jpeg(const char *name, const uint8_t *data, size_t size, struct image *out)
{
	tjhandle tj = tjInitDecompress();
	const char *why = "out of memory";
	int ret = TOOL_NO_MEMORY;

	if (tj)
		ret = fill_jpeg(tj, data, size, out, &why);
	if (name && why)
		tool_error("%s%s: %s", ret ? "" : "warning: ", name, why);
	if (tj)
		tjDestroy(tj);
	return ret;
}

static int load_png(const char *path, const uint8_t *data, size_t size, struct image *out)
{
	png_image png = { .version = PNG_IMAGE_VERSION };
	png_color black = { 0 };
	int ret = TOOL_BAD_INPUT;

	if (png_image_begin_read_from_memory(&png, data, size)) {
		png.format = PNG_FORMAT_RGB;
		if (image_create((int)png.width, (int)png.height, out))
			tool_error("%s: %ux%u is too large", path, png.width, png.height);
		else if (png_image_finish_read(&png, &black, out->rgb, 0, NULL))
			ret = 0;
	}
	if (ret && *png.message)
		tool_error("%s: %s", path, png.message);
	png_image_free(&png);
	return ret;
}

int image_load(const char *path, struct image *out)
{
	uint8_t *data;
	size_t size;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = read_file(path, &data, &size);
	if (ret)
		return ret;
	if (size > 3 && !memcmp(data, "\xff\xd8\xff", 3)) {
		ret = image_decode_jpeg(path, data, size, out);
	} else if (size > 8 && !memcmp(data, "\x89PNG\r\n\x1a\n", 8)) {
		ret = load_png(path, data, size, out);
	} else {
		tool_error("%s: neither a JPEG nor a PNG picture", path);
		ret = TOOL_BAD_INPUT;
	}
	if (ret)
		image_finish(out);
	free(data);
	return ret;
}

int image_save_png(const char *path, const struct image *image)
{
	png_image png = { .version = PNG_IMAGE_VERSION,
			  .width = (png_uint_32)image->width,
			  .height = (png_uint_32)image->height,
			  .format = PNG_FORMAT_RGB };
	struct output out;
	int ret = output_open(path, &out);

	if (ret)
		return ret;
	if (!png_image_write_to_stdio(&png, out.file, 0, image->rgb, 0, NULL)) {
		tool_error("%s: %s", path, png.message);
		ret = TOOL_IO;
	}
	return output_close(&out, ret);
}

/*
 * Weights of the source pixels behind each target pixel along one axis: a
 * triangle as wide as the larger of a source and a target pixel.
 */
struct taps {
	int n;        /* most taps of a target pixel */
	int *first;   /* per target pixel: first source pixel, */
	float *weight; /* and n weights from there on, zero-padded */
};

static int make_taps(double start, double length, int src, int dst, struct taps *t)
{
	double scale = length / dst, reach = scale > 1 ? scale : 1;

	t->n = (int)(2 * reach) + 3;
	t->first = calloc((size_t)dst, sizeof(*t->first));
	t->weight = calloc((size_t)dst * (size_t)t->n, sizeof(*t->weight));
	if (!t->first || !t->weight)
		return -ENOMEM;
	for (int i = 0; i < dst; i++) {
		double centre = start + (i + 0.5) * scale, sum = 0;
		int lo = (int)(centre - reach + 0.5), hi = (int)(centre + reach + 0.5);

		lo = lo < 0 ? 0 : lo > src - 1 ? src - 1 : lo;
		hi = hi > src ? src : hi <= lo ? lo + 1 : hi;
		t->first[i] = lo;
		for (int k = lo; k < hi && k - lo < t->n; k++) {
			double d = (k + 0.5 - centre) / reach, w = d < 0 ? 1 + d : 1 - d;

			t->weight[i * t->n + k - lo] = w > 0 ? (float)w : 0;
			sum += w > 0 ? w : 0;
		}
		if (sum <= 0) { /* a region outside the picture repeats its edge */
			t->weight[i * t->n] = 1;
			sum = 1;
		}
		for (int k = 0; k < t->n; k++)
			t->weight[i * t->n + k] /= (float)sum;
	}
	return 0;
}

static void free_taps(struct taps *t)
{
	free(t->first);
	free(t->weight);
}

int image_resize(const struct image *src, double x, double y, double w, double h,
		 struct image *dst)
{
	struct taps tx = { 0 }, ty = { 0 };
	float *rows = NULL; /* src->height rows, scaled across */
	int ret = make_taps(x, w, src->width, dst->width, &tx);

	if (!ret)
		ret = make_taps(y, h, src->height, dst->height, &ty);
	if (!ret) {
		rows = calloc((size_t)src->height * (size_t)dst->width * 3, sizeof(*rows));
		ret = rows ? 0 : -ENOMEM;
	}
	for (int j = 0; !ret && j < src->height; j++)
		for (int i = 0; i < dst->width; i++)
			for (int k = 0; k < tx.n && tx.first[i] + k < src->width; k++) {
				const uint8_t *p = src->rgb + ((size_t)j * (size_t)src->width +
							       (size_t)(tx.first[i] + k)) * 3;
				float *q = rows + ((size_t)j * (size_t)dst->width + (size_t)i) * 3;
				float weight = tx.weight[i * tx.n + k];

				for (int c = 0; c < 3; c++)
					q[c] += weight * p[c];
			}
	for (int j = 0; !ret && j < dst->height; j++)
		for (int i = 0; i < dst->width * 3; i++) {
			float v = 0.5f;

			for (int k = 0; k < ty.n && ty.first[j] + k < src->height; k++)
				v += ty.weight[j * ty.n + k] *
				     rows[(size_t)(ty.first[j] + k) * (size_t)dst->width * 3 +
					  (size_t)i];
			dst->rgb[(size_t)j * (size_t)dst->width * 3 + (size_t)i] =
				v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
		}
	free(rows);
	free_taps(&tx);
	free_taps(&ty);
	return ret;
}
