/* SPDX-License-Identifier: MIT */
/* A graph as text, for people and for tests that compare graphs. */
#ifndef JOULE_IR_DUMP_H
#define JOULE_IR_DUMP_H

#include <stdio.h>

#include "ir/graph.h"

/*
 * Inputs, outputs, then a line per node:
 *
 *   y: f32[1,8,7,9] = Conv(x, w!, _) {strides=2,2} + relu + add(z) <- conv1, relu1
 *
 * ! marks constants (small ones show their value), _ omitted operands. Only
 * attributes that differ from their defaults are shown; <- the ONNX nodes it
 * came from, where they are not just the node itself. Bodies are indented
 * below their node. Bytes that a terminal might act upon are shown as '?'.
 */
void joule_graph_dump(const struct joule_graph *graph, FILE *to);

/* The line of one node, without its bodies. */
void joule_node_dump(const struct joule_node *node, FILE *to);

#endif
