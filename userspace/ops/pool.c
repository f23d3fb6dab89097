// SPDX-License-Identifier: MIT
/* MaxPool, AveragePool, LpPool: one to three spatial dimensions. */
#include <errno.h>
#include <math.h>

#include "ops/common.h"
#include "ops/window.h"

struct pool {
	struct joule_window_attrs window;
	int64_t count_include_pad, storage_order, p;
	float p_float; /* LpPool 1 has p as a float */
};

/* node->op->code, and the shader's KIND */
enum pool_kind { POOL_MAX, POOL_AVERAGE, POOL_LP };

static int resolve(const struct joule_node *node, struct joule_window *w)
{
	const struct pool *a = node->attrs;

	return joule_window_resolve(node, &a->window, &node->in[0]->shape, NULL, w);
}

static int pool_prepare(struct joule_node *node)
{
	struct pool *a = node->attrs;

	if (node->op->code == POOL_LP && a->p_float != 0)
		a->p = (int64_t)a->p_float;
	if (node->op->code == POOL_LP && (a->p < 1 || a->p > 1 << 20))
		return joule_node_err(node, -EINVAL, "p is %lld", (long long)a->p);
	return 0;
}

static int pool_infer(struct joule_node *node)
{
	const struct joule_tensor *x = node->in[0];
	bool bytes = node->op->code == POOL_MAX && (x->dtype == JOULE_I8 || x->dtype == JOULE_U8);
	struct joule_window w;
	struct joule_shape y;
	int ret;

	if (!joule_dtype_is_float(x->dtype) && !bytes)
		return joule_err_dtype(node, x);
	ret = resolve(node, &w);
	if (ret)
		return ret;
	y = joule_window_shape(&w, x->shape.dims[0], x->shape.dims[1]);
	joule_set_out(node, 0, x->dtype, &y);
	joule_set_out(node, 1, JOULE_I64, &y);
	return 0;
}

/* ---- reference ---- */

/* One window: what its taps inside the image make. */
struct taps {
	double max, sum, powers;
	int64_t at;     /* position of the maximum in the image */
	int64_t inside; /* taps in the image */
	int64_t padded; /* and in the padding, but not beyond it */
};

static void tap(const struct joule_window *w, const struct joule_tensor *x, int64_t base,
		const int64_t *pos, int64_t p, struct taps *t)
{
	int64_t at;
	double v;

	for (int d = 0; d < JOULE_WINDOW_DIMS; d++)
		if (pos[d] >= w->in[d] + w->end[d])
			return;
	t->padded++;
	for (int d = 0; d < JOULE_WINDOW_DIMS; d++)
		if (pos[d] < 0 || pos[d] >= w->in[d])
			return;
	at = (pos[0] * w->in[1] + pos[1]) * w->in[2] + pos[2];
	v = joule_get_f64(x->dtype, x->data, base + at);
	if (!t->inside++ || v > t->max || isnan(v)) {
		t->max = v;
		t->at = at;
	}
	t->sum += v;
	if (p)
		t->powers += p == 1 ? fabs(v) : p == 2 ? v * v : pow(fabs(v), (double)p);
}

static void gather(const struct joule_window *w, const struct joule_tensor *x, int64_t base,
		   const int64_t *out, int64_t p, struct taps *t)
{
	int64_t k[JOULE_WINDOW_DIMS], pos[JOULE_WINDOW_DIMS];

	*t = (struct taps){ .max = -INFINITY };
	for (k[0] = 0; k[0] < w->kernel[0]; k[0]++)
		for (k[1] = 0; k[1] < w->kernel[1]; k[1]++)
			for (k[2] = 0; k[2] < w->kernel[2]; k[2]++) {
				for (int d = 0; d < JOULE_WINDOW_DIMS; d++)
					pos[d] = out[d] * w->stride[d] + k[d] * w->dilation[d] -
						 w->begin[d];
				tap(w, x, base, pos, p, t);
			}
}

/* ONNX numbers positions row by row, or column by column for storage_order 1. */
static int64_t position(const struct joule_window *w, int64_t at, bool by_column)
{
	int64_t x = at % w->in[2], y = at / w->in[2] % w->in[1], z = at / w->in[2] / w->in[1];

	return by_column ? (x * w->in[1] + y) * w->in[0] + z : at;
}

static int pool_ref(struct joule_node *node)
{
	struct joule_tensor *x = node->in[0], *y = node->out[0], *at = joule_node_out(node, 1);
	const struct pool *a = node->attrs;
	struct joule_window w;
	int ret = resolve(node, &w);

	if (ret)
		return ret;
	for (int64_t i = 0, n = joule_tensor_count(y), plane = joule_window_out(&w); i < n; i++) {
		int64_t j = i % plane, base = i / plane * joule_window_in(&w);
		int64_t o[] = { j / w.out[2] / w.out[1], j / w.out[2] % w.out[1], j % w.out[2] };
		int64_t p = node->op->code == POOL_LP ? a->p : 0;
		struct taps t;
		double v;

		gather(&w, x, base, o, p, &t);
		if (node->op->code == POOL_MAX)
			v = t.max;
		else if (node->op->code == POOL_AVERAGE)
			v = t.sum / (double)(a->count_include_pad ? t.padded : t.inside);
		else
			v = p == 1 ? t.powers : pow(t.powers, 1.0 / (double)p);
		joule_set_f64(y->dtype, y->data, i, v);
		if (at)
			((int64_t *)at->data)[i] =
				base + position(&w, t.at, a->storage_order);
	}
	return 0;
}

/* ---- kernel ---- */

static const char *shader_type(const struct joule_tensor *x, struct joule_binder *b)
{
	if ((x->dtype == JOULE_I8 || x->dtype == JOULE_U8) && b->caps->storage_8bit)
		return joule_dtype_name(x->dtype);
	return joule_bind_float(b, x);
}

static int pool_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = shader_type(node->in[0], b);
	const struct pool *a = node->attrs;
	int64_t n = joule_tensor_count(node->out[0]);
	bool indices = joule_node_out(node, 1);
	struct joule_dispatch *d;
	struct joule_window w;
	int ret;

	if (!dtype)
		return b->err;
	ret = resolve(node, &w);
	if (ret)
		return ret;
	if (!n)
		return joule_bind_end(b);
	if (n > INT32_MAX)
		return joule_bind_refuse(b, "%s has 2^31 elements or more", node->out[0]->name);
	d = joule_bind(b, "pool_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_write(d, JOULE_OUT(indices));
	for (int i = 0; i < 3; i++)
		joule_bind_u32(d, (uint32_t)w.in[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_u32(d, (uint32_t)w.out[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_i32(d, (int32_t)w.begin[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_i32(d, (int32_t)(w.in[i] + w.end[i]));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_u32(d, (uint32_t)a->p);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)w.kernel[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)w.stride[i]);
	for (int i = 0; i < 3; i++)
		joule_bind_spec(d, (uint32_t)w.dilation[i]);
	joule_bind_spec(d, (uint32_t)node->op->code);
	joule_bind_spec(d, a->count_include_pad != 0);
	joule_bind_spec(d, indices);
	joule_bind_spec(d, a->storage_order != 0);
	joule_bind_spec(d, n < 1 << 23);
	joule_bind_grid(b, d, 64, (uint64_t)n);
	return joule_bind_end(b);
}

#define ST struct pool
#define WINDOW_ATTRS \
	JOULE_A_AUTO_PAD(ST), JOULE_A_WINDOW(ST, kernel_shape, JOULE_ATTR_INTS), \
	JOULE_A_WINDOW(ST, strides, JOULE_ATTR_INTS), JOULE_A_WINDOW(ST, pads, JOULE_ATTR_INTS)
#define LATER_ATTRS \
	JOULE_A_WINDOW(ST, dilations, JOULE_ATTR_INTS), JOULE_A_WINDOW(ST, ceil_mode, JOULE_ATTR_INT)

static const struct joule_attr max_attrs[] = {
	WINDOW_ATTRS, LATER_ATTRS, JOULE_A_INT(ST, storage_order, 0), { 0 },
};

static const struct joule_attr average_attrs[] = {
	WINDOW_ATTRS, LATER_ATTRS, JOULE_A_INT(ST, count_include_pad, 0), { 0 },
};

static const struct joule_attr lp_attrs[] = {
	WINDOW_ATTRS, LATER_ATTRS, JOULE_A_INT(ST, p, 2), { 0 },
};

static const struct joule_attr lp1_attrs[] = {
	WINDOW_ATTRS,
	{ .name = "p", .type = JOULE_ATTR_FLOAT, .offset = offsetof(ST, p_float), .def.f = 2 },
	{ 0 },
};

#define POOL(onnx, kind, from, to, outputs, table) \
	{ \
		.name = onnx, .code = kind, .since = from, .until = to, .min_in = 1, .max_in = 1, \
		.min_out = 1, .max_out = outputs, .attrs_bytes = sizeof(ST), .attrs = table, \
		.prepare = pool_prepare, .infer = pool_infer, .ref = pool_ref, .bind = pool_bind, \
	}

JOULE_OPS(pool) = {
	POOL("MaxPool", POOL_MAX, 1, 0, 2, max_attrs),
	POOL("AveragePool", POOL_AVERAGE, 1, 0, 1, average_attrs),
	POOL("LpPool", POOL_LP, 1, 1, 1, lp1_attrs),
	POOL("LpPool", POOL_LP, 2, 0, 1, lp_attrs),
	JOULE_OPS_END,
};
