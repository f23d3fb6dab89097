// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "ops/copy.h"

void joule_remap_init(struct joule_remap *r, const struct joule_shape *in,
		      const struct joule_shape *out)
{
	*r = (struct joule_remap){ .rank = in->rank };
	for (int d = 0; d < in->rank; d++) {
		r->in[d] = in->dims[d];
		r->out[d] = out->dims[d];
	}
}

void joule_remap_finish(struct joule_remap *r)
{
	for (int d = 0; d < r->rank; d++) {
		free(r->table[d]);
		r->table[d] = NULL;
	}
}

int32_t *joule_remap_table(struct joule_remap *r, int d)
{
	if (r->out[d] > INT32_MAX || r->in[d] > INT32_MAX)
		return NULL;
	free(r->table[d]);
	r->table[d] = calloc(r->out[d] ? (size_t)r->out[d] : 1, sizeof(int32_t));
	return r->table[d];
}

/*
 * Dimensions of a remap after neighbours without a table became one. Strides
 * are those of the input; table is borrowed.
 */
struct walk {
	int rank;
	int64_t len[JOULE_MAX_RANK], stride[JOULE_MAX_RANK];
	const int32_t *table[JOULE_MAX_RANK];
};

static void plan_walk(struct walk *w, const struct joule_remap *r)
{
	int64_t stride = 1, strides[JOULE_MAX_RANK];

	for (int d = r->rank - 1; d >= 0; d--) {
		strides[d] = stride;
		stride *= r->in[d];
	}
	w->rank = 0;
	for (int d = 0; d < r->rank; d++) {
		int last = w->rank - 1;

		if (r->out[d] == 1 && !r->table[d])
			continue;
		if (w->rank && !r->table[d] && !w->table[last]) {
			w->len[last] *= r->out[d];
			w->stride[last] = strides[d];
			continue;
		}
		w->len[w->rank] = r->out[d];
		w->stride[w->rank] = strides[d];
		w->table[w->rank++] = r->table[d];
	}
	if (!w->rank) {
		w->len[0] = w->stride[0] = 1;
		w->table[0] = NULL;
		w->rank = 1;
	}
}

static int64_t step(const struct walk *w, int d, int64_t c)
{
	int64_t i = w->table[d] ? w->table[d][c] : c;

	return i < 0 ? -1 : i * w->stride[d];
}

void joule_remap_ref(enum joule_dtype dtype, const struct joule_remap *r, const void *src,
		     void *dst, const void *fill)
{
	int64_t at[JOULE_MAX_RANK] = { 0 }, o = 0;
	struct walk w;
	int d, in;

	plan_walk(&w, r);
	in = w.rank - 1;
	for (d = 0; d <= in; d++)
		if (!w.len[d])
			return;
	do {
		int64_t base = 0, n = w.len[in];

		for (d = 0; d < in && base >= 0; d++) {
			int64_t s = step(&w, d, at[d]);

			base = s < 0 ? -1 : base + s;
		}
		if (base < 0)
			joule_move_fill(dtype, dst, o, fill, n);
		else if (!w.table[in])
			joule_move_run(dtype, dst, o, src, base, n);
		for (int64_t i = 0; base >= 0 && w.table[in] && i < n; i++) {
			int64_t s = step(&w, in, i);

			joule_move(dtype, dst, o + i, s < 0 ? fill : src, s < 0 ? 0 : base + s);
		}
		o += n;
		for (d = in - 1; d >= 0; d--) {
			if (++at[d] < w.len[d])
				break;
			at[d] = 0;
		}
	} while (d >= 0);
}

struct joule_operand joule_remap_fill(struct joule_binder *b, enum joule_dtype dtype,
				      const void *value)
{
	void *data;
	struct joule_operand o = joule_bind_const(b, 16, &data);
	unsigned int bits = joule_dtype_bits(dtype);

	if (data && value && bits >= 8)
		joule_move_fill(dtype, data, 0, value, 128 / bits);
	return o;
}

/* As the shader has it. table: where its entries start in the block. */
struct remap_dim {
	uint32_t len, magic;
	int32_t stride;
	uint32_t table;
};

/* All that the kernel wants to know about the dimensions, tables included. */
static struct joule_operand bind_walk(struct joule_binder *b, const struct walk *w, int64_t chunks)
{
	size_t words = (size_t)w->rank * 4, size = words;
	struct joule_operand o;
	struct remap_dim *dim;
	int32_t *block;

	for (int d = 0; d < w->rank; d++)
		if (w->table[d])
			size += JOULE_ALIGN_UP((size_t)w->len[d], 4);
	o = joule_bind_const(b, size * 4, (void **)&block);
	if (!block)
		return o;
	dim = (struct remap_dim *)block;
	/* Innermost first. */
	for (int i = 0; i < w->rank; i++) {
		int d = w->rank - 1 - i;

		dim[i].len = (uint32_t)(i ? w->len[d] : chunks);
		dim[i].magic = joule_magic(dim[i].len);
		dim[i].stride = (int32_t)w->stride[d];
		if (!w->table[d])
			continue;
		dim[i].table = (uint32_t)words;
		for (int64_t c = 0; c < w->len[d]; c++) {
			int64_t s = step(w, d, c);

			/* So low that no sum of offsets makes it positive again. */
			block[words + (size_t)c] = s < 0 ? INT32_MIN : (int32_t)s;
		}
		words += JOULE_ALIGN_UP((size_t)w->len[d], 4);
	}
	return o;
}

void joule_remap_bind(struct joule_binder *b, enum joule_dtype dtype,
		      const struct joule_remap *r, struct joule_operand src,
		      struct joule_operand dst, struct joule_operand fill)
{
	unsigned int bytes = joule_dtype_bits(dtype) / 8;
	int64_t in_count = 1, count = 1, chunks;
	struct joule_dispatch *dis;
	struct walk w;
	uint32_t tables = 0;
	int in, per;

	for (int d = 0; d < r->rank; d++)
		if (!joule_mul_i64(in_count, r->in[d], &in_count) ||
		    !joule_mul_i64(count, r->out[d], &count))
			count = INT64_MAX;
	if (!count)
		return;
	if (!bytes)
		joule_bind_refuse(b, "no kernel for packed element type %s",
				  joule_dtype_name(dtype));
	else if (in_count > INT32_MAX || count > INT32_MAX)
		joule_bind_refuse(b, "tensors have 2^31 elements or more");
	if (b->err)
		return;
	/* The kernel reads first and decides then: let there be something. */
	if (!in_count)
		src = fill;
	plan_walk(&w, r);
	in = w.rank - 1;
	/* Rows that move whole go by larger units. */
	while (fill.kind == JOULE_OPERAND_CONST && bytes < joule_move_unit(b, 16) && !w.table[in] &&
	       !(w.len[in] & 1)) {
		bool even = w.stride[in] == 1;

		for (int d = 0; d < in; d++)
			even = even && !(w.stride[d] & 1);
		if (!even)
			break;
		for (int d = 0; d < in; d++)
			w.stride[d] /= 2;
		w.len[in] /= 2;
		bytes *= 2;
	}
	if (!joule_bind_can_store(b, bytes))
		return;
	per = w.len[in] >= 3 ? 4 : 1;
	chunks = JOULE_DIV_UP(w.len[in], per);
	count = chunks;
	for (int d = 0; d < in; d++)
		count *= w.len[d];
	for (int d = 0; d <= in; d++)
		tables |= w.table[d] ? 1u << (in - d) : 0;
	dis = joule_bind(b, "remap_%u", bytes);
	joule_bind_read(dis, src);
	joule_bind_read(dis, fill);
	joule_bind_read(dis, bind_walk(b, &w, chunks));
	joule_bind_write(dis, dst);
	joule_bind_u32(dis, (uint32_t)count);
	joule_bind_u32(dis, (uint32_t)w.len[in]);
	joule_bind_spec(dis, (uint32_t)w.rank);
	joule_bind_spec(dis, (uint32_t)per);
	joule_bind_spec(dis, tables);
	joule_bind_grid(b, dis, 64, (uint64_t)count);
}
