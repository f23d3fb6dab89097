/* SPDX-License-Identifier: MIT */
/* What a model's outputs mean to a person. */
#ifndef TOOLS_JOULE_SHOW_H
#define TOOLS_JOULE_SHOW_H

#include <jansson.h>

#include "image.h"
#include "prep.h"
#include "tool.h"

struct show_params {
	const char *kind;      /* NULL: by the outputs' shapes; else a name of show_find() */
	const char *labels_path;
	int top;               /* classes shown */
	double threshold;      /* least score of a detection */
	double overlap;        /* boxes of a class overlapping more are one (IoU) */
	const char *draw_path; /* picture with boxes or mask drawn, or NULL */
};

/* One frame's outputs and where they came from. */
struct show_frame {
	const char *name;          /* file, or "frame 17" */
	const struct joule_model *model;
	struct joule_session *session;
	const struct image *image; /* NULL when the input was no picture */
	struct prep_map map;
	struct labels *labels;     /* may be NULL */
};

/* A way to show outputs: text to a person, or the same as JSON members. */
struct show_kind {
	const char *name;
	const char *summary;
	/* Could these outputs be of this kind? Asked in order when none is named. */
	bool (*fits)(const struct joule_model *model);
	/* json is NULL for text on stdout. Exit code. */
	int (*show)(const struct show_params *params, const struct show_frame *frame,
		    json_t *json);
};

extern const struct show_kind show_yolox, show_ssd, show_mask; /* detect.c, mask.c */

/* NULL-terminated. */
extern const struct show_kind *const show_kinds[];

/* The named kind, or the first that fits; NULL (printed) for an unknown name. */
const struct show_kind *show_find(const char *name, const struct joule_model *model);

/* ---- labels ---- */

struct labels {
	int n;
	char **text;
	char *storage;
};

/* A line a label, or NULL labels for a NULL path. Exit code. */
int labels_load(const char *path, struct labels **out);

/* The same from "a,b,c". */
int labels_parse(const char *list, struct labels **out);
void labels_destroy(struct labels *labels);

/* The label, or NULL. */
const char *labels_get(const struct labels *labels, int i);

#endif
