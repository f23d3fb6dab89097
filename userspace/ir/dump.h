/* SPDX-License-Identifier: MIT */
/* Graphs as text for people, a node a line. */
#ifndef JOULE_IR_DUMP_H
#define JOULE_IR_DUMP_H

#include <stdio.h>

#include "ir/graph.h"

void joule_graph_dump(const struct joule_graph *graph, FILE *to);

/* "Conv conv1 {strides=2,2} x:f32[1,3,8,8] w:f32[4,3,3,3]! -> y:f32[1,4,4,4] +relu" */
void joule_node_dump(const struct joule_node *node, FILE *to);

#endif
