/* SPDX-License-Identifier: MIT */
/* Graphs as ONNX files. */
#ifndef JOULE_ONNX_EXPORT_H
#define JOULE_ONNX_EXPORT_H

#include <stdint.h>

struct joule_graph;

struct joule_onnx_save {
	/*
	 * Constants of more than so many bytes together go to a second file,
	 * path + ".data". 0 means 1 GiB (a protobuf message ends at 2 GiB).
	 */
	int64_t external_bytes;
};

/*
 * Writes a graph whose operators are all ONNX's: operators and epilogues that
 * passes made are refused (-ENOTSUP, naming the node). Names of nodes, inputs
 * and outputs are kept; types of outputs are written if they were inferred.
 * The file appears whole or not at all. With a second file the two are renamed
 * one right after the other, when both are on disk.
 *
 * params: NULL for the defaults. Errors, logged: -ENOTSUP, -ENOSPC and what
 * else open, write, fsync and rename report, -EFBIG, -ENOMEM.
 */
int joule_onnx_save(const struct joule_graph *graph, const char *path,
		    const struct joule_onnx_save *params);

#endif
