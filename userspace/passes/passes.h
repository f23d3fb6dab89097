/* SPDX-License-Identifier: MIT */
/*
 * Graph to graph: each pass keeps what the graph computes, within the rounding
 * of the arithmetic it reorders, and leaves a graph that verifies. Shapes must
 * have been inferred (joule_graph_infer()); tensors whose shape is still open
 * are left alone.
 */
#ifndef JOULE_PASSES_H
#define JOULE_PASSES_H

#include "ir/graph.h"

struct joule_pass {
	const char *name, *description;
	/* Sets *changed when it did something. 0 or -errno. */
	int (*run)(struct joule_graph *graph, bool *changed);
	bool repeat; /* what it did may let it do more, once shapes are inferred again */
};

struct joule_passes_params {
	const char *const *disabled; /* NULL-terminated names, or NULL */
	bool verify;                 /* joule_graph_verify() after each pass */
};

/*
 * All passes in order. -EINVAL for a disabled name that no pass has. params
 * may be NULL.
 */
int joule_passes_run(struct joule_graph *graph, const struct joule_passes_params *params);

/* -EINVAL, logged, for a name that no pass has. list: NULL-terminated, or NULL. */
int joule_passes_check_names(const struct joule_log *log, const char *const *list);

/* Pass i in the order they run, or NULL behind the last. */
const struct joule_pass *joule_pass_get(int i);

/*
 * Fills constants that the fold pass made out of ConstantOfShape with
 * pseudo-random values, the same ones each time: for benchmarks of files
 * without weights.
 */
void joule_random_weights(struct joule_graph *graph);

extern const struct joule_pass joule_pass_fold, joule_pass_dead_code, joule_pass_identity, joule_pass_if_inline,
	joule_pass_activation, joule_pass_layer_norm, joule_pass_pad,
	joule_pass_fake_quantize, joule_pass_attention, joule_pass_view, joule_pass_integer, joule_pass_integer_product,
	joule_pass_affine, joule_pass_transpose, joule_pass_epilogue, joule_pass_chain;

#endif
