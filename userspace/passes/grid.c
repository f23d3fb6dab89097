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
