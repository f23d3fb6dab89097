// SPDX-License-Identifier: MIT
/*
 * Which tensors live where and how long. Sharing is decided in this order:
 * views and parts (always), joins (when the live set does not grow), results
 * over dying operands (in place); what is left is placed by lifetime.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/op.h"
#include "plan/build.h"
#include "plan/memory.h"

int joule_build_root(const struct joule_build *b, int buffer, uint64_t *offset)
{
	uint64_t sum = 0;

	while (b->buffers[buffer].parent >= 0) {
		sum += b->buffers[buffer].parent_offset;
		buffer = b->buffers[buffer].parent;
	}
	if (offset)
		*offset = sum;
	return buffer;
}

static struct joule_build_buffer *root_of(struct joule_build *b, const struct joule_tensor *t,
					  uint64_t *offset)
{
	return &b->buffers[joule_build_root(b, (int)t->index, offset)];
}

/* root becomes a part of parent's storage, offset bytes from the parent's start. */
static void attach(struct joule_build *b, struct joule_build_buffer *root,
		   struct joule_build_buffer *parent, uint64_t offset)
{
	uint64_t above;
	struct joule_build_buffer *top =
		&b->buffers[joule_build_root(b, (int)(parent - b->buffers), &above)];

	root->parent = (int)(top - b->buffers);
	root->parent_offset = above + offset;
	top->root_first = JOULE_MIN(top->root_first, root->root_first);
	top->root_last = JOULE_MAX(top->root_last, root->root_last);
	top->root_host |= root->root_host;
	top->margin = JOULE_MAX(top->margin, root->margin);
}

static bool tensor_ours(const struct joule_build *b, const struct joule_tensor *t)
{
	return t && t->index < (uint32_t)b->graph->n_tensors && b->graph->tensors[t->index] == t;
}

static void keep_captures(struct joule_build *b, const struct joule_graph *body)
{
	for (int i = 0; i < body->n_tensors; i++)
		if (tensor_ours(b, body->tensors[i]->outer))
			b->buffers[body->tensors[i]->outer->index].kept = true;
}

/* What nodes outside the plan read has to survive it. */
static int find_kept(struct joule_build *b)
{
	const struct joule_graph *g = b->graph;
	bool *planned = calloc((size_t)g->n_nodes + 1, 1);

	if (!planned)
		return joule_err_nomem(g->log, "plan");
	for (int i = 0; i < b->n_nodes; i++)
		planned[b->nodes[i].node->index] = true;
	for (int i = 0; i < g->n_nodes; i++) {
		const struct joule_node *n = g->nodes[i];

		if (planned[i] || !n->op)
			continue;
		for (int j = 0; j < n->n_in; j++)
			if (n->in[j]) {
				b->buffers[n->in[j]->index].kept = true;
				b->buffers[n->in[j]->index].host = true;
			}
		for (int j = 0; j < n->n_body; j++)
			keep_captures(b, n->body[j]);
	}
	free(planned);
	for (int i = 0; i < g->n_tensors; i++)
		if (g->tensors[i]->flags & JOULE_TENSOR_OUTPUT) {
			b->buffers[i].kept = true;
			b->buffers[i].host = true;
		}
	return 0;
}

static int add_external(struct joule_build *b, const struct joule_tensor *t)
{
	struct joule_build_buffer *buf = &b->buffers[t->index];
	struct joule_plan *p = b->plan;

	if (buf->fixed)
		return 0;
	p->externals[p->n_externals] = (struct joule_plan_external){
		.tensor = b->graph->tensors[t->index],
		.bytes = buf->bytes,
	};
	buf->fixed = true;
	buf->place = (struct joule_place){ .region = JOULE_REGION_EXTERNAL,
					   .index = p->n_externals++,
					   .bytes = buf->bytes };
	return 0;
}

static int add_weight(struct joule_build *b, const struct joule_tensor *t)
{
	struct joule_build_buffer *buf = &b->buffers[t->index];
	struct joule_plan *p = b->plan;
	int i;

	if (buf->fixed)
		return 0;
	for (i = 0; i < p->n_weights; i++)
		if (p->weights[i].data == t->data && p->weights[i].bytes == buf->bytes)
			break;
	if (i == p->n_weights)
		p->weights[p->n_weights++] = (struct joule_plan_weight){
			.data = t->data, .bytes = buf->bytes, .name = t->name,
		};
	buf->fixed = true;
	buf->place = (struct joule_place){ .region = JOULE_REGION_WEIGHTS,
					   .index = i,
					   .bytes = buf->bytes };
	return 0;
}

/* Operands that kernels read as they are: constants only when a launch names them. */
static void fix_operands(struct joule_build *b, const bool *made)
{
	for (int i = 0; i < b->n_nodes; i++) {
		const struct joule_build_node *bn = &b->nodes[i];

		for (int j = 0; j < bn->node->n_in; j++) {
			const struct joule_tensor *t = bn->node->in[j];

			if (t && !joule_tensor_is_const(t) && !made[t->index])
				add_external(b, t);
			if (joule_tensor_is_const(t) && bn->kind == JOULE_BUILD_ALIAS && !j)
				add_weight(b, t);
		}
		for (int j = 0; j < bn->binder.n_dispatches; j++) {
			const struct joule_dispatch *d = bn->binder.dispatches[j];

			for (uint32_t k = 0; k < d->n_operands; k++) {
				const struct joule_operand *o = &d->operand[k];

				if (o->kind == JOULE_OPERAND_IN && o->index < bn->node->n_in &&
				    joule_tensor_is_const(bn->node->in[o->index]))
					add_weight(b, bn->node->in[o->index]);
			}
		}
	}
}

static void use(struct joule_build_buffer *buf, int at)
{
	buf->first = buf->first < 0 ? at : JOULE_MIN(buf->first, at);
	buf->last = JOULE_MAX(buf->last, at);
}

static int find_lives(struct joule_build *b)
{
	bool *made = calloc((size_t)b->graph->n_tensors + 1, 1);

	if (!made)
		return joule_err_nomem(b->graph->log, "plan");
	for (int i = 0; i < b->n_nodes; i++) {
		const struct joule_build_node *bn = &b->nodes[i];

		for (int j = 0; j < bn->node->n_out; j++)
			if (bn->node->out[j]) {
				made[bn->node->out[j]->index] = true;
				use(&b->buffers[bn->node->out[j]->index], i);
			}
		if (bn->kind != JOULE_BUILD_DEVICE && bn->kind != JOULE_BUILD_HOST)
			continue;
		/* Constants have no life: they are weights, packed, or the host's. */
		for (int j = 0; j < bn->node->n_in; j++)
			if (bn->node->in[j] && !joule_tensor_is_const(bn->node->in[j]))
				use(&b->buffers[bn->node->in[j]->index], i);
		if (bn->kind != JOULE_BUILD_HOST)
			continue;
		for (int j = 0; j < bn->node->n_in; j++)
			if (bn->node->in[j])
				b->buffers[bn->node->in[j]->index].host = true;
		for (int j = 0; j < bn->node->n_out; j++)
			if (bn->node->out[j])
				b->buffers[bn->node->out[j]->index].host = true;
	}
	for (int i = 0; i < b->params->n_externals; i++)
		add_external(b, b->params->externals[i]);
	fix_operands(b, made);
	free(made);
	return 0;
}

/* What kernels read around their operands. */
static void find_margins(struct joule_build *b)
{
	for (int i = 0; i < b->n_nodes; i++) {
		const struct joule_build_node *bn = &b->nodes[i];

		for (int j = 0; j < bn->binder.n_dispatches; j++) {
			const struct joule_dispatch *d = bn->binder.dispatches[j];

			for (uint32_t k = 0; k < d->n_operands; k++) {
				const struct joule_operand *o = &d->operand[k];
				struct joule_build_buffer *buf;

				if (o->kind != JOULE_OPERAND_IN || !o->margin)
					continue;
				buf = &b->buffers[bn->node->in[o->index]->index];
				buf->margin = JOULE_MAX(buf->margin, o->margin);
				b->plan->margin_bytes = JOULE_MAX(
					b->plan->margin_bytes,
					JOULE_ALIGN_UP(o->margin, (uint64_t)JOULE_PLAN_ALIGN));
			}
		}
	}
}

static void close_lives(struct joule_build *b)
{
	for (int i = 0; i < b->n_buffers; i++) {
		struct joule_build_buffer *buf = &b->buffers[i];

		if (buf->first < 0)
			continue;
		if (buf->kept || (b->params->keep_all && buf->tensor))
			buf->last = b->n_nodes;
		buf->root_first = buf->first;
		buf->root_last = buf->last;
		buf->root_host = buf->host || b->params->unified ||
				 (b->params->keep_all && buf->tensor);
	}
}

static void share_views(struct joule_build *b)
{
	for (int i = 0; i < b->n_nodes; i++) {
		const struct joule_node *n = b->nodes[i].node;
		uint64_t at = 0;

		if (b->nodes[i].kind != JOULE_BUILD_ALIAS)
			continue;
		for (int j = 0; j < n->n_out; j++) {
			struct joule_build_buffer *out;

			if (!n->out[j])
				continue;
			out = &b->buffers[n->out[j]->index];
			if (!out->fixed)
				attach(b, out, &b->buffers[n->in[0]->index], at);
			at += out->bytes;
		}
	}
}

/* ---- joins ---- */

/* The most bytes that roots take up at once. */
static uint64_t roots_peak(const struct joule_build *b, int64_t *delta)
{
	int64_t sum = 0, best = 0;

	memset(delta, 0, ((size_t)b->n_nodes + 2) * sizeof(*delta));
	for (int i = 0; i < b->n_buffers; i++) {
		const struct joule_build_buffer *buf = &b->buffers[i];

		if (buf->parent >= 0 || buf->fixed || buf->first < 0)
			continue;
		delta[buf->root_first] += (int64_t)buf->bytes;
		delta[buf->root_last + 1] -= (int64_t)buf->bytes;
	}
	for (int i = 0; i <= b->n_nodes; i++) {
		sum += delta[i];
		best = JOULE_MAX(best, sum);
	}
	return (uint64_t)best;
}

/* A buffer of its own that a join may take in whole. */
static bool joinable(struct joule_build *b, const struct joule_tensor *t,
		     const struct joule_build_buffer *into)
{
	uint64_t offset;
	const struct joule_build_buffer *r = root_of(b, t, &offset);

	/* Memory of the user's has no readable surroundings. */
	if (into->fixed && r->margin)
		return false;
	return !r->fixed && r->parent < 0 && r != into && !offset && r->first >= 0 &&
	       r->bytes == b->buffers[t->index].bytes && r->root_host == into->root_host;
}

static bool join_layout_fits(struct joule_build *b, const struct joule_node *n)
{
	const struct joule_tensor *out = n->out[0];
	uint64_t at = 0;

	for (int i = 0; i < n->n_in; i++) {
		const struct joule_tensor *in = n->in[i];
		int64_t outer = 1;
		int d = 0;

		if (!in || in->dtype != out->dtype || in->shape.rank != out->shape.rank ||
		    at % JOULE_PLAN_PART_ALIGN)
			return false;
		while (d < out->shape.rank && in->shape.dims[d] == out->shape.dims[d])
			outer *= out->shape.dims[d++];
		if (d < out->shape.rank && outer != 1)
			return false;
		at += b->buffers[in->index].bytes;
	}
	return at == b->buffers[out->index].bytes;
}

static bool join_one(struct joule_build *b, int at, int64_t *delta)
{
	const struct joule_node *n = b->nodes[at].node;
	struct joule_build_buffer *out = &b->buffers[n->out[0]->index];
	uint64_t before, offset = 0;
	int saved_first = out->root_first, saved_last = out->root_last;

	if (out->parent >= 0 || !join_layout_fits(b, n))
		return false;
	for (int i = 0; i < n->n_in; i++) {
		if (!joinable(b, n->in[i], out))
			return false;
		for (int j = 0; j < i; j++)
			if (root_of(b, n->in[i], NULL) == root_of(b, n->in[j], NULL))
				return false;
	}
	before = roots_peak(b, delta);
	for (int i = 0; i < n->n_in; i++) {
		struct joule_build_buffer *in = root_of(b, n->in[i], NULL);

		attach(b, in, out, offset);
		offset += in->bytes;
	}
	if (roots_peak(b, delta) <= before) {
		b->nodes[at].kind = JOULE_BUILD_ALIAS;
		return true;
	}
	/* The joined buffer would be held too long: copying is the cheaper evil. */
	for (int i = 0; i < n->n_in; i++) {
		struct joule_build_buffer *in = &b->buffers[n->in[i]->index];

		while (in->parent >= 0 && &b->buffers[in->parent] != out)
			in = &b->buffers[in->parent];
		in->parent = -1;
		in->parent_offset = 0;
	}
	out->root_first = saved_first;
	out->root_last = saved_last;
	return false;
}

static void share_joins(struct joule_build *b, int64_t *delta)
{
	for (int i = 0; i < b->n_nodes; i++)
		if (b->nodes[i].kind == JOULE_BUILD_DEVICE &&
		    (b->nodes[i].node->op->traits & JOULE_OP_JOIN) &&
		    !b->nodes[i].node->epilogue.n)
			join_one(b, i, delta);
}

/* ---- windows ---- */

/* A slice that is a run of its operand's bytes needs no copy, unless it would hold too much. */
static void window_one(struct joule_build *b, int at, int64_t *delta)
{
	const struct joule_node *n = b->nodes[at].node;
	struct joule_build_buffer *rx, *y = &b->buffers[n->out[0]->index];
	int64_t offset = n->op->window(n);
	uint64_t ox, before;
	int first, last;

	if (offset < 0 || offset % JOULE_PLAN_PART_ALIGN || y->parent >= 0 || y->fixed)
		return;
	rx = root_of(b, n->in[0], &ox);
	if (rx == y || rx->fixed || rx->root_host != y->root_host || rx->root_first < 0)
		return;
	before = roots_peak(b, delta);
	first = rx->root_first;
	last = rx->root_last;
	attach(b, y, rx, ox + (uint64_t)offset);
	if (roots_peak(b, delta) <= before) {
		b->nodes[at].kind = JOULE_BUILD_ALIAS;
		return;
	}
	y->parent = -1;
	y->parent_offset = 0;
	rx->root_first = first;
	rx->root_last = last;
}

static void share_windows(struct joule_build *b, int64_t *delta)
{
	for (int i = 0; i < b->n_nodes; i++)
		if (b->nodes[i].kind == JOULE_BUILD_DEVICE && b->nodes[i].node->op->window &&
		    !b->nodes[i].node->epilogue.n)
			window_one(b, i, delta);
}

/* ---- in place ---- */

static void overwrite_one(struct joule_build *b, int at, int64_t *delta)
{
	const struct joule_node *n = b->nodes[at].node;
	const struct joule_tensor *x = n->in[0], *y = n->out[0];
	struct joule_build_buffer *rx, *ry;
	uint64_t ox, oy, before;

	if (!x || !y || x->dtype != y->dtype || !joule_shape_equal(&x->shape, &y->shape))
		return;
	rx = root_of(b, x, &ox);
	ry = root_of(b, y, &oy);
	if (rx == ry || rx->fixed || rx->root_last != at || rx->root_host != ry->root_host)
		return;
	for (int i = 1; i < n->n_in; i++)
		if (n->in[i] && n->in[i] != x && root_of(b, n->in[i], NULL) == rx)
			return;
	if (ry == &b->buffers[y->index] && !ry->fixed && ry->root_first == at) {
		attach(b, ry, rx, ox);
		return;
	}
	/* y is a part of something bigger: x can be made there in the first place. */
	if (ox || rx->bytes != b->buffers[y->index].bytes || ry->fixed)
		return;
	before = roots_peak(b, delta);
	{
		int first = ry->root_first, last = ry->root_last;

		attach(b, rx, ry, oy);
		if (roots_peak(b, delta) > before) {
			rx->parent = -1;
			rx->parent_offset = 0;
			ry->root_first = first;
			ry->root_last = last;
		}
	}
}

static void share_in_place(struct joule_build *b, int64_t *delta)
{
	for (int i = 0; i < b->n_nodes; i++)
		if (b->nodes[i].kind == JOULE_BUILD_DEVICE &&
		    (b->nodes[i].node->op->traits & JOULE_OP_IN_PLACE))
			overwrite_one(b, i, delta);
}

/* ---- places ---- */

struct member {
	int root;
	uint64_t offset, bytes;
	int first, last;
};

static int by_root_and_offset(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->root != y->root)
		return x->root - y->root;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The largest set of values alive at once: of a joined buffer only parts that hold something. */
static int lower_bound(struct joule_build *b)
{
	struct member *m = calloc((size_t)b->n_buffers + 1, sizeof(*m));
	uint64_t *live = calloc((size_t)b->n_nodes + 2, sizeof(*live));
	int n = 0;

	if (!m || !live) {
		free(m);
		free(live);
		return joule_err_nomem(b->graph->log, "plan");
	}
	for (int i = 0; i < b->n_buffers; i++) {
		const struct joule_build_buffer *buf = &b->buffers[i];

		if (buf->first < 0)
			continue;
		m[n].root = joule_build_root(b, i, &m[n].offset);
		if (b->buffers[m[n].root].fixed)
			continue;
		m[n].bytes = buf->bytes;
		m[n].first = buf->first;
		m[n++].last = buf->last;
	}
	qsort(m, (size_t)n, sizeof(*m), by_root_and_offset);
	for (int i = 0, end; i < n; i = end) {
		const struct joule_build_buffer *root = &b->buffers[m[i].root];

		for (end = i; end < n && m[end].root == m[i].root; end++)
			;
		for (int t = root->root_first; t <= root->root_last; t++) {
			uint64_t upto = 0;

			for (int k = i; k < end; k++) {
				uint64_t stop = m[k].offset + m[k].bytes;

				if (t < m[k].first || t > m[k].last || stop <= upto)
					continue;
				live[t] += stop - JOULE_MAX(upto, m[k].offset);
				upto = stop;
			}
		}
	}
	for (int t = 0; t <= b->n_nodes; t++)
		b->plan->lower_bound_bytes = JOULE_MAX(b->plan->lower_bound_bytes, live[t]);
	free(m);
	free(live);
	return 0;
}

static int place_arena(struct joule_build *b, bool host, uint64_t *size)
{
	struct joule_extent *e = calloc((size_t)b->n_buffers + 1, sizeof(*e));
	int *index = calloc((size_t)b->n_buffers + 1, sizeof(*index));
	int n = 0, ret = -ENOMEM;

	if (!e || !index)
		goto out;
	for (int i = 0; i < b->n_buffers; i++) {
		const struct joule_build_buffer *buf = &b->buffers[i];

		if (buf->parent >= 0 || buf->fixed || buf->first < 0 || buf->root_host != host)
			continue;
		e[n].bytes = JOULE_ALIGN_UP(JOULE_MAX(buf->bytes, 1u), (uint64_t)JOULE_PLAN_ALIGN);
		e[n].first = buf->root_first;
		e[n].last = buf->root_last;
		index[n++] = i;
	}
	ret = joule_memory_place(e, n, size);
	for (int k = 0; !ret && k < n; k++) {
		struct joule_build_buffer *buf = &b->buffers[index[k]];

		buf->place = (struct joule_place){
			.region = host ? JOULE_REGION_HOST : JOULE_REGION_DEVICE,
			.offset = e[k].offset,
			.bytes = buf->bytes,
		};
	}
out:
	free(e);
	free(index);
	return ret ? joule_err_nomem(b->graph->log, "plan") : 0;
}

static void inherit_places(struct joule_build *b)
{
	for (int i = 0; i < b->n_buffers; i++) {
		struct joule_build_buffer *buf = &b->buffers[i];
		uint64_t offset;
		int root;

		if (buf->parent < 0)
			continue;
		root = joule_build_root(b, i, &offset);
		buf->place = b->buffers[root].place;
		buf->place.offset += offset;
		buf->place.bytes = buf->bytes;
		if (buf->place.region == JOULE_REGION_EXTERNAL)
			b->plan->externals[buf->place.index].host |= buf->host;
	}
	for (int i = 0; i < b->n_buffers; i++)
		if (b->buffers[i].place.region == JOULE_REGION_EXTERNAL)
			b->plan->externals[b->buffers[i].place.index].host |= b->buffers[i].host;
}

static int init_buffers(struct joule_build *b)
{
	const struct joule_graph *g = b->graph;
	int n = g->n_tensors, weights = n;

	for (int i = 0; i < b->n_nodes; i++)
		if (b->nodes[i].kind == JOULE_BUILD_DEVICE) {
			b->nodes[i].first_scratch = n;
			n += b->nodes[i].binder.n_scratch;
			weights += b->nodes[i].binder.n_consts;
		}
	b->plan->weights = joule_arena_array(&b->plan->arena, (size_t)weights + 1,
					     sizeof(*b->plan->weights));
	b->buffers = calloc((size_t)n + 1, sizeof(*b->buffers));
	b->plan->externals = joule_arena_array(&b->plan->arena, (size_t)g->n_tensors + 1,
					       sizeof(*b->plan->externals));
	if (!b->buffers || !b->plan->externals || !b->plan->weights)
		return joule_err_nomem(g->log, "plan");
	b->n_buffers = n;
	for (int i = 0; i < n; i++) {
		b->buffers[i].parent = b->buffers[i].first = b->buffers[i].last = -1;
		if (i < g->n_tensors) {
			int64_t bytes = joule_tensor_bytes(g->tensors[i]);

			b->buffers[i].tensor = g->tensors[i];
			b->buffers[i].bytes = bytes < 0 ? 0 : (uint64_t)bytes;
		}
	}
	for (int i = 0; i < b->n_nodes; i++)
		for (int j = 0; j < b->nodes[i].binder.n_scratch; j++) {
			struct joule_build_buffer *buf = &b->buffers[b->nodes[i].first_scratch + j];

			if (b->nodes[i].kind != JOULE_BUILD_DEVICE)
				break;
			buf->bytes = b->nodes[i].binder.scratch_bytes[j];
			buf->first = buf->last = i;
		}
	return 0;
}

int joule_build_buffers(struct joule_build *b)
{
	int64_t *delta;
	int ret = init_buffers(b);

	if (!ret)
		ret = find_kept(b);
	if (!ret)
		ret = find_lives(b);
	if (ret)
		return ret;
	delta = calloc((size_t)b->n_nodes + 2, sizeof(*delta));
	if (!delta)
		return joule_err_nomem(b->graph->log, "plan");
	close_lives(b);
	find_margins(b);
	share_views(b);
	share_joins(b, delta);
	share_windows(b, delta);
	if (!b->params->keep_all)
		share_in_place(b, delta);
	free(delta);
	ret = lower_bound(b);
	if (!ret)
		ret = place_arena(b, true, &b->plan->host_bytes);
	if (!ret)
		ret = place_arena(b, false, &b->plan->device_bytes);
	if (!ret)
		inherit_places(b);
	return ret;
}
