// SPDX-License-Identifier: MIT
/*
 * Sessions on devices: an instance is the graph for one set of input shapes,
 * after passes, with its plans and recordings.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "runtime/instance.h"
#include "runtime/session.h"

#define INSTANCES_KEPT 8

/* Work between two split marks where a watchdog may bite, for a slow GPU. */
#define DEFAULT_SUBMIT_NS 500000000u
#define SLOW_MACS_PER_NS  5

static void instance_destroy(struct joule_instance *instance)
{
	if (!instance)
		return;
	joule_frame_destroy(instance->frame);
	joule_graph_destroy(instance->graph);
	free(instance->shapes);
	free(instance);
}

void joule_session_drop_instances(struct joule_session *session)
{
	while (session->instances) {
		struct joule_instance *i = session->instances;

		session->instances = i->next;
		instance_destroy(i);
	}
	session->n_instances = 0;
}

static int instance_graph(struct joule_session *s, struct joule_instance *in)
{
	int ret = joule_graph_clone(s->model->graph, &in->graph);

	if (ret)
		return ret;
	for (int i = 0; i < s->n_inputs; i++) {
		in->graph->inputs[i]->shape = s->inputs[i].shape;
		in->graph->inputs[i]->dtype = s->inputs[i].dtype;
		in->shapes[i] = s->inputs[i].shape;
	}
	return joule_engine_rewrite(&s->engine, in->graph);
}

static int give_slots(struct joule_session *s, struct joule_instance *in)
{
	for (int i = 0; i < s->n_inputs; i++) {
		struct joule_slot slot;
		int64_t bytes = joule_array_bytes(s->inputs[i].dtype, &s->inputs[i].shape);
		int ret;

		if (!s->inputs[i].bound) {
			ret = joule_block_reserve(&s->engine, &s->inputs[i].block, (size_t)bytes);
			if (ret)
				return ret;
		}
		slot = joule_input_slot(&s->inputs[i]);
		joule_frame_set_slot(in->frame, in->graph->inputs[i], &slot);
	}
	for (int i = 0; i < s->n_outputs; i++) {
		const struct joule_output *o = &s->outputs[i];
		struct joule_tensor *t = in->graph->outputs[i];
		struct joule_slot slot = { 0 };

		/* Of another or an open shape: joule_session_execute() copies, or says so. */
		if (o->bound && t->dtype == o->bound_view.dtype &&
		    joule_shape_equal(&t->shape, &o->bound_view.shape))
			slot = joule_slot_at(o->bound, 0);
		if (t->producer)
			joule_frame_set_slot(in->frame, t, &slot);
	}
	return 0;
}

static int instance_create(struct joule_session *s, struct joule_instance **out)
{
	struct joule_instance *in = calloc(1, sizeof(*in));
	int ret;

	*out = NULL;
	if (!in)
		return joule_err_nomem(s->log, "instance");
	in->shapes = calloc((size_t)s->n_inputs + 1, sizeof(*in->shapes));
	ret = in->shapes ? instance_graph(s, in) : joule_err_nomem(s->log, "instance");
	if (!ret)
		ret = joule_frame_create(&s->engine, in->graph, &in->frame);
	if (!ret)
		ret = give_slots(s, in);
	if (!ret)
		ret = joule_frame_prepare(in->frame);
	if (!ret && s->profile)
		ret = joule_frame_prepare_timed(in->frame);
	if (ret) {
		instance_destroy(in);
		return ret;
	}
	*out = in;
	return 0;
}

static bool fits(const struct joule_session *s, const struct joule_instance *in)
{
	for (int i = 0; i < s->n_inputs; i++)
		if (!joule_shape_equal(&in->shapes[i], &s->inputs[i].shape))
			return false;
	return true;
}

static void set_split(struct joule_session *s)
{
	uint64_t ns = s->max_submit_ns;

	/* Software devices have no watchdog. */
	if (!ns && s->engine.hal->caps.kind != JOULE_DEVICE_VULKAN_CPU)
		ns = DEFAULT_SUBMIT_NS;
	s->engine.split_work = (int64_t)(JOULE_MIN(ns, UINT64_MAX / 16) * SLOW_MACS_PER_NS);
}

int joule_session_prepare(struct joule_session *session)
{
	struct joule_session *s = session;
	struct joule_instance **at, *in;
	int ret;

	for (at = &s->instances; *at; at = &(*at)->next)
		if (fits(s, *at)) {
			in = *at;
			*at = in->next;
			in->next = s->instances;
			s->instances = in;
			ret = give_slots(s, in);
			/* Another output was bound: the plan went with the old one. */
			return ret ? ret : joule_frame_refresh(in->frame);
		}
	if (s->n_instances == INSTANCES_KEPT) {
		for (at = &s->instances; (*at)->next; at = &(*at)->next)
			;
		instance_destroy(*at);
		*at = NULL;
		s->n_instances--;
	}
	set_split(s);
	ret = instance_create(s, &in);
	if (ret)
		return ret;
	in->next = s->instances;
	s->instances = in;
	s->n_instances++;
	return 0;
}

int joule_session_execute_device(struct joule_session *session)
{
	int ret;

	if (session->engine.hal->lost)
		return joule_err(session->log, -ENODEV, "%s: the device was lost",
				 session->model->graph->file);
	ret = joule_session_prepare(session);
	session->engine.deadline_ns = session->deadline_ns;
	return ret ? ret : joule_frame_run(session->instances->frame);
}

struct joule_graph *joule_session_graph(const struct joule_session *session)
{
	if (session->graph)
		return session->graph;
	return session->instances ? session->instances->graph : NULL;
}

int joule_session_view(struct joule_session *session, const struct joule_tensor *tensor,
		       struct joule_view *out)
{
	int64_t bytes = joule_tensor_bytes(tensor);
	void *data = tensor->data;
	int ret;

	memset(out, 0, sizeof(*out));
	if (session->engine.hal && !joule_tensor_is_const(tensor)) {
		struct joule_slot slot = joule_frame_slot(session->instances->frame, tensor);

		data = slot.host;
		if (data && bytes > 0) {
			ret = joule_slot_invalidate(&slot, (size_t)bytes);
			if (ret)
				return ret;
		}
	}
	if (bytes < 0 || (!data && bytes))
		return joule_err(session->log, -EINVAL, "%s: %s has no value now",
				 session->model->graph->file, tensor->name);
	*out = (struct joule_view){
		.dtype = tensor->dtype,
		.shape = tensor->shape,
		.data = data,
		.bytes = (size_t)bytes,
	};
	return 0;
}
