// SPDX-License-Identifier: MIT
#include "labelled.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/joule/npy.h"

bool labelled_parse(const char *line, struct labelled_test *t)
{
	return line[0] != '#' &&
	       sscanf(line, "%127s %127s %127s %31s %d %15s %d", t->model, t->data, t->labels,
		      t->prep, &t->top1, t->top5, &t->off) == 7;
}

/* "4\tfile" lines behind a heading, or an array of u8. */
static int load_labels(const char *path, struct labelled_set *s)
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

int labelled_load(const char *dir, const struct labelled_test *t, struct labelled_set *s)
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

void labelled_prepare(const struct labelled_test *t, const struct labelled_set *s, int sample,
		      float *out, int64_t count)
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

int labelled_input(struct joule_model *model, const struct labelled_set *s, struct joule_view *in)
{
	int64_t count = joule_shape_count(&s->data.shape) / s->n;
	struct joule_value_info info;

	joule_model_input(model, 0, &info);
	*in = (struct joule_view){ .dtype = JOULE_F32, .shape = info.shape };
	if (in->shape.rank > 0 && in->shape.dims[0] < 0)
		in->shape.dims[0] = 1;
	if (joule_shape_count(&in->shape) != count)
		return -EINVAL;
	in->bytes = (size_t)count * sizeof(float);
	in->data = malloc(in->bytes);
	return in->data ? 0 : -ENOMEM;
}

void labelled_free(struct labelled_set *s)
{
	free(s->data.data);
	free(s->label);
}
