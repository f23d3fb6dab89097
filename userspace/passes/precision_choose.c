// SPDX-License-Identifier: MIT
/* Which nodes can and should run in fp16. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hal/binder.h"
#include "ir/access.h"
#include "ir/op.h"
#include "ops/chain.h"
#include "passes/precision_internal.h"

/*
 * Results of these leave the range of halves (65504; 6e-8) for quite ordinary
 * operands: sums over many, squares, exponentials, and what undoes them.
 */
static const char *const risky[] = {
	"CumSum", "DFT", "Det", "Exp", "Log", "LpNormalization", "LpPool", "MelWeightMatrix",
	"Pow", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
	"ReduceProd", "ReduceSum", "ReduceSumSquare", "STFT", "Softplus", NULL,
};

static bool risky_step(enum joule_ew_code code)
{
	switch (code) {
	case JOULE_EW_EXP:
	case JOULE_EW_LOG:
	case JOULE_EW_POW:
	case JOULE_EW_POW_P:
	case JOULE_EW_SQUARE:
	case JOULE_EW_RECIPROCAL:
		return true;
	default:
		return false;
	}
}

static bool is_risky(const struct joule_node *node)
{
	for (int i = 0; risky[i]; i++)
		if (!strcmp(node->op->name, risky[i]))
			return true;
	if (!strcmp(node->op->name, "Mul") && node->n_in == 2 && node->in[0] == node->in[1])
		return true;
	if (node->op->domain && !strcmp(node->op->name, "Chain")) {
		const struct joule_chain *c = node->attrs;

		/* What happens within a chain happens in fp32: the last step is stored. */
		return risky_step(c->step[c->n - 1].code);
	}
	return node->epilogue.n && risky_step(node->epilogue.step[node->epilogue.n - 1].code);
}

static bool named(const struct joule_precision *p, const struct joule_node *node)
{
	for (const char *const *k = p->params->keep; k && *k; k++)
		if (!strcmp(*k, node->name))
			return true;
	return false;
}

static bool has_f32(struct joule_tensor *const *list, int n)
{
	for (int i = 0; i < n; i++)
		if (list[i] && list[i]->dtype == JOULE_F32)
			return true;
	return false;
}

/*
 * Small integers are quantized data: what rounds them expects fp32, and so do
 * sums of their products.
 */
static bool integers(const struct joule_node *node)
{
	for (int i = 0; i < node->n_in + node->n_out; i++) {
		const struct joule_tensor *t =
			i < node->n_in ? node->in[i] : node->out[i - node->n_in];

		if (t && joule_dtype_is_int(t->dtype) && joule_dtype_bits(t->dtype) <= 8)
			return true;
	}
	return false;
}

static bool fake_step(const struct joule_ew_step *step, int n)
{
	for (int i = 0; i < n; i++)
		if (step[i].code == JOULE_EW_FAKE_QUANT || step[i].code == JOULE_EW_QUANT ||
		    step[i].code == JOULE_EW_REQUANT || step[i].code == JOULE_EW_REQUANT_BY)
			return true;
	return false;
}

/* Quantized without integer types, by the integer and fake-quantize passes. */
static bool fake_quantized(const struct joule_node *node)
{
	const struct joule_chain *c = node->attrs;

	if (fake_step(node->epilogue.step, node->epilogue.n))
		return true;
	return node->op->domain && (!strcmp(node->op->name, "FakeQuantize") ||
				    !strcmp(node->op->name, "Requantize") ||
				    (!strcmp(node->op->name, "Chain") && fake_step(c->step, c->n)));
}

/* Integers of 32 bits as floats: sums of quantized products, or counts. */
static bool from_integers(const struct joule_node *node)
{
	return node->in[0] && joule_dtype_is_int(node->in[0]->dtype) && has_f32(node->out, 1);
}

/* Between two quantizations nothing may round differently, or quanta flip. */
static bool quantized(const struct joule_graph *g, const struct joule_node *node)
{
	if (integers(node) || fake_quantized(node))
		return true;
	for (int i = 0; i < node->n_in; i++) {
		const struct joule_node *p = node->in[i] ? node->in[i]->producer : NULL;

		if (p && (integers(p) || from_integers(p) || fake_quantized(p)))
			return true;
	}
	for (int i = 0; i < g->n_nodes; i++)
		for (int j = 0; j < g->nodes[i]->n_in; j++) {
			const struct joule_tensor *t = g->nodes[i]->in[j];

			if (t && t->producer == node &&
			    (integers(g->nodes[i]) || fake_quantized(g->nodes[i])))
				return true;
		}
	return false;
}

static bool shapes_known(const struct joule_node *node)
{
	for (int i = 0; i < node->n_in + node->n_out; i++) {
		const struct joule_tensor *t =
			i < node->n_in ? node->in[i] : node->out[i - node->n_in];

		if (t && joule_tensor_bytes(t) < 0)
			return false;
	}
	return true;
}

/* Why not, before trying; NULL: worth trying. */
static const char *against(const struct joule_precision *p, const struct joule_node *node)
{
	unsigned int never = JOULE_OP_CONTROL | JOULE_OP_LATE_SHAPE | JOULE_OP_HOST;

	if (node->op->traits & never || (!node->op->bind && !(node->op->traits & JOULE_OP_VIEW)))
		return "runs on the host";
	if (!shapes_known(node))
		return "shapes are not known ahead";
	if (!has_f32(node->in, node->n_in))
		return "has no fp32 operand";
	if (quantized(p->graph, node))
		return "quantized";
	if (named(p, node))
		return "asked for";
	return is_risky(node) ? "range" : NULL;
}

struct joule_tensor *joule_precision_const(struct joule_precision *p, struct joule_tensor *t)
{
	struct joule_tensor **made = &p->halves[t->index];
	int64_t n = joule_tensor_count(t);

	if (*made)
		return *made;
	*made = joule_graph_add_tensor(p->graph, NULL);
	if (!*made)
		return NULL;
	(*made)->dtype = JOULE_F16;
	(*made)->shape = t->shape;
	if (joule_tensor_alloc(*made)) {
		joule_err_nomem(p->graph->log, "fp16 weights");
		return NULL;
	}
	(*made)->flags = JOULE_TENSOR_CONST;
	for (int64_t i = 0; i < n; i++)
		joule_set_f64(JOULE_F16, (*made)->data, i,
			      joule_get_f64(t->dtype, t->data, i));
	return *made;
}

/* The node's operands and results as they were, to be put back after a trial. */
struct saved {
	struct joule_tensor **in;
	enum joule_dtype *in_type, *out_type;
	struct joule_shape *out_shape;
};

static int save(const struct joule_node *node, struct joule_arena *arena, struct saved *s)
{
	s->in = joule_arena_array(arena, (size_t)node->n_in + 1, sizeof(*s->in));
	s->in_type = joule_arena_array(arena, (size_t)node->n_in + 1, sizeof(*s->in_type));
	s->out_type = joule_arena_array(arena, (size_t)node->n_out + 1, sizeof(*s->out_type));
	s->out_shape = joule_arena_array(arena, (size_t)node->n_out + 1, sizeof(*s->out_shape));
	if (!s->in || !s->in_type || !s->out_type || !s->out_shape)
		return -ENOMEM;
	for (int i = 0; i < node->n_in; i++) {
		s->in[i] = node->in[i];
		s->in_type[i] = node->in[i] ? node->in[i]->dtype : JOULE_DTYPE_NONE;
	}
	for (int i = 0; i < node->n_out; i++) {
		if (!node->out[i])
			continue;
		s->out_type[i] = node->out[i]->dtype;
		s->out_shape[i] = node->out[i]->shape;
	}
	return 0;
}

static void restore(struct joule_node *node, const struct saved *s)
{
	for (int i = 0; i < node->n_in; i++) {
		node->in[i] = s->in[i];
		if (node->in[i])
			node->in[i]->dtype = s->in_type[i];
	}
	for (int i = 0; i < node->n_out; i++) {
		if (!node->out[i])
			continue;
		node->out[i]->dtype = s->out_type[i];
		node->out[i]->shape = s->out_shape[i];
	}
}

/* Would infer() and bind() take halves here? -EAGAIN: no, with *why. */
static int attempt(struct joule_precision *p, struct joule_node *node, struct joule_arena *arena,
		   const struct saved *s, const char **why)
{
	const struct joule_tensor *largest;
	struct joule_binder b;
	int ret;

	for (int i = 0; i < node->n_in; i++) {
		struct joule_tensor *t = node->in[i];

		if (!t || s->in_type[i] != JOULE_F32)
			continue;
		if (joule_tensor_is_const(t))
			t = node->in[i] = joule_precision_const(p, t);
		if (!t)
			return -ENOMEM;
		t->dtype = JOULE_F16;
	}
	*why = "types do not go together";
	if (node->op->infer(node))
		return -EAGAIN;
	for (int i = 0; i < node->n_out; i++) {
		const struct joule_tensor *t = node->out[i];

		if (t && (!joule_shape_equal(&t->shape, &s->out_shape[i]) ||
			  (s->out_type[i] == JOULE_F32 ? t->dtype != JOULE_F16 :
							 t->dtype != s->out_type[i])))
			return -EAGAIN;
	}
	if (!node->op->bind)
		return 0;
	*why = "too large for the device";
	largest = joule_node_largest(node);
	if (largest && p->params->caps->max_buffer_bytes &&
	    (uint64_t)joule_tensor_bytes(largest) > p->params->caps->max_buffer_bytes)
		return -EAGAIN;
	joule_binder_init(&b, p->params->caps, arena);
	b.f16_arithmetic = p->params->f16_arithmetic;
	b.deterministic = p->params->deterministic;
	ret = node->op->bind(node, &b);
	if (ret != -ENOTSUP)
		return ret;
	*why = b.refusal ? joule_arena_strdup(&p->graph->arena, b.refusal) : "kernel refused";
	return -EAGAIN;
}

/* 1: yes, 0: no with *why. */
static int try_half(struct joule_precision *p, struct joule_node *node, const char **why)
{
	struct joule_arena arena;
	struct saved s;
	int ret;

	*why = against(p, node);
	if (*why)
		return 0;
	joule_arena_init(&arena);
	ret = save(node, &arena, &s);
	if (!ret) {
		ret = attempt(p, node, &arena, &s, why);
		restore(node, &s);
	}
	joule_arena_finish(&arena);
	return ret == -EAGAIN ? 0 : ret ? ret : 1;
}

/* ---- islands ---- */

static bool reads_half(const struct joule_precision *p, const struct joule_node *node)
{
	for (int i = 0; i < node->n_in; i++) {
		const struct joule_tensor *t = node->in[i];

		if (t && t->dtype == JOULE_F32 && t->producer && p->half[t->producer->index])
			return true;
	}
	return false;
}

static bool read_by_half(const struct joule_precision *p, const struct joule_node *node)
{
	for (int i = 0; i < p->n_nodes; i++) {
		const struct joule_node *user = p->graph->nodes[i];

		for (int j = 0; p->half[i] && j < user->n_in; j++)
			if (user->in[j] && user->in[j]->producer == node)
				return true;
	}
	return false;
}

/* Does a view hand on something that was fp32 before? */
static bool is_view_of_whole(const struct joule_precision *p, const struct joule_node *node)
{
	return (node->op->traits & JOULE_OP_VIEW) && !reads_half(p, node) && node->in[0] &&
	       node->in[0]->producer;
}

/*
 * Cheap nodes between fp32 neighbours would only pay for casts. Views have the
 * precision of what they show, so that nothing is rounded between two fp32
 * nodes that have views in between.
 */
static void sink_islands(struct joule_precision *p)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (int i = 0; i < p->n_nodes; i++) {
			struct joule_node *node = p->graph->nodes[i];
			struct joule_cost cost;

			if (!p->half[i] || reads_half(p, node))
				continue;
			joule_node_cost(node, &cost);
			if (!is_view_of_whole(p, node) &&
			    (read_by_half(p, node) || cost.macs > 100000))
				continue;
			p->half[i] = false;
			changed = true;
		}
	}
}

static bool captured(const struct joule_graph *body, const struct joule_tensor *t)
{
	for (int i = 0; i < body->n_tensors; i++)
		if (body->tensors[i]->outer == t)
			return true;
	return false;
}

/* Bodies know nothing of halves. */
static bool is_captured(const struct joule_graph *g, const struct joule_node *node)
{
	for (int i = 0; i < g->n_nodes; i++)
		for (int j = 0; j < g->nodes[i]->n_body; j++)
			for (int k = 0; k < node->n_out; k++)
				if (node->out[k] && captured(g->nodes[i]->body[j], node->out[k]))
					return true;
	return false;
}

int joule_precision_choose(struct joule_precision *p)
{
	for (int i = 0; i < p->n_nodes; i++) {
		struct joule_node *node = p->graph->nodes[i];
		const char *why = "captured by control flow";
		int ret = is_captured(p->graph, node) ? 0 : try_half(p, node, &why);

		if (ret < 0)
			return ret;
		p->half[i] = ret;
		if (!ret && has_f32(node->in, node->n_in))
			joule_logf(p->graph->log, JOULE_LOG_INFO,
				   "%s: node %s (%s) stays fp32: %s", p->graph->file, node->name,
				   node->op->name, why);
	}
	sink_islands(p);
	return 0;
}
