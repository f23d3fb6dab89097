// SPDX-License-Identifier: MIT
/*
 * Attention spelled out: Softmax(Q K^T * scale + mask) V, with or without scale
 * and mask, the scale on Q, K or the product. Where Q, K, V and the result are
 * [batch, rows, heads, size] in memory, the transposes around it go too.
 */
#include <errno.h>
#include <string.h>

#include "ir/access.h"
#include "ops/attention.h"
#include "passes/match.h"
#include "passes/passes.h"
#include "passes/strided.h"

#define MAX_BETWEEN 8

struct spelled {
	struct joule_node *qk, *softmax, *pv;
	struct joule_node *between[MAX_BETWEEN]; /* from the first product to the second */
	int n_between;
	struct joule_node *add;
	struct joule_tensor *mask;
	double scale;
	int64_t batch, heads, rows, keys, depth, v_depth;
	bool three_d; /* operands as [batch, rows, heads * size] */
	struct joule_strided q, k, v;
};

static bool keeps_last(const struct joule_node *node)
{
	const struct joule_shape *x = &node->in[0]->shape, *y = &node->out[0]->shape;

	return (node->op->traits & JOULE_OP_VIEW) && x->rank > 0 && y->rank > 0 &&
	       x->dims[x->rank - 1] == y->dims[y->rank - 1];
}

static bool note(struct spelled *s, struct joule_node *node)
{
	if (s->n_between == MAX_BETWEEN || node->epilogue.n)
		return false;
	s->between[s->n_between++] = node;
	return true;
}

/* From the scores up to the product that makes them. */
static bool match_scores(const struct joule_graph *graph, struct joule_tensor *t, struct spelled *s)
{
	while (t->producer && t->producer->op && joule_tensor_uses(graph, t) == 1) {
		struct joule_node *p = t->producer;
		struct joule_tensor *x;
		double v = 1;

		if (joule_match_op(p, "MatMul")) {
			s->qk = p;
			return !p->epilogue.n;
		}
		if (!note(s, p))
			return false;
		if (keeps_last(p)) {
			t = p->in[0];
		} else if (joule_match_op(p, "Mul") && (x = joule_match_with_scalar(p, &v))) {
			s->scale *= v;
			t = x;
		} else if (joule_match_op(p, "Div") && joule_match_scalar(p->in[1], &v) && v != 0) {
			s->scale /= v;
			t = p->in[0];
		} else if (joule_match_op(p, "Add") && !s->add && s->scale == 1) {
			/* The mask is the one that is no product, be it behind a scale. */
			const struct joule_node *a = p->in[0]->producer;
			int scores = a && joule_shape_equal(&p->in[0]->shape, &p->out[0]->shape) &&
				     joule_tensor_uses(graph, p->in[0]) == 1 ? 0 : 1;

			s->add = p;
			s->mask = p->in[!scores];
			t = p->in[scores];
		} else {
			return false;
		}
		if (joule_tensor_count(t) != joule_tensor_count(p->out[0]))
			return false;
	}
	return false;
}

static bool match_values(const struct joule_graph *graph, struct spelled *s)
{
	struct joule_tensor *t = s->softmax->out[0];
	struct joule_node *user = joule_tensor_only_user(graph, t);

	while (user && user->op && keeps_last(user) && user->in[0] == t) {
		if (!note(s, user))
			return false;
		t = user->out[0];
		user = joule_tensor_only_user(graph, t);
	}
	s->pv = user;
	return joule_match_op(user, "MatMul") && user->in[0] == t && user->in[1] != t &&
	       !user->epilogue.n;
}

static bool over_last_axis(const struct joule_node *softmax)
{
	const int64_t *axis = joule_node_attr(softmax, "axis");
	int rank = softmax->in[0]->shape.rank;

	return axis && rank > 0 && (*axis == -1 || *axis == rank - 1);
}

/* Dimensions before the last two, as one. */
static int64_t stack(const struct joule_shape *s)
{
	int64_t n = 1;

	for (int i = 0; i < s->rank - 2; i++)
		n *= s->dims[i];
	return n;
}

/* Batch and heads by the shape of whichever tensor shows them apart. */
static void read_heads(struct spelled *s)
{
	const struct joule_shape *shapes[] = {
		s->add ? &s->add->out[0]->shape : &s->qk->out[0]->shape,
		&s->qk->out[0]->shape, &s->pv->out[0]->shape,
	};

	s->batch = 1;
	s->heads = stack(shapes[1]);
	for (int i = 0; i < 3; i++)
		if (shapes[i]->rank == 4) {
			s->batch = shapes[i]->dims[0];
			s->heads = shapes[i]->dims[1];
			return;
		}
}

static bool mask_fits(const struct spelled *s)
{
	const struct joule_shape *m, *out;

	if (!s->mask)
		return true;
	m = &s->mask->shape;
	out = &s->add->out[0]->shape;
	return m->rank >= 1 && m->rank <= 4 && s->mask->dtype == s->qk->out[0]->dtype &&
	       m->dims[m->rank - 1] == s->keys &&
	       (out->rank == 4 ? out->dims[0] == s->batch && out->dims[1] == s->heads :
				 s->batch == 1 && (out->rank == 3 || s->heads == 1) &&
					 m->rank <= out->rank);
}

static bool match_shapes(struct spelled *s)
{
	const struct joule_shape *q = &s->qk->in[0]->shape, *kt = &s->qk->in[1]->shape;
	const struct joule_shape *p = &s->pv->in[0]->shape, *v = &s->pv->in[1]->shape;
	const struct joule_shape *all[] = { q, kt, p, v, &s->qk->out[0]->shape,
					    &s->pv->out[0]->shape };

	for (int i = 0; i < 6; i++)
		if (all[i]->rank < 2 || joule_shape_count(all[i]) < 1 ||
		    stack(all[i]) != stack(all[0]))
			return false;
	s->rows = q->dims[q->rank - 2];
	s->depth = q->dims[q->rank - 1];
	s->keys = kt->dims[kt->rank - 1];
	s->v_depth = v->dims[v->rank - 1];
	read_heads(s);
	return s->batch * s->heads == stack(q) && p->dims[p->rank - 2] == s->rows &&
	       p->dims[p->rank - 1] == s->keys && v->dims[v->rank - 2] == s->keys &&
	       joule_dtype_is_float(s->qk->in[0]->dtype) &&
	       s->pv->out[0]->dtype == s->qk->in[0]->dtype && mask_fits(s);
}

static bool by_rows(const struct spelled *s, const struct joule_strided *t, int64_t rows,
		    int64_t size)
{
	return joule_strided_is(t, (int64_t[]){ rows * s->heads * size, size, s->heads * size, 1 });
}

static bool by_heads(const struct spelled *s, const struct joule_strided *t, int64_t rows,
		     int64_t size)
{
	return joule_strided_is(t, (int64_t[]){ s->heads * rows * size, rows * size, size, 1 });
}

static bool trace(struct spelled *s)
{
	const int64_t q[] = { s->batch, s->heads, s->rows, s->depth };
	const int64_t k[] = { s->batch, s->heads, s->depth, s->keys };
	const int64_t v[] = { s->batch, s->heads, s->keys, s->v_depth };
	int64_t d;

	if (!joule_strided_trace(s->qk->in[0], q, 4, &s->q) ||
	    !joule_strided_trace(s->qk->in[1], k, 4, &s->k) ||
	    !joule_strided_trace(s->pv->in[1], v, 4, &s->v) || s->v.factor != 1)
		return false;
	d = s->k.dims[2];
	s->k.dims[2] = s->k.dims[3];
	s->k.dims[3] = d;
	d = s->k.strides[2];
	s->k.strides[2] = s->k.strides[3];
	s->k.strides[3] = d;
	s->three_d = by_rows(s, &s->q, s->rows, s->depth) &&
		     by_rows(s, &s->k, s->keys, s->depth) &&
		     by_rows(s, &s->v, s->keys, s->v_depth);
	/* Keys by columns would have to be turned around first: no gain. */
	return s->three_d || by_heads(s, &s->k, s->keys, s->depth);
}

static bool match(const struct joule_graph *graph, struct joule_node *softmax, struct spelled *s)
{
	memset(s, 0, sizeof(*s));
	s->scale = 1;
	s->softmax = softmax;
	return !softmax->epilogue.n && over_last_axis(softmax) &&
	       match_scores(graph, softmax->in[0], s) && match_values(graph, s) &&
	       match_shapes(s) && trace(s);
}

static struct joule_tensor *add_shape(struct joule_graph *graph, const int64_t *dims, int rank)
{
	struct joule_shape list = { .rank = 1, .dims = { rank } };
	struct joule_tensor *t = joule_graph_add_const(graph, NULL, JOULE_I64, &list);

	if (t)
		memcpy(t->data, dims, (size_t)rank * sizeof(*dims));
	return t;
}

/* A new node that takes x, its one output new too; NULL when out of memory. */
static struct joule_tensor *add_op(struct joule_graph *graph, const char *name, int opset,
				   struct joule_tensor *x, struct joule_tensor *shape)
{
	struct joule_node *node = joule_graph_add_node(graph, joule_op_find("", name, opset), NULL,
						       shape ? 2 : 1, 1);
	struct joule_tensor *y = node ? joule_graph_add_tensor(graph, NULL) : NULL;

	if (!y)
		return NULL;
	node->opset = opset;
	joule_node_default_attrs(node);
	node->in[0] = x;
	if (shape)
		node->in[1] = shape;
	y->dtype = x->dtype;
	joule_node_set_output(node, 0, y);
	return y;
}

static struct joule_tensor *view(struct joule_graph *graph, struct joule_tensor *x,
				 const int64_t *dims, int rank)
{
	struct joule_tensor *shape;

	if (x && x->shape.rank == rank &&
	    !memcmp(x->shape.dims, dims, (size_t)rank * sizeof(*dims)))
		return x;
	shape = x ? add_shape(graph, dims, rank) : NULL;
	x = shape ? add_op(graph, "Reshape", 14, x, shape) : NULL;
	if (x) {
		x->shape.rank = rank;
		memcpy(x->shape.dims, dims, (size_t)rank * sizeof(*dims));
	}
	return x;
}

/* The operand in the form that was chosen; whole is it as the product had it. */
static struct joule_tensor *operand(struct joule_graph *graph, struct spelled *s,
				    struct joule_strided *t, struct joule_tensor *whole,
				    int64_t rows, int64_t size)
{
	const int64_t three[] = { s->batch, rows, s->heads * size };
	const int64_t four[] = { s->batch, s->heads, rows, size };

	if (s->three_d)
		return view(graph, t->source, three, 3);
	if (by_heads(s, t, rows, size))
		return view(graph, t->source, four, 4);
	t->factor = 1;
	return view(graph, whole, four, 4);
}

/* The result from [batch, rows, heads, size] to what the second product had. */
static int finish(struct joule_graph *graph, const struct spelled *s, struct joule_tensor *y)
{
	static const int64_t perms[2][4] = { { 1, 0, 2 }, { 0, 2, 1, 3 } };
	struct joule_tensor *out = s->pv->out[0], *in[2] = { NULL, NULL };
	const int64_t four[] = { s->batch, s->rows, s->heads, s->v_depth };
	bool turn = s->three_d && s->heads > 1, whole = out->shape.rank == 4;
	struct joule_node *last;

	if (!turn) {
		in[0] = y;
		in[1] = add_shape(graph, out->shape.dims, out->shape.rank);
		last = in[1] ? joule_rewrite(graph, joule_op_find("", "Reshape", 14), in, 2, NULL,
					     0, s->pv) : NULL;
		if (!last)
			return -ENOMEM;
		last->opset = 14;
		joule_node_default_attrs(last);
		return 0;
	}
	in[0] = view(graph, y, four + !whole, 3 + whole);
	last = in[0] ? joule_rewrite(graph, joule_op_find("", "Transpose", 13), in, 1, NULL, 0,
				     s->pv) : NULL;
	if (!last)
		return -ENOMEM;
	last->opset = 13;
	joule_node_default_attrs(last);
	*(struct joule_ints *)joule_node_attr(last, "perm") =
		(struct joule_ints){ 3 + whole, perms[whole] };
	return 0;
}

static int rewrite(struct joule_graph *graph, struct spelled *s)
{
	struct joule_node *node;
	struct joule_attention_attrs *a;
	struct joule_tensor *y;

	node = joule_graph_add_node(graph, joule_op_find("", "Attention", 23), s->softmax->name,
				    s->mask ? 4 : 3, 1);
	y = node ? joule_graph_add_tensor(graph, NULL) : NULL;
	if (!y)
		return -ENOMEM;
	node->opset = 23;
	joule_node_default_attrs(node);
	node->in[0] = operand(graph, s, &s->q, s->qk->in[0], s->rows, s->depth);
	node->in[1] = operand(graph, s, &s->k, NULL, s->keys, s->depth);
	node->in[2] = operand(graph, s, &s->v, s->pv->in[1], s->keys, s->v_depth);
	if (s->mask)
		node->in[3] = s->mask;
	if (!node->in[0] || !node->in[1] || !node->in[2])
		return -ENOMEM;
	a = node->attrs;
	a->q_num_heads = a->kv_num_heads = s->heads;
	a->scale = (float)(s->scale * s->q.factor * s->k.factor);
	a->plain = true;
	y->dtype = node->in[0]->dtype;
	y->shape = (struct joule_shape){ 3, { s->batch, s->rows, s->heads * s->v_depth } };
	if (!s->three_d)
		y->shape = (struct joule_shape){ 4, { s->batch, s->heads, s->rows, s->v_depth } };
	joule_node_set_output(node, 0, y);
	if (joule_node_add_origins(node, s->qk))
		return -ENOMEM;
	for (int i = 0; i < s->n_between; i++)
		if (!(s->between[i]->op->traits & JOULE_OP_VIEW) &&
		    joule_node_add_origins(node, s->between[i]))
			return -ENOMEM;
	if (joule_node_add_origins(node, s->softmax) || joule_node_add_origins(node, s->pv))
		return -ENOMEM;
	return finish(graph, s, y);
}

static int attention(struct joule_graph *graph, bool *changed)
{
	int n = graph->n_nodes, ret = 0;

	for (int i = 0; !ret && i < n; i++) {
		struct spelled s;

		if (!joule_match_op(graph->nodes[i], "Softmax") ||
		    !match(graph, graph->nodes[i], &s))
			continue;
		/* Heads and batch in one dimension: the result could not be turned back. */
		if (s.three_d && s.heads > 1 && s.batch > 1 && s.pv->out[0]->shape.rank != 4)
			continue;
		ret = rewrite(graph, &s);
		*changed = true;
	}
	if (*changed)
		joule_remove_dead(graph);
	return ret;
}

const struct joule_pass joule_pass_attention = {
	.name = "attention",
	.description = "spelled-out attention becomes the operator, transposes around it go",
	.run = attention,
};
