// SPDX-License-Identifier: MIT
#include "draw.h"

#include <cairo.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "tool.h"

/*
 * The bits of the number dealt out over the channels, highest first: the usual
 * way to colour Pascal VOC's classes.
 */
void draw_colour(int class, uint8_t *rgb)
{
	rgb[0] = rgb[1] = rgb[2] = 0;
	for (int bit = 7; class; bit--, class >>= 3)
		for (int c = 0; c < 3; c++)
			rgb[c] |= (uint8_t)((class >> c & 1) << bit);
}

/* Cairo's RGB24 is one 32-bit word a pixel. */
static cairo_surface_t *to_surface(const struct image *image)
{
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width,
							image->height);
	unsigned char *data = cairo_image_surface_get_data(s);
	int stride = cairo_image_surface_get_stride(s);

	if (cairo_surface_status(s) != CAIRO_STATUS_SUCCESS)
		return s;
	for (int y = 0; y < image->height; y++)
		for (int x = 0; x < image->width; x++) {
			const uint8_t *p = image->rgb + ((size_t)y * (size_t)image->width +
							 (size_t)x) * 3;
			uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

			memcpy(data + (size_t)y * (size_t)stride + (size_t)x * 4, &v, 4);
		}
	cairo_surface_mark_dirty(s);
	return s;
}

static void draw_one(cairo_t *cr, const struct draw_box *b, double line)
{
	cairo_text_extents_t text;
	uint8_t rgb[3];

	draw_colour(b->class + 1, rgb);
	cairo_set_source_rgb(cr, rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0);
	cairo_set_line_width(cr, line);
	cairo_rectangle(cr, b->x, b->y, b->width, b->height);
	cairo_stroke(cr);
	cairo_set_font_size(cr, 7 * line);
	cairo_text_extents(cr, b->label, &text);
	/* The label stands above the box, or inside where there is no room. */
	double top = b->y - text.height - 3 * line < 0 ? b->y : b->y - text.height - 3 * line;

	cairo_rectangle(cr, b->x - line / 2, top, text.width + 4 * line, text.height + 3 * line);
	cairo_fill(cr);
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_move_to(cr, b->x + 1.5 * line, top + text.height + 1.5 * line);
	cairo_show_text(cr, b->label);
}

static cairo_status_t write_file(void *file, const unsigned char *data, unsigned int bytes)
{
	return fwrite(data, 1, bytes, file) == bytes ? CAIRO_STATUS_SUCCESS :
						       CAIRO_STATUS_WRITE_ERROR;
}

int draw_boxes(const char *path, const struct image *image, const struct draw_box *boxes, int n)
{
	cairo_surface_t *s = to_surface(image);
	cairo_t *cr = cairo_create(s);
	double line = image->width / 320.0 < 1.5 ? 1.5 : image->width / 320.0;
	cairo_status_t status;
	struct output out;
	int ret;

	for (int i = 0; i < n; i++)
		draw_one(cr, &boxes[i], line);
	cairo_destroy(cr);
	ret = output_open(path, &out);
	if (!ret) {
		status = cairo_surface_write_to_png_stream(s, write_file, out.file);
		/* What the file could not take is output_close()'s to tell. */
		if (status != CAIRO_STATUS_SUCCESS && status != CAIRO_STATUS_WRITE_ERROR) {
			tool_error("%s: %s", path, cairo_status_to_string(status));
			ret = TOOL_NO_MEMORY;
		}
		ret = output_close(&out, ret);
	}
	cairo_surface_destroy(s);
	return ret;
}
