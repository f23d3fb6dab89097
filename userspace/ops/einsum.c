// SPDX-License-Identifier: MIT
/* Einsum: any equation, by the definition. */
#include "ops/einsum.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/common.h"

struct attrs {
	const char *equation;
};

static int bad(const struct joule_node *node, const char *why)
{
	const struct attrs *a = node->attrs;

	return joule_node_err(node, -EINVAL, "equation '%s': %s", a->equation, why);
}

static int label_of(char c)
{
	return isupper((unsigned char)c) ? c - 'A' : c - 'a' + 26;
}

/*
 * The labels of one term up to end: dots stands for the ellipsis' place, -1 for
 * none. At most max labels.
 */
static int parse_term(const struct joule_node *node, const char *s, const char *end, int *labels,
		      int max, int *dots)
{
	int n = 0;

	*dots = -1;
	for (; s < end; s++) {
		if (*s == ' ')
			continue;
		if (end - s >= 3 && !strncmp(s, "...", 3)) {
			if (*dots >= 0)
				return bad(node, "two ellipses in a term");
			*dots = n;
			s += 2;
		} else if (!isalpha((unsigned char)*s)) {
			return bad(node, "a character that is neither letter nor ellipsis");
		} else if (n == max) {
			return bad(node, "too many labels in a term");
		} else {
			labels[n++] = label_of(*s);
		}
	}
	return n;
}

/* Dimension d of an operand gets a label; repeated ones walk the diagonal. */
static int add_label(const struct joule_node *node, struct joule_einsum *e,
		     struct joule_einsum_term *t, int label, int64_t dim, int64_t stride)
{
	bool seen = t->labels >> label & 1;

	if (seen && t->dim[label] != dim)
		return bad(node, "a repeated label has two sizes");
	t->labels |= UINT64_C(1) << label;
	t->dim[label] = dim;
	t->stride[label] += dim == 1 ? 0 : stride;
	if (e->dim[label] != dim && e->dim[label] != 1 && dim != 1)
		return bad(node, "a label has two sizes");
	if (dim != 1)
		e->dim[label] = dim;
	return 0;
}

static int resolve_term(const struct joule_node *node, struct joule_einsum *e, int i,
			const char *s, const char *end)
{
	const struct joule_shape *shape = &node->in[i]->shape;
	struct joule_einsum_term *t = &e->term[i];
	int64_t strides[JOULE_MAX_RANK];
	int labels[JOULE_MAX_RANK], dots, ret = 0;
	int n = parse_term(node, s, end, labels, JOULE_MAX_RANK, &dots);
	int hidden = shape->rank - n;

	if (n < 0)
		return n;
	if (hidden < 0 || (hidden > 0 && dots < 0))
		return bad(node, "an operand's rank differs from its labels");
	for (int k = 0; k < JOULE_EINSUM_LABELS; k++)
		t->dim[k] = 1;
	joule_shape_strides(shape, strides);
	for (int d = 0; !ret && d < shape->rank; d++) {
		int label;

		if (dots < 0 || d < dots)
			label = labels[d];
		else if (d < dots + hidden)
			label = JOULE_EINSUM_LABELS - hidden + d - dots;
		else
			label = labels[d - hidden];
		ret = add_label(node, e, t, label, shape->dims[d], strides[d]);
	}
	return ret;
}

static int add_out(const struct joule_node *node, struct joule_einsum *e, int label)
{
	if (joule_einsum_out_set(e) >> label & 1)
		return bad(node, "a label is twice in the output");
	if (e->n_out == JOULE_MAX_RANK)
		return bad(node, "the output has too many dimensions");
	e->out[e->n_out++] = label;
	return 0;
}

static int add_ellipsis(const struct joule_node *node, struct joule_einsum *e, uint64_t all)
{
	int ret = 0;

	for (int k = JOULE_EINSUM_ELLIPSIS; !ret && k < JOULE_EINSUM_LABELS; k++)
		if (all >> k & 1)
			ret = add_out(node, e, k);
	return ret;
}

/* Without an output term: the ellipsis, then the labels that occur once, sorted. */
static int implicit_out(const struct joule_node *node, struct joule_einsum *e, const char *s,
			uint64_t all)
{
	int ret = add_ellipsis(node, e, all), count[JOULE_EINSUM_ELLIPSIS] = { 0 };

	for (; *s; s++)
		if (isalpha((unsigned char)*s))
			count[label_of(*s)]++;
	for (int k = 0; !ret && k < JOULE_EINSUM_ELLIPSIS; k++)
		if (count[k] == 1)
			ret = add_out(node, e, k);
	return ret;
}

static int explicit_out(const struct joule_node *node, struct joule_einsum *e, const char *s,
			uint64_t all)
{
	int labels[JOULE_MAX_RANK], dots, ret = 0;
	int n = parse_term(node, s, s + strlen(s), labels, JOULE_MAX_RANK, &dots);

	if (n < 0)
		return n;
	if (dots < 0 && all >> JOULE_EINSUM_ELLIPSIS)
		return bad(node, "the output has no ellipsis");
	for (int i = 0; !ret && i <= n; i++) {
		if (i == dots)
			ret = add_ellipsis(node, e, all);
		if (ret || i == n)
			break;
		if (!(all >> labels[i] & 1))
			return bad(node, "an output label is in no operand");
		ret = add_out(node, e, labels[i]);
	}
	return ret;
}

int joule_einsum_resolve(const struct joule_node *node, struct joule_einsum *e)
{
	const struct attrs *a = node->attrs;
	const char *s = a->equation, *arrow = strstr(s, "->");
	const char *stop = arrow ? arrow : s + strlen(s);
	uint64_t all = 0;

	if (node->n_in > JOULE_EINSUM_OPERANDS)
		return joule_node_err(node, -ENOTSUP, "%d operands, the most is %d", node->n_in,
				      JOULE_EINSUM_OPERANDS);
	memset(e, 0, sizeof(*e));
	e->n_terms = node->n_in;
	for (int k = 0; k < JOULE_EINSUM_LABELS; k++)
		e->dim[k] = 1;
	for (int i = 0; i < e->n_terms; i++) {
		const char *comma = memchr(s, ',', (size_t)(stop - s));
		const char *end = comma ? comma : stop;
		int ret;

		if (!comma != (i == e->n_terms - 1))
			return bad(node, "terms and operands differ in number");
		ret = resolve_term(node, e, i, s, end);
		if (ret)
			return ret;
		all |= e->term[i].labels;
		s = end + 1;
	}
	if (arrow)
		return explicit_out(node, e, arrow + 2, all);
	return implicit_out(node, e, a->equation, all);
}

static int einsum_infer(struct joule_node *node)
{
	struct joule_shape y = { 0 };
	struct joule_einsum e;
	int ret;

	for (int i = 0; i < node->n_in; i++)
		if (node->in[i]->dtype != node->in[0]->dtype ||
		    node->in[i]->dtype == JOULE_BOOL)
			return joule_err_dtype(node, node->in[i]);
	ret = joule_einsum_resolve(node, &e);
	if (ret)
		return ret;
	y.rank = e.n_out;
	for (int i = 0; i < e.n_out; i++)
		y.dims[i] = e.dim[e.out[i]];
	joule_set_out(node, 0, node->in[0]->dtype, &y);
	return 0;
}

/* ---- reference ---- */

/* Labels to walk, the last fastest. */
struct walk {
	int n;
	int label[JOULE_EINSUM_LABELS];
	int64_t at[JOULE_EINSUM_LABELS];
	int64_t count;
};

/* Every operand's values and where the walk stands in it. */
struct values {
	double *f;
	uint64_t *i; /* integer types: products wrap */
	int64_t at;
};

static void next(const struct joule_einsum *e, struct walk *w, struct values *v)
{
	for (int d = w->n - 1; d >= 0; d--) {
		int k = w->label[d];
		bool carry = ++w->at[d] == e->dim[k];

		for (int t = 0; t < e->n_terms; t++)
			v[t].at += e->term[t].stride[k] * (carry ? 1 - e->dim[k] : 1);
		if (!carry)
			return;
		w->at[d] = 0;
	}
}

/* One output element over the summed labels, whose last is a plain loop. */
static void sum_element(const struct joule_einsum *e, struct walk *w, int64_t inner, int last,
			struct values *v, double *f, uint64_t *n)
{
	*f = 0;
	*n = 0;
	for (int64_t s = 0; s < w->count; s++, next(e, w, v))
		for (int64_t j = 0; j < inner; j++) {
			double p = 1;
			uint64_t q = 1;

			for (int t = 0; t < e->n_terms; t++) {
				int64_t at = v[t].at + (last < 0 ? 0 : j * e->term[t].stride[last]);

				if (v[t].f)
					p *= v[t].f[at];
				else
					q *= v[t].i[at];
			}
			*f += p;
			*n += q;
		}
}

static int load(const struct joule_tensor *t, struct values *v)
{
	int64_t n = joule_tensor_count(t);
	bool is_float = joule_dtype_is_float(t->dtype);
	void *data = calloc((size_t)n + 1, 8);

	if (!data)
		return -ENOMEM;
	if (is_float)
		v->f = data;
	else
		v->i = data;
	for (int64_t i = 0; i < n; i++)
		if (is_float)
			v->f[i] = joule_get_f64(t->dtype, t->data, i);
		else
			v->i[i] = (uint64_t)joule_get_i64(t->dtype, t->data, i);
	return 0;
}

static void run(struct joule_node *node, const struct joule_einsum *e, struct values *v)
{
	struct joule_tensor *y = node->out[0];
	struct walk out = { .n = e->n_out, .count = joule_tensor_count(y) }, sum = { .count = 1 };
	uint64_t all = 0, kept = joule_einsum_out_set(e);
	int last = -1;
	int64_t inner = 1;

	memcpy(out.label, e->out, sizeof(e->out));
	for (int t = 0; t < e->n_terms; t++)
		all |= e->term[t].labels;
	for (int k = 0; k < JOULE_EINSUM_LABELS; k++)
		if ((all & ~kept) >> k & 1)
			sum.label[sum.n++] = k;
	if (sum.n) {
		last = sum.label[--sum.n];
		inner = e->dim[last];
	}
	for (int d = 0; d < sum.n; d++)
		sum.count *= e->dim[sum.label[d]];
	for (int64_t i = 0; i < out.count; i++, next(e, &out, v)) {
		uint64_t n;
		double f;

		sum_element(e, &sum, inner, last, v, &f, &n);
		if (v[0].f)
			joule_set_f64(y->dtype, y->data, i, f);
		else
			joule_set_i64(y->dtype, y->data, i, (int64_t)n);
	}
}

static int einsum_ref(struct joule_node *node)
{
	struct values v[JOULE_EINSUM_OPERANDS] = { 0 };
	struct joule_einsum e;
	int ret = joule_einsum_resolve(node, &e);

	if (ret)
		return ret;
	for (int i = 0; !ret && i < e.n_terms; i++)
		ret = load(node->in[i], &v[i]);
	if (!ret)
		run(node, &e, v);
	for (int i = 0; i < e.n_terms; i++) {
		free(v[i].f);
		free(v[i].i);
	}
	return ret ? joule_node_err(node, ret, "no memory for the reference") : 0;
}

/* Operands are contracted in pairs, each over all labels it has. */
static void einsum_cost(const struct joule_node *node, struct joule_cost *cost)
{
	struct joule_einsum e;
	uint64_t have = 0;

	if (joule_einsum_resolve(node, &e))
		return;
	for (int i = 0; i < e.n_terms; i++) {
		uint64_t later = joule_einsum_out_set(&e);
		int64_t n = 1;

		have |= e.term[i].labels;
		for (int k = 0; k < JOULE_EINSUM_LABELS; k++)
			if (have >> k & 1 && !joule_mul_i64(n, e.dim[k], &n))
				n = INT64_MAX / JOULE_EINSUM_OPERANDS;
		for (int k = i + 1; k < e.n_terms; k++)
			later |= e.term[k].labels;
		if (i || e.n_terms == 1)
			cost->macs += n;
		have &= later;
	}
}

static const struct joule_attr attrs[] = {
	{ .name = "equation", .type = JOULE_ATTR_STRING, .offset = offsetof(struct attrs, equation),
	  .required = true },
	{ 0 },
};

JOULE_OPS(einsum) = {
	{
		.name = "Einsum", .since = 12, .min_in = 1, .max_in = -1, .min_out = 1, .max_out = 1,
		.attrs_bytes = sizeof(struct attrs), .attrs = attrs, .infer = einsum_infer,
		.ref = einsum_ref, .bind = joule_einsum_bind, .cost = einsum_cost,
	},
	JOULE_OPS_END,
};
