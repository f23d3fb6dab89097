/* SPDX-License-Identifier: MIT */
/* What the files of this room share while a plan is being made. */
#ifndef JOULE_PLAN_BUILD_H
#define JOULE_PLAN_BUILD_H

#include "hal/binder.h"
#include "plan/plan.h"

enum joule_build_kind {
	JOULE_BUILD_DEVICE,
	JOULE_BUILD_HOST,
	JOULE_BUILD_ALIAS, /* results share the bytes of the operands: nothing runs */
	JOULE_BUILD_EMPTY, /* results without elements: nothing runs */
};

struct joule_build_node {
	struct joule_node *node;
	enum joule_build_kind kind;
	const char *reason;
	struct joule_binder binder;
	int first_scratch; /* in build->buffers */
};

/*
 * Storage that may turn out to be a part of other storage: parent and
 * parent_offset lead to the root, which gets a place of its own.
 */
struct joule_build_buffer {
	const struct joule_tensor *tensor; /* NULL: scratch */
	uint64_t bytes;
	int first, last;  /* own life, as positions in build->nodes; -1: never used */
	bool kept;        /* needed after the plan's end */
	bool host;        /* touched by the host */
	bool fixed;       /* external or constant: has its place already */
	uint64_t margin;  /* of a root: readers go that far beyond its ends or a part's */
	int parent;       /* -1: a root */
	uint64_t parent_offset;
	int root_first, root_last; /* of a root: its own life and that of all its parts */
	bool root_host;
	struct joule_place place;
};

struct joule_build {
	struct joule_plan *plan;
	const struct joule_plan_params *params;
	const struct joule_graph *graph;
	int n_nodes;
	struct joule_build_node *nodes; /* in order of execution */
	int n_buffers, cap_buffers;
	struct joule_build_buffer *buffers; /* tensors by index first, scratch behind */
	bool *in_arena;   /* by tensor: what lies around it is the plan's as well */
};

/* Binds every node and finds out where it runs. */
int joule_build_lower(struct joule_build *b);

/* Keeps host work together, so that a recording is cut as seldom as possible. */
int joule_build_order(struct joule_build *b);

/* Lives, sharing, and places of all buffers. */
int joule_build_buffers(struct joule_build *b);

int joule_build_root(const struct joule_build *b, int buffer, uint64_t *offset);

#endif
