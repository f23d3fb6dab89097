/* SPDX-License-Identifier: MIT */
/*
 * What operators that move data without looking at it share: elements as bits,
 * lists of integers that come as inputs, and numbers their kernels need.
 */
#ifndef JOULE_OPS_MOVE_H
#define JOULE_OPS_MOVE_H

#include <string.h>

#include "ops/common.h"

/* dst[i] = src[j], elements of the same type; 4-bit types included. */
static inline void joule_move(enum joule_dtype dtype, void *dst, int64_t i, const void *src,
			      int64_t j)
{
	size_t bytes = joule_dtype_bits(dtype) / 8;

	switch (bytes) {
	case 0:
		joule_set_i64(dtype, dst, i, joule_get_i64(dtype, src, j));
		break;
	case 1:
		((uint8_t *)dst)[i] = ((const uint8_t *)src)[j];
		break;
	case 2:
		((uint16_t *)dst)[i] = ((const uint16_t *)src)[j];
		break;
	case 4:
		((uint32_t *)dst)[i] = ((const uint32_t *)src)[j];
		break;
	default:
		((uint64_t *)dst)[i] = ((const uint64_t *)src)[j];
	}
}

/* n elements from src[j] on to dst[i] on; the two must not overlap. */
void joule_move_run(enum joule_dtype dtype, void *dst, int64_t i, const void *src, int64_t j,
		    int64_t n);

/* n times the element value[0] from dst[i] on. */
void joule_move_fill(enum joule_dtype dtype, void *dst, int64_t i, const void *value, int64_t n);

/*
 * The integers of input i (rank 0 or 1), at most max. Returns how many,
 * 0 for an omitted input, -ENODATA (silent) when the value is not known yet,
 * -EINVAL (logged) when it is no such list.
 */
int joule_node_ints(const struct joule_node *node, int i, int64_t *out, int max);

/* The same for one integer; *out is left alone when the input is omitted. 0 or -errno. */
int joule_node_int(const struct joule_node *node, int i, int64_t *out);

/*
 * Axes from a list: made non-negative, each at most once. -EINVAL, logged.
 * n == 0 gives all axes in order. Returns how many.
 */
int joule_node_axes(const struct joule_node *node, const int64_t *axes, int n, int rank,
		    int *out);

/*
 * Entry i of an index tensor (any integer type), negative ones counted from
 * the end of dim entries. -EINVAL, logged, when it is outside.
 */
int64_t joule_node_index(const struct joule_node *node, const struct joule_tensor *t, int64_t i,
			 int64_t dim);

/*
 * 32-bit words of an entry of an index tensor that kernels read: 1 for int32, 2
 * for int64. 0 with the refusal said for other types.
 *
 * Kernels cannot report an index that is outside. They wrap negative ones,
 * clamp what they read through and do not write through a bad one.
 */
unsigned int joule_bind_index_words(struct joule_binder *b, const struct joule_tensor *t);

/*
 * Bytes of an element for the kernels that move bits: 1, 2, 4 or 8. 0 with the
 * refusal said for packed types, too many elements, or storage the device lacks.
 */
unsigned int joule_bind_bytes(struct joule_binder *b, const struct joule_tensor *t);

/* Whether kernels may store elements of that many bytes; says the refusal. */
bool joule_bind_can_store(struct joule_binder *b, unsigned int bytes);

/*
 * The largest unit of 1, 2, 4, 8 or 16 bytes that the device's kernels move and
 * that divides bytes: what rows of that length are moved by. (For several
 * lengths, or them together.)
 */
unsigned int joule_move_unit(const struct joule_binder *b, uint64_t bytes);

/*
 * Multiplier for joule_div() of lib/index.glsl: division of numbers below 2^31
 * by d without a division. d >= 1.
 */
uint32_t joule_magic(uint32_t d);

/*
 * A shape seen from one axis: outer repeats of n entries of inner elements.
 */
struct joule_lines {
	int64_t outer, n, inner;
};

struct joule_lines joule_lines_of(const struct joule_shape *shape, int axis);

/* cost(): reads and writes as many bytes as the outputs have. */
void joule_cost_moved(const struct joule_node *node, struct joule_cost *cost);

/* The type that ONNX's TensorProto.DataType numbers so, or JOULE_DTYPE_NONE. */
enum joule_dtype joule_dtype_from_onnx(int64_t code);

#endif
