// SPDX-License-Identifier: MIT
/*
 * Running what cannot be planned ahead as a whole: infer as far as values
 * known now allow, run that as a stage, run on the host what has to be, again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/op.h"
#include "runtime/control.h"
#include "runtime/frame_internal.h"
#include "runtime/interp.h"
#include "runtime/trace.h"

#define VALUE_BYTES 4096 /* larger tensors are data, not shapes */

/* Not to be planned: run by the host between stages. */
static bool special(const struct joule_frame *f, const struct joule_node *node)
{
	return (node->op->traits & (JOULE_OP_CONTROL | JOULE_OP_LATE_SHAPE)) ||
	       f->late[node->index];
}

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
			ready = joule_frame_has(f, node->in[j]);
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
int joule_frame_reserve(struct joule_frame *f, const struct joule_tensor *t)
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
		ret = joule_frame_reserve(f, t);
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
	struct joule_control control = { .run_body = joule_frame_run_body, .check = check, .user = f };
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
			    f->graph->tensors[o->index] == o && !joule_frame_has(f, o))
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
			ready = joule_frame_has(f, node->in[j]);
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

/* Light work whose shapes are new in every run: planning it costs more than doing it. */
static void leave_to_host(struct joule_frame *f, int n)
{
	for (int i = 0; i < n; i++) {
		f->late[f->picked[i]->index] = true;
		for (int j = 0; j < f->picked[i]->n_out; j++)
			if (f->picked[i]->out[j])
				f->available[f->picked[i]->out[j]->index] = false;
	}
}

int joule_frame_run_stages(struct joule_frame *f, bool dry)
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
			ret = joule_frame_find_stage(f, part, n, &stage);
			progress = true;
		}
		if (!ret && n && !stage) {
			leave_to_host(f, n);
		} else if (!ret && n) {
			part++;
			f->complete = n == f->graph->n_nodes;
			if (!dry)
				ret = joule_stage_run(stage, f->slots);
			for (int i = 0; i < n; i++)
				f->done[f->picked[i]->index] = true;
		}
		if (dry)
			return ret;
		if (!ret)
			ret = run_specials(f, &progress);
	}
	return ret || finished(f) ? ret : stuck(f);
}
