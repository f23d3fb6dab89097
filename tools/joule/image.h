/* SPDX-License-Identifier: MIT */
/* Pictures: 8-bit RGB in memory, JPEG and PNG files. */
#ifndef TOOLS_JOULE_IMAGE_H
#define TOOLS_JOULE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A picture beyond this is refused before memory is asked for. */
#define IMAGE_MAX_PIXELS (256 * 1024 * 1024)

struct image {
	int width, height;
	uint8_t *rgb; /* height * width * 3, no padding */
};

/*
 * Reads a JPEG or PNG, told apart by its first bytes; grey and palettes become
 * RGB, transparency is laid over black. Exit code, the reason printed.
 */
int image_load(const char *path, struct image *out);

/*
 * A JPEG in memory into out, whose pixels are used again where the size is the
 * same. A file cut short is an error; lesser damage a warning. name NULL: silent.
 */
int image_decode_jpeg(const char *name, const uint8_t *data, size_t size, struct image *out);

/* width x height zeroed pixels; -ENOMEM. */
int image_create(int width, int height, struct image *out);
void image_finish(struct image *image);

/* PNG, written whole or not at all. Exit code. */
int image_save_png(const char *path, const struct image *image);

/*
 * The region of src starting at (x, y), w x h in source pixels, scaled to all
 * of dst by a triangle filter that widens when it shrinks (what Pillow calls
 * BILINEAR), so that nothing aliases. -ENOMEM.
 */
int image_resize(const struct image *src, double x, double y, double w, double h,
		 struct image *dst);

#endif
