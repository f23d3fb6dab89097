// SPDX-License-Identifier: MIT
/* Shape inference with constant folding, and the reference run of one node. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ir/access.h"
#include "ir/graph.h"
#include "ir/op.h"

#define FOLD_LIMIT_BYTES (64 * 1024)

int joule_tensor_alloc(struct joule_tensor *tensor)
{
	int64_t bytes = joule_tensor_bytes(tensor);

	if (bytes < 0)
		return -EINVAL;
	joule_tensor_release(tensor);
	/* At least one byte, so that an empty tensor's data is not NULL. */
	tensor->data = calloc(1, bytes ? (size_t)bytes : 1);
	if (!tensor->data)
		return -ENOMEM;
	tensor->owned = true;
	return 0;
}

void joule_tensor_release(struct joule_tensor *tensor)
{
	if (joule_tensor_is_const(tensor))
		return;
	if (tensor->owned)
		free(tensor->data);
	tensor->owned = false;
	tensor->data = NULL;
}

int joule_node_infer(struct joule_node *node)
{
	char buf[128];
	int ret;

	for (int i = 0; i < node->n_in; i++) {
		const struct joule_tensor *t = node->in[i];

		if (t && !joule_shape_plausible(&t->shape))
			return joule_node_err(node, -EOVERFLOW, "input %s %s is too large", t->name,
					      joule_shape_str(&t->shape, buf, sizeof(buf)));
		if (t && (!t->dtype || joule_tensor_count(t) < 0))
			return 1;
	}
	if (!node->op->infer)
		return joule_node_err(node, -ENOTSUP, "has no shape inference");
	ret = node->op->infer(node);
	if (ret)
		return ret;
	for (int i = 0; i < node->n_out; i++) {
		const struct joule_tensor *t = node->out[i];

		if (!t || (node->op->traits & JOULE_OP_LATE_SHAPE))
			continue;
		if (!t->dtype || t->shape.rank < 0)
			return joule_node_err(node, -EINVAL, "output %s was not inferred", t->name);
		if (joule_tensor_bytes(t) < 0 || !joule_shape_plausible(&t->shape))
			return joule_node_err(node, -EOVERFLOW, "output %s %s is too large",
					      t->name, joule_shape_str(&t->shape, buf, sizeof(buf)));
	}
	return 0;
}

/*
 * One pass over out[0] per step. The operands' strides walk the broadcast, the
 * result is rounded to the output's type after every step, as separate nodes
 * would do.
 */
static int ref_epilogue(struct joule_node *node)
{
	struct joule_tensor *out = node->out[0];
	int64_t count = joule_tensor_count(out);

	for (int i = 0; i < node->epilogue.n; i++) {
		const struct joule_ew_step *s = &node->epilogue.step[i];
		const struct joule_tensor *y = s->operand >= 0 ? node->in[s->operand] : NULL;
		int64_t strides[JOULE_MAX_RANK] = { 0 }, at[JOULE_MAX_RANK] = { 0 }, iy = 0;

		if (y)
			joule_broadcast_strides(&y->shape, &out->shape, strides);
		for (int64_t k = 0; k < count; k++) {
			double v = joule_get_f64(out->dtype, out->data, k);
			double w = y ? joule_get_f64(y->dtype, y->data, iy) : 0;

			joule_set_f64(out->dtype, out->data, k,
				      joule_ew_eval(s->code, v, w, s->p, s->q));
			for (int d = out->shape.rank - 1; d >= 0; d--) {
				iy += strides[d];
				if (++at[d] < out->shape.dims[d])
					break;
				iy -= strides[d] * out->shape.dims[d];
				at[d] = 0;
			}
		}
	}
	return 0;
}

int joule_node_ref(struct joule_node *node)
{
	int ret;

	if (!node->op->ref)
		return joule_node_err(node, -ENOTSUP, "has no reference implementation");
	for (int i = 0; i < node->n_out; i++) {
		struct joule_tensor *t = node->out[i];

		if (!t || t->data || (node->op->traits & JOULE_OP_LATE_SHAPE))
			continue;
		ret = joule_tensor_alloc(t);
		if (ret) {
			char buf[128];

			return joule_node_err(node, ret, "no memory for output %s %s", t->name,
					      joule_shape_str(&t->shape, buf, sizeof(buf)));
		}
	}
	ret = node->op->ref(node);
	return ret || !node->epilogue.n ? ret : ref_epilogue(node);
}

/* A node whose value is the same for every run: evaluate it now. */
static bool foldable(const struct joule_node *node, size_t limit)
{
	bool shape_only = node->op->traits & JOULE_OP_SHAPE_ONLY;

	if (!node->op->ref ||
	    (node->op->traits & (JOULE_OP_RANDOM | JOULE_OP_CONTROL | JOULE_OP_UNPACK)))
		return false;
	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] && !joule_tensor_is_const(node->in[i]) && !shape_only)
			return false;
	if (node->op->traits & JOULE_OP_LATE_SHAPE)
		return !shape_only;
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i] && joule_tensor_bytes(node->out[i]) > (int64_t)limit)
			return false;
	return true;
}

int joule_node_fold(struct joule_node *node)
{
	int ret = joule_node_ref(node);

	for (int i = 0; i < node->n_out; i++) {
		struct joule_tensor *t = node->out[i];

		if (!t)
			continue;
		if (ret) {
			joule_tensor_release(t);
			continue;
		}
		t->flags |= JOULE_TENSOR_CONST;
		t->producer = NULL;
		node->out[i] = NULL;
	}
	if (!ret)
		joule_node_remove(node);
	return ret;
}

int joule_graph_infer(struct joule_graph *graph, size_t limit)
{
	bool folded = false;
	int ret;

	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *node = graph->nodes[i];

		/* Bodies are inferred when their inputs are known: by the executor. */
		if (!node->op || (node->op->traits & JOULE_OP_CONTROL))
			continue;
		ret = joule_node_infer(node);
		if (ret < 0)
			return ret;
		if (ret || !foldable(node, limit ? limit : FOLD_LIMIT_BYTES))
			continue;
		ret = joule_node_fold(node);
		if (ret)
			return ret;
		folded = true;
	}
	if (folded)
		joule_graph_compact(graph);
	return 0;
}
