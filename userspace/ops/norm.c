// SPDX-License-Identifier: MIT
/*
 * Normalizations that take their statistics from the input itself: Layer,
 * RMS, Instance, Group, MeanVariance, Lp. They differ in what a set is, in the
 * formula, and in how scale and bias repeat; all of that is strides, so one
 * reference and one kernel serve them.
 */
#include <errno.h>
#include <math.h>

#include "ops/common.h"
#include "ops/epilogue.h"
#include "ops/walk.h"

/* As in norm.comp. */
enum kind { LAYER, RMS, MVN, L1, L2 };

/* Which operator: tells the rows of the table apart. */
enum code { LAYER_NORM, RMS_NORM, INSTANCE_NORM, GROUP_NORM_18, GROUP_NORM, MEAN_VARIANCE, LP_NORM };

enum operand { X, SCALE, BIAS, OPERANDS };

struct norm {
	float epsilon;
	int64_t axis, stash_type, num_groups, p;
	struct joule_ints axes, consumed_inputs;
};

/* A node as sets over a space of axes, kept ones outside, reduced ones in a set. */
struct sets {
	enum kind kind;
	double eps;
	int64_t count, n;
	struct joule_walk kept, reduced; /* operands X, SCALE, BIAS */
};

/* Scale or bias. What comes behind an operator's own inputs belongs to fused steps. */
static const struct joule_tensor *own(const struct joule_node *node, int i)
{
	return i < node->op->max_in ? joule_node_in(node, i) : NULL;
}

/* Scale or bias for the space's axes: their shape there, or NULL for none. */
static void add_axes(struct sets *s, const struct joule_shape *space, unsigned int mask,
		     const struct joule_shape *scale, const struct joule_shape *bias)
{
	int64_t strides[OPERANDS][JOULE_MAX_RANK] = { 0 };

	joule_shape_strides(space, strides[X]);
	if (scale)
		joule_broadcast_strides(scale, space, strides[SCALE]);
	if (bias)
		joule_broadcast_strides(bias, space, strides[BIAS]);
	s->kept = s->reduced = (struct joule_walk){ .n = OPERANDS };
	s->count = s->n = 1;
	for (int i = 0; i < space->rank; i++) {
		bool reduce = mask >> i & 1;
		struct joule_walk *w = reduce ? &s->reduced : &s->kept;

		w->dims[w->rank] = space->dims[i];
		for (int k = 0; k < OPERANDS; k++)
			w->strides[k][w->rank] = strides[k][i];
		w->rank++;
		*(reduce ? &s->n : &s->count) *= space->dims[i];
	}
	joule_walk_merge(&s->kept);
	joule_walk_merge(&s->reduced);
}

/* Axes from the attribute on, in [0, rank]. */
static int first_axis(const struct joule_node *node)
{
	const struct norm *a = node->attrs;

	return joule_node_axis(node, a->axis, node->in[0]->shape.rank);
}

/* Scale and bias of one element for each channel, or for each group. */
static int channel_sets(const struct joule_node *node, struct sets *s)
{
	const struct norm *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;
	int64_t groups = node->op->code == INSTANCE_NORM ? x->dims[1] : a->num_groups;
	int64_t each = groups ? x->dims[1] / groups : 0;
	bool by_group = node->op->code == GROUP_NORM_18;
	struct joule_shape space = { .rank = 4, .dims = { x->dims[0], groups, each, 1 } };
	struct joule_shape scale = { .rank = 3, .dims = { groups, by_group ? 1 : each, 1 } };

	for (int i = 2; i < x->rank; i++)
		space.dims[3] *= x->dims[i];
	add_axes(s, &space, 4 | 8, &scale, &scale);
	return 0;
}

static int describe(const struct joule_node *node, struct sets *s)
{
	const struct joule_tensor *x = node->in[0], *scale = own(node, SCALE), *bias = own(node, BIAS);
	const struct norm *a = node->attrs;
	unsigned int mask = 0;
	int axis;

	s->eps = a->epsilon;
	s->kind = LAYER;
	switch ((enum code)node->op->code) {
	case INSTANCE_NORM:
	case GROUP_NORM_18:
	case GROUP_NORM:
		return channel_sets(node, s);
	case RMS_NORM:
		s->kind = RMS;
		break;
	case LP_NORM:
		s->kind = a->p == 1 ? L1 : L2;
		break;
	case MEAN_VARIANCE:
		s->kind = MVN;
		s->eps = 1e-9;
		break;
	case LAYER_NORM:
		break;
	}
	if (node->op->code == MEAN_VARIANCE) {
		static const int64_t nchw[] = { 0, 2, 3 };
		const struct joule_ints axes = a->axes.n ? a->axes :
							   (struct joule_ints){ 3, nchw };

		for (int i = 0; i < axes.n; i++) {
			axis = joule_node_axis(node, axes.v[i], x->shape.rank);
			if (axis < 0)
				return axis;
			mask |= 1u << axis;
		}
	} else {
		axis = first_axis(node);
		if (axis < 0)
			return axis;
		mask = 1u << axis;
		if (node->op->code != LP_NORM)
			mask = ((1u << x->shape.rank) - 1) & ~(mask - 1);
	}
	add_axes(s, &x->shape, mask, scale ? &scale->shape : NULL, bias ? &bias->shape : NULL);
	return 0;
}

static int check_operand(const struct joule_node *node, int i, const struct joule_shape *want)
{
	const struct joule_tensor *t = own(node, i), *x = node->in[0];
	struct joule_shape shape;
	char have[128], need[128];

	if (!t)
		return 0;
	if (!joule_dtype_is_float(t->dtype))
		return joule_err_dtype(node, t);
	if (want ? joule_shape_equal(&t->shape, want) :
		   !joule_shape_broadcast(&x->shape, &t->shape, &shape) &&
			   joule_shape_equal(&shape, &x->shape))
		return 0;
	return joule_node_err(node, -EINVAL, "%s %s does not go with %s", t->name,
			      joule_shape_str(&t->shape, have, sizeof(have)),
			      joule_shape_str(want ? want : &x->shape, need, sizeof(need)));
}

static int norm_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	const struct norm *a = node->attrs;
	int code = node->op->code;
	struct joule_shape per = { .rank = 1 }, stats = x->shape;
	bool channels = code == INSTANCE_NORM || code == GROUP_NORM_18 || code == GROUP_NORM;
	struct sets s;
	int ret;

	if (!joule_dtype_is_float(x->dtype))
		return joule_err_dtype(node, x);
	if (channels && x->shape.rank < 2)
		return joule_node_err(node, -EINVAL, "input of rank %d has no channels",
				      x->shape.rank);
	if ((code == GROUP_NORM_18 || code == GROUP_NORM) &&
	    (a->num_groups < 1 || x->shape.dims[1] % a->num_groups))
		return joule_node_err(node, -EINVAL, "%lld groups of %lld channels",
				      (long long)a->num_groups, (long long)x->shape.dims[1]);
	if (channels)
		per.dims[0] = code == GROUP_NORM_18 ? a->num_groups : x->shape.dims[1];
	if (code == LP_NORM && a->p != 1 && a->p != 2)
		return joule_node_err(node, -EINVAL, "p is %lld, not 1 or 2", (long long)a->p);
	for (int i = 1; i < 3; i++) {
		ret = check_operand(node, i, channels ? &per : NULL);
		if (ret)
			return ret;
	}
	ret = describe(node, &s);
	if (ret)
		return ret;
	if (code == LAYER_NORM)
		for (int i = first_axis(node); i < stats.rank; i++)
			stats.dims[i] = 1;
	joule_set_out(node, 1, a->stash_type == 16 ? JOULE_BF16 : JOULE_F32, &stats);
	joule_set_out(node, 2, a->stash_type == 16 ? JOULE_BF16 : JOULE_F32, &stats);
	return joule_infer_same(node);
}

/* ---- reference ---- */

/* The sum over a set of x, |x| or x^2 with the mean taken off. */
static double sum_set(const struct joule_node *node, const struct sets *s, int64_t start,
		      double mean, enum kind kind, bool plain)
{
	const struct joule_walk *w = &s->reduced;
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS];
	double v[JOULE_ROW_CHUNK], sum = 0;

	for (bool more = joule_walk_begin(w, pos, at); more; more = joule_walk_next(w, pos, at)) {
		int64_t len = w->dims[w->rank - 1], stride = w->strides[X][w->rank - 1];

		for (int64_t i = 0; i < len; i += JOULE_ROW_CHUNK) {
			int n = (int)JOULE_MIN(len - i, JOULE_ROW_CHUNK);

			joule_row_get_f64(node->in[0], start + at[X] + i * stride, stride, n, v);
			for (int k = 0; k < n; k++) {
				double d = v[k] - mean;

				sum += plain ? d : kind == L1 ? fabs(d) : d * d;
			}
		}
	}
	return sum;
}

static void write_set(struct joule_node *node, const struct sets *s, const int64_t *start,
		      double mean, double inv)
{
	const struct joule_tensor *x = node->in[0], *scale = own(node, SCALE), *bias = own(node, BIAS);
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS];
	const struct joule_walk *w = &s->reduced;
	int last = w->rank - 1;

	for (bool more = joule_walk_begin(w, pos, at); more; more = joule_walk_next(w, pos, at))
		for (int64_t i = 0; i < w->dims[last]; i++) {
			int64_t ix = start[X] + at[X] + i * w->strides[X][last];
			double v = (joule_get_f64(x->dtype, x->data, ix) - mean) * inv;

			if (scale)
				v *= joule_get_f64(scale->dtype, scale->data,
						   start[SCALE] + at[SCALE] +
							   i * w->strides[SCALE][last]);
			if (bias)
				v += joule_get_f64(bias->dtype, bias->data,
						   start[BIAS] + at[BIAS] +
							   i * w->strides[BIAS][last]);
			joule_set_f64(x->dtype, node->out[0]->data, ix, v);
		}
}

static void ref_set(struct joule_node *node, const struct sets *s, const int64_t *start, int64_t o)
{
	struct joule_tensor *mean_out = joule_node_out(node, 1), *inv_out = joule_node_out(node, 2);
	double mean = 0, inv, sum, n = (double)s->n;

	if (s->kind == LAYER || s->kind == MVN)
		mean = sum_set(node, s, start[X], 0, s->kind, true) / n;
	sum = sum_set(node, s, start[X], mean, s->kind, false);
	switch (s->kind) {
	case LAYER:
	case RMS:
		inv = 1 / sqrt(sum / n + s->eps);
		break;
	case MVN:
		inv = 1 / (sqrt(sum / n) + s->eps);
		break;
	case L1:
		inv = 1 / sum;
		break;
	default:
		inv = 1 / sqrt(sum);
	}
	if (mean_out)
		joule_set_f64(mean_out->dtype, mean_out->data, o, mean);
	if (inv_out)
		joule_set_f64(inv_out->dtype, inv_out->data, o, inv);
	write_set(node, s, start, mean, inv);
}

static int norm_ref(struct joule_node *node)
{
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS], o = 0;
	struct sets s;
	int ret = describe(node, &s);

	if (ret)
		return ret;
	for (bool more = joule_walk_begin(&s.kept, pos, at); more;
	     more = joule_walk_next(&s.kept, pos, at))
		for (int64_t i = 0; i < s.kept.dims[s.kept.rank - 1]; i++, o++) {
			int64_t start[OPERANDS];

			for (int k = 0; k < OPERANDS; k++)
				start[k] = at[k] + i * s.kept.strides[k][s.kept.rank - 1];
			ref_set(node, &s, start, o);
		}
	return 0;
}

/* ---- kernel ---- */

#define MAX_KEPT    3
#define MAX_REDUCED 2
#define GROUP	    64

/* Params of norm.comp. */
struct params {
	uint32_t sets, n;
	float eps, inv_n;
	uint32_t kept_dim[MAX_KEPT], kept_stride[MAX_KEPT][OPERANDS];
	uint32_t inner, reduced_stride[MAX_REDUCED][OPERANDS];
};

static struct joule_operand bind_params(struct joule_binder *b, const struct sets *s)
{
	struct params *p;
	struct joule_operand place = joule_bind_const(b, sizeof(*p), (void **)&p);

	if (!p)
		return place;
	*p = (struct params){ .sets = (uint32_t)s->count, .n = (uint32_t)s->n,
			      .eps = (float)s->eps, .inv_n = (float)(1.0 / (double)s->n) };
	for (int i = 0; i < s->kept.rank; i++) {
		int to = MAX_KEPT - s->kept.rank + i;

		p->kept_dim[to] = (uint32_t)s->kept.dims[i];
		for (int k = 0; k < OPERANDS; k++)
			p->kept_stride[to][k] = (uint32_t)s->kept.strides[k][i];
	}
	p->inner = (uint32_t)s->reduced.dims[s->reduced.rank - 1];
	for (int i = 0; i < s->reduced.rank; i++)
		for (int k = 0; k < OPERANDS; k++)
			p->reduced_stride[MAX_REDUCED - s->reduced.rank + i][k] =
				(uint32_t)s->reduced.strides[k][i];
	return place;
}

/* Do the sets' elements of an operand lie so that four neighbours load as one? */
static bool by_four(const struct sets *s, enum operand k)
{
	const struct joule_walk *r = &s->reduced;
	int last = r->rank - 1;

	if (r->strides[k][last] != 1 || r->dims[last] % 4)
		return false;
	for (int i = 0; i < last; i++)
		if (r->strides[k][i] % 4)
			return false;
	for (int i = 0; i < s->kept.rank; i++)
		if (s->kept.strides[k][i] % 4)
			return false;
	return true;
}

static int norm_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	bool cpu = b->caps->kind == JOULE_DEVICE_VULKAN_CPU, group, vec, scale_vec = true;
	struct joule_operand params;
	struct joule_dispatch *d;
	uint32_t operands = 0;
	struct sets s;
	int ret;

	if (!dtype)
		return b->err;
	ret = describe(node, &s);
	if (ret)
		return ret;
	if (s.kept.rank > MAX_KEPT || s.reduced.rank > MAX_REDUCED)
		return joule_bind_refuse(b, "kept and reduced axes alternate too often");
	vec = by_four(&s, X);
	for (int i = SCALE; i <= BIAS; i++) {
		const struct joule_tensor *t = own(node, i);

		if (t && t->dtype != node->in[0]->dtype)
			return joule_bind_refuse(b, "%s is %s, the input %s", t->name,
						 joule_dtype_name(t->dtype), dtype);
		operands |= (uint32_t)!!t << (i - SCALE);
		scale_vec = scale_vec && (!t || by_four(&s, (enum operand)i));
	}
	for (int i = 1; i < 3; i++) {
		const struct joule_tensor *t = joule_node_out(node, i);

		if (t && t->dtype != JOULE_F32)
			return joule_bind_refuse(b, "statistics in %s", joule_dtype_name(t->dtype));
		operands |= (uint32_t)!!t << (i + 1);
	}
	if (!s.count)
		return joule_bind_end(b);
	group = s.count < (cpu ? 2 * (int64_t)JOULE_MAX(b->caps->compute_threads, 1u) : 4096) &&
		s.n > 32;
	params = bind_params(b, &s);

	d = group ? joule_bind(b, "norm_group_%s", dtype) :
		    joule_bind(b, "norm_%s%s", dtype, joule_bind_wide(b));
	joule_bind_read(d, JOULE_IN(0));
	for (int i = SCALE; i <= BIAS; i++)
		joule_bind_read(d, JOULE_IN((uint16_t)(own(node, i) ? i : 0)));
	joule_bind_write(d, JOULE_OUT(0));
	for (int i = 1; i < 3; i++)
		joule_bind_write(d, JOULE_OUT((uint16_t)(joule_node_out(node, i) ? i : 0)));
	joule_bind_read(d, params);
	joule_bind_spec(d, s.kind);
	joule_bind_spec(d, (uint32_t)s.kept.rank);
	joule_bind_spec(d, (uint32_t)s.reduced.rank);
	joule_bind_spec(d, vec);
	joule_bind_spec(d, vec && scale_vec);
	joule_bind_spec(d, operands);
	joule_epilogue_bind(b, d, node, -1);
	if (group) {
		uint64_t count = (uint64_t)s.count;
		uint64_t spill = JOULE_DIV_UP(count, b->caps->max_groups[0]);

		joule_bind_local(d, GROUP, 1, 1);
		joule_bind_groups(d, JOULE_DIV_UP(count, spill), spill, 1);
	} else {
		joule_bind_lanes(b, d, (uint64_t)s.count);
	}
	return joule_bind_end(b);
}

static const struct joule_attr layer_attrs[] = {
	JOULE_A_INT(struct norm, axis, -1),
	JOULE_A_FLOAT(struct norm, epsilon, 1e-5f),
	JOULE_A_INT(struct norm, stash_type, 1),
	{ 0 },
};

static const struct joule_attr instance_attrs[] = {
	JOULE_A_FLOAT(struct norm, epsilon, 1e-5f),
	JOULE_A_INTS(struct norm, consumed_inputs),
	{ 0 },
};

static const struct joule_attr group_attrs[] = {
	JOULE_A_FLOAT(struct norm, epsilon, 1e-5f),
	{ .name = "num_groups", .type = JOULE_ATTR_INT, .offset = offsetof(struct norm, num_groups),
	  .required = true },
	JOULE_A_INT(struct norm, stash_type, 1),
	{ 0 },
};

static const struct joule_attr mean_variance_attrs[] = {
	JOULE_A_INTS(struct norm, axes),
	{ 0 },
};

static const struct joule_attr lp_attrs[] = {
	JOULE_A_INT(struct norm, axis, -1),
	JOULE_A_INT(struct norm, p, 2),
	{ 0 },
};

#define NORM(onnx, which, from, to, least, most, outs, table) \
	{ \
		.name = onnx, .code = which, .since = from, .until = to, .min_in = least, \
		.max_in = most, .min_out = 1, .max_out = outs, \
		.traits = JOULE_OP_IN_PLACE | JOULE_OP_EPILOGUE, \
		.attrs_bytes = sizeof(struct norm), .attrs = table, .infer = norm_infer, \
		.ref = norm_ref, .bind = norm_bind, \
	}

JOULE_OPS(norm) = {
	NORM("GroupNormalization", GROUP_NORM_18, 18, 20, 3, 3, 1, group_attrs),
	NORM("GroupNormalization", GROUP_NORM, 21, 0, 3, 3, 1, group_attrs),
	NORM("InstanceNormalization", INSTANCE_NORM, 1, 0, 3, 3, 1, instance_attrs),
	NORM("LayerNormalization", LAYER_NORM, 17, 0, 2, 3, 3, layer_attrs),
	NORM("LpNormalization", LP_NORM, 1, 0, 1, 1, 1, lp_attrs),
	NORM("MeanVarianceNormalization", MEAN_VARIANCE, 9, 0, 1, 1, 1, mean_variance_attrs),
	NORM("RMSNormalization", RMS_NORM, 23, 0, 2, 2, 1, layer_attrs),
	JOULE_OPS_END,
};
