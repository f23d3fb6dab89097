// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ir/dump.h"
#include "onnx/import.h"
#include "runtime/objects.h"

static int model_create(struct joule_context *context, struct joule_model **out)
{
	struct joule_model *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return joule_err_nomem(&context->log, "model");
	atomic_init(&m->refs, 1);
	m->context = joule_context_ref(context);
	*out = m;
	return 0;
}

/*
 * Shapes of the outputs, as far as the file's own input shapes tell: inferred
 * on a copy, so that the model stays what the file says.
 */
static int model_finish(struct joule_model *m)
{
	struct joule_graph *g;
	int n = m->graph->n_outputs, ret;

	m->outputs = calloc((size_t)n + 1, sizeof(*m->outputs));
	if (!m->outputs)
		return joule_err_nomem(&m->context->log, "model");
	ret = joule_graph_clone(m->graph, &g);
	if (ret)
		return ret;
	ret = joule_graph_infer(g, 0);
	for (int i = 0; !ret && i < n; i++)
		m->outputs[i] = (struct joule_value_info){
			.name = m->graph->outputs[i]->name,
			.dtype = g->outputs[i]->dtype,
			.shape = g->outputs[i]->shape,
		};
	joule_graph_destroy(g);
	return ret;
}

int joule_model_from_graph(struct joule_context *context, struct joule_graph *graph,
			   struct joule_model **out)
{
	int ret = model_create(context, out);

	if (ret)
		return ret;
	(*out)->graph = graph;
	ret = model_finish(*out);
	if (ret) {
		(*out)->graph = NULL;
		joule_model_destroy(*out);
		*out = NULL;
	}
	return ret;
}

int joule_model_load(struct joule_context *context, const char *path, struct joule_model **out)
{
	int ret = model_create(context, out);

	if (ret)
		return ret;
	ret = joule_onnx_load(&context->log, path, &(*out)->graph);
	if (!ret)
		ret = model_finish(*out);
	if (ret) {
		joule_model_destroy(*out);
		*out = NULL;
	}
	return ret;
}

int joule_model_load_memory(struct joule_context *context, const char *name, const void *data,
			    size_t bytes, struct joule_model **out)
{
	int ret = model_create(context, out);

	if (ret)
		return ret;
	ret = joule_onnx_load_memory(&context->log, name, NULL, data, bytes, &(*out)->graph);
	if (!ret)
		ret = model_finish(*out);
	if (ret) {
		joule_model_destroy(*out);
		*out = NULL;
	}
	return ret;
}

struct joule_model *joule_model_ref(struct joule_model *model)
{
	atomic_fetch_add(&model->refs, 1);
	return model;
}

void joule_model_destroy(struct joule_model *model)
{
	if (!model || atomic_fetch_sub(&model->refs, 1) > 1)
		return;
	joule_graph_destroy(model->graph);
	free(model->outputs);
	joule_context_destroy(model->context);
	free(model);
}

int joule_model_inputs(const struct joule_model *model)
{
	return model->graph->n_inputs;
}

int joule_model_outputs(const struct joule_model *model)
{
	return model->graph->n_outputs;
}

int joule_model_input(const struct joule_model *model, int i, struct joule_value_info *out)
{
	const struct joule_tensor *t;

	if (i < 0 || i >= model->graph->n_inputs)
		return -ERANGE;
	t = model->graph->inputs[i];
	*out = (struct joule_value_info){ .name = t->name, .dtype = t->dtype, .shape = t->shape };
	return 0;
}

int joule_model_output(const struct joule_model *model, int i, struct joule_value_info *out)
{
	if (i < 0 || i >= model->graph->n_outputs)
		return -ERANGE;
	*out = model->outputs[i];
	return 0;
}

const char *joule_model_metadata(const struct joule_model *model, const char *key)
{
	const struct joule_graph *g = model->graph;

	for (int i = 0; i + 1 < g->n_metadata; i += 2)
		if (!strcmp(g->metadata[i], key))
			return g->metadata[i + 1];
	return NULL;
}

void joule_model_dump(const struct joule_model *model, FILE *to)
{
	joule_graph_dump(model->graph, to);
}
