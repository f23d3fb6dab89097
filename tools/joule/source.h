/* SPDX-License-Identifier: MIT */
/*
 * Where frames come from: YUV4MPEG2 or raw video through a pipe or file, or a
 * V4L2 camera. Frames come as 8-bit RGB, one after the other.
 */
#ifndef TOOLS_JOULE_SOURCE_H
#define TOOLS_JOULE_SOURCE_H

#include "image.h"
#include "pixels.h"
#include "tool.h"

enum source_kind { SOURCE_ANY, SOURCE_Y4M, SOURCE_RAW, SOURCE_V4L2 };

struct source_params {
	const char *path;        /* "-" is standard input */
	enum source_kind kind;   /* any: by the path, then by the first bytes */
	int width, height;       /* raw: needed; V4L2: asked for; 0: not given */
	int format;              /* of enum pixel_format; -1: not given */
	enum pixel_matrix matrix;
	enum pixel_range range;
	/*
	 * Frames a second, 0: as they come. A pipe or file is then read at that
	 * rate, as a camera would deliver it: a frame that is late by more than
	 * one period is dropped. A camera is asked for that rate.
	 */
	double fps;
	int stop_fd;             /* readable: end as soon as possible */
};

/* source_next(): no more frames, for good. */
#define SOURCE_END (-1)

struct source {
	const struct source_ops *ops;
	struct source_params params;
	struct pixels pixels;    /* of a frame as it comes */
	bool mjpeg;              /* then only the size of pixels means something */
	const char *name;        /* for messages */
	int fd;
	long read, dropped;      /* frames so far */
	double start_ms;         /* of the first frame */
	double convert_ms;       /* time spent decoding and converting so far */
};

struct source_ops {
	int (*next)(struct source *s, struct image *out, double *captured_ms);
	void (*close)(struct source *s);
};

/* Could this path be a stream? "-", a FIFO, a character device, or .y4m. */
bool source_is_stream(const char *path);

/* Exit code, the reason printed. *out needs source_close() on success only. */
int source_open(const struct source_params *params, struct source **out);

/*
 * The next frame; out's pixels are used again. captured_ms: when it was
 * complete (source_now_ms). 0, SOURCE_END, or an exit code, the reason printed.
 */
int source_next(struct source *s, struct image *out, double *captured_ms);
void source_close(struct source *s);

/* Monotonic. */
double source_now_ms(void);

/* ---- for the kinds of sources ---- */

/* Waits for fd (-1: none) or until_ms (0: no limit). SOURCE_END: asked to stop. */
int source_wait(const struct source *s, int fd, double until_ms);

/* Makes out as large as the frames. */
int source_fit(const struct source *s, struct image *out);

int source_pipe_open(const struct source_params *params, struct source **out);
int source_v4l2_open(const struct source_params *params, struct source **out);

#endif
