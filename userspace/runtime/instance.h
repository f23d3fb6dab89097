/* SPDX-License-Identifier: MIT */
#ifndef JOULE_RUNTIME_INSTANCE_H
#define JOULE_RUNTIME_INSTANCE_H

#include "runtime/frame.h"

/* A session's graph for one set of input shapes. */
struct joule_instance {
	struct joule_instance *next;
	struct joule_shape *shapes; /* of the inputs */
	struct joule_graph *graph;
	struct joule_frame *frame;
};

#endif
