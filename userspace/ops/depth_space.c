// SPDX-License-Identifier: MIT
/* DepthToSpace and SpaceToDepth: blocks of pixels to channels and back. */
#include <errno.h>

#include "ops/copy.h"

enum { DEPTH_DCR, DEPTH_CRD };

struct depth {
	int64_t blocksize;
	int mode;
};

static int check(struct joule_node *node)
{
	const struct depth *a = node->attrs;
	const struct joule_shape *x = &node->in[0]->shape;
	char buf[128];

	if (x->rank != 4 || a->blocksize < 1 || a->blocksize > INT32_MAX)
		return joule_node_err(node, -EINVAL, "blocks of %lld in %s",
				      (long long)a->blocksize, joule_shape_str(x, buf, sizeof(buf)));
	return 0;
}

static int to_space_infer(struct joule_node *node)
{
	const struct depth *a = node->attrs;
	struct joule_shape s = node->in[0]->shape;
	int64_t b = a->blocksize;
	int ret = check(node);
	char buf[128];

	if (ret)
		return ret;
	if (s.dims[1] % (b * b) || !joule_mul_i64(s.dims[2], b, &s.dims[2]) ||
	    !joule_mul_i64(s.dims[3], b, &s.dims[3]))
		return joule_node_err(node, -EINVAL, "channels of %s make no blocks of %lld",
				      joule_shape_str(&s, buf, sizeof(buf)), (long long)b);
	s.dims[1] /= b * b;
	joule_set_out(node, 0, node->in[0]->dtype, &s);
	return 0;
}

static int to_depth_infer(struct joule_node *node)
{
	const struct depth *a = node->attrs;
	struct joule_shape s = node->in[0]->shape;
	int64_t b = a->blocksize;
	int ret = check(node);
	char buf[128];

	if (ret)
		return ret;
	if (s.dims[2] % b || s.dims[3] % b || !joule_mul_i64(s.dims[1], b * b, &s.dims[1]))
		return joule_node_err(node, -EINVAL, "%s has no whole blocks of %lld",
				      joule_shape_str(&s, buf, sizeof(buf)), (long long)b);
	s.dims[2] /= b;
	s.dims[3] /= b;
	joule_set_out(node, 0, node->in[0]->dtype, &s);
	return 0;
}

/* Walks the output; the spatial side is always [n, c, h, b, w, b]. */
static void plan(const struct joule_node *node, struct joule_copy *c)
{
	const struct depth *a = node->attrs;
	bool to_space = node->op->infer == to_space_infer;
	const struct joule_shape *deep = to_space ? &node->in[0]->shape : &node->out[0]->shape;
	int64_t b = a->blocksize, n = deep->dims[0], depth = deep->dims[1] / (b * b);
	int64_t h = deep->dims[2], w = deep->dims[3], plane = h * w;
	/* Strides of channel and of block row and column in the deep tensor. */
	bool crd = to_space && a->mode == DEPTH_CRD;
	int64_t sc = crd ? b * b * plane : plane;
	int64_t sy = crd ? b * plane : b * depth * plane, sx = crd ? plane : depth * plane;
	/* The same of the spatial tensor. */
	int64_t row = w * b, image = h * b * row;

	*c = (struct joule_copy){ 0 };
	if (to_space) {
		joule_copy_dim(c, n, depth * b * b * plane, depth * image);
		joule_copy_dim(c, depth, sc, image);
		joule_copy_dim(c, h, w, b * row);
		joule_copy_dim(c, b, sy, row);
		joule_copy_dim(c, w, 1, b);
		joule_copy_dim(c, b, sx, 1);
	} else {
		joule_copy_dim(c, n, depth * image, depth * b * b * plane);
		joule_copy_dim(c, b, row, sy);
		joule_copy_dim(c, b, 1, sx);
		joule_copy_dim(c, depth, image, sc);
		joule_copy_dim(c, h, b * row, w);
		joule_copy_dim(c, w, b, 1);
	}
}

static int depth_ref(struct joule_node *node)
{
	struct joule_copy c;

	plan(node, &c);
	joule_copy_ref(node->in[0]->dtype, &c, node->in[0]->data, node->out[0]->data);
	return 0;
}

static int depth_bind(const struct joule_node *node, struct joule_binder *b)
{
	struct joule_copy c;

	plan(node, &c);
	joule_copy_bind(b, node->in[0]->dtype, &c, JOULE_IN(0), JOULE_OUT(0));
	return joule_bind_end(b);
}

static const char *const modes[] = { "DCR", "CRD", NULL };

#define BLOCKSIZE \
	{ .name = "blocksize", .type = JOULE_ATTR_INT, .offset = offsetof(struct depth, blocksize), \
	  .required = true }
static const struct joule_attr attrs1[] = { BLOCKSIZE, { 0 } };
static const struct joule_attr attrs11[] = {
	BLOCKSIZE,
	JOULE_A_ENUM(struct depth, mode, modes),
	{ 0 },
};

#define DEPTH .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, \
	.attrs_bytes = sizeof(struct depth), .ref = depth_ref, .bind = depth_bind, \
	.cost = joule_cost_moved

JOULE_OPS(depth_space) = {
	{ .name = "DepthToSpace", .since = 1, .until = 10, DEPTH, .attrs = attrs1,
	  .infer = to_space_infer },
	{ .name = "DepthToSpace", .since = 11, DEPTH, .attrs = attrs11, .infer = to_space_infer },
	{ .name = "SpaceToDepth", .since = 1, DEPTH, .attrs = attrs1, .infer = to_depth_infer },
	JOULE_OPS_END,
};
