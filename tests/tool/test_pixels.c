// SPDX-License-Identifier: MIT
/* Raw frames to RGB against known colours, and every layout against its definition. */
#include <math.h>
#include <string.h>

#include "../unit/test.h"
#include "../../tools/joule/pixels.h"

/* Colours whose codes the standards' own arithmetic gives, rounded. */
static void known_colours(void)
{
	static const struct {
		enum pixel_matrix matrix;
		enum pixel_range range;
		uint8_t yuv[3], rgb[3];
	} cases[] = {
		/* BT.601, limited: black, white, mid grey, red, green, blue */
		{ PIXELS_BT601, PIXELS_LIMITED, { 16, 128, 128 }, { 0, 0, 0 } },
		{ PIXELS_BT601, PIXELS_LIMITED, { 235, 128, 128 }, { 255, 255, 255 } },
		{ PIXELS_BT601, PIXELS_LIMITED, { 126, 128, 128 }, { 128, 128, 128 } },
		{ PIXELS_BT601, PIXELS_LIMITED, { 81, 90, 240 }, { 254, 0, 0 } },
		{ PIXELS_BT601, PIXELS_LIMITED, { 145, 54, 34 }, { 0, 255, 1 } },
		{ PIXELS_BT601, PIXELS_LIMITED, { 41, 240, 110 }, { 0, 0, 255 } },
		/* BT.709, limited */
		{ PIXELS_BT709, PIXELS_LIMITED, { 63, 102, 240 }, { 255, 1, 0 } },
		{ PIXELS_BT709, PIXELS_LIMITED, { 173, 42, 26 }, { 0, 255, 1 } },
		{ PIXELS_BT709, PIXELS_LIMITED, { 32, 240, 118 }, { 1, 0, 255 } },
		/* beyond white and black is clamped */
		{ PIXELS_BT709, PIXELS_LIMITED, { 255, 128, 128 }, { 255, 255, 255 } },
		{ PIXELS_BT709, PIXELS_LIMITED, { 0, 128, 128 }, { 0, 0, 0 } },
		/* full range, as JPEG has it */
		{ PIXELS_BT601, PIXELS_FULL, { 76, 85, 255 }, { 254, 0, 0 } },
		{ PIXELS_BT601, PIXELS_FULL, { 17, 128, 128 }, { 17, 17, 17 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pixels p = { PIXELS_YUV444P, 1, 1, cases[i].matrix, cases[i].range, 0 };
		uint8_t rgb[3];

		pixels_to_rgb(&p, cases[i].yuv, rgb);
		for (int c = 0; c < 3; c++)
			if (rgb[c] != cases[i].rgb[c]) {
				fprintf(stderr, "case %zu: %d %d %d\n", i, rgb[0], rgb[1], rgb[2]);
				exit(1);
			}
	}
}

static int near(double v, uint8_t got)
{
	double want = fmin(255, fmax(0, v));

	return fabs(want - got) <= 0.51;
}

/* All of a coarse grid of YUV against the formula in floating point. */
static void formula(enum pixel_matrix matrix, enum pixel_range range)
{
	struct pixels p = { PIXELS_YUV444P, 1, 1, matrix, range, 0 };
	double kr = matrix == PIXELS_BT709 ? 0.2126 : 0.299;
	double kb = matrix == PIXELS_BT709 ? 0.0722 : 0.114;
	bool full = range == PIXELS_FULL;

	for (int y = 0; y < 256; y += 5)
		for (int u = 0; u < 256; u += 3)
			for (int v = 0; v < 256; v += 3) {
				uint8_t yuv[3] = { (uint8_t)y, (uint8_t)u, (uint8_t)v }, rgb[3];
				double l = full ? y : (y - 16) * 255.0 / 219;
				double b = (u - 128) * (full ? 1 : 255.0 / 224);
				double r = (v - 128) * (full ? 1 : 255.0 / 224);

				pixels_to_rgb(&p, yuv, rgb);
				CHECK(near(l + 2 * (1 - kr) * r, rgb[0]));
				CHECK(near(l - (2 * kb * (1 - kb) * b + 2 * kr * (1 - kr) * r) /
						       (1 - kr - kb), rgb[1]));
				CHECK(near(l + 2 * (1 - kb) * b, rgb[2]));
			}
}

/* A 3x3 frame, so that the last column and line of chroma are half used. */
static uint8_t luma_at(int x, int y)
{
	return (uint8_t)(20 + 20 * x + 60 * y);
}

static uint8_t chroma_at(int plane, int cx, int cy)
{
	return (uint8_t)(100 + 15 * cx + 25 * cy + 40 * plane);
}

static void put_planes(int sx, int sy, bool interleaved, bool vu, uint8_t **out)
{
	uint8_t *at = *out;
	int w = (3 + (1 << sx) - 1) >> sx, h = (3 + (1 << sy) - 1) >> sy;

	for (int y = 0; y < 3; y++)
		for (int x = 0; x < 3; x++)
			*at++ = luma_at(x, y);
	for (int plane = 0; plane < (interleaved ? 1 : 2); plane++)
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++) {
				*at++ = chroma_at(interleaved ? vu : plane, x, y);
				if (interleaved)
					*at++ = chroma_at(!vu, x, y);
			}
	*out = at;
}

static void layouts(void)
{
	static const struct {
		enum pixel_format format;
		int sx, sy;
	} list[] = {
		{ PIXELS_YUV420P, 1, 1 }, { PIXELS_YUV422P, 1, 0 }, { PIXELS_YUV444P, 0, 0 },
		{ PIXELS_YUV411P, 2, 0 }, { PIXELS_YUV440P, 0, 1 }, { PIXELS_NV12, 1, 1 },
		{ PIXELS_NV21, 1, 1 },	  { PIXELS_YUYV, 1, 0 },    { PIXELS_UYVY, 1, 0 },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct pixels p = { list[i].format, 3, 3, PIXELS_BT601, PIXELS_LIMITED, 0 };
		bool packed = p.format == PIXELS_YUYV || p.format == PIXELS_UYVY;
		bool two = p.format == PIXELS_NV12 || p.format == PIXELS_NV21;
		uint8_t data[64], *end = data, rgb[27], one[3];
		struct pixels single = { PIXELS_YUV444P, 1, 1, PIXELS_BT601, PIXELS_LIMITED, 0 };

		if (packed)
			for (int y = 0; y < 3; y++)
				for (int x = 0; x < 4; x += 2) {
					uint8_t q[4] = { luma_at(x, y), chroma_at(0, x / 2, y),
							 luma_at(x + 1, y), chroma_at(1, x / 2, y) };

					for (int k = 0; k < 4; k++)
						*end++ = q[p.format == PIXELS_UYVY ? k ^ 1 : k];
				}
		else
			put_planes(list[i].sx, list[i].sy, two, p.format == PIXELS_NV21, &end);
		CHECK_EQ(pixels_bytes(&p), end - data);
		pixels_to_rgb(&p, data, rgb);
		for (int y = 0; y < 3; y++)
			for (int x = 0; x < 3; x++) {
				int cx = x >> list[i].sx, cy = y >> list[i].sy;
				uint8_t yuv[3] = { luma_at(x, y), chroma_at(0, cx, cy),
						   chroma_at(1, cx, cy) };

				pixels_to_rgb(&single, yuv, one);
				CHECK(!memcmp(one, rgb + 3 * (3 * y + x), 3));
			}
	}
}

/* Lines padded by the driver; names; sizes beyond reason; the default matrix. */
static void rest(void)
{
	static const uint8_t padded[] = { 1, 2, 3, 4, 5, 6, 99, 99, 7, 8, 9, 10, 11, 12, 99, 99 };
	static const uint8_t red[] = { 81, 90, 240 };
	struct pixels p = { PIXELS_BGR24, 2, 2, 0, 0, 8 };
	uint8_t rgb[12], tall[3 * 577], out[3 * 577];

	pixels_to_rgb(&p, padded, rgb);
	CHECK(!memcmp(rgb, (uint8_t[]){ 3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10 }, 12));
	CHECK_EQ(pixels_parse("yuyv"), PIXELS_YUYV);
	CHECK_EQ(pixels_parse("yuyv422"), PIXELS_YUYV);
	CHECK_EQ(pixels_parse("nv12422"), -1);
	CHECK_EQ(pixels_parse("yuv420"), -1);
	p.stride = 0;
	p.width = p.height = 65536;
	CHECK_EQ(pixels_bytes(&p), 0);
	p = (struct pixels){ PIXELS_YUV444P, 1, 577, 0, 0, 0 };
	for (int i = 0; i < 3; i++)
		memset(tall + 577 * i, red[i], 577);
	pixels_to_rgb(&p, tall, out);
	CHECK(out[1] == 24); /* green of that code by BT.709; 0 by BT.601 */
}

int main(void)
{
	known_colours();
	formula(PIXELS_BT601, PIXELS_LIMITED);
	formula(PIXELS_BT709, PIXELS_LIMITED);
	formula(PIXELS_BT601, PIXELS_FULL);
	formula(PIXELS_BT709, PIXELS_FULL);
	layouts();
	rest();
	return 0;
}
