/* SPDX-License-Identifier: MIT */
/* Graphs built by hand, and comparing their runs. Everything exits on failure. */
#ifndef TESTS_UNIT_GRAPHS_H
#define TESTS_UNIT_GRAPHS_H

#include <joule/joule.h>

#include "ir/graph.h"
#include "ir/op.h"

/* Logs errors to stderr unless quiet is set. */
extern struct joule_log test_log;
extern bool test_log_quiet;

struct joule_graph *test_graph(void);

/* dims end with -2; NAME NULL makes one up. */
struct joule_tensor *test_input(struct joule_graph *g, const char *name, enum joule_dtype dtype,
				const int64_t *dims);
#define DIMS(...) ((const int64_t[]){ __VA_ARGS__, -2 })
#define SCALAR	  ((const int64_t[]){ -2 })

/* Random values in -1..1, or integers 0..9. */
struct joule_tensor *test_const(struct joule_graph *g, enum joule_dtype dtype,
				const int64_t *dims);
struct joule_tensor *test_ints(struct joule_graph *g, int n, const int64_t *values);
struct joule_tensor *test_scalar(struct joule_graph *g, double value);

/* A node with one output; inputs end with NULL. Opset 17. */
struct joule_node *test_node(struct joule_graph *g, const char *op, int n_out,
			     struct joule_tensor *const *in);
#define IN(...) ((struct joule_tensor *const[]){ __VA_ARGS__, NULL })

/* The result of a new one-output node. */
struct joule_tensor *test_op(struct joule_graph *g, const char *op,
			     struct joule_tensor *const *in);

void test_attr_int(struct joule_node *node, const char *name, int64_t v);
void test_attr_float(struct joule_node *node, const char *name, float v);
void test_attr_ints(struct joule_node *node, const char *name, int n, const int64_t *v);
void test_output(struct joule_graph *g, struct joule_tensor *t);

/* A body for If, Loop and Scan: fill it, then joule_node->body[] has it. */
struct joule_graph *test_body(struct joule_node *node, const char *attr);
struct joule_tensor *test_capture(struct joule_graph *body, struct joule_tensor *outer);

/* Random numbers, the same in every run: test_rnd(n) is in 0..n-1. */
uint32_t test_rnd(uint32_t n);
void test_fill(enum joule_dtype dtype, void *data, int64_t n);

/* A context; its device of that name, or NULL if there is none. */
struct joule_context *test_context(void);
struct joule_device *test_device(struct joule_context *context, const char *id);

/* Largest difference over the range of want; types and shapes must agree. */
double test_difference(const struct joule_view *got, const struct joule_view *want);

/*
 * Runs the model on both devices with the same random inputs (dims given where
 * the model leaves them open by params) and compares all outputs.
 */
void test_same(struct joule_model *model, struct joule_device *a, struct joule_device *b,
	       const struct joule_session_params *params, double tol);

#endif
