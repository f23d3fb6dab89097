/* SPDX-License-Identifier: MIT */
/*
 * Files that appear whole or not at all: written beside the target as
 * PATH.part, then renamed. A target that is there and is no regular file (a
 * device, a pipe) is written as it is.
 */
#ifndef TOOLS_JOULE_OUTPUT_H
#define TOOLS_JOULE_OUTPUT_H

#include <stdio.h>

struct output {
	const char *path; /* borrowed */
	char *part;       /* NULL: written in place */
	FILE *file;
};

/* Exit code, the reason printed; nothing to clean up after an error. */
int output_open(const char *path, struct output *out);

/*
 * ret: exit code of what was written so far. Where it is 0 and all went well,
 * the file takes its place; else nothing is left. Returns the exit code.
 */
int output_close(struct output *out, int ret);

#endif
