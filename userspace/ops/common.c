// SPDX-License-Identifier: MIT
#include "ops/common.h"

#include <errno.h>

void joule_set_out(struct joule_node *node, int i, enum joule_dtype dtype,
		   const struct joule_shape *shape)
{
	struct joule_tensor *t = joule_node_out(node, i);

	if (!t)
		return;
	t->dtype = dtype;
	t->shape = *shape;
}

int joule_infer_same(struct joule_node *node)
{
	joule_set_out(node, 0, node->in[0]->dtype, &node->in[0]->shape);
	return 0;
}

int joule_infer_broadcast(struct joule_node *node)
{
	struct joule_shape shape = node->in[0]->shape;

	for (int i = 1; i < node->n_in; i++) {
		char a[128], b[128];

		if (!joule_shape_broadcast(&shape, &node->in[i]->shape, &shape))
			continue;
		return joule_node_err(node, -EINVAL, "shapes %s and %s do not broadcast",
				      joule_shape_str(&shape, a, sizeof(a)),
				      joule_shape_str(&node->in[i]->shape, b, sizeof(b)));
	}
	joule_set_out(node, 0, node->in[0]->dtype, &shape);
	return 0;
}

int joule_err_dtype(const struct joule_node *node, const struct joule_tensor *t)
{
	return joule_node_err(node, -ENOTSUP, "element type %s of %s is not supported",
			      joule_dtype_name(t->dtype), t->name);
}

const char *joule_bind_float(struct joule_binder *b, const struct joule_tensor *t)
{
	if (joule_tensor_count(t) > INT32_MAX) {
		joule_bind_refuse(b, "%s has 2^31 elements or more", t->name);
		return NULL;
	}
	if (t->dtype == JOULE_F32)
		return "f32";
	if (t->dtype == JOULE_F16 && b->caps->storage_16bit)
		return "f16";
	joule_bind_refuse(b, "no kernel for element type %s of %s", joule_dtype_name(t->dtype),
			  t->name);
	return NULL;
}
