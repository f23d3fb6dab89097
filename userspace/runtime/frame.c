// SPDX-License-Identifier: MIT
#include "runtime/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/op.h"
#include "runtime/control.h"
#include "runtime/interp.h"
#include "runtime/trace.h"

#define STAGES_KEPT 8    /* plans of one stage for different shapes */
#define STAGES_MADE 32   /* before values that change all the time go to the host */
#define VALUE_BYTES 4096 /* larger tensors are data, not shapes */

struct key {
	unsigned char *bytes;
	size_t n, cap;
	bool failed;
};

/* One way to run the n-th part of the graph. */
struct variant {
	struct key key;
	struct joule_stage *stage;
	struct variant *next; /* last used first */
};

struct joule_frame {
	struct joule_engine *engine;
	struct joule_graph *graph;
	struct joule_frame *parent; /* of the frame whose node this is a body of */
	struct joule_slot *slots;   /* by tensor index */
	struct joule_block *blocks; /* results made on the host, inputs of a body */
	bool *given;       /* slots set by the caller: results there are external */
	bool *available;   /* by tensor: has a value now */
	bool *wanted;      /* by tensor: shapes depend on its value */
	bool *done;        /* by node */
	bool *late;        /* by node: its shape changes so often that planning does not pay */
	int *row;          /* by node: of the trace, for what no stage runs */
	uint64_t row_serial;
	struct joule_shape *shapes; /* by tensor: before anything was inferred */
	struct joule_shape *entry;  /* by tensor: inputs' and captures' in the last run */
	bool complete;     /* shapes known ahead, no control flow: one stage is all */
	int n_parts, cap_parts;
	int made;          /* stages planned since the frame exists */
	struct variant **parts; /* by number of the stage */
	struct joule_frame ***bodies; /* by node and body, NULL until used */
	struct joule_node **picked;   /* scratch: nodes of the next stage */
};

/* Not to be planned: run by the host between stages. */
static bool special(const struct joule_frame *f, const struct joule_node *node)
{
	return (node->op->traits & (JOULE_OP_CONTROL | JOULE_OP_LATE_SHAPE)) ||
	       f->late[node->index];
}

static bool at_hand(const struct joule_frame *f, const struct joule_tensor *t)
{
	return !t || joule_tensor_is_const(t) || f->available[t->index];
}

int joule_frame_create(struct joule_engine *engine, struct joule_graph *graph,
		       struct joule_frame **out)
{
	size_t tensors = (size_t)graph->n_tensors + 1, nodes = (size_t)graph->n_nodes + 1;
	struct joule_frame *f = calloc(1, sizeof(*f));

	*out = NULL;
	if (!f)
		return joule_err_nomem(engine->log, "frame");
	f->engine = engine;
	f->graph = graph;
	f->slots = calloc(tensors, sizeof(*f->slots));
	f->blocks = calloc(tensors, sizeof(*f->blocks));
	f->given = calloc(tensors, 1);
	f->available = calloc(tensors, 1);
	f->wanted = calloc(tensors, 1);
	f->shapes = calloc(tensors, sizeof(*f->shapes));
	f->entry = calloc(tensors, sizeof(*f->entry));
	f->done = calloc(nodes, 1);
	f->late = calloc(nodes, 1);
	f->row = calloc(nodes, sizeof(*f->row));
	f->bodies = calloc(nodes, sizeof(*f->bodies));
	f->picked = calloc(nodes, sizeof(*f->picked));
	if (!f->slots || !f->blocks || !f->given || !f->available || !f->wanted || !f->shapes ||
	    !f->entry || !f->done || !f->late || !f->row || !f->bodies || !f->picked) {
		joule_frame_destroy(f);
		return joule_err_nomem(engine->log, "frame");
	}
	for (int i = 0; i < graph->n_tensors; i++)
		f->shapes[i] = graph->tensors[i]->shape;
	*out = f;
	return 0;
}

static void variant_destroy(struct variant *v)
{
	if (!v)
		return;
	joule_stage_destroy(v->stage);
	free(v->key.bytes);
	free(v);
}

static void drop_parts(struct joule_frame *f)
{
	for (int i = 0; i < f->n_parts; i++)
		while (f->parts[i]) {
			struct variant *v = f->parts[i];

			f->parts[i] = v->next;
			variant_destroy(v);
		}
	f->n_parts = 0;
	f->complete = false;
}

void joule_frame_destroy(struct joule_frame *frame)
{
	struct joule_frame *f = frame;

	if (!f)
		return;
	drop_parts(f);
	free(f->parts);
	for (int i = 0; f->bodies && i < f->graph->n_nodes; i++) {
		for (int j = 0; f->bodies[i] && j < f->graph->nodes[i]->n_body; j++)
			joule_frame_destroy(f->bodies[i][j]);
		free(f->bodies[i]);
	}
	for (int i = 0; f->blocks && i < f->graph->n_tensors; i++)
		joule_block_free(f->engine, &f->blocks[i]);
	free(f->bodies);
	free(f->slots);
	free(f->blocks);
	free(f->given);
	free(f->available);
	free(f->wanted);
	free(f->shapes);
	free(f->entry);
	free(f->done);
	free(f->late);
	free(f->row);
	free(f->picked);
	free(f);
}

void joule_frame_set_slot(struct joule_frame *frame, const struct joule_tensor *tensor,
			  const struct joule_slot *slot)
{
	bool given = slot->memory;

	/* A result that moves out of the arena, or back, needs another plan. */
	if (tensor->producer && given != frame->given[tensor->index])
		drop_parts(frame);
	frame->slots[tensor->index] = *slot;
	frame->given[tensor->index] = given;
}

struct joule_slot joule_frame_slot(const struct joule_frame *frame,
				   const struct joule_tensor *tensor)
{
	return frame->slots[tensor->index];
}

/* ---- which stage ---- */

static void key_add(struct key *k, const void *data, size_t n)
{
	if (k->failed)
		return;
	if (k->n + n > k->cap) {
		size_t cap = (k->n + n) * 2;
		unsigned char *fresh = realloc(k->bytes, cap);

		if (!fresh) {
			k->failed = true;
			return;
		}
		k->bytes = fresh;
		k->cap = cap;
	}
	memcpy(k->bytes + k->n, data, n);
	k->n += n;
}

static void key_add_tensor(const struct joule_frame *f, struct key *k,
			   const struct joule_tensor *t)
{
	if (!t || joule_tensor_is_const(t))
		return;
	key_add(k, &t->dtype, sizeof(t->dtype));
	key_add(k, &t->shape.rank, sizeof(t->shape.rank));
	key_add(k, t->shape.dims, (size_t)JOULE_MAX(t->shape.rank, 0) * sizeof(*t->shape.dims));
	/* A value that inference reads may have been baked into the plan. */
	if (f->wanted[t->index] && t->data)
		key_add(k, t->data, (size_t)joule_tensor_bytes(t));
}

/* Everything that a plan of these nodes depends on. */
static void make_key(const struct joule_frame *f, int n, struct key *k)
{
	for (int i = 0; i < n; i++) {
		const struct joule_node *node = f->picked[i];

		key_add(k, &node->index, sizeof(node->index));
		for (int j = 0; j < node->n_in; j++)
			key_add_tensor(f, k, node->in[j]);
		for (int j = 0; j < node->n_out; j++)
			key_add_tensor(f, k, node->out[j]);
	}
}

static int part_reserve(struct joule_frame *f, int part)
{
	struct variant **fresh;

	if (part < f->n_parts)
		return 0;
	if (part >= f->cap_parts) {
		int cap = f->cap_parts ? f->cap_parts * 2 : 4;

		fresh = realloc(f->parts, (size_t)cap * sizeof(*fresh));
		if (!fresh)
			return joule_err_nomem(f->engine->log, "stages");
		f->parts = fresh;
		f->cap_parts = cap;
	}
	f->parts[f->n_parts++] = NULL;
	return 0;
}

static int create_stage(struct joule_frame *f, int n, struct joule_stage **out)
{
	struct joule_tensor **externals = calloc((size_t)f->graph->n_tensors + 1,
						 sizeof(*externals));
	struct joule_stage_params params = { .nodes = f->picked, .n_nodes = n };
	int ret;

	if (!externals)
		return joule_err_nomem(f->engine->log, "stage");
	for (int i = 0; i < n; i++)
		for (int j = 0; j < f->picked[i]->n_out; j++)
			if (f->picked[i]->out[j] && f->given[f->picked[i]->out[j]->index])
				externals[params.n_externals++] = f->picked[i]->out[j];
	params.externals = externals;
	ret = joule_stage_create(f->engine, f->graph, &params, f->slots, out);
	free(externals);
	return ret;
}

/* The stage for the picked nodes: one of this part's variants, or a new one. */
static int find_stage(struct joule_frame *f, int part, int n, struct joule_stage **out)
{
	struct variant **at, *v;
	struct key key = { 0 };
	int kept = 0, ret;

	*out = NULL;
	ret = part_reserve(f, part);
	if (ret)
		return ret;
	make_key(f, n, &key);
	if (key.failed) {
		free(key.bytes);
		return joule_err_nomem(f->engine->log, "stage");
	}
	for (at = &f->parts[part]; *at; at = &(*at)->next, kept++) {
		v = *at;
		if (v->key.n == key.n && !memcmp(v->key.bytes, key.bytes, key.n)) {
			*at = v->next;
			v->next = f->parts[part];
			f->parts[part] = v;
			free(key.bytes);
			*out = v->stage;
			return 0;
		}
		if (kept == STAGES_KEPT - 1 && !v->next) {
			*at = NULL;
			variant_destroy(v);
			break;
		}
	}
	v = calloc(1, sizeof(*v));
	if (!v) {
		free(key.bytes);
		return joule_err_nomem(f->engine->log, "stage");
	}
	v->key = key;
	f->made++;
	ret = create_stage(f, n, &v->stage);
	if (ret) {
		variant_destroy(v);
		return ret;
	}
	v->next = f->parts[part];
	f->parts[part] = v;
	*out = v->stage;
	return 0;
}

/* ---- dynamic runs ---- */

/* Back to what was known before the run. */
static void forget(struct joule_frame *f)
{
	const struct joule_graph *g = f->graph;

	memset(f->done, 0, (size_t)g->n_nodes);
	for (int i = 0; i < g->n_tensors; i++) {
		struct joule_tensor *t = g->tensors[i];

		f->available[i] = joule_tensor_is_const(t) || t->outer ||
				  (t->flags & JOULE_TENSOR_INPUT);
		if (f->available[i])
			continue;
		joule_tensor_release(t);
		t->shape = f->shapes[i];
	}
}

/*
 * Nodes whose operands are there, or made by nodes picked before, and whose
 * results' shapes are known. Nodes that lack a value only are left for later,
 * and that value is asked for.
 */
static int pick(struct joule_frame *f, int *n)
{
	const struct joule_graph *g = f->graph;

	*n = 0;
	for (int i = 0; i < g->n_nodes; i++) {
		struct joule_node *node = g->nodes[i];
		bool ready = !f->done[i] && !special(f, node);
		int ret;

		for (int j = 0; ready && j < node->n_in; j++)
			ready = at_hand(f, node->in[j]);
		if (!ready)
			continue;
		ret = joule_node_infer(node);
		if (ret < 0)
			return ret;
		if (ret > 0) {
			for (int j = 0; j < node->n_in; j++) {
				const struct joule_tensor *t = node->in[j];
				int64_t bytes = t ? joule_tensor_bytes(t) : -1;

				if (t && !joule_tensor_is_const(t) && bytes >= 0 &&
				    bytes <= VALUE_BYTES)
					f->wanted[t->index] = true;
			}
			f->late[i] = f->made > STAGES_MADE;
			continue;
		}
		f->picked[(*n)++] = node;
		/* Available to the nodes behind: they may join the same stage. */
		for (int j = 0; j < node->n_out; j++)
			if (node->out[j])
				f->available[node->out[j]->index] = true;
	}
	return 0;
}

/* Shows the values that inference asked for. Returns whether there was a new one. */
static int show_wanted(struct joule_frame *f, bool *fresh)
{
	for (int i = 0; i < f->graph->n_tensors; i++) {
		struct joule_tensor *t = f->graph->tensors[i];
		int ret;

		if (!f->wanted[i] || t->data || !f->available[i] || !f->slots[i].memory)
			continue;
		if (!f->slots[i].host)
			return joule_err(f->engine->log, -EINVAL, "%s: the host cannot read %s",
					 f->graph->file, t->name);
		ret = joule_slot_invalidate(&f->slots[i], (size_t)joule_tensor_bytes(t));
		if (ret)
			return ret;
		t->data = f->slots[i].host;
		t->owned = false;
		*fresh = true;
	}
	return 0;
}

/* Memory for a tensor of known shape that the host fills. */
static int reserve_tensor(struct joule_frame *f, const struct joule_tensor *t)
{
	struct joule_block *b = &f->blocks[t->index];
	int ret;

	if (f->given[t->index])
		return 0;
	ret = joule_block_reserve(f->engine, b, (size_t)joule_tensor_bytes(t));
	if (!ret)
		f->slots[t->index] = b->slot;
	return ret;
}

static int lend_inputs(struct joule_frame *f, struct joule_node *node)
{
	for (int i = 0; i < node->n_in; i++) {
		struct joule_tensor *t = node->in[i];
		struct joule_slot *slot;
		int ret;

		if (!t || joule_tensor_is_const(t) || t->data)
			continue;
		slot = &f->slots[t->index];
		if (!slot->host)
			return joule_node_err(node, -EINVAL, "the host cannot read %s", t->name);
		ret = joule_slot_invalidate(slot, (size_t)joule_tensor_bytes(t));
		if (ret)
			return ret;
		t->data = slot->host;
		t->owned = false;
	}
	return 0;
}

/* The node's results, in storage of their own, to memory that kernels reach. */
static int publish_outputs(struct joule_frame *f, struct joule_node *node)
{
	for (int i = 0; i < node->n_out; i++) {
		struct joule_tensor *t = node->out[i];
		size_t bytes;
		int ret;

		if (!t)
			continue;
		bytes = (size_t)joule_tensor_bytes(t);
		ret = reserve_tensor(f, t);
		if (ret)
			return ret;
		memcpy(f->slots[t->index].host, t->data, bytes);
		ret = joule_slot_flush(&f->slots[t->index], bytes);
		if (ret)
			return ret;
		joule_tensor_release(t);
		f->available[t->index] = true;
	}
	return 0;
}

static int body_of(struct joule_frame *f, struct joule_node *node, int body,
		   struct joule_frame **out)
{
	struct joule_frame ***list = &f->bodies[node->index];
	int ret = 0;

	*out = NULL;
	if (!*list) {
		*list = calloc((size_t)node->n_body, sizeof(**list));
		if (!*list)
			return joule_err_nomem(f->engine->log, "frame");
	}
	if (!(*list)[body]) {
		ret = joule_frame_create(f->engine, node->body[body], &(*list)[body]);
		if (!ret)
			(*list)[body]->parent = f;
	}
	*out = (*list)[body];
	return ret;
}

/* Captured tensors are where the enclosing frame has them. */
static int take_captures(struct joule_frame *f)
{
	for (int i = 0; i < f->graph->n_tensors; i++) {
		struct joule_tensor *t = f->graph->tensors[i];

		if (!t->outer)
			continue;
		t->dtype = t->outer->dtype;
		t->shape = t->outer->shape;
		t->data = NULL;
		t->owned = false;
		if (joule_tensor_is_const(t->outer)) {
			/* A constant from outside is one inside. */
			t->data = t->outer->data;
			t->flags |= JOULE_TENSOR_CONST;
			continue;
		}
		f->slots[i] = f->parent->slots[t->outer->index];
	}
	return 0;
}

static int run_body(void *user, struct joule_node *node, int body)
{
	struct joule_frame *parent = user, *f;
	struct joule_graph *g = node->body[body];
	int ret = body_of(parent, node, body, &f);

	if (!ret)
		ret = take_captures(f);
	for (int i = 0; !ret && i < g->n_inputs; i++) {
		struct joule_tensor *t = g->inputs[i];
		size_t bytes = (size_t)joule_tensor_bytes(t);

		ret = reserve_tensor(f, t);
		if (ret)
			break;
		memcpy(f->slots[t->index].host, t->data, bytes);
		t->data = NULL;
		ret = joule_slot_flush(&f->slots[t->index], bytes);
	}
	if (!ret)
		ret = joule_frame_run(f);
	for (int i = 0; !ret && i < g->n_outputs; i++) {
		struct joule_tensor *t = g->outputs[i];
		const struct joule_slot *slot = &f->slots[t->index];

		if (joule_tensor_is_const(t))
			continue;
		if (!slot->host)
			return joule_node_err(node, -EINVAL, "the host cannot read %s", t->name);
		ret = joule_slot_invalidate(slot, (size_t)joule_tensor_bytes(t));
		t->data = slot->host;
		t->owned = false;
	}
	return ret;
}

static int check(void *user)
{
	const struct joule_frame *f = user;

	return f->engine->check ? f->engine->check(f->engine->check_user) : 0;
}

static int trace_special(struct joule_frame *f, const struct joule_node *node, uint64_t start)
{
	struct joule_trace *trace = f->engine->trace;
	int row;

	if (f->row_serial != trace->serial) {
		memset(f->row, 0xff, (size_t)f->graph->n_nodes * sizeof(*f->row));
		f->row_serial = trace->serial;
	}
	row = f->row[node->index];
	if (row < 0) {
		row = joule_trace_reserve(trace, 1);
		if (row < 0)
			return joule_err_nomem(f->engine->log, "profile");
		f->row[node->index] = row;
		trace->rows[row].node = node;
		trace->rows[row].reason = "its result's shape depends on values";
	}
	joule_trace_add(trace, row, start, joule_now_ns() - start, 0);
	return 0;
}

static int run_special(struct joule_frame *f, struct joule_node *node)
{
	struct joule_control control = { .run_body = run_body, .check = check, .user = f };
	uint64_t start = f->engine->trace ? joule_now_ns() : 0;
	bool flow = node->op->traits & JOULE_OP_CONTROL;
	int ret = lend_inputs(f, node);

	if (!ret && flow) {
		ret = joule_control_run(&control, node);
	} else if (!ret) {
		ret = joule_node_infer(node);
		if (ret > 0)
			ret = joule_node_err(node, -EINVAL, "shapes cannot be inferred");
		if (!ret)
			ret = joule_node_ref(node);
	}
	for (int i = 0; i < node->n_in; i++)
		if (node->in[i] && !joule_tensor_is_const(node->in[i]) &&
		    !f->wanted[node->in[i]->index])
			node->in[i]->data = NULL;
	if (!ret)
		ret = publish_outputs(f, node);
	/* What control flow runs is in the trace by itself. */
	if (!ret && f->engine->trace && !flow)
		ret = trace_special(f, node, start);
	return ret;
}

static bool captures_ready(const struct joule_frame *f, const struct joule_node *node)
{
	for (int i = 0; i < node->n_body; i++)
		for (int j = 0; j < node->body[i]->n_tensors; j++) {
			const struct joule_tensor *o = node->body[i]->tensors[j]->outer;

			if (o && o->index < (uint32_t)f->graph->n_tensors &&
			    f->graph->tensors[o->index] == o && !at_hand(f, o))
				return false;
		}
	return true;
}

static int run_specials(struct joule_frame *f, bool *progress)
{
	for (int i = 0; i < f->graph->n_nodes; i++) {
		struct joule_node *node = f->graph->nodes[i];
		bool ready = !f->done[i] && special(f, node);
		int ret;

		for (int j = 0; ready && j < node->n_in; j++)
			ready = at_hand(f, node->in[j]);
		if (!ready || !captures_ready(f, node))
			continue;
		ret = check(f);
		if (!ret)
			ret = run_special(f, node);
		if (ret)
			return ret;
		f->done[i] = true;
		*progress = true;
	}
	return 0;
}

static int stuck(const struct joule_frame *f)
{
	for (int i = 0; i < f->graph->n_nodes; i++)
		if (!f->done[i])
			return joule_node_err(f->graph->nodes[i], -EINVAL,
					      "its result's shape cannot be found out");
	return 0;
}

static bool finished(const struct joule_frame *f)
{
	for (int i = 0; i < f->graph->n_nodes; i++)
		if (!f->done[i])
			return false;
	return true;
}

/* dry: plan and record the first stage, run nothing. */
static int run_dynamic(struct joule_frame *f, bool dry)
{
	int part = 0, ret = 0;

	forget(f);
	for (bool progress = true; progress && !ret;) {
		struct joule_stage *stage;
		int n = 0;

		progress = false;
		ret = show_wanted(f, &progress);
		if (!ret)
			ret = pick(f, &n);
		if (!ret && n) {
			ret = find_stage(f, part++, n, &stage);
			f->complete = !ret && n == f->graph->n_nodes;
			if (!ret && !dry)
				ret = joule_stage_run(stage, f->slots);
			for (int i = 0; i < n; i++)
				f->done[f->picked[i]->index] = true;
			progress = true;
		}
		if (dry)
			return ret;
		if (!ret)
			ret = run_specials(f, &progress);
	}
	return ret || finished(f) ? ret : stuck(f);
}

/* Whether inputs and captures have the shapes of the last run; notes the new ones. */
static bool same_entry(struct joule_frame *f)
{
	bool same = true;

	for (int i = 0; i < f->graph->n_tensors; i++) {
		const struct joule_tensor *t = f->graph->tensors[i];

		if (!t->outer && !(t->flags & JOULE_TENSOR_INPUT))
			continue;
		same &= joule_shape_equal(&t->shape, &f->entry[i]);
		f->entry[i] = t->shape;
	}
	return same;
}

int joule_frame_prepare(struct joule_frame *frame)
{
	same_entry(frame);
	return run_dynamic(frame, true);
}

int joule_frame_refresh(struct joule_frame *frame)
{
	return frame->n_parts || !frame->graph->n_nodes ? 0 : joule_frame_prepare(frame);
}

int joule_frame_prepare_timed(struct joule_frame *frame)
{
	int ret = frame->complete ? 0 : joule_frame_prepare(frame);

	if (ret || !frame->complete || !frame->n_parts)
		return ret;
	return joule_stage_record_timed(frame->parts[0]->stage, frame->slots);
}

int joule_frame_run(struct joule_frame *frame)
{
	struct joule_frame *f = frame;

	if (!same_entry(f))
		f->complete = false;
	if (f->complete && f->n_parts)
		return joule_stage_run(f->parts[0]->stage, f->slots);
	return run_dynamic(f, false);
}

void joule_frame_for_each_stage(const struct joule_frame *frame,
				void (*fn)(void *arg, const struct joule_stage *stage), void *arg)
{
	for (int i = 0; i < frame->n_parts; i++)
		if (frame->parts[i])
			fn(arg, frame->parts[i]->stage);
	for (int i = 0; i < frame->graph->n_nodes; i++)
		for (int j = 0; frame->bodies[i] && j < frame->graph->nodes[i]->n_body; j++)
			if (frame->bodies[i][j])
				joule_frame_for_each_stage(frame->bodies[i][j], fn, arg);
}
