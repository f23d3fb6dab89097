// SPDX-License-Identifier: MIT
/*
 * fp16 TABLE DATA DEVICE SAMPLES: every float model in fp16 beside itself in
 * fp32, calibrated on its first input. Classifiers of TABLE must choose the same
 * class for 99 % of that many samples (0: all there are); of fewer than 100, one
 * may differ. The others run their recorded inputs: an output's root mean square
 * error must stay below 1.5 % of its own variation; classes must agree in 99 %.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <joule/tensor_file.h>

#include "labelled.h"

#define MAX_ERROR 0.015
#define NAMES	  4 /* nodes that stay fp32, named in the output */

struct kept {
	int n;
	char names[512];
};

struct pair {
	struct joule_model *model;
	struct joule_session *whole, *half;
	bool calibrated;
};

static struct kept kept;

/* "FILE: node NAME (Op) errs by 0.01 in fp16: stays fp32" */
static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	const char *name = strstr(msg, ": node "), *end = name ? strstr(name, " (") : NULL;

	if (level <= JOULE_LOG_WARN)
		fprintf(stderr, "%s\n", msg);
	else if (end && strstr(msg, "stays fp32") &&
		 (strstr(msg, "errs by") || strstr(msg, "overflows")) && kept.n++ < NAMES)
		snprintf(kept.names + strlen(kept.names), sizeof(kept.names) - strlen(kept.names),
			 "%s%.*s", kept.n > 1 ? ", " : "", (int)fmin((double)(end - name - 7), 40),
			 name + 7);
}

static int pair_open(struct joule_context *context, struct joule_device *device, const char *dir,
		     const char *name, struct pair *p)
{
	struct joule_session_params params = { .precision = JOULE_PRECISION_FP16 };
	char path[4096];
	int ret;

	*p = (struct pair){ 0 };
	kept = (struct kept){ 0 };
	snprintf(path, sizeof(path), "%s/models/%s/model.onnx", dir, name);
	ret = joule_model_load(context, path, &p->model);
	if (!ret)
		ret = joule_session_create(p->model, device, NULL, &p->whole);
	if (!ret)
		ret = joule_session_create(p->model, device, &params, &p->half);
	return ret;
}

static void pair_close(struct pair *p)
{
	joule_session_destroy(p->whole);
	joule_session_destroy(p->half);
	joule_model_destroy(p->model);
}

/* Runs both; the first time nodes that fp16 does not suit are found. */
static int pair_run(struct pair *p)
{
	int ret = 0;

	if (!p->calibrated)
		ret = joule_session_calibrate(p->half, 0);
	p->calibrated = true;
	if (ret >= 0)
		ret = joule_session_run(p->whole, 0);
	return ret ? ret : joule_session_run(p->half, 0);
}

/* ---- classifiers ---- */

static int best(const struct joule_view *v)
{
	const float *x = v->data;
	int at = 0;

	for (int i = 1; i < joule_shape_count(&v->shape); i++)
		if (x[i] > x[at])
			at = i;
	return at;
}

static int run_samples(const struct labelled_test *t, const struct labelled_set *s, int n,
		       struct pair *p, int *same, int right[2])
{
	struct joule_view in, a, b;
	int ret = labelled_input(p->model, s, &in);

	for (int i = 0; !ret && i < n; i++) {
		int k = (int)((long long)i * s->n / n);
		int label = s->label[k] + !strcmp(t->prep, "tf1001");

		labelled_prepare(t, s, k, in.data, joule_shape_count(&in.shape));
		ret = joule_session_set_input(p->whole, 0, &in);
		if (!ret)
			ret = joule_session_set_input(p->half, 0, &in);
		if (!ret)
			ret = pair_run(p);
		if (!ret)
			ret = joule_session_output(p->whole, 0, &a);
		if (!ret)
			ret = joule_session_output(p->half, 0, &b);
		if (ret)
			break;
		*same += best(&a) == best(&b);
		right[0] += best(&a) == label;
		right[1] += best(&b) == label;
	}
	free(in.data);
	return ret;
}

static bool classifier(struct joule_context *context, struct joule_device *device, const char *dir,
		       const struct labelled_test *t, int samples)
{
	struct labelled_set s = { 0 };
	int same = 0, right[2] = { 0, 0 }, n = 0, ret;
	struct pair p;
	bool ok;

	ret = pair_open(context, device, dir, t->model, &p);
	if (!ret)
		ret = labelled_load(dir, t, &s);
	if (!ret) {
		n = samples > 0 && samples < s.n ? samples : s.n;
		ret = run_samples(t, &s, n, &p, &same, right);
	}
	ok = !ret && n - same <= (n < 100 ? 1 : n / 100);
	printf("%s | %s | same top-1 %d of %d | right %d, fp32 %d | %d stay fp32%s%s%s |\n",
	       ok ? "PASS" : "FAIL", t->model, same, n, right[1], right[0], kept.n,
	       kept.n ? ": " : "", kept.names, kept.n > NAMES ? ", ..." : "");
	labelled_free(&s);
	pair_close(&p);
	return ok;
}

/* ---- other models ---- */

static double value(const struct joule_view *v, int64_t i)
{
	return v->dtype == JOULE_F32 ? (double)((const float *)v->data)[i] :
				       (double)((const int64_t *)v->data)[i];
}

/* Root mean square error over the standard deviation; for classes the share that differ. */
static double error_of(const struct joule_view *got, const struct joule_view *want, bool *classes)
{
	int64_t n = joule_shape_count(&want->shape), differ = 0;
	double sum = 0, squares = 0, errors = 0, variance;

	*classes = want->dtype == JOULE_I64;
	for (int64_t i = 0; i < n; i++) {
		double a = value(got, i), b = value(want, i);

		sum += b;
		squares += b * b;
		errors += (a - b) * (a - b);
		differ += a != b;
	}
	if (*classes)
		return n ? (double)differ / (double)n : 0;
	variance = squares - sum * sum / (double)n;
	if (variance <= 1e-6 * squares)
		variance = squares;
	return errors == 0 ? 0 : sqrt(errors / variance);
}

static int set_inputs(struct joule_context *context, struct pair *p, const char *folder)
{
	int ret = 0;

	for (int i = 0; !ret && i < joule_model_inputs(p->model); i++) {
		struct joule_view v;
		char path[4200];

		snprintf(path, sizeof(path), "%s/input_%d.pb", folder, i);
		ret = joule_tensor_file_read(context, path, &v);
		if (ret)
			break;
		ret = joule_session_set_input(p->whole, i, &v);
		if (!ret)
			ret = joule_session_set_input(p->half, i, &v);
		joule_view_free(&v);
	}
	return ret;
}

static bool recorded(struct joule_context *context, struct joule_device *device, const char *dir,
		     const char *name)
{
	double worst = 0;
	bool classes = false, ok;
	struct pair p;
	int sets = 0, ret = pair_open(context, device, dir, name, &p);

	for (; !ret; sets++) {
		char folder[4096];
		DIR *d;

		snprintf(folder, sizeof(folder), "%s/models/%s/test_data_set_%d", dir, name, sets);
		d = opendir(folder);
		if (!d)
			break;
		closedir(d);
		ret = set_inputs(context, &p, folder);
		if (!ret)
			ret = pair_run(&p);
		for (int i = 0; !ret && i < joule_model_outputs(p.model); i++) {
			struct joule_view a, b;

			ret = joule_session_output(p.half, i, &a);
			if (!ret)
				ret = joule_session_output(p.whole, i, &b);
			if (!ret && (b.dtype == JOULE_F32 || b.dtype == JOULE_I64))
				worst = fmax(worst, error_of(&a, &b, &classes));
		}
	}
	ok = !ret && sets && worst <= (classes ? 0.01 : MAX_ERROR);
	if (classes)
		printf("%s | %s | same class %.2f %% | %d inputs", ok ? "PASS" : "FAIL", name,
		       100 * (1 - worst), sets);
	else
		printf("%s | %s | error %.2f %% | %d inputs", ok ? "PASS" : "FAIL", name,
		       100 * worst, sets);
	printf(" | %d stay fp32%s%s%s |\n", kept.n, kept.n ? ": " : "", kept.names,
	       kept.n > NAMES ? ", ..." : "");
	pair_close(&p);
	return ok;
}

static bool is_quantized(const char *name)
{
	return strstr(name, "qdq") || strstr(name, "int8");
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool others(struct joule_context *context, struct joule_device *device, const char *dir,
		   const char *seen)
{
	struct dirent **list = NULL;
	char path[4096];
	bool ok = true;
	int n;

	snprintf(path, sizeof(path), "%s/models", dir);
	n = scandir(path, &list, NULL, compare_names);
	for (int i = 0; i < n; i++) {
		char key[300];

		snprintf(key, sizeof(key), " %s ", list[i]->d_name);
		if (list[i]->d_name[0] != '.' && !is_quantized(key) && !strstr(seen, key))
			ok &= recorded(context, device, dir, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return ok && n > 0;
}

int main(int argc, char **argv)
{
	struct joule_context_params params = { .log = { .fn = on_log, .level = JOULE_LOG_INFO } };
	struct joule_context *context = NULL;
	struct joule_device *device = NULL;
	struct joule_device_info info;
	char line[512], seen[4096] = " ";
	bool ok = true;
	FILE *f;

	if (argc < 5)
		return 2;
	f = fopen(argv[1], "re");
	if (!f || joule_context_create(&params, &context) ||
	    joule_device_open(context, argv[3], &device))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	joule_device_get_info(device, &info);
	while (info.f16_storage && fgets(line, sizeof(line), f)) {
		struct labelled_test t;

		if (!labelled_parse(line, &t) || is_quantized(t.model))
			continue;
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s ", t.model);
		ok &= classifier(context, device, argv[2], &t, atoi(argv[4]));
	}
	if (info.f16_storage)
		ok &= others(context, device, argv[2], seen);
	else
		printf("SKIP fp16: skipped: the device has no 16-bit storage\n");
	fclose(f);
	joule_device_close(device);
	joule_context_destroy(context);
	return !ok;
}
