// SPDX-License-Identifier: MIT
#include "ops/lavapipe.h"

#include "ops/common.h"
#include "ops/epilogue.h"

#define LANES	     JOULE_LVP_LANES
#define SHARED_BYTES 32768
#define MAX_SPLIT    128 /* subgroups in a workgroup of 1024 */
#define MAX_CODE     2000 /* multiply-adds in one pipeline: about a second to compile */
#define MAX_TAPS     64   /* each has loads and masks of its own */
#define MAX_SUMS     28

bool joule_lvp_device(const struct joule_binder *b)
{
	const struct joule_caps *c = b->caps;

	return c->kind == JOULE_DEVICE_VULKAN_CPU && c->subgroup_size == LANES &&
	       c->subgroup_ballot && c->arithmetic_i64 && c->max_push_bytes >= 128 &&
	       c->shared_bytes >= SHARED_BYTES && c->max_invocations >= MAX_SPLIT * LANES;
}

/*
 * The tile that wastes least: work at the edges, loads (one more for each TM
 * and TV), gathers. More than 28 sums spill.
 */
static bool choose_tile(struct joule_lvp *l, uint32_t sums)
{
	static const struct {
		uint32_t tv, most;
		double factor;
	} forms[] = { { 2, 14, 1 }, { 1, 27, 1.06 }, { 3, 8, 1.06 }, { 4, 2, 1.06 } };
	double best = 0;

	for (size_t f = 0; f < JOULE_ARRAY_LEN(forms); f++) {
		uint32_t tv = forms[f].tv;
		int64_t width = tv * LANES;

		if (l->p < width)
			continue;
		for (uint32_t tm = 1; tm <= forms[f].most && tm <= l->m && tm * tv <= sums;
		     tm++) {
			double cost = (double)(JOULE_DIV_UP(l->m, tm) * tm) *
				      (double)(JOULE_DIV_UP(l->p, width) * width) *
				      (1 + 3.0 / (tm * tv)) *
				      (l->gather ? 1 + 4.0 / tm : forms[f].factor);

			if (best && cost >= best)
				continue;
			best = cost;
			l->tm = tm;
			l->tv = tv;
		}
	}
	return best != 0;
}

/*
 * Channels that one subgroup takes: many to earn back its fixed cost, few for
 * a pipeline that compiles fast, such that the last one has little overlap.
 */
static bool choose_split(struct joule_lvp *l)
{
	int64_t taps = l->kernel[0] * l->kernel[1], tile = l->tm * l->tv;
	int64_t most = JOULE_MIN(SHARED_BYTES / (tile * LANES * 4), MAX_SPLIT);
	double best = 0;

	for (int64_t share = 1; share <= l->channels; share++) {
		int64_t split = JOULE_DIV_UP(l->channels, share), steps = share * taps;
		double cost = (double)(split * share) * (1 + 8.0 / (double)steps) *
			      (1 + (double)(steps * tile) / 12000.0);

		if (split > most)
			continue;
		if (steps * tile > MAX_CODE || (best && cost > 2 * best))
			break;
		if (best && cost >= best)
			continue;
		best = cost;
		l->share = (uint32_t)share;
		l->split = (uint32_t)split;
		l->overlap = (uint32_t)(split * share - l->channels);
	}
	return best != 0;
}

bool joule_lvp_choose(struct joule_lvp *l)
{
	int64_t tiles, columns, taps = l->kernel[0] * l->kernel[1];
	uint32_t sums = MAX_SUMS;

	if (l->p < LANES || l->p >= 1 << 21 || l->z > 4096 || taps > MAX_TAPS)
		return false;
	/* The two share a word; one tap that never leaves its row needs neither. */
	if ((taps > 1 || l->mask || (l->gather && l->in[0] > 1)) &&
	    (l->in[0] > UINT16_MAX || l->in[1] > UINT16_MAX))
		return false;
	/* A smaller tile where the share of one subgroup would be too much code. */
	do {
		if (!choose_tile(l, sums))
			return false;
		sums = l->tm * l->tv - 1;
	} while (!choose_split(l));
	tiles = JOULE_DIV_UP(l->m, l->tm);
	columns = JOULE_DIV_UP(l->p, l->tv * LANES);
	l->waves = l->split > 1 ? 1 : 8;
	while (l->waves > 1 && columns < l->waves * 4)
		l->waves /= 2;
	if (l->packed) {
		l->w_row = 1;
		l->w_step = l->tm;
		l->w_tile = l->channels * taps * l->tm;
		l->wz = tiles * l->w_tile;
	}
	return tiles <= 4096 && JOULE_DIV_UP(columns, l->waves) <= 65535;
}

void joule_lvp_iota(struct joule_dispatch *d)
{
	for (uint32_t i = 0; i < 8; i++)
		joule_bind_u32(d, i);
}

int joule_lvp_launch(const struct joule_node *node, const struct joule_lvp *l, const char *shader,
		     const struct joule_lvp_places *at, int axis, struct joule_binder *b)
{
	struct joule_dispatch *d = joule_bind(b, "%s", shader);
	const int64_t words[] = {
		l->m, l->p, (l->in[0] & UINT16_MAX) | (l->in[1] & UINT16_MAX) << 16,
		l->out_width, l->plane, l->groups, l->xz, l->wz, l->yz,
		l->packed ? l->w_tile : l->w_row,
	};
	const int64_t specs[] = {
		l->split, l->share, l->tm, l->tv, l->waves, l->kernel[0], l->kernel[1], l->begin[0],
		l->begin[1], l->gather, l->stride[0], l->stride[1], l->dilation[0], l->dilation[1],
		l->mask, l->used, l->w_row, l->w_step, l->y_row, l->y_step, l->by_lane,
	};

	joule_bind_read_around(d, at->x, at->margin);
	joule_bind_read(d, at->w);
	joule_bind_read(d, at->bias);
	joule_bind_write(d, at->y);
	joule_lvp_iota(d);
	for (size_t i = 0; i < JOULE_ARRAY_LEN(words); i++)
		joule_bind_u32(d, (uint32_t)words[i]);
	for (size_t i = 0; i < JOULE_ARRAY_LEN(specs); i++)
		joule_bind_spec(d, (uint32_t)specs[i]);
	joule_bind_spec_f32(d, l->alpha);
	joule_bind_spec(d, l->overlap);
	joule_bind_spec(d, l->packed);
	joule_bind_spec(d, b->caps->scalar_shared_stores);
	joule_epilogue_bind(b, d, node, axis);
	joule_bind_local(d, LANES * l->split * l->waves, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(l->m, l->tm),
			  (uint64_t)JOULE_DIV_UP(JOULE_DIV_UP(l->p, l->tv * LANES), l->waves),
			  (uint64_t)l->z);
	return joule_bind_end(b);
}

int joule_lvp_bind(const struct joule_node *node, const struct joule_lvp *l, const char *shader,
		   struct joule_operand x, uint64_t margin, struct joule_operand w,
		   struct joule_operand bias, int axis, struct joule_binder *b)
{
	const struct joule_lvp_places at = {
		.x = x, .w = w, .bias = bias, .y = JOULE_OUT(0), .margin = margin,
	};

	return joule_lvp_launch(node, l, shader, &at, axis, b);
}

struct joule_operand joule_lvp_floats(const struct joule_tensor *t, int64_t count, float factor,
				      struct joule_binder *b)
{
	struct joule_operand operand;
	void *data;
	float *out;

	operand = joule_bind_const(b, (size_t)count * sizeof(*out), &data);
	out = data;
	for (int64_t i = 0; out && t && i < JOULE_MIN(count, joule_tensor_count(t)); i++)
		out[i] = factor * (float)joule_get_f64(t->dtype, t->data, i);
	return operand;
}
