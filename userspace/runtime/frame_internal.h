/* SPDX-License-Identifier: MIT */
/* What the files that make up a frame share. */
#ifndef JOULE_RUNTIME_FRAME_INTERNAL_H
#define JOULE_RUNTIME_FRAME_INTERNAL_H

#include "runtime/frame.h"

/* One way to run the n-th part of the graph. */
struct joule_frame_variant {
	struct joule_frame_variant *next; /* last used first */
	unsigned char *key; /* everything that the plan depends on */
	size_t key_bytes;
	struct joule_stage *stage;
};

/* A body made for one set of shapes of its inputs and captures. */
struct joule_frame_body {
	struct joule_frame_body *next; /* last used first */
	struct joule_shape *entry;     /* inputs, then captures */
	struct joule_graph *graph;     /* a clone, after passes */
	struct joule_frame *frame;
};

struct joule_frame {
	struct joule_engine *engine;
	struct joule_graph *graph;
	struct joule_frame *parent; /* of the frame whose node this is a body of */
	struct joule_slot *slots;   /* by tensor index */
	struct joule_block *blocks; /* results made on the host, inputs of a body */
	bool *given;       /* slots set by the caller: results there are external */
	bool *available;   /* by tensor: has a value now */
	bool *wanted;      /* by tensor: shapes depend on its value */
	bool *done;        /* by node */
	bool *late;        /* by node: its shape changes so often that planning does not pay */
	int *row;          /* by node: of the trace, for what no stage runs */
	uint64_t row_serial;
	struct joule_shape *shapes; /* by tensor: before anything was inferred */
	bool complete;     /* shapes known ahead, no control flow: one stage is all */
	int n_parts, cap_parts;
	int made;          /* stages planned since the frame exists */
	struct joule_frame_variant **parts; /* by number of the stage */
	struct joule_frame_body ***bodies;  /* by node and body, NULL until used */
	struct joule_node **picked;         /* scratch: nodes of the next stage */
};

/*
 * frame_stage.c: the stage for the first n picked nodes, as part number `part`.
 * NULL when it would be one plan too many for what it does.
 */
int joule_frame_find_stage(struct joule_frame *f, int part, int n, struct joule_stage **out);
void joule_frame_drop_parts(struct joule_frame *f);

/* frame_run.c. dry: plan and record the first stage, run nothing. */
int joule_frame_run_stages(struct joule_frame *f, bool dry);

/* Memory for a tensor of known shape that the host fills. */
int joule_frame_reserve(struct joule_frame *f, const struct joule_tensor *t);

/* frame_body.c: joule_control's run_body(), user is the frame. */
int joule_frame_run_body(void *user, struct joule_node *node, int body);
void joule_frame_destroy_bodies(struct joule_frame *f);

/* Whether the value is there: constants always. NULL counts as there. */
static inline bool joule_frame_has(const struct joule_frame *f, const struct joule_tensor *t)
{
	return !t || (t->flags & JOULE_TENSOR_CONST) || f->available[t->index];
}

#endif
