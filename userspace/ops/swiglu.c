// SPDX-License-Identifier: MIT
/* SwiGLU: a * sigmoid(alpha * a) * b. */
#include <errno.h>
#include <math.h>

#include "ops/common.h"

struct swiglu {
	float alpha;
};

static int swiglu_infer(struct joule_node *node)
{
	const struct joule_tensor *a = node->in[0], *b = node->in[1];
	char s[128], t[128];

	if (!joule_dtype_is_float(a->dtype) || b->dtype != a->dtype)
		return joule_err_dtype(node, b);
	if (!joule_shape_equal(&a->shape, &b->shape))
		return joule_node_err(node, -EINVAL, "shapes %s and %s differ",
				      joule_shape_str(&a->shape, s, sizeof(s)),
				      joule_shape_str(&b->shape, t, sizeof(t)));
	return joule_infer_same(node);
}

static int swiglu_ref(struct joule_node *node)
{
	const struct joule_tensor *a = node->in[0], *b = node->in[1];
	const struct swiglu *attrs = node->attrs;
	struct joule_tensor *y = node->out[0];

	for (int64_t i = 0; i < joule_tensor_count(y); i++) {
		double v = joule_get_f64(a->dtype, a->data, i);

		joule_set_f64(y->dtype, y->data, i,
			      v / (1 + exp(-(double)attrs->alpha * v)) *
				      joule_get_f64(b->dtype, b->data, i));
	}
	return 0;
}

static int swiglu_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->in[0]);
	const struct swiglu *attrs = node->attrs;
	int64_t n = joule_tensor_count(node->out[0]);
	struct joule_dispatch *d;

	if (!dtype)
		return b->err;
	d = joule_bind(b, "swiglu_%s", dtype);
	joule_bind_read(d, JOULE_IN(0));
	joule_bind_read(d, JOULE_IN(1));
	joule_bind_write(d, JOULE_OUT(0));
	joule_bind_u32(d, (uint32_t)n);
	joule_bind_f32(d, attrs->alpha);
	joule_bind_grid(b, d, 64, (uint64_t)JOULE_DIV_UP(n, 4));
	return joule_bind_end(b);
}

static const struct joule_attr attrs[] = {
	JOULE_A_FLOAT(struct swiglu, alpha, 1),
	{ 0 },
};

JOULE_OPS(swiglu) = {
	{
		.name = "SwiGLU", .since = 28, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1,
		.traits = JOULE_OP_IN_PLACE, .attrs_bytes = sizeof(struct swiglu), .attrs = attrs,
		.infer = swiglu_infer, .ref = swiglu_ref, .bind = swiglu_bind,
	},
	JOULE_OPS_END,
};
