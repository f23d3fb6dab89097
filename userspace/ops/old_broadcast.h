/* SPDX-License-Identifier: MIT */
/*
 * Broadcasting as it was before opset 7: only the second operand repeats, and
 * only if `broadcast` is set; its axes line up with those of the first from
 * `axis` on, or with the last ones.
 */
#ifndef JOULE_OPS_OLD_BROADCAST_H
#define JOULE_OPS_OLD_BROADCAST_H

#include "ir/op.h"

#define JOULE_OLD_AXIS_ABSENT INT64_MIN

struct joule_old_broadcast {
	int64_t axis, broadcast;
	struct joule_ints consumed_inputs; /* opset 1: a hint on memory, ignored */
};

extern const struct joule_attr joule_old_broadcast_attrs[];

/* Is this a version of the operator with those attributes? */
bool joule_old_broadcast(const struct joule_node *node);

/*
 * The shape of in[1] with the axes that make it broadcast as NumPy does.
 * -EINVAL, logged, where it does not go with in[0].
 */
int joule_old_broadcast_shape(const struct joule_node *node, struct joule_shape *out);

/*
 * infer() for two operands under either rule: out[0] of that type with the
 * broadcast shape.
 */
int joule_infer_two(struct joule_node *node, enum joule_dtype dtype);

/* The shape in which input i broadcasts; node has been inferred. */
struct joule_shape joule_operand_shape(const struct joule_node *node, int i);

#endif
