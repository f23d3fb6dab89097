/* SPDX-License-Identifier: MIT */
/* Attributes of If, Loop and Scan, for the executors that run their bodies. */
#ifndef JOULE_OPS_CONTROL_H
#define JOULE_OPS_CONTROL_H

#include "ir/op.h"

enum joule_control_kind {
	JOULE_CONTROL_IF,
	JOULE_CONTROL_LOOP,
	JOULE_CONTROL_SCAN,
	JOULE_CONTROL_SCAN8, /* opset 8: a batch dimension, sequence lengths first */
};

/* Bodies are 1 + position in node->body. */
struct joule_if {
	int then_branch, else_branch;
};

struct joule_loop {
	int body;
};

struct joule_scan {
	int body;
	int64_t num_scan_inputs;
	struct joule_ints directions; /* opset 8 */
	struct joule_ints scan_input_directions, scan_output_directions;
	struct joule_ints scan_input_axes, scan_output_axes;
};

#endif
