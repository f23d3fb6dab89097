/* SPDX-License-Identifier: MIT */
/*
 * The plan: a graph lowered to launches, places and barriers. Pure data, made
 * without a device; the runtime turns places into addresses and records it.
 *
 * A plan points at its graph (steps name nodes and tensors), which must outlive
 * it and keep its nodes; shapes are baked in.
 */
#ifndef JOULE_PLAN_PLAN_H
#define JOULE_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "hal/dispatch.h"
#include "ir/graph.h"

/* Every buffer starts on this many bytes; parts of a joined buffer on 16. */
#define JOULE_PLAN_ALIGN      64
#define JOULE_PLAN_PART_ALIGN 16

/* Readable bytes behind each arena: kernels may load a whole vector at its end. */
#define JOULE_PLAN_TAIL 256

enum joule_region {
	JOULE_REGION_NONE,
	JOULE_REGION_WEIGHTS,  /* place.index: of plan->weights */
	JOULE_REGION_DEVICE,   /* arena for kernels alone */
	JOULE_REGION_HOST,     /* arena that the host reads and writes too */
	JOULE_REGION_EXTERNAL, /* place.index: of plan->externals */
};

/* offset: bytes from the start of the arena, weight or external tensor. */
struct joule_place {
	enum joule_region region;
	int index;
	uint64_t offset, bytes;
};

/* Constant bytes to be put where kernels read them. */
struct joule_plan_weight {
	const void *data;
	uint64_t bytes;
	bool packed; /* made for this plan by a bind(), in plan->blobs */
	const char *name;
};

/* A tensor whose memory the plan's user provides (16-byte aligned). */
struct joule_plan_external {
	struct joule_tensor *tensor;
	uint64_t bytes;
	bool host; /* a host step reads or writes it */
};

enum joule_step_kind {
	JOULE_STEP_DEVICE,
	JOULE_STEP_HOST, /* joule_node_ref() on memory the host can reach */
};

struct joule_plan_step {
	enum joule_step_kind kind;
	struct joule_node *node;
	const char *name, *op;
	const char *kernel;    /* shader variants, "a + b"; "reference" for host steps */
	const char *reason;    /* host steps: why */
	const char *precision; /* of the result, "f32" */
	int n_origins;
	const char *const *origins;
	int64_t macs, bytes;
	int first_dispatch, n_dispatches;
};

struct joule_plan_dispatch {
	const struct joule_dispatch *dispatch;
	struct joule_place place[JOULE_MAX_OPERANDS];
	int step;
	bool barrier; /* must see what launches before it wrote, since the last barrier */
	bool split;   /* a good place to start a new submission */
};

/* A piece of an arena: one tensor, several that share it, or scratch. */
struct joule_plan_buffer {
	const char *name;
	uint64_t bytes, offset;
	int first, last; /* steps between which it is alive, both included */
	bool host;       /* in the host arena */
};

struct joule_plan {
	struct joule_arena arena;
	struct joule_arena blobs; /* packed weights; gone after joule_plan_drop_blobs() */
	const struct joule_graph *graph;
	int n_steps;
	struct joule_plan_step *steps; /* in order of execution */
	int n_dispatches;
	struct joule_plan_dispatch *dispatches;
	int n_weights;
	struct joule_plan_weight *weights;
	int n_externals;
	struct joule_plan_external *externals;
	int n_places;
	struct joule_place *places; /* by tensor index; region NONE: not in this plan */
	int n_buffers;
	struct joule_plan_buffer *buffers;
	uint64_t device_bytes, host_bytes; /* size of the arenas */
	uint64_t margin_bytes; /* to be readable before and behind each arena, multiple of 64 */
	uint64_t lower_bound_bytes;        /* largest sum of values alive at once */
	uint64_t weight_bytes;
	int64_t macs;
	int host_steps, barriers, splits;
};

struct joule_plan_params {
	const struct joule_caps *caps;
	bool unified;        /* host and kernels share all memory: one arena */
	bool f16_arithmetic, deterministic;
	bool keep_all;       /* every tensor readable after the run */
	/* The part of the graph to plan, in topological order. NULL: all nodes. */
	struct joule_node *const *nodes;
	int n_nodes;
	/* Results that go to memory of the user's rather than to an arena. */
	struct joule_tensor *const *externals;
	int n_externals;
	/*
	 * Work between two split marks, in multiply-accumulates (a byte moved
	 * counts as two). 0: no marks.
	 */
	int64_t split_work;
};

/*
 * Every tensor that the nodes touch must have its shape and type. Control flow
 * and nodes with late shapes are not planned: -EINVAL. Errors: -ENOMEM,
 * -ENOTSUP for a node with neither kernel nor reference.
 */
int joule_plan_create(const struct joule_graph *graph, const struct joule_plan_params *params,
		      struct joule_plan **out);
void joule_plan_destroy(struct joule_plan *plan);

/* Frees packed weights once they have been uploaded. */
void joule_plan_drop_blobs(struct joule_plan *plan);

/* The place of a tensor of the plan's graph, or NULL. */
const struct joule_place *joule_plan_place(const struct joule_plan *plan,
					   const struct joule_tensor *tensor);

/* No two buffers alive together overlap, and all lie in their arena. -EINVAL, logged. */
int joule_plan_check(const struct joule_plan *plan);

void joule_plan_dump(const struct joule_plan *plan, FILE *to);

#endif
