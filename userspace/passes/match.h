/* SPDX-License-Identifier: MIT */
/* What recognisers and rewrites share. Internal to passes/. */
#ifndef JOULE_PASSES_MATCH_H
#define JOULE_PASSES_MATCH_H

#include "ir/graph.h"
#include "ir/op.h"

/* Is it that ONNX operator (default domain)? NULL nodes and removed ones are not. */
bool joule_match_op(const struct joule_node *node, const char *name);

/* The node that makes t if it is that operator and t has no other use, else NULL. */
struct joule_node *joule_match_only(const struct joule_graph *graph, const struct joule_tensor *t,
				    const char *name);

/* Is t a constant of one element? Its value goes to *out. */
bool joule_match_scalar(const struct joule_tensor *t, double *out);

/*
 * The other input of a two-input node: the one that is not t. NULL if t is
 * neither or both.
 */
struct joule_tensor *joule_match_other(const struct joule_node *node,
				       const struct joule_tensor *t);

/* The node's input that is a scalar constant, its value in *value; returns the other input. */
struct joule_tensor *joule_match_with_scalar(const struct joule_node *node, double *value);

/*
 * A new node computing what `last` computed, from in[]: it takes over last's
 * output; origins of all merged nodes are added. The merged nodes become dead
 * (dead-code removes those nothing else uses). NULL on error, logged.
 */
struct joule_node *joule_rewrite(struct joule_graph *graph, const struct joule_op *op,
				 struct joule_tensor *const *in, int n_in,
				 struct joule_node *const *merged, int n_merged,
				 struct joule_node *last);

/* Takes out nodes whose outputs nothing uses, from the end to the start. */
bool joule_remove_dead(struct joule_graph *graph);

#endif
