/* SPDX-License-Identifier: MIT */
/*
 * Each pass by itself: a file for each pass has a table of little graphs, on
 * some of which it must do its work and on some it must not.
 *
 *	PASS_CASES(pad) = {
 *		CHANGES("zeros", zeros, 2, 1),
 *		KEEPS("shared", shared),
 *		PASS_CASES_END,
 *	};
 *
 * The file goes into the list in tests/passes/main.c.
 */
#ifndef TESTS_PASSES_CASE_H
#define TESTS_PASSES_CASE_H

#include "../unit/graphs.h"

struct pass_case {
	const char *name;
	struct joule_graph *(*build)(void);
	int before, after; /* nodes; both 0: the pass must find nothing to do */
	double tol;        /* of the output's range; 0: 1e-5 */
};

#define PASS_CASES(pass) \
	extern const struct pass_case pass_cases_##pass[]; \
	const struct pass_case pass_cases_##pass[]
#define CHANGES(name, build, before, after) { name, build, before, after, 0 }
#define KEEPS(name, build)		    { name, build, 0, 0, 0 }
#define PASS_CASES_END			    { NULL, NULL, 0, 0, 0 }

/* ---- shorthands for builders ---- */

struct joule_tensor *in_f32(struct joule_graph *g, const char *name, const int64_t *dims);

/* A constant that is the same everywhere. */
struct joule_tensor *const_all(struct joule_graph *g, const int64_t *dims, double v);
struct joule_tensor *const_byte(struct joule_graph *g, enum joule_dtype dtype, int v);

struct joule_tensor *transpose(struct joule_graph *g, struct joule_tensor *x, int n,
			       const int64_t *perm);
struct joule_tensor *reshape(struct joule_graph *g, struct joule_tensor *x, int n,
			     const int64_t *dims);

/* ReduceMean over one axis, which stays with size 1. */
struct joule_tensor *mean(struct joule_graph *g, struct joule_tensor *x, int64_t axis);

/* A tensor [n, rank] whose n depends on the values of x. */
struct joule_tensor *late(struct joule_graph *g, struct joule_tensor *x);

#define LIST(...) \
	(int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (const int64_t[]){ __VA_ARGS__ }

#endif
