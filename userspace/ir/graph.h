/* SPDX-License-Identifier: MIT */
/*
 * The graph: what the importer makes, what passes rewrite, what the plan is
 * lowered from. One thread at a time may change a graph.
 *
 * Ownership: everything a graph points to lives in its arena, in a file it
 * holds a reference to, or in tensor storage it frees (tensor.owned).
 */
#ifndef JOULE_IR_GRAPH_H
#define JOULE_IR_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <joule/log.h>
#include <joule/types.h>

#include "base/arena.h"
#include "ir/elementwise.h"

struct joule_op;
struct joule_node;
struct joule_graph;
struct joule_mapped_file;

enum joule_tensor_flags {
	JOULE_TENSOR_CONST = 1 << 0,  /* data is the value for all runs */
	JOULE_TENSOR_INPUT = 1 << 1,  /* a graph input */
	JOULE_TENSOR_OUTPUT = 1 << 2, /* a graph output: must not be removed */
	JOULE_TENSOR_FILLED = 1 << 3, /* const made of one repeated value (ConstantOfShape) */
};

/*
 * One value. data is non-NULL when the value is known now: always for
 * constants, and for the others only while an executor runs the graph. An
 * operator's infer() may read data whenever it is there.
 */
struct joule_tensor {
	const char *name;     /* unique in the graph, never NULL */
	enum joule_dtype dtype;
	struct joule_shape shape; /* rank -1 until inferred */
	unsigned int flags;
	void *data;           /* dense, row-major, joule_array_bytes() long */
	bool owned;           /* data was malloc'ed for this tensor */
	struct joule_node *producer; /* NULL for inputs, constants and captures */
	struct joule_tensor *outer;  /* in a body: the tensor captured from the enclosing graph */
	uint32_t index;       /* position in graph->tensors */
};

/*
 * One operation. in[] and out[] hold NULL where ONNX says "omitted".
 * attrs points at the operator's own struct (op->attrs_bytes, zero = absent).
 */
struct joule_node {
	const struct joule_op *op;
	struct joule_graph *graph;
	const char *name;     /* unique, made up from op and index if the file has none */
	int opset;            /* opset version of the operator's domain in the file */
	void *attrs;
	int n_in, n_out;
	struct joule_tensor **in, **out;
	int n_body;           /* subgraphs: If 2, Loop and Scan 1 */
	struct joule_graph **body;
	/*
	 * Element-wise work that passes fused behind this operator, applied to
	 * out[0] in order. Its tensor operands are in[epilogue.first_in] and on.
	 */
	struct joule_epilogue epilogue;
	int n_origins;        /* ONNX nodes this one came from */
	const char **origins;
	uint32_t index;       /* position in graph->nodes after joule_graph_sort() */
};

struct joule_graph {
	struct joule_arena arena;
	const struct joule_log *log; /* borrowed from the context */
	const char *file;     /* for messages */
	const char *name;
	int opset;            /* of the default domain */
	int n_tensors, cap_tensors;
	struct joule_tensor **tensors;
	int n_nodes, cap_nodes;
	struct joule_node **nodes; /* topological order */
	int n_inputs, n_outputs;
	struct joule_tensor **inputs, **outputs;
	struct joule_graph *parent; /* enclosing graph of a body */
	int n_files;
	struct joule_mapped_file **files; /* references held for constants' data */
	int n_metadata;       /* metadata_props, key and value alternating */
	const char **metadata;
	uint64_t next_name;   /* number in the next name that is made up */
	const struct joule_graph *shared; /* a clone's original, which must outlive it */
	int n_kept;           /* bodies that were inlined: their arenas hold names and attributes */
	struct joule_graph **kept;
};

int joule_graph_create(const struct joule_log *log, const char *file, struct joule_graph **out);

/* Frees the graph and its bodies. NULL is fine. */
void joule_graph_destroy(struct joule_graph *graph);

/*
 * A private copy of nodes, tensors and bodies that shares attributes, names
 * and constants' data with the original: what a session changes while it runs.
 */
int joule_graph_clone(const struct joule_graph *graph, struct joule_graph **out);

/* Keeps an inlined body's memory as long as the graph lives; takes the body over. */
int joule_graph_keep_body(struct joule_graph *graph, struct joule_graph *body);

/* Keeps a file mapped as long as the graph lives. Takes its own reference. */
int joule_graph_hold_file(struct joule_graph *graph, struct joule_mapped_file *file);

/* NULL when out of memory (logged). name is copied; NULL makes one up. */
struct joule_tensor *joule_graph_add_tensor(struct joule_graph *graph, const char *name);

/* A constant whose data is a zeroed arena buffer of the right size to fill in. */
struct joule_tensor *joule_graph_add_const(struct joule_graph *graph, const char *name,
					   enum joule_dtype dtype, const struct joule_shape *shape);

/*
 * A node at the end of the list, all inputs and outputs NULL, attrs zeroed.
 * The caller fills in[] and joule_node_set_output()s.
 */
struct joule_node *joule_graph_add_node(struct joule_graph *graph, const struct joule_op *op,
					const char *name, int n_in, int n_out);

void joule_node_set_output(struct joule_node *node, int i, struct joule_tensor *tensor);

/* Makes room for and sets input i >= n_in too. */
int joule_node_set_input(struct joule_node *node, int i, struct joule_tensor *tensor);

/* Adds src's origins to dst, for passes that merge nodes. */
int joule_node_add_origins(struct joule_node *dst, const struct joule_node *src);

/*
 * Every use of from, in nodes, bodies' captures and graph outputs, becomes to.
 * A graph output keeps its name: to takes the name and the OUTPUT flag over.
 */
int joule_graph_replace_uses(struct joule_graph *graph, struct joule_tensor *from,
			     struct joule_tensor *to);

/* Uses of a tensor as a node input, capture or graph output. */
int joule_tensor_uses(const struct joule_graph *graph, const struct joule_tensor *tensor);

/* The only node that reads tensor, or NULL if there is none, several, or it is an output. */
struct joule_node *joule_tensor_only_user(const struct joule_graph *graph,
					  const struct joule_tensor *tensor);

/* Marks for removal; joule_graph_compact() takes them out. */
void joule_node_remove(struct joule_node *node);

/* Drops removed nodes and unused tensors and renumbers. */
void joule_graph_compact(struct joule_graph *graph);

/* Topological order, stable. -ELOOP for a cycle, naming a node on it. */
int joule_graph_sort(struct joule_graph *graph);

/* Checks every promise of this header. -EINVAL with the first broken one. */
int joule_graph_verify(const struct joule_graph *graph);

/*
 * Shapes and types of all tensors, from inputs to outputs, folding constants
 * on the way (shape arithmetic has to be folded for Reshape to be inferred).
 * limit: the largest folded constant in bytes; 0 means 64 KiB. Tensors whose
 * shape depends on a run's values keep rank -1.
 */
int joule_graph_infer(struct joule_graph *graph, size_t limit);

/* infer() of one node with its checks; 1 when the result depends on values not known yet. */
int joule_node_infer(struct joule_node *node);

/* Of the inputs and outputs whose shapes are known the one with most bytes, or NULL. */
const struct joule_tensor *joule_node_largest(const struct joule_node *node);

/*
 * ref() of one node, fused epilogue included. Outputs without data get owned
 * storage. All inputs' data must be there. Bodies are not run: control flow
 * belongs to an executor.
 */
int joule_node_ref(struct joule_node *node);

/*
 * Evaluates a node whose inputs are all constants (or shapes alone, for
 * JOULE_OP_SHAPE_ONLY): its outputs become constants and the node is removed.
 */
int joule_node_fold(struct joule_node *node);

/* Owned storage for the tensor's type and shape (zeroed). -ENOMEM, -EINVAL. */
int joule_tensor_alloc(struct joule_tensor *tensor);

/* Drops owned storage and forgets the value; constants are left alone. */
void joule_tensor_release(struct joule_tensor *tensor);

/* Logs "file: node NAME (Op): message", returns err. */
__attribute__((format(printf, 3, 4))) int joule_node_err(const struct joule_node *node, int err,
							 const char *fmt, ...);

static inline bool joule_tensor_is_const(const struct joule_tensor *t)
{
	return t && (t->flags & JOULE_TENSOR_CONST);
}

static inline struct joule_tensor *joule_node_in(const struct joule_node *n, int i)
{
	return i < n->n_in ? n->in[i] : NULL;
}

/* The operator's own input i, where a fused epilogue's operands may follow them. */
static inline struct joule_tensor *joule_node_own_in(const struct joule_node *n, int i)
{
	bool own = !n->epilogue.n || !n->epilogue.first_in || i < n->epilogue.first_in;

	return own ? joule_node_in(n, i) : NULL;
}

static inline struct joule_tensor *joule_node_out(const struct joule_node *n, int i)
{
	return i < n->n_out ? n->out[i] : NULL;
}

/* Elements of a tensor with a known shape. */
static inline int64_t joule_tensor_count(const struct joule_tensor *t)
{
	return joule_shape_count(&t->shape);
}

/* Bytes of a tensor with a known shape and type. */
static inline int64_t joule_tensor_bytes(const struct joule_tensor *t)
{
	return joule_array_bytes(t->dtype, &t->shape);
}

#endif
