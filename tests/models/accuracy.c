// SPDX-License-Identifier: MIT
/*
 * accuracy TABLE DATA DEVICE [MODEL]: models on labelled data, counted in
 * samples against TABLE. A model must get exactly as many right, but for what
 * TABLE allows it to be off by.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <joule/joule.h>

#include "tools/joule/npy.h"

struct test {
	char model[128], data[128], labels[128], prep[32], top5[16];
	int top1, off;
};

struct set {
	struct joule_view data;
	int n, *label;
};

static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	fprintf(stderr, "%s\n", msg);
}

/* ---- data ---- */

/* "4\tfile" lines behind a heading, or an array of u8. */
static int load_labels(const char *path, struct set *s)
{
	struct joule_view view;
	char line[256];
	int n = 0;
	FILE *f;

	s->label = calloc((size_t)s->n, sizeof(*s->label));
	if (!s->label)
		return -ENOMEM;
	if (!strstr(path, ".tsv")) {
		if (npy_load(path, &view))
			return -EINVAL;
		for (n = 0; n < s->n && n < joule_shape_count(&view.shape); n++)
			s->label[n] = ((const uint8_t *)view.data)[n];
		free(view.data);
		return n == s->n ? 0 : -EINVAL;
	}
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return -EINVAL;
	while (n < s->n && fgets(line, sizeof(line), f))
		s->label[n++] = atoi(line);
	fclose(f);
	return n == s->n ? 0 : -EINVAL;
}

static int load_set(const char *dir, const struct test *t, struct set *s)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/data/%s", dir, t->data);
	if (npy_load(path, &s->data))
		return -EINVAL;
	s->n = (int)s->data.shape.dims[0];
	snprintf(path, sizeof(path), "%s/data/%s", dir, t->labels);
	return load_labels(path, s);
}

static double element(const struct joule_view *v, int64_t i)
{
	switch (v->dtype) {
	case JOULE_U8:
		return ((const uint8_t *)v->data)[i];
	case JOULE_I8:
		return ((const int8_t *)v->data)[i];
	case JOULE_I16:
		return ((const int16_t *)v->data)[i];
	default:
		return 0;
	}
}

/* Pictures are HWC and become CHW; the rest keeps its order. */
static void prepare(const struct test *t, const struct set *s, int sample, float *out, int64_t count)
{
	static const double mean[3] = { .485, .456, .406 }, std[3] = { .229, .224, .225 };
	static const double bgr[3] = { 104, 117, 123 };
	const int64_t *d = s->data.shape.dims;
	int channels = s->data.shape.rank == 4 ? (int)d[3] : 1;
	int64_t pixels = count / channels, base = (int64_t)sample * count;

	for (int64_t p = 0; p < pixels; p++)
		for (int c = 0; c < channels; c++) {
			bool swap = !strcmp(t->prep, "bgr104");
			double v = element(&s->data, base + p * channels + (swap ? 2 - c : c));

			if (swap)
				v -= bgr[c];
			else if (!strcmp(t->prep, "tf1001"))
				v = v / 128 - 1;
			else if (!strcmp(t->prep, "torch"))
				v = (v / 255 - mean[c]) / std[c];
			else if (!strcmp(t->prep, "mfcc"))
				v = (v - 83) * 0.5847029;
			else if (!strcmp(t->prep, "sound"))
				v /= 32768;
			out[(int64_t)c * pixels + p] = (float)v;
		}
}

/* ---- running ---- */

/* How many outputs are larger than the right class's: 0 = top-1. */
static int rank_of(const struct joule_view *out, int label)
{
	int64_t n = joule_shape_count(&out->shape);
	const float *v = out->data;
	int above = 0;

	for (int64_t i = 0; i < n; i++)
		above += v[i] > v[label] || (v[i] == v[label] && i < label);
	return above;
}

static int count_right(const struct test *t, const struct set *s, struct joule_model *model,
		       struct joule_device *device, int *top1, int *top5)
{
	struct joule_session *session = NULL;
	struct joule_value_info info;
	struct joule_view in = { .dtype = JOULE_F32 }, out;
	int64_t count = joule_shape_count(&s->data.shape) / s->n;
	int ret = joule_session_create(model, device, NULL, &session);

	joule_model_input(model, 0, &info);
	in.shape = info.shape;
	if (in.shape.rank > 0 && in.shape.dims[0] < 0)
		in.shape.dims[0] = 1;
	in.bytes = (size_t)count * sizeof(float);
	in.data = malloc(in.bytes);
	if (!in.data || joule_shape_count(&in.shape) != count)
		ret = ret ? ret : -EINVAL;
	for (int i = 0; !ret && i < s->n; i++) {
		int label = s->label[i] + !strcmp(t->prep, "tf1001"), rank;

		prepare(t, s, i, in.data, count);
		ret = joule_session_set_input(session, 0, &in);
		if (!ret)
			ret = joule_session_run(session, 0);
		if (!ret)
			ret = joule_session_output(session, 0, &out);
		if (ret)
			break;
		rank = rank_of(&out, label);
		*top1 += rank < 1;
		*top5 += rank < 5;
	}
	free(in.data);
	joule_session_destroy(session);
	return ret;
}

static bool agrees(const struct test *t, int got, int want)
{
	return abs(got - want) <= t->off;
}

static int run_test(struct joule_context *context, struct joule_device *device, const char *dir,
		    const struct test *t)
{
	struct joule_model *model = NULL;
	struct set s = { 0 };
	int top1 = 0, top5 = 0, ret;
	bool right = false;
	char path[4096];

	snprintf(path, sizeof(path), "%s/models/%s/model.onnx", dir, t->model);
	ret = joule_model_load(context, path, &model);
	if (!ret)
		ret = load_set(dir, t, &s);
	if (!ret)
		ret = count_right(t, &s, model, device, &top1, &top5);
	if (!ret)
		right = agrees(t, top1, t->top1) &&
			(t->top5[0] == '-' || agrees(t, top5, atoi(t->top5)));
	printf("%s %-30s top-1 %d of %d (recorded %d)", right ? "PASS" : "FAIL", t->model, top1, s.n,
	       t->top1);
	if (t->top5[0] != '-')
		printf(", top-5 %d (recorded %s)", top5, t->top5);
	printf("%s\n", ret ? " -- error" : "");
	free(s.data.data);
	free(s.label);
	joule_model_destroy(model);
	return right ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct joule_context_params params = { .log = { .fn = on_log, .level = JOULE_LOG_ERROR } };
	struct joule_context *context = NULL;
	struct joule_device *device = NULL;
	char line[512];
	int failed = 0;
	FILE *f;

	if (argc < 4)
		return 2;
	f = fopen(argv[1], "re");
	if (!f || joule_context_create(&params, &context) ||
	    joule_device_open(context, argv[3], &device))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), f)) {
		struct test t;

		if (line[0] == '#' ||
		    sscanf(line, "%127s %127s %127s %31s %d %15s %d", t.model, t.data, t.labels,
			   t.prep, &t.top1, t.top5, &t.off) != 7 ||
		    (argc > 4 && strcmp(argv[4], t.model)))
			continue;
		failed += run_test(context, device, argv[2], &t);
	}
	fclose(f);
	joule_device_close(device);
	joule_context_destroy(context);
	return failed != 0;
}
