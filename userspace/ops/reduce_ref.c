// SPDX-License-Identifier: MIT
#include <math.h>

#include "ops/common.h"
#include "ops/reduce.h"
#include "ops/walk.h"

/* Elements of x that one result is made of, relative to its first. */
struct set {
	const struct joule_tensor *x;
	struct joule_walk walk; /* over the reduced axes */
	int64_t count;
};

static double neutral(enum joule_reduce_code code)
{
	switch (code) {
	case JOULE_REDUCE_MAX:
		return -INFINITY;
	case JOULE_REDUCE_MIN:
		return INFINITY;
	case JOULE_REDUCE_PROD:
		return 1;
	default:
		return 0;
	}
}

static void fold_row(enum joule_reduce_code code, const double *v, int n, double shift, double p,
		     double *acc)
{
	double a = *acc;

	for (int i = 0; i < n; i++) {
		double x = v[i];

		switch (code) {
		case JOULE_REDUCE_SUM:
		case JOULE_REDUCE_MEAN:
		case JOULE_REDUCE_LOG_SUM:
			a += x;
			break;
		case JOULE_REDUCE_MAX:
			a = isnan(a) || isnan(x) ? a + x : fmax(a, x);
			break;
		case JOULE_REDUCE_MIN:
			a = isnan(a) || isnan(x) ? a + x : fmin(a, x);
			break;
		case JOULE_REDUCE_PROD:
			a *= x;
			break;
		case JOULE_REDUCE_L1:
			a += fabs(x);
			break;
		case JOULE_REDUCE_L2:
		case JOULE_REDUCE_SUM_SQUARE:
			a += x * x;
			break;
		case JOULE_REDUCE_LOG_SUM_EXP:
			a += exp(x - shift);
			break;
		case JOULE_REDUCE_LP:
			a += pow(fabs(x), p);
			break;
		}
	}
	*acc = a;
}

static double fold_set(const struct set *s, int64_t start, enum joule_reduce_code code,
		       double shift, double p)
{
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS];
	int64_t len = s->walk.dims[s->walk.rank - 1], stride = s->walk.strides[0][s->walk.rank - 1];
	double acc = neutral(code), v[JOULE_ROW_CHUNK];

	for (bool more = joule_walk_begin(&s->walk, pos, at); more;
	     more = joule_walk_next(&s->walk, pos, at))
		for (int64_t i = 0; i < len; i += JOULE_ROW_CHUNK) {
			int n = (int)JOULE_MIN(len - i, JOULE_ROW_CHUNK);

			joule_row_get_f64(s->x, start + at[0] + i * stride, stride, n, v);
			fold_row(code, v, n, shift, p, &acc);
		}
	return acc;
}

static double reduce_f64(const struct joule_reduce *r, const struct set *s, int64_t start)
{
	double shift = 0, acc;

	if (r->code == JOULE_REDUCE_LOG_SUM_EXP) {
		shift = fold_set(s, start, JOULE_REDUCE_MAX, 0, 0);
		if (isinf(shift))
			shift = 0;
	}
	acc = fold_set(s, start, r->code, shift, r->p);
	switch (r->code) {
	case JOULE_REDUCE_MEAN:
		return acc / (double)s->count;
	case JOULE_REDUCE_L2:
		return sqrt(acc);
	case JOULE_REDUCE_LOG_SUM:
		return log(acc);
	case JOULE_REDUCE_LOG_SUM_EXP:
		return log(acc) + shift;
	case JOULE_REDUCE_LP:
		return pow(acc, 1.0 / (double)r->p);
	default:
		return acc;
	}
}

static int64_t fold_i64(enum joule_reduce_code code, int64_t a, int64_t x, bool uns)
{
	bool less = uns ? (uint64_t)x < (uint64_t)a : x < a;

	switch (code) {
	case JOULE_REDUCE_MAX:
		return less ? a : x;
	case JOULE_REDUCE_MIN:
		return less ? x : a;
	case JOULE_REDUCE_PROD:
		return (int64_t)((uint64_t)a * (uint64_t)x);
	case JOULE_REDUCE_L1:
		return (int64_t)((uint64_t)a + (x < 0 && !uns ? -(uint64_t)x : (uint64_t)x));
	case JOULE_REDUCE_SUM_SQUARE:
		return (int64_t)((uint64_t)a + (uint64_t)x * (uint64_t)x);
	default:
		return (int64_t)((uint64_t)a + (uint64_t)x);
	}
}

/* The lowest and highest value of a type, as fold_i64() compares them. */
static int64_t int_neutral(enum joule_reduce_code code, enum joule_dtype dtype)
{
	int bits = (int)joule_dtype_bits(dtype);
	bool uns = joule_dtype_is_unsigned(dtype) || dtype == JOULE_BOOL;

	switch (code) {
	case JOULE_REDUCE_MAX:
		return uns ? 0 : (int64_t)(UINT64_MAX << (bits - 1));
	case JOULE_REDUCE_MIN:
		if (dtype == JOULE_BOOL)
			return 1;
		return (int64_t)(UINT64_MAX >> (64 - bits + !uns));
	case JOULE_REDUCE_PROD:
		return 1;
	default:
		return 0;
	}
}

static int64_t reduce_i64(const struct joule_reduce *r, const struct set *s, int64_t start)
{
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS], acc = int_neutral(r->code, s->x->dtype);
	int64_t len = s->walk.dims[s->walk.rank - 1], stride = s->walk.strides[0][s->walk.rank - 1];
	bool uns = joule_dtype_is_unsigned(s->x->dtype);

	for (bool more = joule_walk_begin(&s->walk, pos, at); more;
	     more = joule_walk_next(&s->walk, pos, at))
		for (int64_t i = 0; i < len; i++)
			acc = fold_i64(r->code, acc,
				       joule_get_i64(s->x->dtype, s->x->data,
						     start + at[0] + i * stride),
				       uns);
	if (r->code != JOULE_REDUCE_MEAN || !s->count)
		return acc;
	return uns ? (int64_t)((uint64_t)acc / (uint64_t)s->count) : acc / s->count;
}

/* Integer results that integer arithmetic gives. */
static bool exact(enum joule_reduce_code code)
{
	return code != JOULE_REDUCE_L2 && code != JOULE_REDUCE_LOG_SUM &&
	       code != JOULE_REDUCE_LOG_SUM_EXP && code != JOULE_REDUCE_LP;
}

void joule_reduce_ref(const struct joule_reduce *r, const struct joule_tensor *x,
		      struct joule_tensor *y)
{
	bool ints = !joule_dtype_is_float(x->dtype) && exact(r->code);
	int64_t strides[JOULE_MAX_RANK], pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS], to = 0;
	struct joule_walk kept = { .n = 1 };
	struct set s = { .x = x, .walk.n = 1, .count = 1 };

	joule_shape_strides(&x->shape, strides);
	for (int i = 0; i < x->shape.rank; i++) {
		struct joule_walk *w = r->axes >> i & 1 ? &s.walk : &kept;

		w->dims[w->rank] = x->shape.dims[i];
		w->strides[0][w->rank++] = strides[i];
		if (w == &s.walk)
			s.count *= x->shape.dims[i];
	}
	joule_walk_merge(&s.walk);
	joule_walk_merge(&kept);
	for (bool more = joule_walk_begin(&kept, pos, at); more;
	     more = joule_walk_next(&kept, pos, at))
		for (int64_t i = 0; i < kept.dims[kept.rank - 1]; i++, to++) {
			int64_t start = at[0] + i * kept.strides[0][kept.rank - 1];

			if (ints)
				joule_set_i64(y->dtype, y->data, to, reduce_i64(r, &s, start));
			else
				joule_set_f64(y->dtype, y->data, to, reduce_f64(r, &s, start));
		}
}
