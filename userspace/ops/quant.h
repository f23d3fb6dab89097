/* SPDX-License-Identifier: MIT */
/* Zero points and scales of operators that compute on 8-bit integers. */
#ifndef JOULE_OPS_QUANT_H
#define JOULE_OPS_QUANT_H

#include <errno.h>
#include <math.h>

#include "ops/common.h"

static inline bool joule_is_byte(const struct joule_tensor *t)
{
	return t->dtype == JOULE_I8 || t->dtype == JOULE_U8;
}

/* Element i of a zero point or scale that may be shared by all; NULL means zero. */
static inline int64_t joule_zero_point(const struct joule_tensor *t, int64_t i)
{
	return t ? joule_get_i64(t->dtype, t->data, joule_tensor_count(t) == 1 ? 0 : i) : 0;
}

static inline float joule_scale(const struct joule_tensor *t, int64_t i)
{
	return (float)joule_get_f64(t->dtype, t->data, joule_tensor_count(t) == 1 ? 0 : i);
}

/*
 * An int32 sum in steps of the output, before its zero point: in fp32, as ONNX
 * Runtime and the kernels do. factor: scale of x times scale of w over that of y.
 */
static inline double joule_requantize(int64_t sum, float factor)
{
	return nearbyintf((float)(int32_t)sum * factor);
}

/* A zero point of the type of what it shifts, with 1 or n elements. */
static inline int joule_check_zero_point(const struct joule_node *node,
					 const struct joule_tensor *zero,
					 const struct joule_tensor *of, int64_t n)
{
	char s[128];

	if (!zero)
		return 0;
	if (zero->dtype != of->dtype)
		return joule_err_dtype(node, zero);
	if (joule_tensor_count(zero) == 1 || joule_tensor_count(zero) == n)
		return 0;
	return joule_node_err(node, -EINVAL, "zero point %s %s has neither 1 nor %lld elements",
			      zero->name, joule_shape_str(&zero->shape, s, sizeof(s)),
			      (long long)n);
}

static inline int joule_check_scale(const struct joule_node *node,
				    const struct joule_tensor *scale, int64_t n)
{
	char s[128];

	if (!joule_dtype_is_float(scale->dtype))
		return joule_err_dtype(node, scale);
	if (joule_tensor_count(scale) == 1 || joule_tensor_count(scale) == n)
		return 0;
	return joule_node_err(node, -EINVAL, "scale %s %s has neither 1 nor %lld elements",
			      scale->name, joule_shape_str(&scale->shape, s, sizeof(s)),
			      (long long)n);
}

#endif
