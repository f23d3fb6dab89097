/* SPDX-License-Identifier: MIT */
/*
 * A plan made ready on a device: arenas, recordings, and the order in which
 * recordings and host steps alternate. Recorded once, replayed; recorded anew
 * only when memory that the stage does not own has moved.
 */
#ifndef JOULE_RUNTIME_STAGE_H
#define JOULE_RUNTIME_STAGE_H

#include "runtime/engine.h"

/* Steps [first, end) in a row that are all launches, or all on the host. */
struct joule_segment {
	bool host;
	int first, end;
	int launches;
	struct joule_hal_program *program; /* NULL without launches */
	struct joule_hal_program *timed;   /* the same with time stamps, made when asked for */
	struct joule_hal_program *running; /* submitted, not waited for: a run was given up */
};

struct joule_stage {
	struct joule_engine *engine;
	struct joule_plan *plan;
	struct joule_hal_memory *device, *host; /* arenas, NULL if empty */
	struct joule_slot *weights;
	struct joule_slot *externals; /* as recorded */
	int n_segments;
	struct joule_segment *segments;
	int first_row; /* of the trace that is being made */
	uint64_t row_serial;
};

struct joule_stage_params {
	struct joule_node *const *nodes;
	int n_nodes;
	struct joule_tensor *const *externals; /* results in memory of others */
	int n_externals;
};

/*
 * Plans, uploads, compiles and records. slots: by tensor index, where the
 * tensors that the nodes read from outside are, and the externals.
 */
int joule_stage_create(struct joule_engine *engine, const struct joule_graph *graph,
		       const struct joule_stage_params *params, const struct joule_slot *slots,
		       struct joule_stage **out);
void joule_stage_destroy(struct joule_stage *stage);

/*
 * Runs and waits. slots as above; results' slots are filled in. Errors: -ETIME,
 * -ECANCELED (then the device may still be running), -ENODEV, a host step's.
 */
int joule_stage_run(struct joule_stage *stage, struct joule_slot *slots);

/* Records the second, timed set of programs now rather than at the first profile. */
int joule_stage_record_timed(struct joule_stage *stage, const struct joule_slot *slots);

#endif
