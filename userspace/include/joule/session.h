/* SPDX-License-Identifier: MIT */
/*
 * A session: one model made ready to run on one device. Used by one thread at
 * a time; many sessions may share a model and a device.
 *
 *	joule_session_create(model, device, NULL, &session);
 *	joule_session_set_input(session, 0, &picture);
 *	joule_session_run(session, 0);
 *	joule_session_output(session, 0, &scores);
 */
#ifndef JOULE_SESSION_H
#define JOULE_SESSION_H

#include <joule/model.h>

#ifdef __cplusplus
extern "C" {
#endif

struct joule_session;
struct joule_fence;

enum joule_precision {
	JOULE_PRECISION_FP32,
	JOULE_PRECISION_FP16,      /* fp16 storage, fp32 arithmetic; nodes at risk stay fp32 */
	JOULE_PRECISION_FP16_MATH, /* fp16 arithmetic too, where the device has it */
};

/* Zero-initialize; a zero field means the default. */
struct joule_session_params {
	enum joule_precision precision;
	bool deterministic;      /* same bits in every run on the same device and driver */
	/*
	 * Shapes for inputs with dynamic dimensions, n_shapes pairs. Without
	 * one the plan is made when the first input of a shape arrives, and
	 * kept for each shape seen.
	 */
	int n_shapes;
	const struct joule_value_info *shapes;
	const char *const *disabled_passes; /* NULL-terminated pass names */
	const char *const *keep_fp32; /* NULL-terminated names of nodes that fp16 leaves alone */
	bool profile;            /* make the second recording, with time stamps */
	uint64_t max_submit_ns;  /* split long graphs: aim of one submission, 0 = driver's watchdog */
	/*
	 * Constants that a file gives as one repeated value (ConstantOfShape) get
	 * pseudo-random values instead: for benchmarks of models without weights.
	 */
	bool random_weights;
	bool keep_all;           /* keep every tensor readable (joule_session_tensor) */
};

/*
 * Plans, uploads weights and compiles every kernel: the first run compiles
 * nothing. model and device must outlive the session (they are referenced).
 * Errors: -ENOTSUP naming the node, -ENOMEM with what was asked and what is
 * there, -ENODEV.
 */
int joule_session_create(struct joule_model *model, struct joule_device *device,
			 const struct joule_session_params *params, struct joule_session **out);
void joule_session_destroy(struct joule_session *session);

/*
 * Sets an input by position. The data is copied during the call. Errors:
 * -ERANGE, -EINVAL with both types or both shapes.
 */
int joule_session_set_input(struct joule_session *session, int i, const struct joule_view *view);

/*
 * Binds the caller's memory to an input or output without a copy, until unbound
 * with a NULL view. ptr and size must meet the device's alignment, told in the
 * error; -ENOTSUP where the device cannot import.
 */
int joule_session_bind_input(struct joule_session *session, int i, const struct joule_view *view);
int joule_session_bind_output(struct joule_session *session, int i, const struct joule_view *view);

/* The same from a dma-buf; on success the fd belongs to the session. */
int joule_session_bind_input_dmabuf(struct joule_session *session, int i, int fd,
				    const struct joule_view *layout);

/*
 * Runs and waits. timeout_ns 0: no limit. Errors: -ETIME (the run was cancelled),
 * -EINVAL naming an input that was not set, -ENODEV when the device was lost
 * (destroy the session, open the device again), and what a node reports.
 */
int joule_session_run(struct joule_session *session, uint64_t timeout_ns);

/*
 * Starts a run and returns at once; one run at a time for each session (-EBUSY).
 * Inputs may be set for the next run as soon as the fence has signalled.
 */
int joule_session_submit(struct joule_session *session, struct joule_fence **out);

/*
 * 0 when the run is done, -ETIME when timeout_ns (0: forever) passed first,
 * -ECANCELED, or the run's own error. May be called several times.
 */
int joule_fence_wait(struct joule_fence *fence, uint64_t timeout_ns);

/* Stops the run between two submissions; the wait then gives -ECANCELED. */
void joule_fence_cancel(struct joule_fence *fence);
void joule_fence_destroy(struct joule_fence *fence);

/*
 * An output of the last finished run. The view is valid until the next run or
 * the session's end.
 */
int joule_session_output(struct joule_session *session, int i, struct joule_view *out);

/* Any tensor by name, for sessions made with keep_all. -ENOENT, -EINVAL. */
int joule_session_tensor(struct joule_session *session, const char *name, struct joule_view *out);

/* One tensor that keep_all keeps. Strings are valid as long as the session. */
struct joule_tensor_info {
	const char *name, *node, *op; /* node and op: what makes it */
	const char *device;           /* where that ran: "vulkan" or "cpu" */
};

/* Fills at most max entries in the order they are computed; returns how many there are. */
int joule_session_tensors(struct joule_session *session, struct joule_tensor_info *list, int max);

/*
 * Makes output i of each run the input j of the next (recurrent state), with
 * zeros first. The two must agree in type and shape.
 */
int joule_session_loop_state(struct joule_session *session, int output, int input);

/*
 * For fp16 sessions: with the inputs as they are set, runs in fp32 and in fp16
 * and compares all values. Nodes whose results overflow go back to fp32; and as
 * long as an output's root mean square error passes limit (0: 0.01) of its own
 * variation, nodes where errors grow do so too. The plan is made anew. Profiles
 * and the log name these nodes. Returns how many there are. Does nothing for
 * fp32 sessions. Errors: as joule_session_run().
 */
int joule_session_calibrate(struct joule_session *session, double limit);

/* ---- what a run cost ---- */

enum joule_value_kind {
	JOULE_UNAVAILABLE,
	JOULE_MEASURED,
	JOULE_MODELLED,
	JOULE_SIMULATED,
};

/* One step of the plan. Strings are valid as long as the session. */
struct joule_step_profile {
	const char *name;     /* node */
	const char *op;
	const char *kernel;   /* shader variant(s), or "reference" for host steps */
	const char *device;   /* "vulkan" or "cpu" */
	const char *reason;   /* host steps: why it is on the CPU, or NULL */
	const char *precision;
	int n_origins;        /* ONNX nodes it came from */
	const char *const *origins;
	int n_after;
	const int *after;     /* positions of the steps whose results this one reads */
	int launches;
	uint64_t start_ns;    /* since the start of the run, device time stamps */
	uint64_t ns;
	int64_t bytes, macs;
};

struct joule_profile {
	int n_steps;
	const struct joule_step_profile *steps;
	/*
	 * total = sum of steps + gaps between them on the device + host (submit,
	 * wake-up, input and output copies). All measured in the same run.
	 */
	uint64_t total_ns, steps_ns, gaps_ns, host_ns;
};

/*
 * Runs once with the recording that has time stamps (which waits between
 * launches, so it is slower than a plain run; what is timed by run() is not
 * changed by profiling). Valid until the next call or the session's end.
 */
int joule_session_profile(struct joule_session *session, struct joule_profile *out);

struct joule_session_stats {
	uint64_t device_bytes;     /* all device memory of this session */
	uint64_t arena_bytes;      /* of that, activations as planned */
	uint64_t arena_lower_bound_bytes; /* largest set of activations alive at once */
	uint64_t weight_bytes;
	int64_t macs;
	int steps, host_steps, launches, barriers, submissions;
	int host_float_steps;      /* of host_steps, those that make floating-point results */
	uint64_t create_ns;        /* planning, upload and compilation */
	uint64_t compile_ns;       /* of that, pipelines */
};

int joule_session_get_stats(struct joule_session *session, struct joule_session_stats *out);

/* How often an operator occurs in the file's graph and after the passes. */
struct joule_op_count {
	const char *op; /* valid as long as the session */
	int before, after;
};

/* Fills at most max entries, by name; returns how many there are. */
int joule_session_op_counts(struct joule_session *session, struct joule_op_count *list, int max);

/* Name and one-line description of pass i, in the order they run. -ERANGE behind the last. */
int joule_pass_info(int i, const char **name, const char **description);

/*
 * As text. stage: "passes", the graph after the passes; "plan", steps with
 * places, barriers and kernels. -EINVAL for another stage.
 */
int joule_session_dump(struct joule_session *session, const char *stage, FILE *to);

#ifdef __cplusplus
}
#endif

#endif
