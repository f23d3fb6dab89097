/* SPDX-License-Identifier: MIT */
/*
 * Plain data that both sides of the API speak: element types, shapes, views.
 */
#ifndef JOULE_TYPES_H
#define JOULE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Highest tensor rank that joule handles. */
#define JOULE_MAX_RANK 8

/*
 * Element types. Each element of JOULE_BOOL is one byte, 0 or 1.
 * The 4-bit types are packed two to a byte, low nibble first, as in ONNX.
 */
enum joule_dtype {
	JOULE_DTYPE_NONE = 0, /* not known yet */
	JOULE_F32,
	JOULE_F16,
	JOULE_BF16,
	JOULE_F64,
	JOULE_I8,
	JOULE_U8,
	JOULE_I16,
	JOULE_U16,
	JOULE_I32,
	JOULE_U32,
	JOULE_I64,
	JOULE_U64,
	JOULE_BOOL,
	JOULE_I4,
	JOULE_U4,
	JOULE_DTYPE_COUNT
};

/*
 * rank: 0 (scalar) to JOULE_MAX_RANK, or -1 while not known.
 * dims: outermost first; -1 for a dimension not known yet.
 */
struct joule_shape {
	int rank;
	int64_t dims[JOULE_MAX_RANK];
};

/*
 * A dense row-major array. The view owns nothing: data belongs to whoever made
 * it and must stay valid as long as the function that returned it says.
 */
struct joule_view {
	enum joule_dtype dtype;
	struct joule_shape shape;
	void *data;
	size_t bytes;
};

/* Short lower-case name ("f32", "i8", "bool"); "none" for unknown values. */
const char *joule_dtype_name(enum joule_dtype dtype);

/* Bits of one element: 4 for the packed types, 8 for bool; 0 if unknown. */
unsigned int joule_dtype_bits(enum joule_dtype dtype);

/* The type with that short name, or JOULE_DTYPE_NONE. */
enum joule_dtype joule_dtype_parse(const char *name);

/*
 * Elements of a shape, 1 for rank 0. -1 when the rank or a dimension is not
 * known or when the product does not fit int64_t.
 */
int64_t joule_shape_count(const struct joule_shape *shape);

/* Same rank and dimensions; two unknown ranks are not equal. */
bool joule_shape_equal(const struct joule_shape *a, const struct joule_shape *b);

/*
 * "[1,3,224,224]", with ? for unknown dimensions and "[?...]" for an unknown
 * rank. Writes at most size bytes, always NUL-terminated. Returns buf.
 */
char *joule_shape_str(const struct joule_shape *shape, char *buf, size_t size);

/*
 * Bytes of a dense array of that type and shape; -1 when not known or too
 * large for int64_t.
 */
int64_t joule_array_bytes(enum joule_dtype dtype, const struct joule_shape *shape);

#ifdef __cplusplus
}
#endif

#endif
