/* SPDX-License-Identifier: MIT */
/*
 * The two ways in which data is moved by shape alone:
 *
 * joule_copy   by strides: Transpose, Slice, Expand, Tile, DepthToSpace, ...
 * joule_remap  by a table of source coordinates for each dimension: Pad in all
 *              its modes, nearest-neighbour Resize, CenterCropPad, ...
 *
 * Both have a reference and a kernel, for elements of any type.
 */
#ifndef JOULE_OPS_COPY_H
#define JOULE_OPS_COPY_H

#include "ops/move.h"

/* Tile, the hungriest, walks two dimensions for each of its tensor's. */
#define JOULE_COPY_RANK (2 * JOULE_MAX_RANK)

/*
 * For every coordinate c below dims:
 *	dst[dst_at + sum c[d] * dst[d]] = src[src_at + sum c[d] * src[d]]
 * counted in elements. Source strides may be 0 (repeat) or negative.
 */
struct joule_copy {
	int rank;
	int64_t dims[JOULE_COPY_RANK];
	int64_t src[JOULE_COPY_RANK], dst[JOULE_COPY_RANK];
	int64_t src_at, dst_at;
};

/* Adds a dimension inside those there are. */
static inline void joule_copy_dim(struct joule_copy *c, int64_t n, int64_t src, int64_t dst)
{
	c->dims[c->rank] = n;
	c->src[c->rank] = src;
	c->dst[c->rank++] = dst;
}

/* Drops dimensions of 1 and merges neighbours that are walked as one. */
void joule_copy_simplify(struct joule_copy *copy);

void joule_copy_ref(enum joule_dtype dtype, const struct joule_copy *copy, const void *src,
		    void *dst);

/*
 * The launch (one at most) that does it; nothing for an empty copy. Errors
 * stick to the binder. Packed 4-bit types go as long as they move in pairs.
 */
void joule_copy_bind(struct joule_binder *b, enum joule_dtype dtype,
		     const struct joule_copy *copy, struct joule_operand src,
		     struct joule_operand dst);

/* The launch that writes so many times the element *value (NULL: zero). */
void joule_fill_bind(struct joule_binder *b, enum joule_dtype dtype, const void *value,
		     int64_t count, struct joule_operand dst);

/* The launch that copies so many bytes as they are. */
void joule_copy_bytes_bind(struct joule_binder *b, int64_t bytes, struct joule_operand src,
			   struct joule_operand dst);

/*
 * out is dense, of shape out[]; its element at c is the dense input's element
 * at (table[0][c[0]], table[1][c[1]], ...), or the fill value where an entry is
 * negative. A NULL table stands for 0, 1, 2, ...
 */
struct joule_remap {
	int rank;
	int64_t in[JOULE_MAX_RANK], out[JOULE_MAX_RANK];
	int32_t *table[JOULE_MAX_RANK]; /* owned, out[d] entries */
};

/* Shapes set, tables NULL. */
void joule_remap_init(struct joule_remap *r, const struct joule_shape *in,
		      const struct joule_shape *out);
void joule_remap_finish(struct joule_remap *r);

/* A table for dimension d, to be filled in. NULL when out of memory. */
int32_t *joule_remap_table(struct joule_remap *r, int d);

/* fill: one element. */
void joule_remap_ref(enum joule_dtype dtype, const struct joule_remap *r, const void *src,
		     void *dst, const void *fill);

/*
 * fill is the operand that holds the fill value, at least 16 bytes readable
 * from its start; joule_remap_fill() makes one.
 */
void joule_remap_bind(struct joule_binder *b, enum joule_dtype dtype,
		      const struct joule_remap *r, struct joule_operand src,
		      struct joule_operand dst, struct joule_operand fill);

/* A constant operand with value (one element; NULL: zero) repeated over 16 bytes. */
struct joule_operand joule_remap_fill(struct joule_binder *b, enum joule_dtype dtype,
				      const void *value);

#endif
