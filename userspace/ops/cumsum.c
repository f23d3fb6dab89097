// SPDX-License-Identifier: MIT
/* CumSum: running sums along an axis. */
#include <errno.h>

#include "ops/move.h"

struct cumsum {
	int64_t exclusive, reverse;
};

/* -ENODATA while the axis is not known. */
static int lines_of(const struct joule_node *node, struct joule_lines *l)
{
	int64_t axis = 0;
	int ret = joule_node_int(node, 1, &axis), d;

	if (ret)
		return ret;
	d = joule_node_axis(node, axis, node->in[0]->shape.rank);
	if (d < 0)
		return d;
	*l = joule_lines_of(&node->in[0]->shape, d);
	return 0;
}

static int cumsum_ref(struct joule_node *node)
{
	const struct cumsum *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	struct joule_tensor *y = node->out[0];
	bool floats = joule_dtype_is_float(x->dtype);
	struct joule_lines l;
	int ret = lines_of(node, &l);

	for (int64_t o = 0; !ret && o < l.outer * l.inner; o++) {
		int64_t base = o / l.inner * l.n * l.inner + o % l.inner;
		uint64_t isum = 0;
		double sum = 0;

		for (int64_t k = 0; k < l.n; k++) {
			int64_t at = base + (a->reverse ? l.n - 1 - k : k) * l.inner;
			double v = floats ? joule_get_f64(x->dtype, x->data, at) : 0;
			uint64_t i = floats ? 0 : (uint64_t)joule_get_i64(x->dtype, x->data, at);

			if (!a->exclusive) {
				sum += v;
				isum += i;
			}
			if (floats)
				joule_set_f64(y->dtype, y->data, at, sum);
			else
				joule_set_i64(y->dtype, y->data, at, (int64_t)isum);
			if (a->exclusive) {
				sum += v;
				isum += i;
			}
		}
	}
	return ret;
}

static int cumsum_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct cumsum *a = node->attrs;
	const struct joule_tensor *x = node->in[0];
	bool f64 = x->dtype == JOULE_F64 && b->caps->arithmetic_f64, group;
	const char *dtype = f64 ? "f64" : joule_bind_float(b, x);
	bool late = !joule_tensor_is_const(node->in[1]);
	struct joule_operand block;
	struct joule_dispatch *d;
	struct joule_lines l = { 1, 1, 1 };
	uint32_t *dims;
	int64_t lines;
	int ret = late ? 0 : lines_of(node, &l);

	if (ret)
		return ret;
	/* An axis that comes with the run: as many lines as the shortest would make. */
	for (int i = 0; late && i < x->shape.rank; i++)
		l.n = !i || x->shape.dims[i] < l.n ? x->shape.dims[i] : l.n;
	if (late && l.n)
		l.outer = joule_tensor_count(x) / l.n;
	if (late && (!joule_bind_index_words(b, node->in[1]) || !x->shape.rank))
		return joule_bind_refuse(b, "a scalar has no axis");
	lines = l.outer * l.inner;
	if (f64 && lines * l.n > INT32_MAX)
		return joule_bind_refuse(b, "2^31 elements or more");
	if (!dtype || !lines || !l.n)
		return joule_bind_end(b);
	/* A workgroup a line, each of its 64 a stretch, where lines are few. */
	group = !late && l.n >= 256 && lines < 512;
	block = joule_bind_const(b, sizeof(*dims) * JOULE_MAX_RANK, (void **)&dims);
	for (int i = 0; dims && i < x->shape.rank; i++)
		dims[i] = (uint32_t)x->shape.dims[i];
	d = joule_bind(b, "cumsum_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_read(d, late ? JOULE_IN(1) : JOULE_IN(0));
	joule_bind_read(d, block);
	joule_bind_u32(d, (uint32_t)lines);
	joule_bind_u32(d, (uint32_t)l.n);
	joule_bind_u32(d, (uint32_t)l.inner);
	joule_bind_u32(d, joule_magic((uint32_t)l.inner));
	joule_bind_spec(d, group);
	joule_bind_spec(d, a->exclusive != 0);
	joule_bind_spec(d, a->reverse != 0);
	joule_bind_spec(d, late ? joule_bind_index_words(b, node->in[1]) : 0);
	joule_bind_spec(d, (uint32_t)x->shape.rank);
	if (group) {
		joule_bind_local(d, 64, 1, 1);
		joule_bind_groups(d, (uint64_t)lines, 1, 1);
	} else {
		joule_bind_grid(b, d, 64, (uint64_t)lines);
	}
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = {
	JOULE_A_INT(struct cumsum, exclusive, 0),
	JOULE_A_INT(struct cumsum, reverse, 0),
	{ 0 },
};

JOULE_OPS(cumsum) = {
	{ .name = "CumSum", .since = 11, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1,
	  .traits = JOULE_OP_IN_PLACE, .attrs_bytes = sizeof(struct cumsum), .attrs = attrs,
	  .infer = joule_infer_same, .ref = cumsum_ref, .bind = cumsum_bind },
	JOULE_OPS_END,
};
