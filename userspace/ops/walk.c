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

#define GROUP 64

void joule_bind_rows(struct joule_binder *b, struct joule_dispatch *d, uint64_t threads,
		     uint64_t rows)
{
	uint32_t lx = GROUP, ly;
	uint64_t gx, gy, nx, ny, zx, zy;

	/* Short rows share a group. */
	while (lx > 1 && lx / 2 >= threads)
		lx /= 2;
	ly = GROUP / lx;
	gx = JOULE_MAX(JOULE_DIV_UP(threads, lx), 1u);
	gy = JOULE_MAX(JOULE_DIV_UP(rows, ly), 1u);
	zx = JOULE_DIV_UP(gx, b->caps->max_groups[0]);
	zy = JOULE_DIV_UP(gy, b->caps->max_groups[1]);
	nx = JOULE_DIV_UP(gx, zx);
	ny = JOULE_DIV_UP(gy, zy);
	joule_bind_local(d, lx, ly, 1);
	joule_bind_groups(d, nx, ny, zx * zy);
	joule_bind_u32(d, (uint32_t)zx);
}
