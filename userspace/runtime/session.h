/* SPDX-License-Identifier: MIT */
/* What the files that make up a session share. */
#ifndef JOULE_RUNTIME_SESSION_H
#define JOULE_RUNTIME_SESSION_H

#include <pthread.h>

#include "runtime/engine.h"
#include "runtime/objects.h"

struct joule_instance;
struct joule_worker;

struct joule_input {
	const char *name;
	enum joule_dtype dtype;
	struct joule_shape declared; /* -1 where any size goes */
	struct joule_shape shape;    /* of the value; rank -1: not known yet */
	bool set;
	struct joule_block block;    /* where the value is, on devices */
	void *heap;                  /* the same on the CPU */
	size_t heap_bytes;
	struct joule_hal_memory *bound; /* the caller's memory instead */
	void *bound_data;               /* the same on the CPU */
	int state_of;                /* output whose last value this takes, or -1 */
};

struct joule_output {
	struct joule_hal_memory *bound; /* the caller's memory to write to */
	struct joule_view bound_view;
};

struct joule_session {
	struct joule_context *context;
	struct joule_model *model;
	struct joule_device *device;
	const struct joule_log *log;
	struct joule_arena arena; /* holds copies of what params pointed to */
	enum joule_precision precision;
	bool deterministic, profile, random_weights, keep_all;
	const char **disabled_passes; /* NULL-terminated, or NULL */
	uint64_t max_submit_ns;
	int n_inputs, n_outputs;
	struct joule_input *inputs;
	struct joule_output *outputs;
	bool ran;                 /* outputs hold something */
	/* The CPU: the graph that the interpreter runs. */
	struct joule_graph *graph;
	/* Devices: one instance for each set of input shapes, the last used first. */
	struct joule_engine engine;
	struct joule_instance *instances;
	int n_instances;
	/* Asynchronous runs. */
	struct joule_worker *worker;
	atomic_bool busy, cancelled;
	uint64_t deadline_ns;
	/* Results of the last profile. */
	struct joule_step_profile *steps;
	int n_steps;
	struct joule_arena step_arena;
	uint64_t profiles;     /* made so far */
	uint64_t run_start_ns; /* of the last run */
	void (*trace_node)(void *user, const struct joule_node *node, uint64_t start_ns,
			   uint64_t ns); /* on the CPU, while profiling */
	uint64_t create_ns;
};

/* Executes with the inputs as they are, in the calling thread. */
int joule_session_execute(struct joule_session *session);

/* 0, -ECANCELED or -ETIME. user is the session. */
int joule_session_check(void *user);

/* Index, type and shape of a view for input i; NULL views pass. Logged. */
int joule_session_check_input(struct joule_session *session, int i,
			      const struct joule_view *view);

/* Where input i's value is for the host. */
void *joule_input_data(const struct joule_input *input);

/* Address range of input i on the device. */
struct joule_slot joule_input_slot(const struct joule_input *input);

/* A graph output or, by name, any tensor of the instance that ran last. */
int joule_session_view(struct joule_session *session, const struct joule_tensor *tensor,
		       struct joule_view *out);

/* The graph that ran last. NULL before the first preparation. */
struct joule_graph *joule_session_graph(const struct joule_session *session);

int joule_worker_submit(struct joule_session *session, struct joule_fence **out);
void joule_worker_destroy(struct joule_worker *worker);

/* ---- devices: device_run.c ---- */

/* Makes the instance for the inputs' shapes ready, or finds it. */
int joule_session_prepare(struct joule_session *session);
int joule_session_execute_device(struct joule_session *session);
void joule_session_drop_instances(struct joule_session *session);

#endif
