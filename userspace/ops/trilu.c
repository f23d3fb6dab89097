// SPDX-License-Identifier: MIT
/* Trilu: the upper or lower triangle of matrices, the rest zero. */
#include <errno.h>

#include "ops/move.h"

struct trilu {
	int64_t upper;
};

static int trilu_infer(struct joule_node *node)
{
	char buf[128];

	if (node->in[0]->shape.rank < 2)
		return joule_node_err(node, -EINVAL, "%s has no matrices",
				      joule_shape_str(&node->in[0]->shape, buf, sizeof(buf)));
	return joule_infer_same(node);
}

static int trilu_ref(struct joule_node *node)
{
	const struct trilu *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	int64_t rows = x->shape.dims[x->shape.rank - 2], cols = x->shape.dims[x->shape.rank - 1];
	int64_t n = joule_tensor_count(x), k = 0;
	int ret = joule_node_int(node, 1, &k);

	if (ret)
		return ret;
	k = k > INT32_MAX ? INT32_MAX : k < -INT32_MAX ? -INT32_MAX : k;
	/* The output starts as zeros. */
	for (int64_t i = 0; i < n; i++) {
		int64_t c = i % cols, r = i / cols % rows;

		if (a->upper ? c - r >= k : c - r <= k)
			joule_move(x->dtype, y->data, i, x->data, i);
	}
	return 0;
}

static int trilu_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct trilu *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	unsigned int bytes = joule_bind_bytes(b, x);
	uint32_t rows = (uint32_t)x->shape.dims[x->shape.rank - 2];
	uint32_t cols = (uint32_t)x->shape.dims[x->shape.rank - 1];
	int64_t n = joule_tensor_count(x), k = 0;
	struct joule_dispatch *d;
	int ret = joule_node_int(node, 1, &k);

	if (ret == -ENODATA)
		return joule_bind_refuse(b, "k is not known");
	if (ret)
		return ret;
	if (b->err || !n)
		return joule_bind_end(b);
	k = k > INT32_MAX ? INT32_MAX : k < -INT32_MAX ? -INT32_MAX : k;
	d = joule_bind(b, "trilu_%u", bytes);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, cols);
	joule_bind_u32(d, joule_magic(cols));
	joule_bind_u32(d, rows);
	joule_bind_u32(d, joule_magic(rows));
	joule_bind_i32(d, (int32_t)k);
	joule_bind_spec(d, a->upper != 0);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = { JOULE_A_INT(struct trilu, upper, 1), { 0 } };

JOULE_OPS(trilu) = {
	{ .name = "Trilu", .since = 14, .min_in = 1, .max_in = 2, .min_out = 1, .max_out = 1,
	  .traits = JOULE_OP_IN_PLACE, .attrs_bytes = sizeof(struct trilu), .attrs = attrs,
	  .infer = trilu_infer, .ref = trilu_ref, .bind = trilu_bind },
	JOULE_OPS_END,
};
