/* SPDX-License-Identifier: MIT */
/*
 * Raw video frames as 8-bit RGB.
 *
 * Chroma is repeated, not interpolated. YUV is BT.601 or BT.709, limited range
 * (black 16, white 235, chroma 16..240) unless full is set; grey is full range
 * unless limited is asked for. Results are rounded to nearest and clamped.
 */
#ifndef TOOLS_JOULE_PIXELS_H
#define TOOLS_JOULE_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pixel_format {
	PIXELS_RGB24, PIXELS_BGR24, PIXELS_GRAY,
	PIXELS_YUV420P, PIXELS_YUV422P, PIXELS_YUV444P, PIXELS_YUV411P, PIXELS_YUV440P,
	PIXELS_NV12, PIXELS_NV21, PIXELS_YUYV, PIXELS_UYVY,
	PIXELS_COUNT,
};

enum pixel_range { PIXELS_RANGE_DEFAULT, PIXELS_LIMITED, PIXELS_FULL };
enum pixel_matrix { PIXELS_MATRIX_DEFAULT, PIXELS_BT601, PIXELS_BT709 };

struct pixels {
	enum pixel_format format;
	int width, height;
	enum pixel_matrix matrix; /* default: BT.601 up to 576 lines, BT.709 above */
	enum pixel_range range;
	size_t stride;            /* bytes a line of the first plane, 0: no padding */
};

/* ffmpeg's names ("yuv420p", "nv12", "yuyv422" or "yuyv"); -1 for an unknown one. */
int pixels_parse(const char *name);
const char *pixels_name(enum pixel_format format);

/* Bytes of a frame; 0 for sizes beyond reason (image.h's limit). */
size_t pixels_bytes(const struct pixels *p);

/* rgb: height * width * 3. */
void pixels_to_rgb(const struct pixels *p, const uint8_t *data, uint8_t *rgb);

#endif
