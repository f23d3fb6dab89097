// SPDX-License-Identifier: MIT
/*
 * Constants computed from constants. joule_graph_infer() folds small ones, for
 * shapes; here go weights: transposed, cast, dequantized, or made by
 * ConstantOfShape in files that leave their weights out.
 */
#include <string.h>

#include "base/checked.h"
#include "ir/op.h"
#include "passes/passes.h"

#define FILL_LIMIT ((int64_t)1 << 30)
#define GROWTH     8 /* a result may be so much larger than its operands */
#define SMALL      (64 * 1024)

static bool worth_it(const struct joule_node *node, bool fill)
{
	int64_t in = 0, out = 0;

	for (int i = 0; i < node->n_in; i++) {
		if (node->in[i] && !joule_tensor_is_const(node->in[i]))
			return false;
		in += node->in[i] ? joule_tensor_bytes(node->in[i]) : 0;
	}
	for (int i = 0; i < node->n_out; i++)
		out += node->out[i] ? joule_tensor_bytes(node->out[i]) : 0;
	return out <= SMALL || out / GROWTH <= in || (fill && out <= FILL_LIMIT);
}

static int fold(struct joule_graph *graph, bool *changed)
{
	for (int i = 0; i < graph->n_nodes; i++) {
		struct joule_node *node = graph->nodes[i];
		struct joule_tensor *out = node->op && node->n_out ? node->out[0] : NULL;
		bool fill = out && !strcmp(node->op->name, "ConstantOfShape");
		int ret;

		if (!out || !node->op->ref ||
		    (node->op->traits & (JOULE_OP_RANDOM | JOULE_OP_CONTROL | JOULE_OP_LATE_SHAPE)))
			continue;
		ret = joule_node_infer(node);
		if (ret < 0)
			return ret;
		if (ret || !worth_it(node, fill))
			continue;
		ret = joule_node_fold(node);
		if (ret)
			return ret;
		if (fill)
			out->flags |= JOULE_TENSOR_FILLED;
		*changed = true;
	}
	return 0;
}

const struct joule_pass joule_pass_fold = {
	.name = "fold",
	.description = "evaluates what depends on constants alone, weights included",
	.run = fold,
};
