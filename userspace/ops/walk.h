/* SPDX-License-Identifier: MIT */
/*
 * Walks over one index space with several operands, each with strides of its
 * own (0 where it repeats). Neighbouring axes that all operands step through
 * as one are merged, so that most walks end up with one to three axes.
 */
#ifndef JOULE_OPS_WALK_H
#define JOULE_OPS_WALK_H

#include "hal/binder.h"
#include "ir/graph.h"

#define JOULE_WALK_OPERANDS 6

struct joule_walk {
	int rank;  /* at least 1 once merged */
	int n;     /* operands */
	int64_t dims[JOULE_MAX_RANK]; /* outermost first */
	int64_t strides[JOULE_WALK_OPERANDS][JOULE_MAX_RANK]; /* in elements */
};

void joule_walk_init(struct joule_walk *w, const struct joule_shape *space);

/* Adds an operand that broadcasts to the space; returns its number. */
int joule_walk_add(struct joule_walk *w, const struct joule_shape *operand);

/* Adds an operand by its strides over the space's axes. */
int joule_walk_add_strides(struct joule_walk *w, const int64_t *strides);

/* Drops axes of length 1 and joins what can be joined. */
void joule_walk_merge(struct joule_walk *w);

/*
 * For a merged walk in reference code: at[k] is operand k's offset at the
 * start of a row (a run along the last axis). Start with joule_walk_begin(),
 * then step from row to row. An empty space has no rows.
 *
 *	for (bool more = joule_walk_begin(&w, pos, at); more; more = joule_walk_next(&w, pos, at))
 */
bool joule_walk_begin(const struct joule_walk *w, int64_t *pos, int64_t *at);
bool joule_walk_next(const struct joule_walk *w, int64_t *pos, int64_t *at);

/* n elements from start, stride apart, as doubles or integers; and back, one by one. */
void joule_row_get_f64(const struct joule_tensor *t, int64_t start, int64_t stride, int n,
		       double *out);
void joule_row_set_f64(struct joule_tensor *t, int64_t start, int n, const double *v);
void joule_row_get_i64(const struct joule_tensor *t, int64_t start, int64_t stride, int n,
		       int64_t *out);
void joule_row_set_i64(struct joule_tensor *t, int64_t start, int n, const int64_t *v);

#define JOULE_ROW_CHUNK 256

/* "_wide" or "": the variant of a shader made with JOULE_WIDE (lib/load4.glsl). */
const char *joule_bind_wide(const struct joule_binder *b);

/*
 * Of `pieces` of work, how many an invocation should take so that enough
 * invocations remain: 1 to most, preferring what divides.
 */
uint32_t joule_bind_share(const struct joule_binder *b, uint64_t pieces, uint32_t most);

/* joule_bind_grid() with workgroups small enough that every thread of a CPU gets some. */
void joule_bind_lanes(struct joule_binder *b, struct joule_dispatch *d, uint64_t threads);

/* How joule_bind_rows() shared the work out: what shaders get as constants. */
struct joule_rows {
	uint32_t per; /* chunks an invocation */
	bool exact;   /* no invocation has work beyond the end */
};

/*
 * Launch over rows of `chunks` pieces of work each: x walks along the row, y
 * over the rows, and what exceeds the device's limits goes to z. Pushes one
 * word; the shader hands it to joule_row_index() of lib/rows.glsl. most: the
 * most chunks that an invocation may take, 1 to 8.
 */
struct joule_rows joule_bind_rows(struct joule_binder *b, struct joule_dispatch *d,
				  uint64_t chunks, uint64_t rows, uint32_t most);

#endif
