/* SPDX-License-Identifier: MIT */
/* Small pieces that several operators' files share. */
#ifndef JOULE_OPS_COMMON_H
#define JOULE_OPS_COMMON_H

#include "base/checked.h"
#include "hal/binder.h"
#include "ir/access.h"
#include "ir/op.h"

/* out[i] gets that type and shape. Fine for omitted outputs. */
void joule_set_out(struct joule_node *node, int i, enum joule_dtype dtype,
		   const struct joule_shape *shape);

/* infer(): out[0] like in[0]. */
int joule_infer_same(struct joule_node *node);

/* infer(): out[0] of in[0]'s type with all inputs' shapes broadcast. */
int joule_infer_broadcast(struct joule_node *node);

/* Error for an input type the operator does not take. -ENOTSUP. */
int joule_err_dtype(const struct joule_node *node, const struct joule_tensor *t);

/*
 * "f32" or "f16" if the kernels take this tensor's type with fp32 arithmetic,
 * else NULL with the refusal said. Kernels index with 32 bits, so a tensor of
 * 2^31 elements or more is refused too.
 */
const char *joule_bind_float(struct joule_binder *b, const struct joule_tensor *t);

#endif
