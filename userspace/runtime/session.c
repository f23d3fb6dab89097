// SPDX-License-Identifier: MIT
/* Making sessions; setting inputs, reading outputs. */
#include "runtime/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/op.h"
#include "passes/passes.h"
#include "runtime/instance.h"
#include "runtime/interp.h"

/* NULL for an empty list. */
static int copy_names(struct joule_session *s, const char *const *from, const char ***out)
{
	int n = 0;

	*out = NULL;
	while (from && from[n])
		n++;
	if (!n)
		return 0;
	*out = joule_arena_array(&s->arena, (size_t)n + 1, sizeof(**out));
	for (int i = 0; *out && i < n; i++) {
		(*out)[i] = joule_arena_strdup(&s->arena, from[i]);
		if (!(*out)[i])
			*out = NULL;
	}
	return *out ? 0 : joule_err_nomem(s->log, "session");
}

static int copy_params(struct joule_session *s, const struct joule_session_params *p)
{
	int ret;

	if (!p)
		return 0;
	/* Here, since the reference runs no passes, and a misspelt name means nothing anywhere. */
	ret = joule_passes_check_names(s->log, p->disabled_passes);
	if (ret)
		return ret;
	s->precision = p->precision;
	s->deterministic = p->deterministic;
	s->profile = p->profile;
	s->random_weights = p->random_weights;
	s->keep_all = p->keep_all;
	s->max_submit_ns = p->max_submit_ns;
	return copy_names(s, p->disabled_passes, &s->disabled_passes);
}

static bool known(const struct joule_shape *shape)
{
	return joule_shape_count(shape) >= 0;
}

/* A dimension that the file leaves open matches anything. */
static bool shape_fits(const struct joule_shape *declared, const struct joule_shape *shape)
{
	if (declared->rank < 0)
		return true;
	if (declared->rank != shape->rank)
		return false;
	for (int i = 0; i < shape->rank; i++)
		if (declared->dims[i] >= 0 && declared->dims[i] != shape->dims[i])
			return false;
	return true;
}

static int err_shape(const struct joule_session *s, const struct joule_input *in,
		     const struct joule_shape *shape)
{
	char a[128], b[128];

	return joule_err(s->log, -EINVAL, "%s: input %s has shape %s, given was %s",
			 s->model->graph->file, in->name,
			 joule_shape_str(&in->declared, a, sizeof(a)),
			 joule_shape_str(shape, b, sizeof(b)));
}

static int init_inputs(struct joule_session *s, const struct joule_session_params *p)
{
	const struct joule_graph *g = s->model->graph;

	s->inputs = joule_arena_array(&s->arena, (size_t)g->n_inputs + 1, sizeof(*s->inputs));
	s->outputs = joule_arena_array(&s->arena, (size_t)g->n_outputs + 1, sizeof(*s->outputs));
	if (!s->inputs || !s->outputs)
		return joule_err_nomem(s->log, "session");
	s->n_inputs = g->n_inputs;
	s->n_outputs = g->n_outputs;
	for (int i = 0; i < s->n_inputs; i++) {
		struct joule_input *in = &s->inputs[i];

		in->name = g->inputs[i]->name;
		in->dtype = g->inputs[i]->dtype;
		in->declared = in->shape = g->inputs[i]->shape;
		in->state_of = -1;
	}
	for (int k = 0; p && k < p->n_shapes; k++) {
		struct joule_input *in = NULL;

		for (int i = 0; i < s->n_inputs; i++)
			if (!strcmp(s->inputs[i].name, p->shapes[k].name))
				in = &s->inputs[i];
		if (!in)
			return joule_err(s->log, -EINVAL, "%s: has no input %s", g->file,
					 p->shapes[k].name);
		if (!known(&p->shapes[k].shape) || !shape_fits(&in->declared, &p->shapes[k].shape))
			return err_shape(s, in, &p->shapes[k].shape);
		in->shape = p->shapes[k].shape;
	}
	return 0;
}

static bool shapes_known(const struct joule_session *s)
{
	for (int i = 0; i < s->n_inputs; i++)
		if (!known(&s->inputs[i].shape))
			return false;
	return true;
}

static int init_device(struct joule_session *s, const char *const *keep_fp32)
{
	int ret;

	if (!s->device->hal)
		return joule_graph_clone(s->model->graph, &s->graph);
	joule_engine_init(&s->engine, s->device->hal);
	s->engine.deterministic = s->deterministic;
	s->engine.f16_arithmetic = s->precision == JOULE_PRECISION_FP16_MATH &&
				   s->device->hal->caps.arithmetic_f16;
	s->engine.keep_all = s->keep_all;
	s->engine.disabled_passes = s->disabled_passes;
	s->engine.random_weights = s->random_weights;
	s->engine.f16_storage = s->precision != JOULE_PRECISION_FP32;
	ret = copy_names(s, keep_fp32, &s->engine.keep_f32);
	if (ret)
		return ret;
	s->engine.check = joule_session_check;
	s->engine.check_user = s;
	return shapes_known(s) ? joule_session_prepare(s) : 0;
}

int joule_session_create(struct joule_model *model, struct joule_device *device,
			 const struct joule_session_params *params, struct joule_session **out)
{
	struct joule_session *s = calloc(1, sizeof(*s));
	uint64_t start = joule_now_ns();
	int ret;

	*out = NULL;
	if (!s)
		return joule_err_nomem(&model->context->log, "session");
	joule_arena_init(&s->arena);
	joule_arena_init(&s->step_arena);
	s->context = joule_context_ref(model->context);
	s->model = joule_model_ref(model);
	s->device = joule_device_ref(device);
	s->log = &s->context->log;
	ret = copy_params(s, params);
	if (!ret)
		ret = init_inputs(s, params);
	if (!ret)
		ret = init_device(s, params ? params->keep_fp32 : NULL);
	s->create_ns = joule_now_ns() - start;
	if (ret) {
		joule_session_destroy(s);
		return ret;
	}
	*out = s;
	return 0;
}

void joule_session_destroy(struct joule_session *session)
{
	struct joule_session *s = session;

	if (!s)
		return;
	joule_worker_destroy(s->worker);
	joule_graph_destroy(s->graph);
	if (s->engine.hal) {
		joule_session_drop_instances(s);
		for (int i = 0; i < s->n_inputs; i++) {
			joule_block_free(&s->engine, &s->inputs[i].block);
			joule_engine_free(&s->engine, s->inputs[i].bound);
		}
		for (int i = 0; i < s->n_outputs; i++)
			joule_engine_free(&s->engine, s->outputs[i].bound);
		joule_engine_finish(&s->engine);
	}
	for (int i = 0; i < s->n_inputs; i++)
		free(s->inputs[i].heap);
	joule_arena_finish(&s->arena);
	joule_arena_finish(&s->step_arena);
	joule_device_close(s->device);
	joule_model_destroy(s->model);
	joule_context_destroy(s->context);
	free(s);
}

/* ---- inputs ---- */

void *joule_input_data(const struct joule_input *input)
{
	if (input->bound_data)
		return input->bound_data;
	if (input->bound)
		return input->bound->host;
	return input->block.slot.memory ? input->block.slot.host : input->heap;
}

struct joule_slot joule_input_slot(const struct joule_input *input)
{
	return input->bound ? joule_slot_at(input->bound, 0) : input->block.slot;
}

static int check_index(const struct joule_session *s, int i, int n, const char *what)
{
	if (i >= 0 && i < n)
		return 0;
	return joule_err(s->log, -ERANGE, "%s: has no %s %d", s->model->graph->file, what, i);
}

static int check_view(const struct joule_session *s, const struct joule_input *in,
		      const struct joule_view *view)
{
	int64_t bytes = joule_array_bytes(view->dtype, &view->shape);

	if (in->dtype && view->dtype != in->dtype)
		return joule_err(s->log, -EINVAL, "%s: input %s is %s, given was %s",
				 s->model->graph->file, in->name, joule_dtype_name(in->dtype),
				 joule_dtype_name(view->dtype));
	if (bytes < 0 || !shape_fits(&in->declared, &view->shape))
		return err_shape(s, in, &view->shape);
	if ((uint64_t)bytes != view->bytes || (bytes && !view->data))
		return joule_err(s->log, -EINVAL, "%s: input %s takes %lld bytes, given were %zu",
				 s->model->graph->file, in->name, (long long)bytes, view->bytes);
	return 0;
}

int joule_session_check_input(struct joule_session *session, int i, const struct joule_view *view)
{
	struct joule_view exact;
	int ret = check_index(session, i, session->n_inputs, "input");

	if (ret || !view)
		return ret;
	exact = *view;
	if (joule_array_bytes(view->dtype, &view->shape) >= 0 &&
	    view->bytes >= (size_t)joule_array_bytes(view->dtype, &view->shape))
		exact.bytes = (size_t)joule_array_bytes(view->dtype, &view->shape);
	if (!exact.data) /* a dma-buf has no pointer */
		exact.data = &exact;
	return check_view(session, &session->inputs[i], &exact);
}

static int reserve_input(struct joule_session *s, struct joule_input *in, size_t bytes)
{
	void *heap;

	if (s->engine.hal)
		return joule_block_reserve(&s->engine, &in->block, bytes);
	if (in->heap && in->heap_bytes >= bytes)
		return 0;
	heap = malloc(bytes ? bytes : 1);
	if (!heap)
		return joule_err_nomem(s->log, "input");
	free(in->heap);
	in->heap = heap;
	in->heap_bytes = bytes;
	return 0;
}

int joule_session_set_input(struct joule_session *session, int i, const struct joule_view *view)
{
	struct joule_input *in;
	int ret = check_index(session, i, session->n_inputs, "input");

	if (ret)
		return ret;
	if (atomic_load(&session->busy))
		return joule_err(session->log, -EBUSY, "%s: a run is under way",
				 session->model->graph->file);
	in = &session->inputs[i];
	ret = check_view(session, in, view);
	if (!ret && !in->bound && !in->bound_data)
		ret = reserve_input(session, in, view->bytes);
	if (ret)
		return ret;
	if (in->bound && !in->bound->host)
		return joule_err(session->log, -EBUSY, "%s: input %s is bound to a dma-buf",
				 session->model->graph->file, in->name);
	if ((in->bound || in->bound_data) && !joule_shape_equal(&in->shape, &view->shape))
		return err_shape(session, in, &view->shape);
	if (view->bytes)
		memcpy(joule_input_data(in), view->data, view->bytes);
	in->shape = view->shape;
	in->dtype = view->dtype;
	in->set = true;
	if (session->engine.hal) {
		struct joule_slot slot = joule_input_slot(in);

		ret = joule_slot_flush(&slot, view->bytes);
	}
	return ret;
}

int joule_session_loop_state(struct joule_session *session, int output, int input)
{
	const struct joule_value_info *from;
	struct joule_input *to;
	char a[128], b[128];
	int ret = check_index(session, output, session->n_outputs, "output");

	if (!ret)
		ret = check_index(session, input, session->n_inputs, "input");
	if (ret)
		return ret;
	from = &session->model->outputs[output];
	to = &session->inputs[input];
	if ((from->dtype && from->dtype != to->dtype) ||
	    (known(&from->shape) && known(&to->shape) &&
	     !joule_shape_equal(&from->shape, &to->shape)) || !known(&to->shape))
		return joule_err(session->log, -EINVAL,
				 "%s: output %s %s %s cannot be the next run's input %s %s %s",
				 session->model->graph->file, from->name,
				 joule_dtype_name(from->dtype),
				 joule_shape_str(&from->shape, a, sizeof(a)), to->name,
				 joule_dtype_name(to->dtype),
				 joule_shape_str(&to->shape, b, sizeof(b)));
	to->state_of = output;
	if (!to->set) {
		int64_t bytes = joule_array_bytes(to->dtype, &to->shape);

		ret = reserve_input(session, to, (size_t)bytes);
		if (ret)
			return ret;
		memset(joule_input_data(to), 0, (size_t)bytes);
		to->set = true;
	}
	return 0;
}

/* ---- outputs ---- */


int joule_session_output(struct joule_session *session, int i, struct joule_view *out)
{
	const struct joule_graph *g;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = check_index(session, i, session->n_outputs, "output");
	if (ret)
		return ret;
	g = joule_session_graph(session);
	if (!session->ran || !g || atomic_load(&session->busy))
		return joule_err(session->log, -EINVAL, "%s: no run has finished",
				 session->model->graph->file);
	return joule_session_view(session, g->outputs[i], out);
}

int joule_session_tensor(struct joule_session *session, const char *name, struct joule_view *out)
{
	const struct joule_graph *g = joule_session_graph(session);

	memset(out, 0, sizeof(*out));
	if (!session->keep_all || !session->ran || !g)
		return joule_err(session->log, -EINVAL,
				 "%s: tensors are kept by sessions made with keep_all, after a run",
				 session->model->graph->file);
	for (int i = 0; i < g->n_tensors; i++)
		if (!strcmp(g->tensors[i]->name, name))
			return joule_session_view(session, g->tensors[i], out);
	return -ENOENT;
}

/* Where the node that makes a tensor ran, in the plan that was used last. */
struct find_step {
	const struct joule_node *node;
	bool device;
};

static void find_step(void *arg, const struct joule_stage *stage)
{
	struct find_step *f = arg;

	for (int i = 0; i < stage->plan->n_steps; i++)
		if (stage->plan->steps[i].node == f->node)
			f->device = stage->plan->steps[i].kind == JOULE_STEP_DEVICE;
}

int joule_session_tensors(struct joule_session *session, struct joule_tensor_info *list, int max)
{
	const struct joule_graph *g = joule_session_graph(session);
	int n = 0;

	if (!session->keep_all || !g)
		return joule_err(session->log, -EINVAL,
				 "%s: tensors are kept by sessions made with keep_all",
				 session->model->graph->file);
	for (int i = 0; i < g->n_nodes; i++) {
		const struct joule_node *node = g->nodes[i];
		struct find_step where = { .node = node };

		if (session->instances)
			joule_frame_for_each_stage(session->instances->frame, find_step, &where);
		for (int j = 0; j < node->n_out; j++) {
			if (!node->out[j])
				continue;
			if (n < max)
				list[n] = (struct joule_tensor_info){
					.name = node->out[j]->name,
					.node = node->name,
					.op = node->op->name,
					.device = where.device ? "vulkan" : "cpu",
				};
			n++;
		}
	}
	return n;
}
