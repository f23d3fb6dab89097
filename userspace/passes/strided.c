// SPDX-License-Identifier: MIT
#include "passes/strided.h"

#include <string.h>

#include "passes/match.h"

#define MAX_PATH 12

static void dense(struct joule_strided *s, struct joule_tensor *t)
{
	int64_t stride = 1;

	s->source = t;
	s->rank = t->shape.rank;
	for (int i = s->rank - 1; i >= 0; i--) {
		s->dims[i] = t->shape.dims[i];
		s->strides[i] = stride;
		stride *= s->dims[i];
	}
}

static void drop_units(struct joule_strided *s)
{
	int n = 0;

	for (int i = 0; i < s->rank; i++) {
		if (s->dims[i] == 1)
			continue;
		s->dims[n] = s->dims[i];
		s->strides[n++] = s->strides[i];
	}
	s->rank = n;
}

/* Other dimensions over the same elements, where strides can express them. */
static bool reshape(struct joule_strided *s, const int64_t *dims, int rank)
{
	int64_t strides[JOULE_MAX_RANK] = { 0 };
	struct joule_strided old = *s;
	int from = 0, at = 0;

	drop_units(&old);
	while (at < rank) {
		int first = at, begin = from;
		int64_t have = 1, want = 1;

		if (dims[at] == 1) {
			at++;
			continue;
		}
		/* The shortest runs of old and new dimensions with the same product. */
		do {
			if (want <= have && at < rank)
				want *= dims[at++];
			else if (from < old.rank)
				have *= old.dims[from++];
			else
				return false;
		} while (want != have);
		for (int i = begin; i + 1 < from; i++)
			if (old.strides[i] != old.strides[i + 1] * old.dims[i + 1])
				return false;
		have = old.strides[from - 1];
		for (int i = at - 1; i >= first; i--) {
			strides[i] = have;
			have *= dims[i];
		}
	}
	if (from != old.rank)
		return false;
	s->rank = rank;
	memcpy(s->dims, dims, (size_t)rank * sizeof(*dims));
	memcpy(s->strides, strides, sizeof(strides));
	return true;
}

static void permute(struct joule_strided *s, const struct joule_node *node)
{
	const struct joule_ints *perm = joule_node_attr(node, "perm");
	struct joule_strided old = *s;

	for (int i = 0; i < s->rank; i++) {
		int from = perm && perm->n == s->rank ? (int)perm->v[i] : s->rank - 1 - i;

		s->dims[i] = old.dims[from];
		s->strides[i] = old.strides[from];
	}
}

/* The operand that the node hands on under another shape or order, times *factor. */
static struct joule_tensor *step_up(const struct joule_node *node, double *factor)
{
	struct joule_tensor *x = NULL;
	double v = 1;

	*factor = 1;
	if (!node || !node->op || node->epilogue.n)
		return NULL;
	if ((node->op->traits & JOULE_OP_VIEW) || joule_match_op(node, "Transpose"))
		return node->in[0];
	if (joule_match_op(node, "Mul"))
		x = joule_match_with_scalar(node, &v);
	else if (joule_match_op(node, "Div") && joule_match_scalar(node->in[1], &v) && v != 0)
		x = node->in[0];
	*factor = joule_match_op(node, "Div") ? 1 / v : v;
	return x && joule_shape_equal(&x->shape, &node->out[0]->shape) ? x : NULL;
}

bool joule_strided_trace(struct joule_tensor *t, const int64_t *dims, int rank,
			 struct joule_strided *out)
{
	const struct joule_node *path[MAX_PATH];
	double factor[MAX_PATH];
	struct joule_tensor *up, *from = t;
	int64_t count = 1;
	int n = 0;

	for (int i = 0; i < rank; i++)
		count *= dims[i];
	if (count < 1 || joule_tensor_count(t) != count)
		return false;
	while (n < MAX_PATH && (up = step_up(from->producer, &factor[n])) != NULL &&
	       joule_tensor_count(up) == count) {
		path[n++] = from->producer;
		from = up;
	}
	dense(out, from);
	out->factor = 1;
	for (int i = 0; i < n; i++)
		out->factor *= factor[i];
	while (n--) {
		struct joule_tensor *y = path[n]->out[0];

		if (joule_match_op(path[n], "Transpose")) {
			permute(out, path[n]);
		} else if (!reshape(out, y->shape.dims, y->shape.rank)) {
			/* What was computed so far has to be in memory in that order. */
			dense(out, y);
			out->factor = 1;
			for (int i = 0; i < n; i++)
				out->factor *= factor[i];
		}
	}
	if (reshape(out, dims, rank))
		return true;
	dense(out, t);
	out->factor = 1;
	return reshape(out, dims, rank);
}

bool joule_strided_is(const struct joule_strided *s, const int64_t *strides)
{
	for (int i = 0; i < s->rank; i++)
		if (s->dims[i] != 1 && s->strides[i] != strides[i])
			return false;
	return true;
}
