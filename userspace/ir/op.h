/* SPDX-License-Identifier: MIT */
/*
 * What an operator is. Each file in ops/ ends in JOULE_OPS(file) = { ... };
 * the build gathers those lists into one table.
 */
#ifndef JOULE_IR_OP_H
#define JOULE_IR_OP_H

#include <stddef.h>
#include <stdint.h>

#include "ir/graph.h"

struct joule_binder;

/* ---- attributes: read, printed and written by the same table ---- */

enum joule_attr_type {
	JOULE_ATTR_INT,    /* int64_t */
	JOULE_ATTR_FLOAT,  /* float */
	JOULE_ATTR_STRING, /* const char * */
	JOULE_ATTR_ENUM,   /* int: position in def.names, NULL-terminated; first = default */
	JOULE_ATTR_INTS,   /* struct joule_ints */
	JOULE_ATTR_FLOATS, /* struct joule_floats */
	JOULE_ATTR_STRINGS, /* struct joule_strings */
	JOULE_ATTR_TENSOR, /* struct joule_tensor *: a constant of the graph */
	JOULE_ATTR_GRAPH,  /* int: 1 + position in node->body */
};

struct joule_ints {
	int n;
	const int64_t *v;
};

struct joule_floats {
	int n;
	const float *v;
};

struct joule_strings {
	int n;
	const char *const *v;
};

struct joule_attr {
	const char *name;
	enum joule_attr_type type;
	uint16_t offset;
	bool required;
	union {
		int64_t i;
		float f;
		const char *s;
		const char *const *names;
	} def;
};

#define JOULE_A_INT(st, field, d) \
	{ .name = #field, .type = JOULE_ATTR_INT, .offset = offsetof(st, field), .def.i = (d) }
#define JOULE_A_FLOAT(st, field, d) \
	{ .name = #field, .type = JOULE_ATTR_FLOAT, .offset = offsetof(st, field), .def.f = (d) }
#define JOULE_A_STRING(st, field, d) \
	{ .name = #field, .type = JOULE_ATTR_STRING, .offset = offsetof(st, field), .def.s = (d) }
#define JOULE_A_ENUM(st, field, list) \
	{ .name = #field, .type = JOULE_ATTR_ENUM, .offset = offsetof(st, field), .def.names = (list) }
#define JOULE_A_INTS(st, field) \
	{ .name = #field, .type = JOULE_ATTR_INTS, .offset = offsetof(st, field) }
#define JOULE_A_FLOATS(st, field) \
	{ .name = #field, .type = JOULE_ATTR_FLOATS, .offset = offsetof(st, field) }
#define JOULE_A_STRINGS(st, field) \
	{ .name = #field, .type = JOULE_ATTR_STRINGS, .offset = offsetof(st, field) }
#define JOULE_A_TENSOR(st, field) \
	{ .name = #field, .type = JOULE_ATTR_TENSOR, .offset = offsetof(st, field) }
#define JOULE_A_GRAPH(st, field) \
	{ .name = #field, .type = JOULE_ATTR_GRAPH, .offset = offsetof(st, field), .required = true }

/* ---- traits: what passes and the plan may do without knowing the operator ---- */

enum joule_op_traits {
	JOULE_OP_VIEW = 1 << 0,        /* out[0] is in[0]'s bytes under another shape */
	JOULE_OP_SHAPE_ONLY = 1 << 1,  /* the value depends on input shapes alone (Shape, Size) */
	JOULE_OP_LATE_SHAPE = 1 << 2,  /* output shape known only after ref (NonZero); ref allocates */
	JOULE_OP_RANDOM = 1 << 3,      /* not to be folded */
	JOULE_OP_CONTROL = 1 << 4,     /* If, Loop, Scan: run by the executor */
	JOULE_OP_IN_PLACE = 1 << 5,    /* out[0] may overwrite in[0] when shapes and types agree */
	JOULE_OP_EPILOGUE = 1 << 6,    /* bind takes a fused epilogue */
	JOULE_OP_ELEMENTWISE = 1 << 7, /* out[i] depends on the broadcast in[*][i] alone */
	JOULE_OP_HOST = 1 << 8,        /* shape or integer work that belongs on the CPU */
	JOULE_OP_INTERNAL = 1 << 9,    /* made by passes, never read from a file */
	JOULE_OP_JOIN = 1 << 10,       /* out[0] is the inputs joined along one axis (Concat) */
	JOULE_OP_UNPACK = 1 << 12,     /* constants are kept packed until passes fold them (DequantizeLinear) */
	JOULE_OP_PART = 1 << 11,       /* outputs are in[0] cut along one axis, in order (Split) */
};

/* What one execution takes; a zero field is right when there is nothing. */
struct joule_cost {
	int64_t macs;  /* multiply-accumulates, as published model tables count them */
	int64_t bytes; /* least traffic: every operand read once, every result written once */
};

/*
 * All functions get the node and read op-specific attributes from node->attrs.
 * They log their errors with joule_node_err() and return 0 or -errno.
 */
struct joule_op {
	const char *name;   /* ONNX name, "Conv" */
	const char *domain; /* NULL for the default domain */
	int since, until;   /* opset versions served, until 0 = all later ones */
	int8_t min_in, max_in, min_out, max_out; /* max -1 = any number */
	unsigned int traits;
	int code;           /* the operator's own: tells the rows of one family apart */
	size_t attrs_bytes;
	const struct joule_attr *attrs; /* ends with a NULL name */

	/*
	 * Called after attributes were read, for checks and for settling what
	 * differs between opsets. Shapes are not known yet. Optional.
	 */
	int (*prepare)(struct joule_node *node);

	/*
	 * Inputs have types and full shapes; sets those of the outputs. Reads
	 * in[i]->data where the shape depends on values, and returns 1 when it
	 * would need data that is NULL (setting dtypes all the same).
	 */
	int (*infer)(struct joule_node *node);

	/*
	 * The truth, in plain C: reads in[]->data, writes out[]->data, which is
	 * allocated and zeroed (unless JOULE_OP_LATE_SHAPE: set the shape and
	 * call joule_tensor_alloc()). Omitted outputs are NULL.
	 */
	int (*ref)(struct joule_node *node);

	/*
	 * Describes the work as dispatches (hal/binder.h). -ENOTSUP, with
	 * joule_bind_refuse() saying why, when there is no kernel for this
	 * type, shape or attribute. NULL: the operator has no kernel at all.
	 */
	int (*bind)(const struct joule_node *node, struct joule_binder *binder);

	/*
	 * Where out[0] is a run of in[0]'s bytes as they are: how many come
	 * before it, -1 where this node makes no such run. Optional; a plan may
	 * then let the two share memory.
	 */
	int64_t (*window)(const struct joule_node *node);

	/*
	 * Sets macs, and bytes where they are not those of all operands (a
	 * Gather reads only what it gathers). NULL: no MACs.
	 */
	void (*cost)(const struct joule_node *node, struct joule_cost *cost);

	/*
	 * For operators that are one element-wise step: fills *step with its
	 * code and parameters, so that chains and epilogues can take it in.
	 * -ENOTSUP when this node is not (a type or attribute stands against).
	 * The input that the step works on is joule_ew_value()'s; where both
	 * inputs have the output's shape that is in[0], and joule_ew_swapped()
	 * turns the step around.
	 */
	int (*elementwise)(const struct joule_node *node, struct joule_ew_step *step);
};

/*
 * Which input of an element-wise node is the step's value: the one that is not
 * its operand, nor the scalar constant that went into p and q.
 */
static inline int joule_ew_value(const struct joule_node *node, const struct joule_ew_step *step)
{
	return node->n_in == 2 && (step->operand == 0 ||
				   (step->operand < 0 && joule_tensor_is_const(node->in[0])));
}

#define JOULE_OPS(file) \
	const struct joule_op joule_ops_##file[]

/* Ends every list. */
#define JOULE_OPS_END { .name = NULL }

/* Whether an attribute has the value it has when a file does not give it. */
bool joule_attr_is_default(const struct joule_attr *attr, const void *attrs);

/* The operator for a name, domain and opset version, or NULL. */
const struct joule_op *joule_op_find(const char *domain, const char *name, int opset);

/* What one execution takes, by op->cost or its operands; zero while shapes are open. */
void joule_node_cost(const struct joule_node *node, struct joule_cost *cost);

/* Every attribute of the node as if the file had given none. */
void joule_node_default_attrs(struct joule_node *node);

/* Where the node keeps that attribute (of the type its table says), or NULL. */
void *joule_node_attr(const struct joule_node *node, const char *name);

/* The lists of all files, NULL-terminated; generated. */
extern const struct joule_op *const joule_op_lists[];

#endif
