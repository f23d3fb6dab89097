// SPDX-License-Identifier: MIT
/*
 * Pad (constant, reflect, edge, wrap; negative pads crop) and CenterCropPad:
 * each output coordinate has its source coordinate or none.
 */
#include <errno.h>

#include "ops/copy.h"

enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };

struct pad {
	struct joule_ints pads, paddings, axes;
	float value;
	int mode;
};

struct pads {
	int64_t before[JOULE_MAX_RANK], after[JOULE_MAX_RANK];
};

/* ---- Pad ---- */

/* -ENODATA while an input is not known. */
static int read_pads(const struct joule_node *node, struct pads *p)
{
	const struct pad *a = node->attrs;
	const struct joule_ints *attr = node->op->since == 1 ? &a->paddings : &a->pads;
	int64_t list[2 * JOULE_MAX_RANK], axis_list[JOULE_MAX_RANK];
	int rank = node->in[0]->shape.rank, axes[JOULE_MAX_RANK], n = attr->n, n_axes = 0;

	*p = (struct pads){ 0 };
	if (node->op->since >= 11) {
		n = joule_node_ints(node, 1, list, 2 * JOULE_MAX_RANK);
		if (n >= 0)
			n_axes = joule_node_ints(node, 3, axis_list, JOULE_MAX_RANK);
		if (n < 0 || n_axes < 0)
			return n < 0 ? n : n_axes;
	} else if (n && n <= 2 * rank) {
		memcpy(list, attr->v, sizeof(*list) * (size_t)n);
	}
	if (node->op->since >= 18 && joule_node_in(node, 3) && !n_axes)
		rank = 0;
	else
		rank = n_axes = joule_node_axes(node, axis_list, n_axes, rank, axes);
	if (rank < 0)
		return rank;
	if (n != 2 * rank)
		return joule_node_err(node, -EINVAL, "%d pads for %d axes", n, rank);
	for (int i = 0; i < rank; i++) {
		p->before[axes[i]] = list[i];
		p->after[axes[i]] = list[rank + i];
	}
	return 0;
}

static int pad_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s = x->shape;
	struct pads p;
	char buf[128];
	int ret = read_pads(node, &p);

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (ret)
		return ret == -ENODATA ? 1 : ret;
	for (int d = 0; d < s.rank; d++) {
		if (!joule_add_i64(s.dims[d], p.before[d], &s.dims[d]) ||
		    !joule_add_i64(s.dims[d], p.after[d], &s.dims[d]) || s.dims[d] < 0)
			return joule_node_err(node, -EINVAL, "pads %lld and %lld do not fit %s",
					      (long long)p.before[d], (long long)p.after[d],
					      joule_shape_str(&x->shape, buf, sizeof(buf)));
	}
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

/* Source of coordinate c, which may lie outside [0, n); -1 for the fill value. */
static int64_t source(enum pad_mode mode, int64_t c, int64_t n)
{
	int64_t period = 2 * (n - 1);

	if (c >= 0 && c < n)
		return c;
	if (mode == PAD_CONSTANT || !n)
		return -1;
	if (mode == PAD_EDGE)
		return c < 0 ? 0 : n - 1;
	if (mode == PAD_WRAP)
		return (c % n + n) % n;
	if (!period)
		return 0;
	c = (c % period + period) % period;
	return c < n ? c : period - c;
}

static int plan_pad(const struct joule_node *node, struct joule_remap *r)
{
	const struct pad *a = node->attrs;
	struct pads p;
	int ret = read_pads(node, &p);

	if (ret)
		return ret;
	joule_remap_init(r, &node->in[0]->shape, &node->out[0]->shape);
	for (int d = 0; d < r->rank; d++) {
		int32_t *table;

		if (!p.before[d] && !p.after[d])
			continue;
		if (a->mode != PAD_CONSTANT && !r->in[d] && r->out[d])
			return joule_node_err(node, -EINVAL, "axis %d is empty: nothing to pad with",
					      d);
		table = joule_remap_table(r, d);
		if (!table)
			return joule_node_err(node, -ENOMEM, "no table for axis %d: out of memory", d);
		for (int64_t c = 0; c < r->out[d]; c++)
			table[c] = (int32_t)source((enum pad_mode)a->mode, c - p.before[d],
						   r->in[d]);
	}
	return 0;
}

/*
 * The value that fills: one element at *value. -ENODATA when it comes with the
 * run, -EINVAL when its type is another.
 */
static int fill_value(const struct joule_node *node, uint64_t *value)
{
	const struct pad *a = node->attrs;
	enum joule_dtype dtype = node->in[0]->dtype;
	const struct joule_tensor *t = node->op->since >= 11 ? joule_node_in(node, 2) : NULL;

	*value = 0;
	if (node->op->since < 11)
		joule_set_f64(dtype, value, 0, a->value);
	if (!t || !joule_tensor_count(t))
		return 0;
	if (t->dtype != dtype)
		return joule_node_err(node, -EINVAL, "%s is %s, the data is %s", t->name,
				      joule_dtype_name(t->dtype), joule_dtype_name(dtype));
	if (!t->data)
		return -ENODATA;
	joule_move(dtype, value, 0, t->data, 0);
	return 0;
}

/* ---- CenterCropPad ---- */

/* -ENODATA while the shape is not known. */
static int read_crop(const struct joule_node *node, struct joule_shape *s)
{
	const struct pad *a = node->attrs;
	int64_t want[JOULE_MAX_RANK];
	int axes[JOULE_MAX_RANK], n = joule_node_ints(node, 1, want, JOULE_MAX_RANK), m;

	*s = node->in[0]->shape;
	if (n < 0)
		return n;
	m = joule_node_axes(node, a->axes.v, a->axes.n, s->rank, axes);
	if (m < 0)
		return m;
	if (m != n)
		return joule_node_err(node, -EINVAL, "%d sizes for %d axes", n, m);
	for (int i = 0; i < n; i++) {
		if (want[i] < 0)
			return joule_node_err(node, -EINVAL, "size of axis %d is %lld", axes[i],
					      (long long)want[i]);
		s->dims[axes[i]] = want[i];
	}
	return 0;
}

static int crop_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_shape s;
	int ret = read_crop(node, &s);

	joule_set_out(node, 0, x->dtype, &(struct joule_shape){ .rank = -1 });
	if (ret)
		return ret == -ENODATA ? 1 : ret;
	joule_set_out(node, 0, x->dtype, &s);
	return 0;
}

static int plan_crop(const struct joule_node *node, struct joule_remap *r)
{
	joule_remap_init(r, &node->in[0]->shape, &node->out[0]->shape);
	for (int d = 0; d < r->rank; d++) {
		int64_t in = r->in[d], out = r->out[d];
		/* The odd one goes to the end, cropped or padded. */
		int64_t shift = in > out ? (in - out) / 2 : -((out - in) / 2);
		int32_t *table;

		if (in == out)
			continue;
		table = joule_remap_table(r, d);
		if (!table)
			return joule_node_err(node, -ENOMEM, "no table for axis %d: out of memory", d);
		for (int64_t c = 0; c < out; c++)
			table[c] = (int32_t)source(PAD_CONSTANT, c + shift, in);
	}
	return 0;
}

/* ---- both ---- */

static int plan(const struct joule_node *node, struct joule_remap *r)
{
	*r = (struct joule_remap){ 0 };
	return node->op->infer == crop_infer ? plan_crop(node, r) : plan_pad(node, r);
}

static int pad_ref(struct joule_node *node)
{
	struct joule_remap r;
	uint64_t fill = 0;
	int ret = plan(node, &r);

	if (!ret && node->op->infer == pad_infer)
		ret = fill_value(node, &fill);
	if (!ret)
		joule_remap_ref(node->in[0]->dtype, &r, node->in[0]->data, node->out[0]->data,
				&fill);
	joule_remap_finish(&r);
	return ret;
}

static int pad_bind(const struct joule_node *node, struct joule_binder *b)
{
	enum joule_dtype dtype = node->in[0]->dtype;
	struct joule_remap r;
	uint64_t fill = 0;
	int ret = plan(node, &r), late = 0;

	if (!ret && node->op->infer == pad_infer)
		late = fill_value(node, &fill);
	if (ret == -ENODATA)
		ret = joule_bind_refuse(b, "pads are not known");
	else if (!ret && late != -EINVAL)
		joule_remap_bind(b, dtype, &r, JOULE_IN(0), JOULE_OUT(0),
				 late ? JOULE_IN(2) : joule_remap_fill(b, dtype, &fill));
	joule_remap_finish(&r);
	if (ret || late == -EINVAL)
		return ret ? ret : late;
	return joule_bind_end(b);
}

static const char *const modes[] = { "constant", "reflect", "edge", NULL };
static const char *const modes19[] = { "constant", "reflect", "edge", "wrap", NULL };

static const struct joule_attr pad1[] = {
	JOULE_A_INTS(struct pad, paddings),
	JOULE_A_ENUM(struct pad, mode, modes),
	JOULE_A_FLOAT(struct pad, value, 0),
	{ 0 },
};
static const struct joule_attr pad2[] = {
	JOULE_A_INTS(struct pad, pads),
	JOULE_A_ENUM(struct pad, mode, modes),
	JOULE_A_FLOAT(struct pad, value, 0),
	{ 0 },
};
static const struct joule_attr pad11[] = { JOULE_A_ENUM(struct pad, mode, modes), { 0 } };
static const struct joule_attr pad19[] = { JOULE_A_ENUM(struct pad, mode, modes19), { 0 } };
static const struct joule_attr crop[] = { JOULE_A_INTS(struct pad, axes), { 0 } };

#define PAD(onnx, from, to, inputs_min, inputs_max, attributes, infer_fn) \
	{ \
		.name = onnx, .since = from, .until = to, .min_in = inputs_min, \
		.max_in = inputs_max, .min_out = 1, .max_out = 1, \
		.attrs_bytes = sizeof(struct pad), .attrs = attributes, .infer = infer_fn, \
		.ref = pad_ref, .bind = pad_bind, .cost = joule_cost_moved, \
	}

JOULE_OPS(pad) = {
	PAD("Pad", 1, 1, 1, 1, pad1, pad_infer),
	PAD("Pad", 2, 10, 1, 1, pad2, pad_infer),
	PAD("Pad", 11, 17, 2, 3, pad11, pad_infer),
	PAD("Pad", 18, 18, 2, 4, pad11, pad_infer),
	PAD("Pad", 19, 0, 2, 4, pad19, pad_infer),
	PAD("CenterCropPad", 18, 0, 2, 2, crop, crop_infer),
	JOULE_OPS_END,
};
