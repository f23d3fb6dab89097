// SPDX-License-Identifier: MIT
#include "passes/grid.h"

#include <math.h>

#include "passes/match.h"

bool joule_attr_is_zero(const struct joule_node *node, const char *attr)
{
	const int64_t *v = joule_node_attr(node, attr);

	return !v || *v == 0;
}

bool joule_grid_read(const struct joule_node *node, const struct joule_tensor *real,
		     const struct joule_tensor *integers, struct joule_grid *grid)
{
	double scale, zero = 0;

	if (real->dtype != JOULE_F32 || node->in[1]->dtype != JOULE_F32 ||
	    (integers->dtype != JOULE_U8 && integers->dtype != JOULE_I8) || node->epilogue.n ||
	    !joule_attr_is_zero(node, "block_size") || !joule_attr_is_zero(node, "precision") ||
	    !joule_match_scalar(node->in[1], &scale) || !(scale > 0) || !isnormal((float)scale) ||
	    (joule_node_in(node, 2) && !joule_match_scalar(node->in[2], &zero)))
		return false;
	*grid = (struct joule_grid){ (float)scale, (int64_t)zero, integers->dtype == JOULE_I8 };
	return true;
}

float joule_grid_low(const struct joule_grid *grid)
{
	return (float)((grid->is_signed ? -128 : 0) - grid->zero);
}

struct joule_tensor *joule_scalar_const(struct joule_graph *graph, float v)
{
	struct joule_tensor *t =
		joule_graph_add_const(graph, NULL, JOULE_F32, &(struct joule_shape){ .rank = 0 });

	if (t)
		*(float *)t->data = v;
	return t;
}

struct joule_tensor *joule_grid_integers(struct joule_graph *graph, struct joule_tensor *integers,
					 struct joule_tensor *zero,
					 const struct joule_node *origin)
{
	struct joule_node *node = joule_graph_add_node(
		graph, joule_op_find(NULL, "DequantizeLinear", 13), NULL, zero ? 3 : 2, 1);
	struct joule_tensor *one = joule_scalar_const(graph, 1);

	if (!node || !one || joule_node_add_origins(node, origin))
		return NULL;
	node->opset = 13;
	joule_node_default_attrs(node);
	node->in[0] = integers;
	node->in[1] = one;
	if (zero)
		node->in[2] = zero;
	joule_node_set_output(node, 0, joule_graph_add_tensor(graph, NULL));
	if (!node->out[0])
		return NULL;
	node->out[0]->dtype = JOULE_F32;
	node->out[0]->shape = integers->shape;
	return node->out[0];
}

static double eval(const struct joule_ew_step *step, double x)
{
	return joule_ew_eval(step->code, x, 0, step->p, step->q);
}

bool joule_clip_is_superfluous(const struct joule_node *clip, const struct joule_ew_step *step)
{
	struct joule_ew_step s;

	if (clip->epilogue.n || !clip->op->elementwise || clip->op->elementwise(clip, &s))
		return false;
	if (s.code == JOULE_EW_RELU) {
		s.p = 0;
		s.q = INFINITY;
	} else if (s.code != JOULE_EW_CLIP) {
		return false;
	}
	return s.p <= s.q && eval(step, s.p) == eval(step, -INFINITY) &&
	       eval(step, s.q) == eval(step, INFINITY);
}
