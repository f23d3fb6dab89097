// SPDX-License-Identifier: MIT
/*
 * Constant, for graphs that carry it as a node (the importer makes constants
 * of them right away). Absent numbers are told by values no file would give.
 */
#include <errno.h>
#include <math.h>

#include "ops/move.h"

#define ABSENT_INT INT64_MIN

struct constant {
	struct joule_tensor *value;
	float value_float;
	int64_t value_int;
	struct joule_floats value_floats;
	struct joule_ints value_ints;
};

static int constant_infer(struct joule_node *node)
{
	const struct constant *a = node->attrs;
	struct joule_shape s = { .rank = 0 };

	if (a->value) {
		joule_set_out(node, 0, a->value->dtype, &a->value->shape);
	} else if (a->value_floats.n || a->value_ints.n) {
		s.rank = 1;
		s.dims[0] = a->value_floats.n ? a->value_floats.n : a->value_ints.n;
		joule_set_out(node, 0, a->value_floats.n ? JOULE_F32 : JOULE_I64, &s);
	} else if (a->value_int != ABSENT_INT) {
		joule_set_out(node, 0, JOULE_I64, &s);
	} else if (!isnan(a->value_float)) {
		joule_set_out(node, 0, JOULE_F32, &s);
	} else {
		return joule_node_err(node, -EINVAL, "has no value");
	}
	return 0;
}

static int constant_ref(struct joule_node *node)
{
	const struct constant *a = node->attrs;
	const void *from = a->value		? a->value->data :
			   a->value_floats.n	? (const void *)a->value_floats.v :
			   a->value_ints.n	? (const void *)a->value_ints.v :
			   a->value_int != ABSENT_INT ? (const void *)&a->value_int :
							(const void *)&a->value_float;

	memcpy(node->out[0]->data, from, (size_t)joule_tensor_bytes(node->out[0]));
	return 0;
}

static const struct joule_attr attrs[] = {
	JOULE_A_TENSOR(struct constant, value),
	JOULE_A_FLOAT(struct constant, value_float, NAN),
	JOULE_A_FLOATS(struct constant, value_floats),
	JOULE_A_INT(struct constant, value_int, ABSENT_INT),
	JOULE_A_INTS(struct constant, value_ints),
	{ 0 },
};

JOULE_OPS(constant) = {
	{ .name = "Constant", .since = 1, .min_in = 0, .max_in = 0, .min_out = 1, .max_out = 1,
	  .traits = JOULE_OP_HOST, .attrs_bytes = sizeof(struct constant), .attrs = attrs,
	  .infer = constant_infer, .ref = constant_ref },
	JOULE_OPS_END,
};
