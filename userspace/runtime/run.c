// SPDX-License-Identifier: MIT
/* One run: checks, the interpreter or the device, recurrent state. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "runtime/interp.h"
#include "runtime/session.h"
#include "runtime/trace.h"

int joule_session_check(void *user)
{
	struct joule_session *s = user;

	if (atomic_load(&s->cancelled))
		return -ECANCELED;
	if (s->deadline_ns && joule_now_ns() > s->deadline_ns)
		return -ETIME;
	return 0;
}

static int execute_cpu(struct joule_session *s)
{
	struct joule_interp interp = {
		.keep_all = s->keep_all,
		.check = joule_session_check,
		.done = s->trace_node,
		.user = s,
	};

	for (int i = 0; i < s->n_inputs; i++) {
		struct joule_tensor *t = s->graph->inputs[i];

		t->dtype = s->inputs[i].dtype;
		t->shape = s->inputs[i].shape;
		t->data = joule_input_data(&s->inputs[i]);
		t->owned = false;
	}
	return joule_interp_run(&interp, s->graph);
}

/* Outputs that are the next run's inputs. */
static int carry_state(struct joule_session *s)
{
	for (int i = 0; i < s->n_inputs; i++) {
		struct joule_input *in = &s->inputs[i];
		struct joule_view view;
		char a[128], b[128];
		int ret;

		if (in->state_of < 0)
			continue;
		ret = joule_session_view(s, joule_session_graph(s)->outputs[in->state_of], &view);
		if (ret)
			return ret;
		if (!joule_shape_equal(&view.shape, &in->shape) || view.dtype != in->dtype)
			return joule_err(s->log, -EINVAL,
					 "%s: state %s is %s, output %d became %s",
					 s->model->graph->file, in->name,
					 joule_shape_str(&in->shape, a, sizeof(a)), in->state_of,
					 joule_shape_str(&view.shape, b, sizeof(b)));
		memmove(joule_input_data(in), view.data, view.bytes);
		if (s->engine.hal) {
			struct joule_slot slot = joule_input_slot(in);

			ret = joule_slot_flush(&slot, view.bytes);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Bound outputs that are elsewhere: on the CPU, or when they are inputs or constants. */
static int deliver(struct joule_session *s)
{
	for (int i = 0; i < s->n_outputs; i++) {
		const struct joule_view *to = &s->outputs[i].bound_view;
		struct joule_view from;
		char a[128], b[128];
		int ret;

		if (!to->data)
			continue;
		ret = joule_session_view(s, joule_session_graph(s)->outputs[i], &from);
		if (ret)
			return ret;
		if (from.dtype != to->dtype || !joule_shape_equal(&from.shape, &to->shape))
			return joule_err(s->log, -EINVAL,
					 "%s: output %s is %s %s, bound memory %s %s",
					 s->model->graph->file, s->model->outputs[i].name,
					 joule_dtype_name(from.dtype),
					 joule_shape_str(&from.shape, a, sizeof(a)),
					 joule_dtype_name(to->dtype),
					 joule_shape_str(&to->shape, b, sizeof(b)));
		if (from.data != to->data && !(s->outputs[i].bound &&
					       s->outputs[i].bound->host == from.data))
			memcpy(to->data, from.data, from.bytes);
	}
	return 0;
}

int joule_session_execute(struct joule_session *session)
{
	struct joule_session *s = session;
	int ret;

	s->ran = false;
	for (int i = 0; i < s->n_inputs; i++)
		if (!s->inputs[i].set)
			return joule_err(s->log, -EINVAL, "%s: input %s was not set",
					 s->model->graph->file, s->inputs[i].name);
	s->run_start_ns = joule_now_ns();
	if (s->engine.trace)
		s->engine.trace->start_ns = s->run_start_ns;
	ret = s->engine.hal ? joule_session_execute_device(s) : execute_cpu(s);
	if (ret == -ETIME)
		joule_logf(s->log, JOULE_LOG_ERROR, "%s: the run took longer than allowed",
			   s->model->graph->file);
	if (ret)
		return ret;
	ret = deliver(s);
	if (ret)
		return ret;
	s->ran = true;
	return carry_state(s);
}

int joule_session_run(struct joule_session *session, uint64_t timeout_ns)
{
	bool idle = false;
	int ret;

	if (!atomic_compare_exchange_strong(&session->busy, &idle, true))
		return joule_err(session->log, -EBUSY, "%s: a run is under way",
				 session->model->graph->file);
	atomic_store(&session->cancelled, false);
	session->deadline_ns = timeout_ns ? joule_now_ns() + timeout_ns : 0;
	ret = joule_session_execute(session);
	atomic_store(&session->busy, false);
	return ret;
}

