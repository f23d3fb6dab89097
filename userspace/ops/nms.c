// SPDX-License-Identifier: MIT
/* NonMaxSuppression: boxes by falling score, without those that overlap a better one. */
#include <errno.h>
#include <stdlib.h>

#include "ops/move.h"

struct nms {
	int64_t center_point_box;
};

static int nms_infer(struct joule_node *node)
{
	const struct joule_shape *boxes = &node->in[0]->shape, *scores = &node->in[1]->shape;
	char b[2][128];

	joule_set_out(node, 0, JOULE_I64, &(struct joule_shape){ .rank = -1 });
	if (boxes->rank != 3 || scores->rank != 3 || boxes->dims[2] != 4 ||
	    boxes->dims[0] != scores->dims[0] || boxes->dims[1] != scores->dims[2])
		return joule_node_err(node, -EINVAL, "boxes %s do not go with scores %s",
				      joule_shape_str(boxes, b[0], sizeof(b[0])),
				      joule_shape_str(scores, b[1], sizeof(b[1])));
	if (!joule_dtype_is_float(node->in[0]->dtype) || !joule_dtype_is_float(node->in[1]->dtype))
		return joule_err_dtype(node, node->in[0]);
	for (int i = 2; i < 5; i++)
		if (joule_node_in(node, i) && joule_tensor_count(node->in[i]) > 1)
			return joule_node_err(node, -EINVAL, "%s is no scalar", node->in[i]->name);
	return 0;
}

struct box {
	float x0, y0, x1, y1;
};

static struct box box_of(const struct joule_tensor *boxes, int64_t i, bool center)
{
	float v[4];

	for (int k = 0; k < 4; k++)
		v[k] = (float)joule_get_f64(boxes->dtype, boxes->data, i * 4 + k);
	if (center)
		return (struct box){ v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2,
				     v[1] + v[3] / 2 };
	/* Two opposite corners as y, x, in any order. */
	return (struct box){ JOULE_MIN(v[1], v[3]), JOULE_MIN(v[0], v[2]), JOULE_MAX(v[1], v[3]),
			     JOULE_MAX(v[0], v[2]) };
}

static bool overlap(const struct box *a, const struct box *b, float threshold)
{
	float w = JOULE_MIN(a->x1, b->x1) - JOULE_MAX(a->x0, b->x0);
	float h = JOULE_MIN(a->y1, b->y1) - JOULE_MAX(a->y0, b->y0);
	float area_a = (a->x1 - a->x0) * (a->y1 - a->y0);
	float area_b = (b->x1 - b->x0) * (b->y1 - b->y0);
	float both = w * h, all = area_a + area_b - both;

	if (!(w > 0 && h > 0 && both > 0 && area_a > 0 && area_b > 0 && all > 0))
		return false;
	return both / all > threshold;
}

struct candidate {
	float score;
	int64_t box;
};

static int by_score(const void *p, const void *q)
{
	const struct candidate *a = p, *b = q;

	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return (a->box > b->box) - (a->box < b->box);
}

struct work {
	struct candidate *list; /* room for all boxes of a class */
	struct box *kept;
	int64_t *found;         /* triples */
	int64_t n, cap;
};

static int keep(struct work *w, int64_t batch, int64_t class, int64_t box)
{
	if (w->n == w->cap) {
		int64_t cap = w->cap ? w->cap * 2 : 64;
		int64_t *fresh = realloc(w->found, (size_t)cap * 3 * sizeof(*fresh));

		if (!fresh)
			return -ENOMEM;
		w->found = fresh;
		w->cap = cap;
	}
	w->found[w->n * 3] = batch;
	w->found[w->n * 3 + 1] = class;
	w->found[w->n * 3 + 2] = box;
	w->n++;
	return 0;
}

/* The numbers that come as inputs, with what they are when left out. */
struct limits {
	int64_t most;
	float iou, score;
	bool by_score;
};

static struct limits limits_of(const struct joule_node *node)
{
	struct limits l = { 0 };
	const struct joule_tensor *t[3];

	for (int i = 0; i < 3; i++) {
		t[i] = joule_node_in(node, 2 + i);
		if (t[i] && !joule_tensor_count(t[i]))
			t[i] = NULL;
	}
	if (t[0])
		l.most = joule_get_i64(t[0]->dtype, t[0]->data, 0);
	if (t[1])
		l.iou = (float)joule_get_f64(t[1]->dtype, t[1]->data, 0);
	if (t[2])
		l.score = (float)joule_get_f64(t[2]->dtype, t[2]->data, 0);
	l.by_score = t[2];
	return l;
}

static int one_class(struct joule_node *node, const struct limits *l, struct work *w,
		     int64_t batch, int64_t class)
{
	const struct nms *a = node->attrs;
	const struct joule_tensor *boxes = node->in[0], *scores = node->in[1];
	int64_t n = boxes->shape.dims[1], classes = scores->shape.dims[1], found = 0;
	size_t listed = 0;

	for (int64_t i = 0; i < n; i++) {
		float s = (float)joule_get_f64(scores->dtype, scores->data,
					       (batch * classes + class) * n + i);

		if (!l->by_score || s > l->score)
			w->list[listed++] = (struct candidate){ .score = s, .box = i };
	}
	qsort(w->list, listed, sizeof(*w->list), by_score);
	for (size_t i = 0; i < listed && found < l->most; i++) {
		struct box box = box_of(boxes, batch * n + w->list[i].box, a->center_point_box);
		bool good = true;

		for (int64_t k = 0; k < found && good; k++)
			good = !overlap(&box, &w->kept[k], l->iou);
		if (!good)
			continue;
		w->kept[found++] = box;
		if (keep(w, batch, class, w->list[i].box))
			return -ENOMEM;
	}
	return 0;
}

static int nms_ref(struct joule_node *node)
{
	const struct joule_shape *scores = &node->in[1]->shape;
	struct joule_tensor *y = node->out[0];
	size_t n = (size_t)scores->dims[2] + 1;
	struct limits l = limits_of(node);
	struct work w = { .list = calloc(n, sizeof(*w.list)), .kept = calloc(n, sizeof(*w.kept)) };
	int ret = w.list && w.kept ? 0 : -ENOMEM;

	for (int64_t b = 0; !ret && b < scores->dims[0]; b++)
		for (int64_t c = 0; !ret && c < scores->dims[1]; c++)
			ret = one_class(node, &l, &w, b, c);
	y->shape = (struct joule_shape){ .rank = 2, .dims = { w.n, 3 } };
	if (!ret)
		ret = joule_tensor_alloc(y);
	if (!ret && w.n)
		memcpy(y->data, w.found, (size_t)w.n * 3 * sizeof(*w.found));
	free(w.list);
	free(w.kept);
	free(w.found);
	return ret ? joule_node_err(node, ret, "no memory") : 0;
}

static const struct joule_attr attrs[] = {
	JOULE_A_INT(struct nms, center_point_box, 0),
	{ 0 },
};

JOULE_OPS(nms) = {
	{ .name = "NonMaxSuppression", .since = 10, .min_in = 2, .max_in = 5, .min_out = 1,
	  .max_out = 1, .traits = JOULE_OP_LATE_SHAPE | JOULE_OP_HOST,
	  .attrs_bytes = sizeof(struct nms), .attrs = attrs, .infer = nms_infer, .ref = nms_ref },
	JOULE_OPS_END,
};
