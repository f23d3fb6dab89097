// SPDX-License-Identifier: MIT
/* Where: from one tensor or another, as a condition says; all three broadcast. */
#include <errno.h>

#include "ops/move.h"
#include "ops/walk.h"

static int where_infer(struct joule_node *node)
{
	const struct joule_tensor *c = node->in[0], *x = node->in[1], *y = node->in[2];
	struct joule_shape s;
	char b[3][128];

	if (c->dtype != JOULE_BOOL)
		return joule_err_dtype(node, c);
	if (x->dtype != y->dtype)
		return joule_node_err(node, -EINVAL, "%s is %s, %s is %s", x->name,
				      joule_dtype_name(x->dtype), y->name,
				      joule_dtype_name(y->dtype));
	if (joule_shape_broadcast(&c->shape, &x->shape, &s) ||
	    joule_shape_broadcast(&s, &y->shape, &s))
		return joule_node_err(node, -EINVAL, "shapes %s, %s and %s do not broadcast",
				      joule_shape_str(&c->shape, b[0], sizeof(b[0])),
				      joule_shape_str(&x->shape, b[1], sizeof(b[1])),
				      joule_shape_str(&y->shape, b[2], sizeof(b[2])));
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

static void walk_of(const struct joule_node *node, struct joule_walk *w)
{
	joule_walk_init(w, &node->out[0]->shape);
	for (int i = 0; i < 3; i++)
		joule_walk_add(w, &node->in[i]->shape);
	joule_walk_merge(w);
}

static int where_ref(struct joule_node *node)
{
	const uint8_t *c = node->in[0]->data;
	struct joule_tensor *y = node->out[0];
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS], o = 0;
	struct joule_walk w;
	int in;

	walk_of(node, &w);
	in = w.rank - 1;
	for (bool more = joule_walk_begin(&w, pos, at); more; more = joule_walk_next(&w, pos, at))
		for (int64_t i = 0; i < w.dims[in]; i++) {
			int k = c[at[0] + i * w.strides[0][in]] ? 1 : 2;

			joule_move(y->dtype, y->data, o++, node->in[k]->data,
				   at[k] + i * w.strides[k][in]);
		}
	return 0;
}

/* As the shader has it, innermost first. */
struct where_dim {
	uint32_t len, magic;
	int32_t c, x, y, unused;
};

static int where_bind(const struct joule_node *node, struct joule_binder *b)
{
	unsigned int bytes = joule_bind_bytes(b, node->out[0]);
	int64_t n = joule_tensor_count(node->out[0]), inner;
	struct joule_operand block;
	struct joule_dispatch *d;
	struct where_dim *dim;
	struct joule_walk w;
	int in, per;

	if (b->err || !n)
		return joule_bind_end(b);
	walk_of(node, &w);
	in = w.rank - 1;
	inner = w.dims[in];
	per = inner >= 3 ? 4 : 1;
	n = n / inner * JOULE_DIV_UP(inner, per);
	block = joule_bind_const(b, sizeof(*dim) * (size_t)w.rank, (void **)&dim);
	for (int i = 0; dim && i < w.rank; i++) {
		dim[i].len = (uint32_t)(i ? w.dims[in - i] : JOULE_DIV_UP(inner, per));
		dim[i].magic = joule_magic(dim[i].len);
		dim[i].c = (int32_t)w.strides[0][in - i];
		dim[i].x = (int32_t)w.strides[1][in - i];
		dim[i].y = (int32_t)w.strides[2][in - i];
	}
	d = joule_bind(b, "where_%u", bytes);
	for (int i = 0; i < 3; i++)
		joule_bind_read(d, JOULE_IN((uint16_t)i));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_read(d, block);
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)inner);
	joule_bind_spec(d, (uint32_t)w.rank);
	joule_bind_spec(d, (uint32_t)per);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

JOULE_OPS(where) = {
	{ .name = "Where", .since = 9, .min_in = 3, .max_in = 3, .min_out = 1, .max_out = 1,
	  .infer = where_infer, .ref = where_ref, .bind = where_bind },
	JOULE_OPS_END,
};
