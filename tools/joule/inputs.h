/* SPDX-License-Identifier: MIT */
/* Values for inputs when only time matters. */
#ifndef TOOLS_JOULE_INPUTS_H
#define TOOLS_JOULE_INPUTS_H

#include "tool.h"

struct inputs {
	int n;
	struct joule_view *views;
};

/*
 * Pseudo-random values for every input: floats in [-1, 1), integers in [0, 8),
 * bool 0 or 1. Dynamic dimensions come from --shape; a first dimension that is
 * still open is the batch and becomes batch (0: 1), another one is an error
 * that names the input. Free with inputs_finish(), also after an error.
 */
int inputs_random(const struct joule_model *model, const struct tool_options *options, int batch,
		  struct inputs *out);
void inputs_finish(struct inputs *inputs);

/* Hands them all to the session. */
int inputs_set(const struct inputs *inputs, struct joule_session *session);

#endif
