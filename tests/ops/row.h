/* SPDX-License-Identifier: MIT */
/*
 * A test row: one line of a .rows file, an operator on given shapes.
 *
 *	Conv.13 f32[1,3,13,17] f32[8,3,3,3]! f32[8]! ; pads=1,1,1,1 ; tol=2e-5
 *
 * Operator.opset, then inputs: dtype[shape] random, dtype[shape](lo..hi) in a
 * range, ! behind it for a constant, dtype{v,v} a literal rank-1 constant,
 * dtype{}:v a scalar constant, _ omitted. Then attributes, then options:
 *
 *	tol=X     error over the output's range (default 1e-5, fp16 2e-3)
 *	tol16=X   the same for fp16
 *	out=N     outputs asked for (default the operator's least number)
 *	host      belongs on the CPU: bind must refuse or be absent
 *	refuse    infer must fail with an error
 *	no16      no fp16 run
 *	epi=a,b   fused element-wise steps: relu, or add:f32[shape] with an operand
 *	domain=D  operator domain
 */
#ifndef TESTS_OPS_ROW_H
#define TESTS_OPS_ROW_H

#include <stdio.h>

#include "ir/graph.h"
#include "ir/op.h"

#define ROW_MAX_IN 16

struct row_input {
	bool omitted, constant, literal;
	enum joule_dtype dtype;
	struct joule_shape shape;
	double lo, hi;
	int n_values;
	double *values; /* literal, or NULL */
};

struct row {
	const char *file;
	int line;
	char *text;
	char op[64], domain[32];
	int opset;
	int n_in;
	struct row_input in[ROW_MAX_IN];
	char *attrs;   /* text */
	char *epilogue;
	double tol, tol16;
	int n_out;
	bool host, refuse, no16;
};

/* 0; 1 for blank lines and comments; -EINVAL (printed) for a bad row. */
int row_parse(struct row *row, const char *file, int line, const char *text);
void row_finish(struct row *row);

/*
 * The row as a one-node graph with inputs' data filled in. half: every f32
 * becomes f16. Same seed, same values.
 */
int row_build(const struct row *row, bool half, unsigned int seed, const struct joule_log *log,
	      struct joule_graph **out);

#endif
