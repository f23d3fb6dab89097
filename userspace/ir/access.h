/* SPDX-License-Identifier: MIT */
/* Reading and writing elements of any type, for reference code and folding. */
#ifndef JOULE_IR_ACCESS_H
#define JOULE_IR_ACCESS_H

#include "ir/graph.h"

/* Element i as double (bool 0 or 1, integers rounded to double beyond 2^53). */
double joule_get_f64(enum joule_dtype dtype, const void *data, int64_t i);

/* Rounds to nearest even for the narrower floats; integers saturate, NaN becomes 0. */
void joule_set_f64(enum joule_dtype dtype, void *data, int64_t i, double v);

/* Element i as int64_t; floats are truncated toward zero; u64 wraps. */
int64_t joule_get_i64(enum joule_dtype dtype, const void *data, int64_t i);

/* Integers wrap like a C cast. */
void joule_set_i64(enum joule_dtype dtype, void *data, int64_t i, int64_t v);

bool joule_dtype_is_float(enum joule_dtype dtype); /* f32 f16 bf16 f64 */
bool joule_dtype_is_int(enum joule_dtype dtype);   /* signed and unsigned, not bool */
bool joule_dtype_is_unsigned(enum joule_dtype dtype);

/*
 * The integers of a rank-0 or rank-1 tensor whose value is known: at most max,
 * into out. Returns how many, -ENODATA when the value is not known,
 * -EINVAL when the tensor is no such list.
 */
int joule_tensor_ints(const struct joule_tensor *t, int64_t *out, int max);

/*
 * Whether the product of its dimensions, leaving out zeros and unknown ones,
 * is below 2^48. Inference refuses other shapes, so that operators may multiply
 * dimensions and bytes without checks, of empty tensors too.
 */
bool joule_shape_plausible(const struct joule_shape *shape);

/* Row-major strides in elements. */
void joule_shape_strides(const struct joule_shape *shape, int64_t *strides);

/* NumPy broadcasting. -EINVAL if the shapes do not go together. */
int joule_shape_broadcast(const struct joule_shape *a, const struct joule_shape *b,
			  struct joule_shape *out);

/* strides of `from` as walked by the broadcast shape `to`: 0 where it repeats. */
void joule_broadcast_strides(const struct joule_shape *from, const struct joule_shape *to,
			     int64_t *strides);

/* axis in [-rank, rank) made non-negative; -EINVAL, logged, if outside. */
int joule_node_axis(const struct joule_node *node, int64_t axis, int rank);

#endif
