/* SPDX-License-Identifier: MIT */
/* Labelled data and how models want it: tests/models/accuracy.tsv. */
#ifndef TESTS_MODELS_LABELLED_H
#define TESTS_MODELS_LABELLED_H

#include <joule/joule.h>

/* A line of the table. */
struct labelled_test {
	char model[128], data[128], labels[128], prep[32], top5[16];
	int top1, off;
};

struct labelled_set {
	struct joule_view data;
	int n, *label;
};

/* false for comments. */
bool labelled_parse(const char *line, struct labelled_test *t);

/* From DIR/data. Free with labelled_free(). -EINVAL, -ENOMEM. */
int labelled_load(const char *dir, const struct labelled_test *t, struct labelled_set *s);
void labelled_free(struct labelled_set *s);

/* One sample as the model's input: pictures are HWC and become CHW. */
void labelled_prepare(const struct labelled_test *t, const struct labelled_set *s, int sample,
		      float *out, int64_t count);

/* Shape and an empty buffer for one sample of the model's first input. */
int labelled_input(struct joule_model *model, const struct labelled_set *s,
		   struct joule_view *in);

#endif
