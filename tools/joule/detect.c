// SPDX-License-Identifier: MIT
/* Detections: decoding of two common head layouts, non-maximum suppression, boxes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "draw.h"
#include "show.h"
#include "utf8.h"

struct box {
	double x0, y0, x1, y1; /* in pixels of the model's input */
	double score;
	int class;
};

struct boxes {
	int n, cap;
	struct box *list;
};

static int add_box(struct boxes *b, const struct box *box)
{
	if (b->n == b->cap) {
		int cap = b->cap ? b->cap * 2 : 64;
		struct box *list = realloc(b->list, (size_t)cap * sizeof(*list));

		if (!list)
			return TOOL_NO_MEMORY;
		b->list = list;
		b->cap = cap;
	}
	b->list[b->n++] = *box;
	return 0;
}

static int best_first(const void *a, const void *b)
{
	const struct box *x = a, *y = b;

	return (x->score < y->score) - (x->score > y->score);
}

static double overlap(const struct box *a, const struct box *b)
{
	double w = fmin(a->x1, b->x1) - fmax(a->x0, b->x0);
	double h = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
	double both = w > 0 && h > 0 ? w * h : 0;
	double all = (a->x1 - a->x0) * (a->y1 - a->y0) + (b->x1 - b->x0) * (b->y1 - b->y0) - both;

	return all > 0 ? both / all : 0;
}

/* Greedy: the best box stays, those of its class that overlap it too much go. */
static void suppress(struct boxes *b, double limit)
{
	int kept = 0;

	qsort(b->list, (size_t)b->n, sizeof(*b->list), best_first);
	for (int i = 0; i < b->n; i++) {
		bool keep = true;

		for (int k = 0; k < kept && keep; k++)
			keep = b->list[k].class != b->list[i].class ||
			       overlap(&b->list[k], &b->list[i]) <= limit;
		if (keep)
			b->list[kept++] = b->list[i];
	}
	b->n = kept;
}

/*
 * YOLOX: [1, N, 5 + classes]; N cells of grids at strides 8, 16 and 32, each
 * cx, cy (in cells, from the cell), log w, log h, objectness, class scores.
 */
static int decode_yolox(const struct show_params *p, const struct show_frame *f, struct boxes *out)
{
	struct joule_view v;
	int64_t row = 0, columns;
	int ret = 0;

	if (joule_session_output(f->session, 0, &v) || v.shape.rank != 3 || v.shape.dims[2] < 6)
		return TOOL_BAD_INPUT;
	columns = v.shape.dims[2];
	for (int stride = 8; stride <= 32; stride *= 2)
		for (int y = 0; y < f->map.height / stride; y++)
			for (int x = 0; x < f->map.width / stride && !ret; x++, row++) {
				int64_t at = row * columns;
				struct box b = { 0 };
				double w, h;

				if (row >= v.shape.dims[1])
					return TOOL_BAD_INPUT;
				for (int64_t c = 5; c < columns; c++)
					if (view_get(&v, at + c) > b.score) {
						b.score = view_get(&v, at + c);
						b.class = (int)c - 5;
					}
				b.score *= view_get(&v, at + 4);
				if (!(b.score >= p->threshold))
					continue;
				w = exp(view_get(&v, at + 2)) * stride;
				h = exp(view_get(&v, at + 3)) * stride;
				b.x0 = (x + view_get(&v, at)) * stride - w / 2;
				b.y0 = (y + view_get(&v, at + 1)) * stride - h / 2;
				b.x1 = b.x0 + w;
				b.y1 = b.y0 + h;
				ret = add_box(out, &b);
			}
	return ret;
}

/*
 * SSD with decoded boxes: one output [1, N, classes], class 0 the background,
 * and one [1, N, 4], corners as shares of width and height.
 */
static int decode_ssd(const struct show_params *p, const struct show_frame *f, struct boxes *out)
{
	struct joule_view scores, corners;
	int ret = 0;

	if (joule_session_output(f->session, 0, &scores) ||
	    joule_session_output(f->session, 1, &corners) || scores.shape.rank != 3 ||
	    corners.shape.rank != 3 || corners.shape.dims[2] != 4 ||
	    corners.shape.dims[1] != scores.shape.dims[1])
		return TOOL_BAD_INPUT;
	for (int64_t i = 0; i < scores.shape.dims[1]; i++)
		for (int64_t c = 1; c < scores.shape.dims[2] && !ret; c++) {
			struct box b = { .score = view_get(&scores, i * scores.shape.dims[2] + c),
					 .class = (int)c - 1 };

			if (!(b.score >= p->threshold))
				continue;
			b.x0 = view_get(&corners, i * 4) * f->map.width;
			b.y0 = view_get(&corners, i * 4 + 1) * f->map.height;
			b.x1 = view_get(&corners, i * 4 + 2) * f->map.width;
			b.y1 = view_get(&corners, i * 4 + 3) * f->map.height;
			ret = add_box(out, &b);
		}
	return ret;
}

/* Back to pixels of the picture, cut at its edges. */
static void to_picture(const struct show_frame *f, struct box *b)
{
	b->x0 = fmax(0, f->map.x + b->x0 * f->map.scale_x);
	b->y0 = fmax(0, f->map.y + b->y0 * f->map.scale_y);
	b->x1 = fmin(f->image->width, f->map.x + b->x1 * f->map.scale_x);
	b->y1 = fmin(f->image->height, f->map.y + b->y1 * f->map.scale_y);
}

static int report(const struct show_params *p, const struct show_frame *f, const struct boxes *b,
		  json_t *json)
{
	json_t *list = json ? json_array() : NULL;

	for (int i = 0; i < b->n; i++) {
		const struct box *d = &b->list[i];
		const char *label = labels_get(f->labels, d->class);

		if (json)
			json_array_append_new(
				list, json_pack("{s:i, s:o, s:o, s:[o,o,o,o]}", "class", d->class,
						"label", utf8_json(label), "score",
						json_finite(d->score), "box", json_finite(d->x0),
						json_finite(d->y0), json_finite(d->x1),
						json_finite(d->y1)));
		else
			printf("%6.3f  %5d  %-16s  x %.0f..%.0f  y %.0f..%.0f\n", d->score,
			       d->class, label ? label : "", d->x0, d->x1, d->y0, d->y1);
	}
	if (json)
		return json_object_set_new(json, "detections", list) ? TOOL_NO_MEMORY : 0;
	if (!b->n)
		printf("nothing above %.2f\n", p->threshold);
	return 0;
}

static int draw(const struct show_params *p, const struct show_frame *f, const struct boxes *b)
{
	struct draw_box *list = calloc((size_t)b->n + 1, sizeof(*list));
	int ret;

	if (!list)
		return TOOL_NO_MEMORY;
	for (int i = 0; i < b->n; i++) {
		const struct box *d = &b->list[i];
		const char *label = labels_get(f->labels, d->class);

		list[i] = (struct draw_box){ .x = d->x0, .y = d->y0, .width = d->x1 - d->x0,
					     .height = d->y1 - d->y0, .class = d->class };
		if (label)
			snprintf(list[i].label, sizeof(list[i].label), "%s %.2f", label, d->score);
		else
			snprintf(list[i].label, sizeof(list[i].label), "%d  %.2f", d->class,
				 d->score);
	}
	ret = draw_boxes(p->draw_path, f->image, list, b->n);
	free(list);
	return ret;
}

static int detect(const struct show_params *p, const struct show_frame *f, json_t *json,
		  int (*decode)(const struct show_params *, const struct show_frame *,
				struct boxes *))
{
	struct boxes b = { 0 };
	int ret;

	if (!f->image) {
		tool_error("%s: detections need a picture as input", f->name);
		return TOOL_USAGE;
	}
	ret = decode(p, f, &b);
	if (ret == TOOL_BAD_INPUT)
		tool_error("%s: the outputs are not of this kind of detector", f->name);
	if (!ret) {
		suppress(&b, p->overlap);
		for (int i = 0; i < b.n; i++)
			to_picture(f, &b.list[i]);
		ret = report(p, f, &b, json);
	}
	if (!ret && p->draw_path)
		ret = draw(p, f, &b);
	free(b.list);
	return ret;
}

static bool yolox_fits(const struct joule_model *model)
{
	struct joule_value_info in, out;

	/* As many rows as the three grids have cells. */
	if (joule_model_outputs(model) != 1 || joule_model_output(model, 0, &out) ||
	    joule_model_input(model, 0, &in) || in.shape.rank != 4 || out.shape.rank != 3)
		return false;
	int64_t h = in.shape.dims[2], w = in.shape.dims[3];

	return out.shape.dims[2] > 5 && h > 0 && w > 0 &&
	       out.shape.dims[1] ==
		       (h / 8) * (w / 8) + (h / 16) * (w / 16) + (h / 32) * (w / 32);
}

static bool ssd_fits(const struct joule_model *model)
{
	struct joule_value_info scores, corners;

	return joule_model_outputs(model) == 2 && !joule_model_output(model, 0, &scores) &&
	       !joule_model_output(model, 1, &corners) && scores.shape.rank == 3 &&
	       corners.shape.rank == 3 && corners.shape.dims[2] == 4 &&
	       scores.shape.dims[1] == corners.shape.dims[1];
}

static int yolox_show(const struct show_params *p, const struct show_frame *f, json_t *json)
{
	return detect(p, f, json, decode_yolox);
}

static int ssd_show(const struct show_params *p, const struct show_frame *f, json_t *json)
{
	return detect(p, f, json, decode_ssd);
}

const struct show_kind show_yolox = { "yolox", "boxes of a YOLOX head", yolox_fits, yolox_show };
const struct show_kind show_ssd = { "ssd", "scores and decoded corner boxes", ssd_fits, ssd_show };
