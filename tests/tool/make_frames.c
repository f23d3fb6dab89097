// SPDX-License-Identifier: MIT
/*
 * make_frames DIR: the same five frames of 24x16 as PNG, as rgb24, bgr24, and,
 * their grey versions, as PNG, YUV4MPEG2 and the YUV layouts with full range,
 * where grey comes through exactly.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../tools/joule/image.h"

#define W      24
#define H      16
#define FRAMES 5

static const char *dir;

static FILE *create(const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static void put(FILE *f, int value, int n)
{
	for (int i = 0; i < n; i++)
		fputc(value, f);
}

static void save_png(const char *folder, int frame, const uint8_t *rgb)
{
	struct image image = { .width = W, .height = H, .rgb = (uint8_t *)(uintptr_t)rgb };
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, folder);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%06d.png", dir, folder, frame + 1);
	if (image_save_png(path, &image))
		exit(1);
}

int main(int argc, char **argv)
{
	uint8_t rgb[H * W * 3], bgr[H * W * 3], grey[H * W], grey3[H * W * 3];
	FILE *raw, *swapped, *y4m, *yuv, *nv12, *yuyv, *mono;

	if (argc != 2)
		return 2;
	dir = argv[1];
	raw = create("rgb24.raw");
	swapped = create("bgr24.raw");
	mono = create("gray.raw");
	yuv = create("yuv420p.raw");
	nv12 = create("nv12.raw");
	yuyv = create("yuyv.raw");
	y4m = create("grey.y4m");
	fprintf(y4m, "YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg XCOLORRANGE=FULL\n", W, H);
	for (int k = 0; k < FRAMES; k++) {
		for (int i = 0; i < W * H; i++) {
			grey[i] = (uint8_t)(i * 7 + k * 31);
			memset(grey3 + 3 * i, grey[i], 3);
			for (int c = 0; c < 3; c++) {
				rgb[3 * i + c] = (uint8_t)(i * (3 + c) + k * 17 + c * 80);
				bgr[3 * i + 2 - c] = rgb[3 * i + c];
			}
		}
		save_png("rgb", k, rgb);
		save_png("grey", k, grey3);
		fwrite(rgb, 1, sizeof(rgb), raw);
		fwrite(bgr, 1, sizeof(bgr), swapped);
		fwrite(grey, 1, sizeof(grey), mono);
		fwrite(grey, 1, sizeof(grey), yuv);
		put(yuv, 128, W * H / 2);
		fwrite(grey, 1, sizeof(grey), nv12);
		put(nv12, 128, W * H / 2);
		for (int i = 0; i < W * H; i++) {
			fputc(grey[i], yuyv);
			fputc(128, yuyv);
		}
		fprintf(y4m, "FRAME\n");
		fwrite(grey, 1, sizeof(grey), y4m);
		put(y4m, 128, W * H / 2);
	}
	return fclose(raw) | fclose(swapped) | fclose(y4m) | fclose(yuv) | fclose(nv12) |
	       fclose(yuyv) | fclose(mono);
}
