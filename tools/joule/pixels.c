// SPDX-License-Identifier: MIT
#include "pixels.h"

#include <math.h>
#include <string.h>

#include "image.h"

/* One plane: a cell of `bytes` bytes for 2^sx x 2^sy pixels. */
struct plane {
	uint8_t sx, sy, bytes;
};

/* Where a component (Y U V or R G B) of a pixel is: plane, byte in it, cell size in pixels. */
struct component {
	uint8_t plane, offset, step, sx;
};

enum kind { RGB, GREY, YUV };

static const struct layout {
	const char *name;
	enum kind kind;
	struct plane planes[3];
	struct component c[3];
} layouts[PIXELS_COUNT] = {
	[PIXELS_RGB24] = { "rgb24", RGB, { { 0, 0, 3 } },
			   { { 0, 0, 3, 0 }, { 0, 1, 3, 0 }, { 0, 2, 3, 0 } } },
	[PIXELS_BGR24] = { "bgr24", RGB, { { 0, 0, 3 } },
			   { { 0, 2, 3, 0 }, { 0, 1, 3, 0 }, { 0, 0, 3, 0 } } },
	[PIXELS_GRAY] = { "gray", GREY, { { 0, 0, 1 } }, { { 0, 0, 1, 0 } } },
	[PIXELS_YUV420P] = { "yuv420p", YUV, { { 0, 0, 1 }, { 1, 1, 1 }, { 1, 1, 1 } },
			     { { 0, 0, 1, 0 }, { 1, 0, 1, 1 }, { 2, 0, 1, 1 } } },
	[PIXELS_YUV422P] = { "yuv422p", YUV, { { 0, 0, 1 }, { 1, 0, 1 }, { 1, 0, 1 } },
			     { { 0, 0, 1, 0 }, { 1, 0, 1, 1 }, { 2, 0, 1, 1 } } },
	[PIXELS_YUV444P] = { "yuv444p", YUV, { { 0, 0, 1 }, { 0, 0, 1 }, { 0, 0, 1 } },
			     { { 0, 0, 1, 0 }, { 1, 0, 1, 0 }, { 2, 0, 1, 0 } } },
	[PIXELS_YUV411P] = { "yuv411p", YUV, { { 0, 0, 1 }, { 2, 0, 1 }, { 2, 0, 1 } },
			     { { 0, 0, 1, 0 }, { 1, 0, 1, 2 }, { 2, 0, 1, 2 } } },
	[PIXELS_YUV440P] = { "yuv440p", YUV, { { 0, 0, 1 }, { 0, 1, 1 }, { 0, 1, 1 } },
			     { { 0, 0, 1, 0 }, { 1, 0, 1, 0 }, { 2, 0, 1, 0 } } },
	[PIXELS_NV12] = { "nv12", YUV, { { 0, 0, 1 }, { 1, 1, 2 } },
			  { { 0, 0, 1, 0 }, { 1, 0, 2, 1 }, { 1, 1, 2, 1 } } },
	[PIXELS_NV21] = { "nv21", YUV, { { 0, 0, 1 }, { 1, 1, 2 } },
			  { { 0, 0, 1, 0 }, { 1, 1, 2, 1 }, { 1, 0, 2, 1 } } },
	[PIXELS_YUYV] = { "yuyv", YUV, { { 1, 0, 4 } },
			  { { 0, 0, 2, 0 }, { 0, 1, 4, 1 }, { 0, 3, 4, 1 } } },
	[PIXELS_UYVY] = { "uyvy", YUV, { { 1, 0, 4 } },
			  { { 0, 1, 2, 0 }, { 0, 0, 4, 1 }, { 0, 2, 4, 1 } } },
};

int pixels_parse(const char *name)
{
	for (int i = 0; i < PIXELS_COUNT; i++) {
		size_t n = strlen(layouts[i].name);

		/* yuyv422 and uyvy422 are the same by ffmpeg's name. */
		if (!strncmp(layouts[i].name, name, n) &&
		    (!name[n] || (layouts[i].planes[0].sx && !strcmp(name + n, "422"))))
			return i;
	}
	return !strcmp(name, "grey") ? PIXELS_GRAY : -1;
}

const char *pixels_name(enum pixel_format format)
{
	return layouts[format].name;
}

static size_t cells(int pixels, int shift)
{
	return ((size_t)pixels + ((size_t)1 << shift) - 1) >> shift;
}

/* Other planes are padded as the first is; a stride too small to be true is none. */
static size_t plane_stride(const struct pixels *p, const struct plane *plane)
{
	const struct plane *first = layouts[p->format].planes;
	size_t least = cells(p->width, plane->sx) * plane->bytes;
	size_t stride = plane == first ? p->stride : (p->stride * plane->bytes) >> plane->sx;

	return stride > least ? stride : least;
}

size_t pixels_bytes(const struct pixels *p)
{
	const struct layout *l = &layouts[p->format];
	size_t sum = 0;

	if (p->width < 1 || p->height < 1 || (int64_t)p->width * p->height > IMAGE_MAX_PIXELS)
		return 0;
	for (int i = 0; i < 3 && l->planes[i].bytes; i++)
		sum += plane_stride(p, &l->planes[i]) * cells(p->height, l->planes[i].sy);
	return sum;
}

/* What each value of a component adds to R, G and B, in 1/65536. */
struct tables {
	int32_t y[256], rv[256], gu[256], gv[256], bu[256];
};

static int32_t fixed(double v)
{
	return (int32_t)lrint(v * 65536);
}

static void make_tables(const struct pixels *p, struct tables *t)
{
	bool grey = layouts[p->format].kind == GREY;
	bool full = p->range == PIXELS_FULL || (grey && p->range == PIXELS_RANGE_DEFAULT);
	bool bt709 = p->matrix == PIXELS_BT709 ||
		     (p->matrix == PIXELS_MATRIX_DEFAULT && p->height > 576);
	/* luma weights of red and blue */
	double kr = bt709 ? 0.2126 : 0.299, kb = bt709 ? 0.0722 : 0.114, kg = 1 - kr - kb;
	double ys = full ? 1 : 255.0 / 219, cs = full ? 1 : 255.0 / 224;

	for (int i = 0; i < 256; i++) {
		double c = (i - 128) * cs;

		t->y[i] = fixed((i - (full ? 0 : 16)) * ys) + 32768;
		t->rv[i] = fixed(c * 2 * (1 - kr));
		t->bu[i] = fixed(c * 2 * (1 - kb));
		t->gu[i] = fixed(-c * 2 * kb * (1 - kb) / kg);
		t->gv[i] = fixed(-c * 2 * kr * (1 - kr) / kg);
	}
}

static uint8_t clamp(int32_t v)
{
	return v < 0 ? 0 : v >= 256 * 65536 ? 255 : (uint8_t)(v >> 16);
}

void pixels_to_rgb(const struct pixels *p, const uint8_t *data, uint8_t *rgb)
{
	const struct layout *l = &layouts[p->format];
	const uint8_t *base[3] = { data, data, data };
	size_t stride[3] = { 0 };
	struct tables t;

	for (int i = 0; i < 3 && l->planes[i].bytes; i++) {
		stride[i] = plane_stride(p, &l->planes[i]);
		if (i < 2)
			base[i + 1] = base[i] + stride[i] * cells(p->height, l->planes[i].sy);
	}
	if (l->kind != RGB)
		make_tables(p, &t);
	for (int y = 0; y < p->height; y++) {
		const uint8_t *row[3];

		for (int i = 0; i < 3; i++) {
			int plane = l->c[i].plane;

			row[i] = base[plane] + stride[plane] * ((size_t)y >> l->planes[plane].sy) +
				 l->c[i].offset;
		}
		for (int x = 0; x < p->width; x++, rgb += 3) {
			if (l->kind == YUV) {
				int u = row[1][(x >> l->c[1].sx) * l->c[1].step];
				int v = row[2][(x >> l->c[2].sx) * l->c[2].step];
				int32_t luma = t.y[row[0][x * l->c[0].step]];

				rgb[0] = clamp(luma + t.rv[v]);
				rgb[1] = clamp(luma + t.gu[u] + t.gv[v]);
				rgb[2] = clamp(luma + t.bu[u]);
			} else if (l->kind == GREY) {
				rgb[0] = rgb[1] = rgb[2] = clamp(t.y[row[0][x]]);
			} else {
				for (int i = 0; i < 3; i++)
					rgb[i] = row[i][x * l->c[i].step];
			}
		}
	}
}
