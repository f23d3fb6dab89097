// SPDX-License-Identifier: MIT
/* Slice: a window with steps along some axes; attributes at first, inputs since opset 10. */
#include <errno.h>

#include "ops/copy.h"

struct slice {
	struct joule_ints starts, ends, axes;
};

/* For each dimension of the input: first element, step, count. */
struct window {
	int64_t start[JOULE_MAX_RANK], step[JOULE_MAX_RANK], count[JOULE_MAX_RANK];
};

static void narrow(struct window *w, int d, int64_t dim, int64_t start, int64_t end, int64_t step)
{
	int64_t most = JOULE_MAX(dim, 1);

	/* Longer steps reach no second element either. */
	step = step > most ? most : step < -most ? -most : step;
	start = start < 0 ? start + dim : start;
	end = end < 0 ? end + dim : end;
	if (step > 0) {
		start = start < 0 ? 0 : start > dim ? dim : start;
		end = end < 0 ? 0 : end > dim ? dim : end;
		w->count[d] = end > start ? (end - start + step - 1) / step : 0;
	} else {
		start = start < 0 ? 0 : start > dim - 1 ? dim - 1 : start;
		end = end < -1 ? -1 : end > dim - 1 ? dim - 1 : end;
		w->count[d] = start > end ? (start - end - step - 1) / -step : 0;
	}
	w->start[d] = start;
	w->step[d] = step;
}

static int copy_attr(const struct joule_node *node, const struct joule_ints *list, int64_t *out)
{
	if (list->n > JOULE_MAX_RANK)
		return joule_node_err(node, -EINVAL, "%d entries are more than the rank", list->n);
	if (list->n)
		memcpy(out, list->v, sizeof(*out) * (size_t)list->n);
	return list->n;
}

/* -ENODATA while an input is not known. */
static int read_window(const struct joule_node *node, struct window *w)
{
	const struct slice *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;
	int64_t list[4][JOULE_MAX_RANK];
	int n[4] = { 0 }, axes[JOULE_MAX_RANK];
	bool inputs = node->op->since >= 10;

	for (int i = 0; i < 3; i++) {
		const struct joule_ints *attr[] = { &a->starts, &a->ends, &a->axes };

		n[i] = inputs ? joule_node_ints(node, 1 + i, list[i], JOULE_MAX_RANK) :
				copy_attr(node, attr[i], list[i]);
		if (n[i] < 0)
			return n[i];
	}
	if (inputs)
		n[3] = joule_node_ints(node, 4, list[3], JOULE_MAX_RANK);
	if (n[3] < 0)
		return n[3];
	if (n[0] != n[1] || (n[2] && n[2] != n[0]) || (n[3] && n[3] != n[0]) || n[0] > x->rank)
		return joule_node_err(node, -EINVAL,
				      "%d starts, %d ends, %d axes and %d steps do not go together",
				      n[0], n[1], n[2], n[3]);
	for (int d = 0; d < x->rank; d++)
		narrow(w, d, x->dims[d], 0, x->dims[d], 1);
	if (n[2])
		n[2] = joule_node_axes(node, list[2], n[2], x->rank, axes);
	if (n[2] < 0)
		return n[2];
	for (int i = 0; i < n[0]; i++) {
		int d = n[2] ? axes[i] : i;
		int64_t step = n[3] ? list[3][i] : 1;

		if (!step)
			return joule_node_err(node, -EINVAL, "step of axis %d is 0", d);
		narrow(w, d, x->dims[d], list[0][i], list[1][i], step);
	}
	return 0;
}

static int slice_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = { .rank = x->shape.rank };
	struct window w;
	int ret = read_window(node, &w);

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (ret)
		return ret == -ENODATA ? 1 : ret;
	for (int d = 0; d < s.rank; d++)
		s.dims[d] = w.count[d];
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

static int plan(const struct joule_node *node, struct joule_copy *c)
{
	int64_t src[JOULE_MAX_RANK], dst[JOULE_MAX_RANK];
	struct window w;
	int ret = read_window(node, &w);

	*c = (struct joule_copy){ 0 };
	joule_shape_strides(&node->in[0]->shape, src);
	joule_shape_strides(&node->out[0]->shape, dst);
	for (int d = 0; !ret && d < node->in[0]->shape.rank; d++) {
		joule_copy_dim(c, w.count[d], src[d] * w.step[d], dst[d]);
		c->src_at += src[d] * w.start[d];
	}
	return ret;
}

static int slice_ref(struct joule_node *node)
{
	struct joule_copy c;
	int ret = plan(node, &c);

	if (!ret)
		joule_copy_ref(node->in[0]->dtype, &c, node->in[0]->data, node->out[0]->data);
	return ret;
}

/* One run of bytes: contiguous, and starting at a whole one. */
static int64_t slice_window(const struct joule_node *node)
{
	unsigned int bits = joule_dtype_bits(node->in[0]->dtype);
	struct joule_copy c;

	if (plan(node, &c))
		return -1;
	joule_copy_simplify(&c);
	if (c.rank != 1 || c.src[0] != 1 || c.dst[0] != 1 || c.src_at * bits % 8)
		return -1;
	return c.src_at * bits / 8;
}

static int slice_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_copy c;
	int ret = plan(node, &c);

	if (ret == -ENODATA)
		return joule_bind_refuse(b, "starts, ends or steps are not known");
	if (ret)
		return ret;
	joule_copy_bind(b, node->in[0]->dtype, &c, JOULE_IN(0), JOULE_OUT(0));
	return joule_bind_end(b);
}

static const struct joule_attr attrs1[] = {
	{ .name = "starts", .type = JOULE_ATTR_INTS, .offset = offsetof(struct slice, starts),
	  .required = true },
	{ .name = "ends", .type = JOULE_ATTR_INTS, .offset = offsetof(struct slice, ends),
	  .required = true },
	JOULE_A_INTS(struct slice, axes),
	{ 0 },
};

#define SLICE .name = "Slice", .min_out = 1, .max_out = 1, .attrs_bytes = sizeof(struct slice), \
	.infer = slice_infer, .ref = slice_ref, .bind = slice_bind, .cost = joule_cost_moved, \
	.window = slice_window

JOULE_OPS(slice) = {
	{ SLICE, .since = 1, .until = 9, .min_in = 1, .max_in = 1, .attrs = attrs1 },
	{ SLICE, .since = 10, .min_in = 3, .max_in = 5 },
	JOULE_OPS_END,
};
