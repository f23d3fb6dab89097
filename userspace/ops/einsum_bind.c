// SPDX-License-Identifier: MIT
/*
 * Einsum on a device: operands are contracted two at a time, as a matrix
 * product where the labels fall into one, else element by element.
 */
#include <string.h>

#include "ops/common.h"
#include "ops/einsum.h"
#include "ops/product.h"

/* A contraction of two terms (or one, b NULL) that keeps some labels in order. */
struct step {
	const struct joule_einsum_term *a, *b;
	struct joule_operand a_at, b_at, y_at;
	int n_kept;
	int kept[JOULE_EINSUM_LABELS];
};

static int64_t dim_of(const struct step *s, int k)
{
	return s->b && s->b->dim[k] != 1 ? s->b->dim[k] : s->a->dim[k];
}

static uint64_t kept_set(const struct step *s)
{
	uint64_t set = 0;

	for (int i = 0; i < s->n_kept; i++)
		set |= UINT64_C(1) << s->kept[i];
	return set;
}

/* The dense term that a step makes. */
static struct joule_einsum_term result_of(const struct step *s)
{
	struct joule_einsum_term t = { .labels = kept_set(s) };
	int64_t stride = 1;

	for (int k = 0; k < JOULE_EINSUM_LABELS; k++)
		t.dim[k] = 1;
	for (int i = s->n_kept - 1; i >= 0; i--) {
		int k = s->kept[i];

		t.dim[k] = dim_of(s, k);
		t.stride[k] = t.dim[k] == 1 ? 0 : stride;
		stride *= t.dim[k];
	}
	return t;
}

static int64_t count_of(const struct joule_einsum_term *t)
{
	int64_t n = 1;

	for (int k = 0; k < JOULE_EINSUM_LABELS; k++)
		n *= t->dim[k];
	return n;
}

/* ---- as a matrix product ---- */

/* Labels merged into one dimension with a stride in each operand. */
struct merged {
	int64_t dim, a, b;
	bool empty;
};

/* Puts label k before what is merged already; false if the strides do not allow it. */
static bool merge_before(const struct step *s, int k, struct merged *m)
{
	int64_t dim = dim_of(s, k), a = s->a->stride[k], b = s->b->stride[k];

	if (dim == 1)
		return true;
	if (m->empty)
		*m = (struct merged){ .dim = dim, .a = a, .b = b };
	else if (a == m->a * m->dim && b == m->b * m->dim)
		m->dim *= dim;
	else
		return false;
	return true;
}

/* The summed labels, outermost in a first, as one. */
static bool merge_summed(const struct step *s, struct merged *m)
{
	uint64_t left = (s->a->labels | s->b->labels) & ~kept_set(s);

	*m = (struct merged){ .dim = 1, .empty = true };
	while (left) {
		int least = -1;

		for (int k = 0; k < JOULE_EINSUM_LABELS; k++)
			if (left >> k & 1 &&
			    (least < 0 || s->a->stride[k] < s->a->stride[least] ||
			     dim_of(s, least) == 1))
				least = k;
		if (dim_of(s, least) != 1 && (!s->a->stride[least] || !s->b->stride[least]))
			return false; /* summed in one operand alone */
		if (!merge_before(s, least, m))
			return false;
		left &= ~(UINT64_C(1) << least);
	}
	return true;
}

/*
 * Batch, then rows (in a alone), then columns (in b alone): columns must merge
 * into one dimension; rows that do not are left to the batch.
 */
static bool as_product(const struct step *s, struct joule_product *p)
{
	struct merged k, n = { .dim = 1, .empty = true }, m = { .dim = 1, .empty = true };
	int i = s->n_kept - 1;

	*p = (struct joule_product){ .alpha = 1, .beta = 1 };
	if (!merge_summed(s, &k))
		return false;
	for (; i >= 0 && !s->a->stride[s->kept[i]]; i--)
		if (!merge_before(s, s->kept[i], &n))
			return false;
	for (; i >= 0 && !s->b->stride[s->kept[i]]; i--)
		if (!merge_before(s, s->kept[i], &m))
			break;
	p->batch.rank = 0;
	for (int d = 0; d <= i; d++) {
		int label = s->kept[d];

		if (dim_of(s, label) == 1)
			continue;
		if (p->batch.rank == JOULE_MAX_RANK)
			return false;
		p->batch.dims[p->batch.rank] = dim_of(s, label);
		p->a_batch[p->batch.rank] = s->a->stride[label];
		p->b_batch[p->batch.rank++] = s->b->stride[label];
	}
	p->m = m.dim;
	p->n = n.dim;
	p->k = k.dim;
	p->a_row = m.a;
	p->a_col = k.a;
	p->b_row = k.b;
	p->b_col = n.b;
	return true;
}

/* ---- element by element ---- */

struct loop {
	uint32_t dim, a, b;
};

/* Appends a label, merged with the one before where the strides allow it. */
static int add_loop(const struct step *s, int k, struct loop *loops, int n, int first)
{
	struct loop l = { .dim = (uint32_t)dim_of(s, k), .a = (uint32_t)s->a->stride[k],
			  .b = s->b ? (uint32_t)s->b->stride[k] : 0 };

	if (l.dim == 1)
		return n;
	if (n > first && loops[n - 1].a == l.a * l.dim && loops[n - 1].b == l.b * l.dim) {
		l.dim *= loops[n - 1].dim;
		n--;
	}
	loops[n] = l;
	return n + 1;
}

static void bind_general(const struct step *s, const char *dtype, int64_t count,
			 struct joule_binder *b)
{
	uint64_t all = s->a->labels | (s->b ? s->b->labels : 0), kept = kept_set(s);
	struct loop loops[2 * JOULE_EINSUM_LABELS];
	struct joule_operand params;
	struct joule_dispatch *d;
	int n_out = 0, n;
	void *data;

	for (int i = 0; i < s->n_kept; i++)
		n_out = add_loop(s, s->kept[i], loops, n_out, 0);
	n = n_out;
	for (int k = 0; k < JOULE_EINSUM_LABELS; k++)
		if ((all & ~kept) >> k & 1)
			n = add_loop(s, k, loops, n, n_out);
	/* The innermost sum is always there. */
	if (n == n_out)
		loops[n++] = (struct loop){ .dim = 1 };
	params = joule_bind_const(b, (size_t)n * sizeof(*loops), &data);
	if (data)
		memcpy(data, loops, (size_t)n * sizeof(*loops));
	d = joule_bind(b, "einsum_%s", dtype);
	joule_bind_read(d, s->a_at);
	joule_bind_read(d, s->b ? s->b_at : s->a_at);
	joule_bind_read(d, params);
	joule_bind_write(d, s->y_at);
	joule_bind_u32(d, (uint32_t)count);
	joule_bind_spec(d, (uint32_t)n_out);
	joule_bind_spec(d, (uint32_t)(n - n_out));
	joule_bind_spec(d, s->b != NULL);
	joule_bind_grid(b, d, 64, (uint64_t)count);
}

static void bind_step(const struct joule_node *node, const struct step *s, const char *dtype,
		      int64_t count, struct joule_binder *b)
{
	struct step swapped = *s;
	struct joule_product p;

	swapped.a = s->b;
	swapped.b = s->a;
	swapped.a_at = s->b_at;
	swapped.b_at = s->a_at;
	if (s->b && !(as_product(s, &p) && p.n > 1) && as_product(&swapped, &p) && p.n > 1)
		s = &swapped;
	if (s->b && as_product(s, &p)) {
		struct joule_product_places at = { .a = s->a_at, .b = s->b_at, .c = s->a_at,
						   .y = s->y_at };

		joule_product_tile_launch(node, &p, dtype, &at, -1, b);
		return;
	}
	bind_general(s, dtype, count, b);
}

/* Labels of terms from i on and of the output. */
static uint64_t needed_from(const struct joule_einsum *e, int i)
{
	uint64_t set = joule_einsum_out_set(e);

	for (; i < e->n_terms; i++)
		set |= e->term[i].labels;
	return set;
}

int joule_einsum_bind(const struct joule_node *node, struct joule_binder *b)
{
	const char *dtype = joule_bind_float(b, node->out[0]);
	struct joule_einsum_term left, next;
	struct joule_operand left_at = JOULE_IN(0);
	struct joule_einsum e;
	int ret;

	for (int i = 0; dtype && i < node->n_in; i++)
		dtype = joule_bind_float(b, node->in[i]);
	if (!dtype)
		return b->err;
	ret = joule_einsum_resolve(node, &e);
	if (ret)
		return ret;
	if (!joule_tensor_count(node->out[0]))
		return joule_bind_end(b);
	left = e.term[0];
	for (int i = e.n_terms > 1; i < e.n_terms && !b->err; i++) {
		bool last = i == e.n_terms - 1;
		struct step s = { .a = &left, .b = i ? &e.term[i] : NULL, .a_at = left_at,
				  .b_at = JOULE_IN((uint16_t)i) };
		uint64_t keep = (left.labels | e.term[i].labels) & needed_from(&e, i + 1);

		for (int k = 0; !last && k < JOULE_EINSUM_LABELS; k++)
			if (keep >> k & 1)
				s.kept[s.n_kept++] = k;
		if (last) {
			s.n_kept = e.n_out;
			memcpy(s.kept, e.out, (size_t)e.n_out * sizeof(int));
		}
		next = result_of(&s);
		if (count_of(&next) > INT32_MAX)
			return joule_bind_refuse(b, "an intermediate has 2^31 elements or more");
		s.y_at = last ? JOULE_OUT(0) :
				joule_bind_scratch(b, (uint64_t)count_of(&next) *
							      joule_dtype_bits(node->in[0]->dtype) / 8);
		bind_step(node, &s, dtype, count_of(&next), b);
		left = next;
		left_at = s.y_at;
	}
	return joule_bind_end(b);
}
