// SPDX-License-Identifier: MIT
/*
 * ConvInteger and MatMulInteger whose int32 sums are cast to fp32 at once, as
 * dynamically quantized models have them: the kernels for floats give the same
 * bits where the weights keep all sums below 2^24, and they are the fast ones.
 */
#include <errno.h>
#include <stdlib.h>

#include "ir/access.h"
#include "passes/grid.h"
#include "passes/match.h"
#include "passes/passes.h"

/* Constant weights: element i belongs to output i / each % channels. */
struct weights {
	const struct joule_tensor *v, *zero;
	int64_t channels, each;
};

static bool read_weights(const struct joule_node *node, struct weights *w)
{
	const struct joule_tensor *v = node->in[1], *zero = joule_node_in(node, 3);
	int64_t n = joule_tensor_count(v);

	if (!joule_tensor_is_const(v) || (zero && !joule_tensor_is_const(zero)) || n < 1 ||
	    v->shape.rank < 2)
		return false;
	*w = (struct weights){ .v = v, .zero = zero, .each = 1 };
	if (joule_match_op(node, "ConvInteger")) {
		w->channels = v->shape.dims[0];
		w->each = n / w->channels;
	} else {
		w->channels = v->shape.dims[v->shape.rank - 1];
	}
	return !zero || joule_tensor_count(zero) == 1 ||
	       joule_tensor_count(zero) == w->channels;
}

static int64_t channel_of(const struct weights *w, int64_t i)
{
	return i / w->each % w->channels;
}

static int64_t weight(const struct weights *w, int64_t i)
{
	int64_t zero = 0;

	if (w->zero)
		zero = joule_get_i64(w->zero->dtype, w->zero->data,
				     joule_tensor_count(w->zero) == 1 ? 0 : channel_of(w, i));
	return joule_get_i64(w->v->dtype, w->v->data, i) - zero;
}

/* The weights as floats, or NULL in *out where a sum might not be exact. */
static int make_weights(struct joule_graph *graph, const struct weights *w,
			struct joule_tensor **out)
{
	int64_t n = joule_tensor_count(w->v), most = 0;
	int64_t *sum = calloc((size_t)w->channels, sizeof(*sum));

	*out = NULL;
	if (!sum)
		return -ENOMEM;
	for (int64_t i = 0; i < n; i++)
		sum[channel_of(w, i)] += 255 * llabs((long long)weight(w, i));
	for (int64_t c = 0; c < w->channels; c++)
		most = most < sum[c] ? sum[c] : most;
	free(sum);
	if (most >= JOULE_F32_EXACT)
		return 0;
	*out = joule_graph_add_const(graph, NULL, JOULE_F32, &w->v->shape);
	for (int64_t i = 0; *out && i < n; i++)
		((float *)(*out)->data)[i] = (float)weight(w, i);
	return *out ? 0 : -ENOMEM;
}

static int convert(struct joule_graph *graph, struct joule_node *node, bool *changed)
{
	bool conv = joule_match_op(node, "ConvInteger");
	struct joule_node *cast = joule_tensor_only_user(graph, node->out[0]), *product;
	const struct joule_tensor *zero = joule_node_in(node, 2);
	struct joule_tensor *in[2];
	struct weights w;
	int ret;

	if (!joule_match_op(cast, "Cast") || cast->out[0]->dtype != JOULE_F32 ||
	    cast->epilogue.n || node->epilogue.n || !read_weights(node, &w) ||
	    (zero && joule_tensor_count(zero) != 1))
		return 0;
	ret = make_weights(graph, &w, &in[1]);
	if (ret || !in[1])
		return ret;
	in[0] = joule_grid_integers(graph, node->in[0], joule_node_in(node, 2), node);
	if (!in[0])
		return -ENOMEM;
	product = joule_rewrite(graph, joule_op_find(NULL, conv ? "Conv" : "MatMul", 13), in, 2,
				&node, 1, cast);
	if (!product)
		return -ENOMEM;
	product->opset = 13;
	if (conv) /* the two have the same attributes */
		product->attrs = node->attrs;
	joule_node_remove(node);
	*changed = true;
	return 0;
}

static int integer_product(struct joule_graph *graph, bool *changed)
{
	int n = graph->n_nodes, ret = 0;

	for (int i = 0; !ret && i < n; i++)
		if (joule_match_op(graph->nodes[i], "ConvInteger") ||
		    joule_match_op(graph->nodes[i], "MatMulInteger"))
			ret = convert(graph, graph->nodes[i], changed);
	return ret;
}

const struct joule_pass joule_pass_integer_product = {
	.name = "integer-product",
	.description = "integer products that become floats at once are done by the kernels for floats",
	.run = integer_product,
};
