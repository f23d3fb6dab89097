// SPDX-License-Identifier: MIT
/* Segmentation: classes of pixels, their shares, and a coloured picture. */
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "draw.h"
#include "show.h"
#include "utf8.h"

#define MAX_CLASSES 256

/* [1, H, W] or [1, 1, H, W] of class numbers, or [1, C, H, W] of scores. */
struct mask {
	int classes; /* 0: the values are class numbers */
	int height, width;
};

static bool read_layout(const struct joule_shape *s, enum joule_dtype dtype, struct mask *m)
{
	const int64_t *d = s->dims;
	bool numbers = dtype == JOULE_I64 || dtype == JOULE_I32 || dtype == JOULE_U8;

	if ((s->rank != 3 && s->rank != 4) || d[0] != 1)
		return false;
	*m = (struct mask){ .height = (int)d[s->rank - 2], .width = (int)d[s->rank - 1] };
	if (m->height < 2 || m->width < 2)
		return false;
	if (s->rank == 3 || d[1] == 1)
		return numbers;
	m->classes = (int)d[1];
	return !numbers && m->classes <= MAX_CLASSES;
}

static bool mask_fits(const struct joule_model *model)
{
	struct joule_value_info info;
	struct mask m;

	return joule_model_outputs(model) == 1 && !joule_model_output(model, 0, &info) &&
	       read_layout(&info.shape, info.dtype, &m) && (!m.classes || m.classes > 1);
}

static int class_at(const struct mask *m, const struct joule_view *v, int64_t at)
{
	int64_t pixels = (int64_t)m->height * m->width;
	int best = 0;

	if (!m->classes)
		return (int)view_get(v, at);
	for (int c = 1; c < m->classes; c++)
		if (view_get(v, c * pixels + at) > view_get(v, best * pixels + at))
			best = c;
	return best;
}

static int report(const struct show_frame *f, const int64_t *count, int64_t pixels, json_t *json)
{
	json_t *list = json ? json_array() : NULL;

	for (int c = 0; c < MAX_CLASSES; c++) {
		const char *label = labels_get(f->labels, c);
		double percent = 100.0 * (double)count[c] / (double)pixels;

		if (!count[c])
			continue;
		if (json)
			json_array_append_new(list, json_pack("{s:i, s:o, s:I, s:f}", "class", c,
							      "label", utf8_json(label), "pixels",
							      (json_int_t)count[c], "percent",
							      percent));
		else
			printf("%6.2f %%  %4d  %s\n", percent, c, label ? label : "");
	}
	return json && json_object_set_new(json, "mask", list) ? TOOL_NO_MEMORY : 0;
}

static int mask_show(const struct show_params *p, const struct show_frame *f, json_t *json)
{
	int64_t count[MAX_CLASSES] = { 0 };
	struct image picture = { 0 };
	struct joule_view v;
	struct mask m;
	int ret = 0;

	if (joule_session_output(f->session, 0, &v) || !read_layout(&v.shape, v.dtype, &m)) {
		tool_error("%s: the output is no mask", f->name);
		return TOOL_BAD_INPUT;
	}
	if (p->draw_path && image_create(m.width, m.height, &picture))
		return TOOL_NO_MEMORY;
	for (int64_t i = 0; i < (int64_t)m.height * m.width; i++) {
		int c = class_at(&m, &v, i);

		if (c >= 0 && c < MAX_CLASSES)
			count[c]++;
		if (picture.rgb)
			draw_colour(c, picture.rgb + i * 3);
	}
	ret = report(f, count, (int64_t)m.height * m.width, json);
	if (!ret && picture.rgb)
		ret = image_save_png(p->draw_path, &picture);
	image_finish(&picture);
	return ret;
}

const struct show_kind show_mask = { "mask", "the class of each pixel", mask_fits, mask_show };
