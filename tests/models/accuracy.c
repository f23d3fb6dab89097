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

#include "labelled.h"

static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	fprintf(stderr, "%s\n", msg);
}

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

static int count_right(const struct labelled_test *t, const struct labelled_set *s, struct joule_model *model,
		       struct joule_device *device, int *top1, int *top5)
{
	struct joule_session *session = NULL;
	struct joule_view in = { 0 }, out;
	int ret = joule_session_create(model, device, NULL, &session);

	if (!ret)
		ret = labelled_input(model, s, &in);
	for (int i = 0; !ret && i < s->n; i++) {
		int label = s->label[i] + !strcmp(t->prep, "tf1001"), rank;

		labelled_prepare(t, s, i, in.data, joule_shape_count(&in.shape));
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

static bool agrees(const struct labelled_test *t, int got, int want)
{
	return abs(got - want) <= t->off;
}

static int run_test(struct joule_context *context, struct joule_device *device, const char *dir,
		    const struct labelled_test *t)
{
	struct joule_model *model = NULL;
	struct labelled_set s = { 0 };
	int top1 = 0, top5 = 0, ret;
	bool right = false;
	char path[4096];

	snprintf(path, sizeof(path), "%s/models/%s/model.onnx", dir, t->model);
	ret = joule_model_load(context, path, &model);
	if (!ret)
		ret = labelled_load(dir, t, &s);
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
	labelled_free(&s);
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
		struct labelled_test t;

		if (!labelled_parse(line, &t) ||
		    (argc > 4 && strcmp(argv[4], t.model)))
			continue;
		failed += run_test(context, device, argv[2], &t);
	}
	fclose(f);
	joule_device_close(device);
	joule_context_destroy(context);
	return failed != 0;
}
