// SPDX-License-Identifier: MIT
/*
 * Scatter, ScatterElements and ScatterND: a copy of the data with updates
 * written, or reduced, to given addresses. Where several updates go to one
 * place the last one in order wins, on every device:
 *
 * Without a reduction each slot takes the update with the highest number,
 * worked out here for constant indices and by an atomic maximum otherwise,
 * and one launch picks update or data. With a reduction the sum's order
 * matters, so one invocation goes through all updates of a line (ScatterND:
 * of an element of the slice) in order.
 */
#include <errno.h>

#include "ops/copy.h"
#include "ops/elements.h"

enum { REDUCE_NONE, REDUCE_ADD, REDUCE_MUL, REDUCE_MAX, REDUCE_MIN };

struct scatter {
	int64_t axis;
	int reduction;
};

static int address(const struct joule_node *node, struct joule_address *a)
{
	const struct scatter *attrs = node->attrs;

	return node->op->code == JOULE_BY_TUPLE ? joule_address_by_tuple(node, 0, a) :
						  joule_address_by_element(node, attrs->axis, a);
}

static int scatter_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0], *idx = node->in[1], *u = node->in[2];
	struct joule_shape want = idx->shape;
	struct joule_address a;
	char s[2][128];
	int ret = address(node, &a);

	if (ret)
		return ret;
	if (u->dtype != x->dtype)
		return joule_node_err(node, -EINVAL, "updates are %s, data is %s",
				      joule_dtype_name(u->dtype), joule_dtype_name(x->dtype));
	if (a.by == JOULE_BY_TUPLE) {
		want.rank = idx->shape.rank - 1 + x->shape.rank - a.k;
		for (int d = a.k; d < x->shape.rank && want.rank <= JOULE_MAX_RANK; d++)
			want.dims[idx->shape.rank - 1 + d - a.k] = x->shape.dims[d];
	}
	if (want.rank > JOULE_MAX_RANK || !joule_shape_equal(&want, &u->shape))
		return joule_node_err(node, -EINVAL, "updates %s do not go with indices %s",
				      joule_shape_str(&u->shape, s[0], sizeof(s[0])),
				      joule_shape_str(&idx->shape, s[1], sizeof(s[1])));
	joule_set_out(node, 0, x->dtype, &x->shape);
	return 0;
}

/* ---- reference ---- */

static void reduce(enum joule_dtype dtype, int reduction, void *dst, int64_t i, const void *src,
		   int64_t j)
{
	if (joule_dtype_is_float(dtype)) {
		double x = joule_get_f64(dtype, dst, i), u = joule_get_f64(dtype, src, j);

		x = reduction == REDUCE_ADD ? x + u :
		    reduction == REDUCE_MUL ? x * u :
		    reduction == REDUCE_MAX ? (u > x || u != u ? u : x) :
					      (u < x || u != u ? u : x);
		joule_set_f64(dtype, dst, i, x);
	} else {
		int64_t x = joule_get_i64(dtype, dst, i), u = joule_get_i64(dtype, src, j);
		bool less = dtype == JOULE_U64 ? (uint64_t)x < (uint64_t)u : x < u;

		x = reduction == REDUCE_ADD ? (int64_t)((uint64_t)x + (uint64_t)u) :
		    reduction == REDUCE_MUL ? (int64_t)((uint64_t)x * (uint64_t)u) :
		    reduction == REDUCE_MAX ? (less ? u : x) :
					      (less ? x : u);
		joule_set_i64(dtype, dst, i, x);
	}
}

static int scatter_ref(struct joule_node *node)
{
	const struct scatter *attrs = node->attrs;
	const struct joule_tensor *x = node->in[0], *u = node->in[2];
	struct joule_tensor *y = node->out[0];
	struct joule_address a;
	int ret = address(node, &a);

	if (ret)
		return ret;
	joule_move_run(x->dtype, y->data, 0, x->data, 0, joule_tensor_count(x));
	for (int64_t i = 0; i < a.count && a.slice; i++) {
		int64_t slot = joule_address_slot(node, &a, i);

		if (slot < 0)
			return (int)slot;
		if (attrs->reduction == REDUCE_NONE)
			joule_move_run(x->dtype, y->data, slot * a.slice, u->data, i * a.slice,
				       a.slice);
		for (int64_t e = 0; attrs->reduction != REDUCE_NONE && e < a.slice; e++)
			reduce(x->dtype, attrs->reduction, y->data, slot * a.slice + e, u->data,
			       i * a.slice + e);
	}
	return 0;
}

/* ---- kernels ---- */

/* The marks of constant indices, as a kernel would make them. */
static struct joule_operand constant_marks(const struct joule_node *node,
					   const struct joule_address *a, struct joule_binder *b)
{
	uint32_t *mark;
	struct joule_operand o = joule_bind_const(b, (size_t)a->slots * 4, (void **)&mark);

	for (int64_t i = 0; mark && i < a->count; i++) {
		int64_t slot = joule_address_slot(node, a, i);

		if (slot < 0) {
			b->err = (int)slot;
			break;
		}
		mark[slot] = (uint32_t)i + 1;
	}
	return o;
}

static struct joule_operand run_time_marks(const struct joule_node *node,
					   const struct joule_address *a, struct joule_binder *b)
{
	unsigned int words = joule_bind_index_words(b, node->in[1]);
	struct joule_operand marks = joule_bind_scratch(b, (uint64_t)a->slots * 4);
	struct joule_dispatch *d;

	joule_fill_bind(b, JOULE_U32, NULL, a->slots, marks);
	if (b->err)
		return marks;
	d = joule_bind(b, a->by == JOULE_BY_TUPLE ? "scatter_mark_tuples" :
						    "scatter_mark_elements");
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_read_write(d, marks);
	joule_bind_read(d, joule_address_bind(b, a));
	joule_bind_u32(d, (uint32_t)a->count);
	if (a->by == JOULE_BY_TUPLE) {
		joule_bind_u32(d, 1);
		joule_bind_u32(d, joule_magic(1));
		joule_bind_u32(d, (uint32_t)a->per_batch);
		joule_bind_u32(d, joule_magic((uint32_t)a->per_batch));
		joule_bind_u32(d, (uint32_t)a->batch_stride);
	} else {
		joule_bind_i32(d, (int32_t)a->axis_dim);
		joule_bind_i32(d, (int32_t)a->stride[a->axis]);
	}
	joule_bind_spec(d, (uint32_t)(a->by == JOULE_BY_TUPLE ? a->k : a->rank));
	joule_bind_spec(d, words);
	joule_bind_grid(b, d, 64, (uint64_t)a->count);
	return marks;
}

static void bind_pick(const struct joule_node *node, const struct joule_address *a,
		      struct joule_binder *b)
{
	unsigned int bytes = joule_bind_bytes(b, node->in[0]), unit;
	struct joule_operand marks;
	struct joule_dispatch *d;
	uint32_t slice, n;

	if (b->err)
		return;
	marks = joule_tensor_is_const(node->in[1]) ? constant_marks(node, a, b) :
						     run_time_marks(node, a, b);
	unit = joule_move_unit(b, (uint64_t)a->slice * bytes);
	slice = (uint32_t)(a->slice * bytes / unit);
	n = (uint32_t)a->slots * slice;
	d = joule_bind(b, "scatter_pick_%u", unit);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(2));
	joule_bind_read(d, marks);
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, n);
	joule_bind_u32(d, slice);
	joule_bind_u32(d, joule_magic(slice));
	joule_bind_grid(b, d, 64, n);
}

/*
 * One invocation a line: for ScatterElements what shares all coordinates but
 * the axis, for ScatterND one element of the slices.
 */
static void bind_reduce(const struct joule_node *node, const struct joule_address *a,
			struct joule_binder *b)
{
	const struct scatter *attrs = node->attrs;
	const char *dtype = joule_bind_float(b, node->in[0]);
	unsigned int words = joule_bind_index_words(b, node->in[1]);
	bool tuples = a->by == JOULE_BY_TUPLE;
	int64_t threads = tuples ? a->slice : 1;
	uint32_t update_stride = 1, n = tuples ? (uint32_t)a->k : 0;
	struct { uint32_t len, magic; int32_t stride, update; } *dim;
	struct joule_operand block;
	struct joule_dispatch *d;

	if (b->err)
		return;
	joule_copy_bytes_bind(b, joule_tensor_bytes(node->in[0]), JOULE_IN(0), JOULE_OUT(0));
	block = joule_bind_const(b, sizeof(*dim) * JOULE_MAX_RANK, (void **)&dim);
	for (int k = 0; dim && tuples && k < a->k; k++) {
		dim[k].len = (uint32_t)a->tuple_dim[k];
		dim[k].stride = (int32_t)a->tuple_stride[k];
	}
	for (int i = a->rank - 1, stride = 1; dim && !tuples && i >= 0; i--) {
		if (i == a->axis) {
			update_stride = (uint32_t)stride;
		} else {
			dim[n].len = (uint32_t)a->dims[i];
			dim[n].magic = joule_magic(dim[n].len);
			dim[n].stride = (int32_t)a->stride[i];
			dim[n++].update = stride;
			threads *= a->dims[i];
		}
		stride *= (int)a->dims[i];
	}
	d = joule_bind(b, "scatter_reduce_%s_%s", tuples ? "tuples" : "elements", dtype);
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_read(d, JOULE_IN(2));
	joule_bind_read_write(d, JOULE_OUT(0));
	joule_bind_read(d, block);
	joule_bind_u32(d, (uint32_t)threads);
	joule_bind_u32(d, (uint32_t)(tuples ? a->count : a->dims[a->axis]));
	joule_bind_i32(d, (int32_t)(tuples ? 0 : a->axis_dim));
	joule_bind_i32(d, (int32_t)(tuples ? 0 : a->stride[a->axis]));
	joule_bind_u32(d, update_stride);
	joule_bind_spec(d, n);
	joule_bind_spec(d, words);
	joule_bind_spec(d, (uint32_t)attrs->reduction);
	joule_bind_grid(b, d, 64, (uint64_t)threads);
}

static int scatter_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct scatter *attrs = node->attrs;
	struct joule_address a;
	int ret = address(node, &a);

	if (ret)
		return ret;
	if (a.count > INT32_MAX || a.count * a.slice > INT32_MAX)
		return joule_bind_refuse(b, "2^31 elements or more");
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	if (!a.count)
		joule_copy_bytes_bind(b, joule_tensor_bytes(node->in[0]), JOULE_IN(0),
				      JOULE_OUT(0));
	else if (attrs->reduction == REDUCE_NONE)
		bind_pick(node, &a, b);
	else
		bind_reduce(node, &a, b);
	return joule_bind_end(b);
}

static const char *const reductions16[] = { "none", "add", "mul", NULL };
static const char *const reductions18[] = { "none", "add", "mul", "max", "min", NULL };
static const struct joule_attr elements11[] = { JOULE_A_INT(struct scatter, axis, 0), { 0 } };
static const struct joule_attr elements16[] = {
	JOULE_A_INT(struct scatter, axis, 0),
	JOULE_A_ENUM(struct scatter, reduction, reductions16),
	{ 0 },
};
static const struct joule_attr elements18[] = {
	JOULE_A_INT(struct scatter, axis, 0),
	JOULE_A_ENUM(struct scatter, reduction, reductions18),
	{ 0 },
};
static const struct joule_attr nd16[] = {
	JOULE_A_ENUM(struct scatter, reduction, reductions16),
	{ 0 },
};
static const struct joule_attr nd18[] = {
	JOULE_A_ENUM(struct scatter, reduction, reductions18),
	{ 0 },
};

#define SCATTER(onnx, by, from, to, attributes) \
	{ \
		.name = onnx, .code = by, .since = from, .until = to, .min_in = 3, .max_in = 3, \
		.min_out = 1, .max_out = 1, .traits = JOULE_OP_IN_PLACE, \
		.attrs_bytes = sizeof(struct scatter), .attrs = attributes, \
		.infer = scatter_infer, .ref = scatter_ref, .bind = scatter_bind, \
	}

JOULE_OPS(scatter) = {
	SCATTER("Scatter", JOULE_BY_ELEMENT, 9, 0, elements11),
	SCATTER("ScatterElements", JOULE_BY_ELEMENT, 11, 15, elements11),
	SCATTER("ScatterElements", JOULE_BY_ELEMENT, 16, 17, elements16),
	SCATTER("ScatterElements", JOULE_BY_ELEMENT, 18, 0, elements18),
	SCATTER("ScatterND", JOULE_BY_TUPLE, 11, 15, NULL),
	SCATTER("ScatterND", JOULE_BY_TUPLE, 16, 17, nd16),
	SCATTER("ScatterND", JOULE_BY_TUPLE, 18, 0, nd18),
	JOULE_OPS_END,
};
