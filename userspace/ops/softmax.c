// SPDX-License-Identifier: MIT
/*
 * Softmax, LogSoftmax, Hardmax. Before opset 13 the axis splits the tensor
 * into a matrix whose rows hold all axes from there on; since then it is one
 * axis alone.
 */
#include <errno.h>
#include <math.h>

#include "ops/common.h"
#include "ops/softmax.h"
#include "ops/walk.h"

enum kind { SOFT, LOG, HARD }; /* as in softmax.comp */

struct softmax {
	int64_t axis;
};

/* rows of n elements, inner apart. */
struct rows {
	int64_t outer, n, inner;
};

static int rows_of(const struct joule_node *node, struct rows *r)
{
	const struct joule_shape *s = &node->in[0]->shape;
	const struct softmax *a = node->attrs;
	bool flat = node->op->until;
	int axis = 0;

	*r = (struct rows){ 1, 1, 1 };
	/* A matrix may be all columns: flattening also splits behind the last axis. */
	if (s->rank && !(flat && a->axis == s->rank)) {
		axis = joule_node_axis(node, a->axis, s->rank);
		if (axis < 0)
			return axis;
	} else {
		axis = s->rank;
	}
	for (int i = 0; i < s->rank; i++)
		if (i < axis)
			r->outer *= s->dims[i];
		else if (i == axis || flat)
			r->n *= s->dims[i];
		else
			r->inner *= s->dims[i];
	return 0;
}

static int softmax_infer(struct joule_node *node)
{
	struct rows r;
	int ret;

	if (!joule_dtype_is_float(node->in[0]->dtype))
		return joule_err_dtype(node, node->in[0]);
	ret = rows_of(node, &r);
	return ret ? ret : joule_infer_same(node);
}

static void ref_row(const struct joule_node *node, const struct rows *r, int64_t base)
{
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	double max = -INFINITY, sum = 0;
	int64_t first = 0;

	for (int64_t j = 0; j < r->n; j++) {
		double v = joule_get_f64(x->dtype, x->data, base + j * r->inner);

		if (v > max || isnan(v)) {
			max = v;
			first = j;
		}
	}
	for (int64_t j = 0; j < r->n; j++)
		sum += exp(joule_get_f64(x->dtype, x->data, base + j * r->inner) - max);
	for (int64_t j = 0; j < r->n; j++) {
		int64_t at = base + j * r->inner;
		double v = joule_get_f64(x->dtype, x->data, at) - max;

		if (node->op->code == HARD)
			v = j == first;
		else
			v = node->op->code == LOG ? v - log(sum) : exp(v) / sum;
		joule_set_f64(y->dtype, y->data, at, v);
	}
}

static int softmax_ref(struct joule_node *node)
{
	struct rows r;
	int ret = rows_of(node, &r);

	for (int64_t o = 0; !ret && o < r.outer; o++)
		for (int64_t i = 0; i < r.inner; i++)
			ref_row(node, &r, o * r.n * r.inner + i);
	return ret;
}

/* Rows of n elements, inner apart, from x to y. */
static int launch(struct joule_binder *b, const char *dtype, enum kind kind,
		  const struct rows *r, struct joule_operand x, struct joule_operand y)
{
	bool cpu = b->caps->kind == JOULE_DEVICE_VULKAN_CPU, group;
	uint64_t rows = (uint64_t)(r->outer * r->inner);
	struct joule_dispatch *d;
	int vec;

	group = r->inner == 1 && r->n > 64 && rows < (cpu ? 8 : 8192);
	vec = kind == HARD			? 0 :
	      r->inner == 1 && r->n % 4 == 0	? 1 :
	      !group && r->inner % 4 == 0	? 2 :
						  0;
	d = group ? joule_bind(b, "softmax_group_%s", dtype) :
		    joule_bind(b, "softmax_%s%s", dtype, joule_bind_wide(b));
	joule_bind_read(d, x);
	joule_bind_write(d, y);
	joule_bind_u32(d, (uint32_t)rows);
	joule_bind_u32(d, (uint32_t)r->n);
	joule_bind_u32(d, (uint32_t)JOULE_MAX(r->inner, 1));
	joule_bind_spec(d, (uint32_t)kind);
	joule_bind_spec(d, (uint32_t)vec);
	if (group) {
		uint64_t spill = JOULE_DIV_UP(rows, b->caps->max_groups[0]);

		joule_bind_local(d, 64, 1, 1);
		joule_bind_groups(d, JOULE_DIV_UP(rows, spill), spill, 1);
	} else {
		joule_bind_lanes(b, d, JOULE_DIV_UP(rows, vec == 2 ? 4 : 1));
	}
	return b->err;
}

int joule_softmax_launch(struct joule_binder *b, const char *dtype, int64_t rows, int64_t n,
			 struct joule_operand x, struct joule_operand y)
{
	return launch(b, dtype, SOFT, &(struct rows){ rows, n, 1 }, x, y);
}

static int softmax_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	struct rows r;
	int ret;

	if (!dtype)
		return b->err;
	ret = rows_of(node, &r);
	if (ret)
		return ret;
	launch(b, dtype, (enum kind)node->op->code, &r, JOULE_IN(0), JOULE_OUT(0));
	return joule_bind_end(b);
}

static const struct joule_attr axis_one[] = { JOULE_A_INT(struct softmax, axis, 1), { 0 } };
static const struct joule_attr axis_last[] = { JOULE_A_INT(struct softmax, axis, -1), { 0 } };

#define ROW(onnx, kind, from, to, table) \
	{ \
		.name = onnx, .code = kind, .since = from, .until = to, .min_in = 1, .max_in = 1, \
		.min_out = 1, .max_out = 1, .traits = JOULE_OP_IN_PLACE, \
		.attrs_bytes = sizeof(struct softmax), .attrs = table, .infer = softmax_infer, \
		.ref = softmax_ref, .bind = softmax_bind, \
	}
#define SOFTMAX(onnx, kind) ROW(onnx, kind, 1, 12, axis_one), ROW(onnx, kind, 13, 0, axis_last)

JOULE_OPS(softmax) = {
	SOFTMAX("Hardmax", HARD),
	SOFTMAX("LogSoftmax", LOG),
	SOFTMAX("Softmax", SOFT),
	JOULE_OPS_END,
};
