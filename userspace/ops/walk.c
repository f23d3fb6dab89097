// SPDX-License-Identifier: MIT
#include "ops/walk.h"

#include <string.h>

#include "base/checked.h"
#include "ir/access.h"

void joule_walk_init(struct joule_walk *w, const struct joule_shape *space)
{
	memset(w, 0, sizeof(*w));
	w->rank = space->rank;
	for (int i = 0; i < space->rank; i++)
		w->dims[i] = space->dims[i];
}

int joule_walk_add_strides(struct joule_walk *w, const int64_t *strides)
{
	memcpy(w->strides[w->n], strides, (size_t)w->rank * sizeof(*strides));
	return w->n++;
}

int joule_walk_add(struct joule_walk *w, const struct joule_shape *operand)
{
	struct joule_shape space = { .rank = w->rank };
	int64_t strides[JOULE_MAX_RANK];

	memcpy(space.dims, w->dims, sizeof(space.dims));
	joule_broadcast_strides(operand, &space, strides);
	return joule_walk_add_strides(w, strides);
}

/* Can axis i be walked as the outer part of the axis `to`? */
static bool joins(const struct joule_walk *w, int i, int to)
{
	for (int k = 0; k < w->n; k++)
		if (w->strides[k][i] != w->strides[k][to] * w->dims[to])
			return false;
	return true;
}

void joule_walk_merge(struct joule_walk *w)
{
	int to = JOULE_MAX_RANK; /* axes are packed at the end first */

	for (int i = w->rank - 1; i >= 0; i--) {
		if (w->dims[i] == 1)
			continue;
		if (to < JOULE_MAX_RANK && joins(w, i, to)) {
			w->dims[to] *= w->dims[i];
			continue;
		}
		to--;
		w->dims[to] = w->dims[i];
		for (int k = 0; k < w->n; k++)
			w->strides[k][to] = w->strides[k][i];
	}
	w->rank = JOULE_MAX_RANK - to;
	memmove(w->dims, w->dims + to, (size_t)w->rank * sizeof(*w->dims));
	for (int k = 0; k < w->n; k++)
		memmove(w->strides[k], w->strides[k] + to, (size_t)w->rank * sizeof(*w->dims));
	if (w->rank)
		return;
	w->rank = 1;
	w->dims[0] = 1;
	for (int k = 0; k < w->n; k++)
		w->strides[k][0] = 0;
}

bool joule_walk_begin(const struct joule_walk *w, int64_t *pos, int64_t *at)
{
	memset(pos, 0, sizeof(*pos) * JOULE_MAX_RANK);
	memset(at, 0, sizeof(*at) * JOULE_WALK_OPERANDS);
	for (int i = 0; i < w->rank; i++)
		if (!w->dims[i])
			return false;
	return true;
}

bool joule_walk_next(const struct joule_walk *w, int64_t *pos, int64_t *at)
{
	for (int i = w->rank - 2; i >= 0; i--) {
		for (int k = 0; k < w->n; k++)
			at[k] += w->strides[k][i];
		if (++pos[i] < w->dims[i])
			return true;
		for (int k = 0; k < w->n; k++)
			at[k] -= w->strides[k][i] * w->dims[i];
		pos[i] = 0;
	}
	return false;
}

void joule_row_get_f64(const struct joule_tensor *t, int64_t start, int64_t stride, int n,
		       double *out)
{
	const float *f = t->data;

	if (t->dtype == JOULE_F32)
		for (int i = 0; i < n; i++)
			out[i] = f[start + i * stride];
	else
		for (int i = 0; i < n; i++)
			out[i] = joule_get_f64(t->dtype, t->data, start + i * stride);
}

void joule_row_set_f64(struct joule_tensor *t, int64_t start, int n, const double *v)
{
	float *f = t->data;

	if (t->dtype == JOULE_F32)
		for (int i = 0; i < n; i++)
			f[start + i] = (float)v[i];
	else
		for (int i = 0; i < n; i++)
			joule_set_f64(t->dtype, t->data, start + i, v[i]);
}

void joule_row_get_i64(const struct joule_tensor *t, int64_t start, int64_t stride, int n,
		       int64_t *out)
{
	for (int i = 0; i < n; i++)
		out[i] = joule_get_i64(t->dtype, t->data, start + i * stride);
}

void joule_row_set_i64(struct joule_tensor *t, int64_t start, int n, const int64_t *v)
{
	for (int i = 0; i < n; i++)
		joule_set_i64(t->dtype, t->data, start + i, v[i]);
}

const char *joule_bind_wide(const struct joule_binder *b)
{
	return b->caps->kind == JOULE_DEVICE_VULKAN_CPU && b->caps->arithmetic_i64 ? "_wide" : "";
}

#define GROUP 64

/* How much of a launch of count items by groups of n does work, in 1/1024. */
static uint64_t use(uint64_t count, uint64_t n)
{
	return count * 1024 / (JOULE_DIV_UP(count, n) * n);
}

/* Invocations that keep the device busy. */
static uint64_t busy(const struct joule_binder *b)
{
	if (b->caps->kind == JOULE_DEVICE_VULKAN_CPU)
		return 64 * (uint64_t)JOULE_MAX(b->caps->compute_threads, 1u);
	return 1 << 16;
}

uint32_t joule_bind_share(const struct joule_binder *b, uint64_t pieces, uint32_t most)
{
	uint64_t want = busy(b);

	for (uint32_t per = most; per > 1; per--)
		if (pieces / per >= want && use(pieces, (uint64_t)per * GROUP) > 1000)
			return per;
	return 1;
}

void joule_bind_lanes(struct joule_binder *b, struct joule_dispatch *d, uint64_t threads)
{
	uint64_t each = threads / (4 * (uint64_t)JOULE_MAX(b->caps->compute_threads, 1u));
	uint32_t local = GROUP;

	if (b->caps->kind == JOULE_DEVICE_VULKAN_CPU && each < GROUP)
		local = (uint32_t)JOULE_ALIGN_UP(JOULE_MAX(each, 1u), 8);
	joule_bind_grid(b, d, local, threads);
}

/* Chunks of a row for an invocation, none left over. */
static uint32_t share(const struct joule_binder *b, uint64_t chunks, uint64_t rows, uint32_t most)
{
	uint64_t want = busy(b);

	for (uint32_t per = most; per > 1; per--)
		if (chunks % per == 0 && chunks * rows / per >= want)
			return per;
	return 1;
}

/* The workgroup: lx along the row, ly rows, with as few idle lanes as can be had. */
static void shape(const struct joule_binder *b, uint64_t threads, uint64_t rows, uint32_t *lx,
		  uint32_t *ly)
{
	uint32_t lanes = b->caps->kind == JOULE_DEVICE_VULKAN_CPU ? 8 : 32;
	uint64_t best = 0;

	*lx = GROUP;
	*ly = 1;
	if (threads >= GROUP) {
		for (uint32_t x = GROUP; x >= GROUP / 2; x -= lanes)
			if (use(threads, x) > best) {
				best = use(threads, x);
				*lx = x;
			}
		return;
	}
	*lx = (uint32_t)JOULE_MAX(threads, 1u);
	for (uint32_t y = GROUP / *lx; y; y--) {
		uint64_t u = use(rows, y) * use(*lx * y, lanes);

		/* Rows that have a group to themselves load what they share once. */
		if (u > best || (y == 1 && u == best)) {
			best = u;
			*ly = y;
		}
	}
}

struct joule_rows joule_bind_rows(struct joule_binder *b, struct joule_dispatch *d,
				  uint64_t chunks, uint64_t rows, uint32_t most)
{
	struct joule_rows r = { .per = share(b, chunks, rows, most) };
	uint64_t threads = chunks / r.per, gx, gy, zx, zy;
	uint32_t lx, ly;

	shape(b, threads, rows, &lx, &ly);
	gx = JOULE_MAX(JOULE_DIV_UP(threads, lx), 1u);
	gy = JOULE_MAX(JOULE_DIV_UP(rows, ly), 1u);
	zx = JOULE_DIV_UP(gx, b->caps->max_groups[0]);
	zy = JOULE_DIV_UP(gy, b->caps->max_groups[1]);
	gx = JOULE_DIV_UP(gx, zx);
	gy = JOULE_DIV_UP(gy, zy);
	r.exact = gx * zx * lx == threads && gy * zy * ly == rows;
	joule_bind_local(d, lx, ly, 1);
	joule_bind_groups(d, gx, gy, zx * zy);
	joule_bind_u32(d, (uint32_t)zx);
	return r;
}
