/* SPDX-License-Identifier: MIT */
/*
 * What If, Loop and Scan mean, without knowing how a body is run: the plain
 * interpreter and the device executor both drive their bodies through this.
 */
#ifndef JOULE_RUNTIME_CONTROL_H
#define JOULE_RUNTIME_CONTROL_H

#include "ir/graph.h"

/* Iterations of one Loop before it is taken for endless. */
#define JOULE_LOOP_LIMIT (1 << 24)

struct joule_control {
	/*
	 * Runs node->body[i], whose inputs have type, shape and data. All its
	 * outputs must have data afterwards, valid until the next call.
	 */
	int (*run_body)(void *user, struct joule_node *node, int body);
	/* 0, or the reason to stop between two iterations. Optional. */
	int (*check)(void *user);
	void *user;
};

/*
 * Runs one node whose inputs all have data the host can read. Its outputs get
 * owned storage. Errors: what bodies return, -EINVAL for shapes that do not
 * go together, -EOVERFLOW for an endless Loop, -ENOMEM.
 */
int joule_control_run(const struct joule_control *control, struct joule_node *node);

#endif
