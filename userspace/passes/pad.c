// SPDX-License-Identifier: MIT
/* A Pad with zeros in front of a Conv becomes the Conv's own padding. */
#include <errno.h>
#include <string.h>

#include "ir/access.h"
#include "passes/match.h"
#include "passes/passes.h"

/* The pads by dimension, if the node pads with constant zeros and nowhere crops. */
static bool read_pads(const struct joule_node *pad, int64_t *before, int64_t *after)
{
	const struct joule_tensor *x = pad->in[0], *value = joule_node_in(pad, 2);
	const struct joule_ints *attr = joule_node_attr(pad, "pads");
	int64_t list[2 * JOULE_MAX_RANK], axes[JOULE_MAX_RANK];
	const int *mode = joule_node_attr(pad, "mode");
	const float *fill = joule_node_attr(pad, "value");
	int rank = x->shape.rank, n = -1, n_axes = rank;
	double v = 0;

	if (!mode || *mode != 0 || rank < 0)
		return false;
	if (pad->n_in == 1) {
		if (!attr || attr->n != 2 * rank || (fill && *fill != 0))
			return false;
		n = attr->n;
		memcpy(list, attr->v, (size_t)n * sizeof(*list));
	} else if (joule_tensor_is_const(pad->in[1])) {
		n = joule_tensor_ints(pad->in[1], list, 2 * JOULE_MAX_RANK);
	}
	if (n < 0 || (value && (!joule_match_scalar(value, &v) || v != 0)))
		return false;
	for (int i = 0; i < rank; i++)
		axes[i] = i;
	if (joule_node_in(pad, 3))
		n_axes = joule_tensor_is_const(pad->in[3]) ?
				 joule_tensor_ints(pad->in[3], axes, JOULE_MAX_RANK) :
				 -1;
	if (n_axes < 0 || n != 2 * n_axes)
		return false;
	for (int i = 0; i < rank; i++)
		before[i] = after[i] = 0;
	for (int i = 0; i < n_axes; i++) {
		int64_t a = axes[i] < 0 ? axes[i] + rank : axes[i];

		if (a < 0 || a >= rank || list[i] < 0 || list[n_axes + i] < 0)
			return false;
		before[a] = list[i];
		after[a] = list[n_axes + i];
	}
	return true;
}

static int absorb(struct joule_graph *graph, struct joule_node *conv, bool *changed)
{
	struct joule_node *pad = joule_match_only(graph, conv->in[0], "Pad");
	int64_t before[JOULE_MAX_RANK], after[JOULE_MAX_RANK], *v;
	struct joule_ints *pads = joule_node_attr(conv, "pads");
	int *auto_pad = joule_node_attr(conv, "auto_pad");
	int n, ret;

	if (!pad || !pads || !auto_pad || !read_pads(pad, before, after))
		return 0;
	n = pad->in[0]->shape.rank - 2;
	/* auto_pad: NOTSET 0, VALID 3; SAME depends on the size that changes here. */
	if (n < 1 || before[0] || before[1] || after[0] || after[1] ||
	    (*auto_pad != 0 && *auto_pad != 3) || (pads->n && pads->n != 2 * n))
		return 0;
	v = joule_arena_array(&graph->arena, (size_t)n * 2, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		bool own = pads->n && *auto_pad == 0;

		v[i] = before[i + 2] + (own ? pads->v[i] : 0);
		v[n + i] = after[i + 2] + (own ? pads->v[n + i] : 0);
	}
	/* Attributes are shared with the graph this one was cloned from. */
	void *attrs = joule_arena_dup(&graph->arena, conv->attrs, conv->op->attrs_bytes);

	if (!attrs)
		return -ENOMEM;
	conv->attrs = attrs;
	*(struct joule_ints *)joule_node_attr(conv, "pads") = (struct joule_ints){ 2 * n, v };
	*(int *)joule_node_attr(conv, "auto_pad") = 0;
	conv->in[0] = pad->in[0];
	ret = joule_node_add_origins(conv, pad);
	joule_node_remove(pad);
	*changed = true;
	return ret;
}

static int run(struct joule_graph *graph, bool *changed)
{
	int ret = 0;

	for (int i = 0; !ret && i < graph->n_nodes; i++)
		if (joule_match_op(graph->nodes[i], "Conv"))
			ret = absorb(graph, graph->nodes[i], changed);
	return ret;
}

const struct joule_pass joule_pass_pad = {
	.name = "pad",
	.description = "zero padding in front of a convolution becomes its own",
	.run = run,
};
