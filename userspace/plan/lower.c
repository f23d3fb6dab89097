// SPDX-License-Identifier: MIT
/* Nodes to launches: each operator's bind() is asked, its refusal remembered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/access.h"
#include "ir/op.h"
#include "plan/build.h"

static bool empty(const struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i] && joule_tensor_count(node->out[i]) != 0)
			return false;
	return true;
}

static int check_known(const struct joule_node *node)
{
	for (int i = 0; i < node->n_in + node->n_out; i++) {
		const struct joule_tensor *t =
			i < node->n_in ? node->in[i] : node->out[i - node->n_in];
		char buf[128];

		if (t && (!t->dtype || joule_tensor_bytes(t) < 0))
			return joule_node_err(node, -EINVAL, "shape %s of %s is not known",
					      joule_shape_str(&t->shape, buf, sizeof(buf)),
					      t->name);
	}
	return 0;
}

/*
 * Parts of in[0] one after another in memory: true when the cut is along the
 * outermost dimension that is not 1 and each part starts well aligned.
 */
static bool parts_in_place(const struct joule_node *node)
{
	const struct joule_tensor *in = node->in[0];
	int64_t at = 0;

	for (int i = 0; i < node->n_out; i++) {
		const struct joule_tensor *out = node->out[i];
		int64_t outer = 1;
		int d = 0;

		if (!out || out->shape.rank != in->shape.rank || at % JOULE_PLAN_PART_ALIGN)
			return false;
		while (d < in->shape.rank && out->shape.dims[d] == in->shape.dims[d])
			outer *= in->shape.dims[d++];
		if (d < in->shape.rank && outer != 1)
			return false;
		at += joule_tensor_bytes(out);
	}
	return at == joule_tensor_bytes(in);
}

static int lower_host(struct joule_build_node *bn, const char *reason)
{
	if (!bn->node->op->ref)
		return joule_node_err(bn->node, -ENOTSUP, "cannot run anywhere: %s", reason);
	bn->kind = JOULE_BUILD_HOST;
	bn->reason = reason;
	return 0;
}

/* Kernels may look beyond the ends of what lies in an arena, and of nothing else. */
static uint64_t no_margin(const struct joule_build *b, const struct joule_node *node)
{
	uint64_t mask = 0;

	for (int i = 0; i < JOULE_MIN(node->n_in, 64); i++)
		if (!node->in[i] || !b->in_arena[node->in[i]->index])
			mask |= (uint64_t)1 << i;
	return mask;
}

static void note_arena(const struct joule_build *b, const struct joule_build_node *bn)
{
	for (int i = 0; i < bn->node->n_out; i++) {
		const struct joule_tensor *t = bn->node->out[i];
		bool ours = bn->kind != JOULE_BUILD_ALIAS ||
			    b->in_arena[bn->node->in[0]->index];

		for (int j = 0; t && j < b->params->n_externals; j++)
			ours &= b->params->externals[j] != t;
		if (t)
			b->in_arena[t->index] = ours;
	}
}

/* Before kernels make tables as long as a tensor that no device could hold. */
static int check_sizes(const struct joule_build *b, const struct joule_node *node)
{
	uint64_t most = b->params->caps->max_buffer_bytes;
	const struct joule_tensor *t = joule_node_largest(node);
	char shape[128];

	if (!most || !t || (uint64_t)joule_tensor_bytes(t) <= most)
		return 0;
	return joule_node_err(node, -ENOMEM, "%s %s takes %lld bytes, the device's largest buffer %llu",
			      t->name, joule_shape_str(&t->shape, shape, sizeof(shape)),
			      (long long)joule_tensor_bytes(t), (unsigned long long)most);
}

static int lower_node(struct joule_build *b, struct joule_build_node *bn)
{
	struct joule_node *node = bn->node;
	const struct joule_op *op = node->op;
	int ret;

	if (op->traits & (JOULE_OP_CONTROL | JOULE_OP_LATE_SHAPE))
		return joule_node_err(node, -EINVAL, "cannot be planned ahead");
	ret = check_known(node);
	if (ret)
		return ret;
	if (empty(node)) {
		bn->kind = JOULE_BUILD_EMPTY;
		return 0;
	}
	if ((op->traits & JOULE_OP_VIEW) ||
	    ((op->traits & JOULE_OP_PART) && parts_in_place(node))) {
		bn->kind = JOULE_BUILD_ALIAS;
		return 0;
	}
	if (op->traits & JOULE_OP_HOST)
		return lower_host(bn, "shape or integer work");
	if (!op->bind)
		return lower_host(bn, "operator has no kernel");
	ret = check_sizes(b, node);
	if (ret)
		return ret;
	joule_binder_init(&bn->binder, b->params->caps, &b->plan->blobs);
	bn->binder.f16_arithmetic = b->params->f16_arithmetic;
	bn->binder.deterministic = b->params->deterministic;
	bn->binder.no_margin = no_margin(b, node);
	ret = op->bind(node, &bn->binder);
	if (ret == -ENOTSUP)
		return lower_host(bn, bn->binder.refusal ?
					      joule_arena_strdup(&b->plan->arena, bn->binder.refusal) :
					      "kernel refused without a reason");
	if (ret == -ENOMEM)
		return joule_node_err(node, ret, "no memory for its packed constants");
	if (ret)
		return joule_node_err(node, ret, "could not be lowered");
	bn->kind = JOULE_BUILD_DEVICE;
	return 0;
}

/* ---- small integer work ---- */

#define SMALL_BYTES 4096

static bool small_integers(const struct joule_tensor *t)
{
	return !joule_dtype_is_float(t->dtype) && joule_tensor_bytes(t) <= SMALL_BYTES;
}

/*
 * Indices and lengths that the CPU has anyhow are not worth a launch and two
 * waits: such a node stays on the CPU although it has a kernel.
 */
static bool belongs_beside(const struct joule_node *node, const bool *on_host)
{
	bool any = false;

	for (int i = 0; i < node->n_in; i++) {
		const struct joule_tensor *t = node->in[i];

		if (!t || joule_tensor_is_const(t))
			continue;
		if (!small_integers(t) || !on_host[t->index])
			return false;
		any = true;
	}
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i] && !small_integers(node->out[i]))
			return false;
	return any && node->op->ref;
}

static int keep_small_on_host(struct joule_build *b)
{
	bool *on_host = calloc((size_t)b->graph->n_tensors + 1, 1);

	if (!on_host)
		return joule_err_nomem(b->graph->log, "plan");
	for (int i = 0; i < b->n_nodes; i++) {
		struct joule_build_node *bn = &b->nodes[i];
		bool host = bn->kind == JOULE_BUILD_HOST;

		if (bn->kind == JOULE_BUILD_DEVICE && belongs_beside(bn->node, on_host)) {
			bn->kind = JOULE_BUILD_HOST;
			bn->reason = "small integers that the CPU has";
			memset(&bn->binder, 0, sizeof(bn->binder));
			host = true;
		}
		if (bn->kind == JOULE_BUILD_ALIAS && bn->node->in[0])
			host = on_host[bn->node->in[0]->index];
		for (int j = 0; host && j < bn->node->n_out; j++)
			if (bn->node->out[j])
				on_host[bn->node->out[j]->index] = true;
	}
	free(on_host);
	return 0;
}

int joule_build_lower(struct joule_build *b)
{
	struct joule_node *const *nodes = b->params->nodes ? b->params->nodes : b->graph->nodes;

	b->n_nodes = b->params->nodes ? b->params->n_nodes : b->graph->n_nodes;
	b->nodes = calloc((size_t)b->n_nodes + 1, sizeof(*b->nodes));
	b->in_arena = calloc((size_t)b->graph->n_tensors + 1, sizeof(*b->in_arena));
	if (!b->nodes || !b->in_arena)
		return joule_err_nomem(b->graph->log, "plan");
	for (int i = 0; i < b->n_nodes; i++) {
		int ret;

		b->nodes[i].node = nodes[i];
		ret = lower_node(b, &b->nodes[i]);
		if (ret)
			return ret;
		note_arena(b, &b->nodes[i]);
	}
	return keep_small_on_host(b);
}
