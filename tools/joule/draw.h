/* SPDX-License-Identifier: MIT */
/* Drawing on pictures, by cairo. */
#ifndef TOOLS_JOULE_DRAW_H
#define TOOLS_JOULE_DRAW_H

#include "image.h"

struct draw_box {
	double x, y, width, height; /* in pixels of the picture */
	int class;                  /* picks the colour */
	char label[96];
};

/* A copy of the picture with the boxes on it, as a PNG. Exit code. */
int draw_boxes(const char *path, const struct image *image, const struct draw_box *boxes, int n);

/* Colour of a class: far apart for neighbours, 0 is black. */
void draw_colour(int class, uint8_t *rgb);

#endif
