/* SPDX-License-Identifier: MIT */
/* What a stream of frames says: a line for each frame, and a summary at the end. */
#ifndef TOOLS_JOULE_STREAM_SHOW_H
#define TOOLS_JOULE_STREAM_SHOW_H

#include "run.h"

/* The reader of standard output has closed it. */
#define STREAM_CLOSED (-2)

struct stream_frame {
	long number, dropped;
	double prepare_ms; /* conversion and preprocessing, beside the previous run */
	double run_ms;     /* copy in and inference */
	double latency_ms; /* frame complete to answer there */
	json_t *answer;    /* as show_kind.show() made it */
};

struct stream_show;

/* 0, STREAM_CLOSED or an exit code; so are the results of the others. */
int stream_show_begin(const struct run *r, const struct source *source, struct stream_show **out);
int stream_show_frame(struct stream_show *s, const struct stream_frame *frame);

/* Prints the summary and frees. */
int stream_show_end(struct stream_show *s, const struct source *source);

#endif
