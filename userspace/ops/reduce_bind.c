// SPDX-License-Identifier: MIT
/*
 * How a reduction becomes launches of shaders/reduce.comp. Many results of
 * short sets: an invocation each. Few or long ones: a workgroup each. Fewer
 * results than the device has room for groups: the sets are split, and a
 * second launch joins the parts.
 */
#include <errno.h>

#include "base/checked.h"
#include "ir/access.h"
#include "ops/reduce.h"
#include "ops/walk.h"

#define MAX_KEPT    4
#define MAX_REDUCED 3
#define GROUP	    64

/* As in reduce.comp. */
enum pre { PRE_NONE, PRE_ABS, PRE_SQUARE, PRE_EXP, PRE_POW };
enum join { JOIN_ADD, JOIN_MUL, JOIN_MIN, JOIN_MAX };
enum post { POST_NONE, POST_DIVIDE, POST_SQRT, POST_LOG, POST_LOG_SHIFT, POST_POW };

struct formula {
	enum pre pre;
	enum join join;
	enum post post;
};

static const struct formula formulas[] = {
	[JOULE_REDUCE_SUM] = { PRE_NONE, JOIN_ADD, POST_NONE },
	[JOULE_REDUCE_MEAN] = { PRE_NONE, JOIN_ADD, POST_DIVIDE },
	[JOULE_REDUCE_MAX] = { PRE_NONE, JOIN_MAX, POST_NONE },
	[JOULE_REDUCE_MIN] = { PRE_NONE, JOIN_MIN, POST_NONE },
	[JOULE_REDUCE_PROD] = { PRE_NONE, JOIN_MUL, POST_NONE },
	[JOULE_REDUCE_L1] = { PRE_ABS, JOIN_ADD, POST_NONE },
	[JOULE_REDUCE_L2] = { PRE_SQUARE, JOIN_ADD, POST_SQRT },
	[JOULE_REDUCE_LOG_SUM] = { PRE_NONE, JOIN_ADD, POST_LOG },
	[JOULE_REDUCE_LOG_SUM_EXP] = { PRE_EXP, JOIN_ADD, POST_LOG_SHIFT },
	[JOULE_REDUCE_SUM_SQUARE] = { PRE_SQUARE, JOIN_ADD, POST_NONE },
	[JOULE_REDUCE_LP] = { PRE_POW, JOIN_ADD, POST_POW },
};

struct place {
	struct joule_operand operand;
	enum joule_dtype dtype;
};

struct launch {
	struct joule_walk kept, reduced;
	int64_t outputs, total; /* results, and elements of each one's set */
	struct formula f;
	struct place in, out, shift;
	float p; /* a mean's factor, or the exponent */
};

static void split_axes(struct launch *l, const struct joule_shape *shape, unsigned int axes)
{
	int64_t strides[JOULE_MAX_RANK];

	joule_shape_strides(shape, strides);
	l->kept = l->reduced = (struct joule_walk){ .n = 1 };
	l->outputs = l->total = 1;
	for (int i = 0; i < shape->rank; i++) {
		bool reduce = axes >> i & 1;
		struct joule_walk *w = reduce ? &l->reduced : &l->kept;

		w->dims[w->rank] = shape->dims[i];
		w->strides[0][w->rank++] = strides[i];
		*(reduce ? &l->total : &l->outputs) *= shape->dims[i];
	}
	joule_walk_merge(&l->kept);
	joule_walk_merge(&l->reduced);
}

/* Do four neighbouring results read four neighbouring elements? */
static bool across(const struct launch *l)
{
	const struct joule_walk *k = &l->kept, *r = &l->reduced;

	if (k->strides[0][k->rank - 1] != 1 || k->dims[k->rank - 1] % 4)
		return false;
	for (int i = 0; i < k->rank - 1; i++)
		if (k->strides[0][i] % 4)
			return false;
	for (int i = 0; i < r->rank; i++)
		if (r->strides[0][i] % 4)
			return false;
	return true;
}

/* Can every set be read four elements at a time? */
static bool along(const struct launch *l)
{
	const struct joule_walk *k = &l->kept, *r = &l->reduced;

	if (r->strides[0][r->rank - 1] != 1 || r->dims[r->rank - 1] % 4)
		return false;
	for (int i = 0; i < k->rank; i++)
		if (k->strides[0][i] % 4 && k->dims[i] > 1)
			return false;
	for (int i = 0; i < r->rank - 1; i++)
		if (r->strides[0][i] % 4)
			return false;
	return true;
}

static const char *type_suffix(const struct launch *l)
{
	if (l->in.dtype == l->out.dtype)
		return l->in.dtype == JOULE_F16 ? "f16" : "f32";
	return l->in.dtype == JOULE_F16 ? "f16_f32" : "f32_f16";
}

/* How a launch spreads the work: group: a workgroup for each part, else an invocation. */
static void bind_one(struct joule_binder *b, const struct launch *l, bool group, int64_t parts)
{
	bool vec_across = !group && parts == 1 && across(l), vec_along = !vec_across && along(l);
	int64_t part = JOULE_DIV_UP(l->total, parts);
	struct joule_dispatch *d;

	d = group ? joule_bind(b, "reduce_group_%s", type_suffix(l)) :
		    joule_bind(b, "reduce_%s%s", type_suffix(l), joule_bind_wide(b));
	joule_bind_read(d, l->in.operand);
	joule_bind_write(d, l->out.operand);
	joule_bind_read(d, l->shift.operand);
	joule_bind_u32(d, (uint32_t)l->outputs);
	joule_bind_u32(d, (uint32_t)l->total);
	joule_bind_u32(d, (uint32_t)JOULE_ALIGN_UP(part, 4));
	joule_bind_f32(d, l->p);
	for (int i = 0; i < MAX_KEPT; i++) {
		int k = l->kept.rank - MAX_KEPT + i;

		joule_bind_u32(d, k < 0 ? 1 : (uint32_t)l->kept.dims[k]);
		joule_bind_u32(d, k < 0 ? 0 : (uint32_t)l->kept.strides[0][k]);
	}
	for (int i = 0; i < MAX_REDUCED; i++) {
		int k = l->reduced.rank - MAX_REDUCED + i;

		joule_bind_u32(d, k < 0 ? 1 : (uint32_t)l->reduced.dims[k]);
		joule_bind_u32(d, k < 0 ? 0 : (uint32_t)l->reduced.strides[0][k]);
	}
	joule_bind_spec(d, l->f.pre);
	joule_bind_spec(d, l->f.join);
	joule_bind_spec(d, l->f.post);
	joule_bind_spec(d, (uint32_t)l->kept.rank);
	joule_bind_spec(d, (uint32_t)l->reduced.rank);
	joule_bind_spec(d, vec_across ? 2 : vec_along ? 1 : 0);
	if (group) {
		uint64_t limit = b->caps->max_groups[0];
		uint64_t rows = JOULE_MAX(JOULE_DIV_UP((uint64_t)l->outputs, limit), 1u);

		joule_bind_local(d, GROUP, 1, 1);
		joule_bind_groups(d, JOULE_DIV_UP((uint64_t)l->outputs, rows), rows,
				  (uint64_t)parts);
	} else {
		joule_bind_spec(d, (uint32_t)parts);
		joule_bind_lanes(b, d, (uint64_t)JOULE_DIV_UP(l->outputs * parts,
							      vec_across ? 4 : 1));
	}
}

struct spread {
	bool group;
	int64_t parts;
};

/* Workgroups cost a CPU more than they give: it has lanes enough with few invocations. */
static struct spread spread_cpu(const struct joule_binder *b, const struct launch *l)
{
	int64_t lanes = 16 * (int64_t)JOULE_MAX(b->caps->compute_threads, 1u);
	struct spread s = { false, 1 };

	if (l->outputs >= lanes || l->total < 256)
		return s;
	if (l->reduced.rank > 1)
		s.group = true;
	else
		s.parts = JOULE_MIN(4 * lanes / l->outputs, l->total / 64);
	return s;
}

static struct spread spread_gpu(const struct launch *l)
{
	const int64_t groups = 128;
	struct spread s = { true, 1 };

	/* An invocation each: enough of them, or too little work to share. */
	if (l->total <= 32 || (l->outputs >= groups * GROUP && (l->total <= 4096 || across(l))))
		s.group = false;
	else
		s.parts = JOULE_MAX(JOULE_MIN(groups / l->outputs, JOULE_DIV_UP(l->total, 4096)), 1);
	return s;
}

static void bind_launch(struct joule_binder *b, struct launch *l)
{
	bool cpu = b->caps->kind == JOULE_DEVICE_VULKAN_CPU;
	struct spread s = cpu ? spread_cpu(b, l) : spread_gpu(l);
	struct launch join = *l;

	if (s.parts == 1) {
		bind_one(b, l, s.group, 1);
		return;
	}
	l->out.operand = joule_bind_scratch(b, (uint64_t)(l->outputs * s.parts) * sizeof(float));
	l->out.dtype = JOULE_F32;
	l->f.post = POST_NONE;
	bind_one(b, l, s.group, s.parts);
	join.in = l->out;
	join.f.pre = PRE_NONE;
	split_axes(&join, &(struct joule_shape){ .rank = 2, .dims = { l->outputs, s.parts } }, 2);
	bind_one(b, &join, !cpu && s.parts > 32, 1);
}

int joule_reduce_bind(struct joule_binder *b, const struct joule_reduce *r,
		      struct joule_operand in, enum joule_dtype in_dtype,
		      const struct joule_shape *shape, struct joule_operand out,
		      enum joule_dtype out_dtype)
{
	struct launch l = { .f = formulas[r->code], .p = r->p, .in = { in, in_dtype },
			    .out = { out, out_dtype }, .shift = { in, in_dtype } };

	split_axes(&l, shape, r->axes);
	if (!l.outputs)
		return b->err;
	if (r->code == JOULE_REDUCE_MEAN)
		l.p = (float)l.total;
	if (l.kept.rank > MAX_KEPT || l.reduced.rank > MAX_REDUCED)
		return joule_bind_refuse(b, "kept and reduced axes alternate too often");
	if (r->code == JOULE_REDUCE_LOG_SUM_EXP) {
		struct launch max = l;

		max.f = formulas[JOULE_REDUCE_MAX];
		max.out.operand = joule_bind_scratch(b, (uint64_t)l.outputs * sizeof(float) + 4);
		max.out.dtype = JOULE_F32;
		l.shift = max.out;
		bind_launch(b, &max);
	}
	bind_launch(b, &l);
	return b->err;
}
