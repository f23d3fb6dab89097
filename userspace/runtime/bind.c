// SPDX-License-Identifier: MIT
/* Inputs and outputs in the caller's memory. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "runtime/session.h"

static int idle(const struct joule_session *s)
{
	if (!atomic_load(&s->busy))
		return 0;
	return joule_err(s->log, -EBUSY, "%s: a run is under way", s->model->graph->file);
}

static int import_view(struct joule_session *s, const char *name, const struct joule_view *view,
		       struct joule_hal_memory **out)
{
	int64_t bytes = joule_array_bytes(view->dtype, &view->shape);
	int ret;

	if (bytes < 0 || view->bytes < (size_t)bytes || !view->data)
		return joule_err(s->log, -EINVAL, "%s: %s needs %lld bytes, bound were %zu",
				 s->model->graph->file, name, (long long)bytes, view->bytes);
	ret = s->engine.hal->ops->memory_import_host(s->engine.hal, view->data, view->bytes, out);
	if (!ret)
		s->engine.bytes += (*out)->bytes;
	return ret;
}

static void input_unbind(struct joule_session *s, struct joule_input *in)
{
	joule_engine_free(&s->engine, in->bound);
	in->bound = NULL;
	if (in->bound_data)
		in->set = false;
	in->bound_data = NULL;
}

int joule_session_bind_input(struct joule_session *session, int i, const struct joule_view *view)
{
	struct joule_hal_memory *memory = NULL;
	struct joule_input *in;
	int ret = idle(session);

	if (!ret)
		ret = joule_session_check_input(session, i, view);
	if (ret)
		return ret;
	in = &session->inputs[i];
	if (!view) {
		in->set &= !in->bound && !in->bound_data;
		input_unbind(session, in);
		return 0;
	}
	if (session->engine.hal) {
		ret = import_view(session, in->name, view, &memory);
		if (ret)
			return ret;
	}
	input_unbind(session, in);
	in->bound = memory;
	in->bound_data = session->engine.hal ? NULL : view->data;
	in->shape = view->shape;
	in->dtype = view->dtype;
	in->set = true;
	return 0;
}

int joule_session_bind_input_dmabuf(struct joule_session *session, int i, int fd,
				    const struct joule_view *layout)
{
	struct joule_hal_memory *memory;
	struct joule_input *in;
	int64_t bytes;
	int ret = idle(session);

	if (!ret)
		ret = joule_session_check_input(session, i, layout);
	if (ret)
		return ret;
	in = &session->inputs[i];
	if (!session->engine.hal)
		return joule_err(session->log, -ENOTSUP, "%s: the CPU reference takes no dma-buf",
				 session->model->graph->file);
	bytes = joule_array_bytes(layout->dtype, &layout->shape);
	if (bytes < 0 || layout->bytes < (size_t)bytes)
		return joule_err(session->log, -EINVAL, "%s: %s needs %lld bytes, bound were %zu",
				 session->model->graph->file, in->name, (long long)bytes,
				 layout->bytes);
	ret = session->engine.hal->ops->memory_import_dmabuf(session->engine.hal, fd,
							     layout->bytes, &memory);
	if (ret)
		return ret;
	session->engine.bytes += memory->bytes;
	input_unbind(session, in);
	in->bound = memory;
	in->shape = layout->shape;
	in->dtype = layout->dtype;
	in->set = true;
	return 0;
}

int joule_session_bind_output(struct joule_session *session, int i, const struct joule_view *view)
{
	struct joule_hal_memory *memory = NULL;
	struct joule_output *out;
	int ret = idle(session);

	if (ret)
		return ret;
	if (i < 0 || i >= session->n_outputs)
		return joule_err(session->log, -ERANGE, "%s: has no output %d",
				 session->model->graph->file, i);
	out = &session->outputs[i];
	if (view && session->engine.hal) {
		ret = import_view(session, session->model->outputs[i].name, view, &memory);
		if (ret)
			return ret;
	}
	session->ran = false;
	joule_engine_free(&session->engine, out->bound);
	out->bound = memory;
	out->bound_view = view ? *view : (struct joule_view){ 0 };
	return 0;
}
