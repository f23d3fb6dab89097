// SPDX-License-Identifier: MIT
#include "show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "utf8.h"

/* ---- classes: scores, one for each class, the highest on top ---- */

static bool classes_fit(const struct joule_model *model)
{
	struct joule_value_info info;
	int64_t n = 1;

	if (joule_model_outputs(model) != 1 || joule_model_output(model, 0, &info) ||
	    info.shape.rank < 1)
		return false;
	for (int i = 0; i < info.shape.rank - 1; i++)
		n *= info.shape.dims[i] < 0 ? 1 : info.shape.dims[i];
	return n == 1 && info.shape.dims[info.shape.rank - 1] > 1;
}

static int classes_show(const struct show_params *params, const struct show_frame *frame,
			json_t *json)
{
	json_t *list = json ? json_array() : NULL;
	struct joule_view v;
	int64_t n;
	bool *taken;

	if (joule_session_output(frame->session, 0, &v))
		return TOOL_BAD_INPUT;
	n = joule_shape_count(&v.shape);
	taken = calloc((size_t)n + 1, sizeof(*taken));
	if (!taken)
		return TOOL_NO_MEMORY;
	for (int k = 0; k < params->top && k < n; k++) {
		const char *label;
		int64_t best = -1;

		for (int64_t i = 0; i < n; i++)
			if (!taken[i] && (best < 0 || view_get(&v, i) > view_get(&v, best)))
				best = i;
		taken[best] = true;
		label = labels_get(frame->labels, (int)best);
		if (json)
			json_array_append_new(
				list, json_pack("{s:I, s:o, s:o}", "class", (json_int_t)best,
						"score", json_finite(view_get(&v, best)), "label",
						utf8_json(label)));
		else
			printf("%8.4f  %5lld  %s\n", view_get(&v, best), (long long)best,
			       label ? label : "");
	}
	if (json)
		json_object_set_new(json, "classes", list);
	free(taken);
	return 0;
}

/* ---- reading: places of a number, one digit each, the last class = no wheel ---- */

static bool reading_fit(const struct joule_model *model)
{
	return joule_model_metadata(model, "joule.places") != NULL;
}

/*
 * joule.places lists the power of ten of each place, "5,4,3,2,1,0,-1,-2,-3".
 * A reading is as sure as its least sure digit.
 */
static int reading_show(const struct show_params *params, const struct show_frame *frame,
			json_t *json)
{
	const char *places = joule_model_metadata(frame->model, "joule.places");
	struct joule_view v;
	char text[64], sure[256] = "";
	double least = 1;
	int rows, classes, at = 0;
	bool point = false;

	if (!places || joule_session_output(frame->session, 0, &v) || v.shape.rank < 2)
		return TOOL_BAD_INPUT;
	classes = (int)v.shape.dims[v.shape.rank - 1];
	rows = (int)(joule_shape_count(&v.shape) / classes);
	for (int r = 0; r < rows && at < (int)sizeof(text) - 2; r++) {
		long power = strtol(places, (char **)&places, 10);
		int best = 0;

		places += *places == ',';
		for (int c = 1; c < classes; c++)
			if (view_get(&v, (int64_t)r * classes + c) >
			    view_get(&v, (int64_t)r * classes + best))
				best = c;
		if (best == classes - 1)
			continue;
		if (power < 0 && !point) {
			text[at++] = '.';
			point = true;
		}
		text[at++] = (char)('0' + best);
		least = fmin(least, view_get(&v, (int64_t)r * classes + best));
		snprintf(sure + strlen(sure), sizeof(sure) - strlen(sure), " %.0f",
			 100 * view_get(&v, (int64_t)r * classes + best));
	}
	text[at] = 0;
	if (json)
		return json_object_set_new(json, "reading", json_string(text)) ||
				       json_object_set_new(json, "confidence", json_finite(least)) ?
			       TOOL_NO_MEMORY :
			       0;
	printf("reading    %s\n", at ? text : "(no digits found)");
	printf("confidence %.1f %%  (of each digit:%s)\n", 100 * least, sure);
	return 0;
}

/* ---- tensors: what is left to say about any output ---- */

static bool tensors_fit(const struct joule_model *model)
{
	return true;
}

static int tensors_show(const struct show_params *params, const struct show_frame *frame,
			json_t *json)
{
	json_t *list = json ? json_array() : NULL;

	for (int k = 0; k < joule_model_outputs(frame->model); k++) {
		double lo = INFINITY, hi = -INFINITY, sum = 0;
		struct joule_value_info info;
		struct joule_view v;
		char shape[128];
		int64_t n;

		if (joule_session_output(frame->session, k, &v) ||
		    joule_model_output(frame->model, k, &info))
			return TOOL_BAD_INPUT;
		n = joule_shape_count(&v.shape);
		for (int64_t i = 0; i < n; i++) {
			lo = fmin(lo, view_get(&v, i));
			hi = fmax(hi, view_get(&v, i));
			sum += view_get(&v, i);
		}
		joule_shape_str(&v.shape, shape, sizeof(shape));
		if (json)
			json_array_append_new(
				list, json_pack("{s:o, s:s, s:s, s:o, s:o, s:o}", "name",
						utf8_json(info.name), "dtype",
						joule_dtype_name(v.dtype), "shape", shape, "min",
						json_finite(n ? lo : 0), "max",
						json_finite(n ? hi : 0), "mean",
						json_finite(n ? sum / (double)n : 0)));
		else if (n)
			printf("%s %s %s  min %g  max %g  mean %g\n", info.name,
			       joule_dtype_name(v.dtype), shape, lo, hi, sum / (double)n);
		else
			printf("%s %s %s\n", info.name, joule_dtype_name(v.dtype), shape);
	}
	return json ? json_object_set_new(json, "outputs", list) : 0;
}

static const struct show_kind kind_classes = { "classes", "the best classes with their labels",
					       classes_fit, classes_show };
static const struct show_kind kind_reading = { "reading", "the number on a meter", reading_fit,
					       reading_show };
static const struct show_kind kind_tensors = { "tensors", "type, shape and range of each output",
					       tensors_fit, tensors_show };

const struct show_kind *const show_kinds[] = {
	&kind_reading, &kind_classes, &show_yolox, &show_ssd, &show_mask, &kind_tensors, NULL,
};

const struct show_kind *show_find(const char *name, const struct joule_model *model)
{
	for (int i = 0; show_kinds[i]; i++)
		if (name ? !strcmp(name, show_kinds[i]->name) : show_kinds[i]->fits(model))
			return show_kinds[i];
	tool_error("there is no way '%s' to show outputs", name);
	return NULL;
}
