// SPDX-License-Identifier: MIT
/*
 * The product kernel for every case: an invocation computes a tile of rows
 * times four columns with any strides.
 */
#include <string.h>

#include "ops/common.h"
#include "ops/epilogue.h"
#include "ops/product.h"

#define LOCAL 32

/* How the shader reads B. */
enum b_mode {
	B_ANY,     /* element by element */
	B_COLUMNS, /* four columns of a row at once */
	B_DEPTH,   /* four elements of a column at once */
};

static bool usable(const struct joule_node *node, const struct joule_product *p,
		   const struct joule_binder *b)
{
	return true;
}

/*
 * A product with one column has nothing for neighbouring invocations to share:
 * its transpose, with one row, is the same numbers in the same places.
 */
static void transpose(struct joule_product *p)
{
	struct joule_product t = *p;

	t.m = p->n;
	t.n = p->m;
	t.a_row = p->b_col;
	t.a_col = p->b_row;
	t.b_row = p->a_col;
	t.b_col = p->a_row;
	memcpy(t.a_batch, p->b_batch, sizeof(t.a_batch));
	memcpy(t.b_batch, p->a_batch, sizeof(t.b_batch));
	t.c_row = p->c_col;
	t.c_col = p->c_row;
	*p = t;
}

/*
 * A constant B whose rows a vec4 cannot walk is laid out anew: [k][n rounded up
 * to four], zeros behind.
 */
static struct joule_operand pack_b(const struct joule_tensor *t, struct joule_product *p,
				   struct joule_binder *b)
{
	size_t each = joule_dtype_bits(t->dtype) / 8;
	int64_t row = JOULE_ALIGN_UP(p->n, 4);
	struct joule_operand operand;
	void *dst;

	operand = joule_bind_const(b, (size_t)(p->k * row) * each, &dst);
	for (int64_t k = 0; dst && k < p->k; k++)
		for (int64_t j = 0; j < p->n; j++)
			memcpy((char *)dst + (size_t)(k * row + j) * each,
			       (const char *)t->data + (size_t)(k * p->b_row + j * p->b_col) * each,
			       each);
	p->b_row = row;
	p->b_col = 1;
	return operand;
}

static bool batch_aligned(const struct joule_product *p, const int64_t *strides)
{
	for (int i = 0; i < p->batch.rank; i++)
		if (strides[i] % 4)
			return false;
	return true;
}

static enum b_mode mode_of(const struct joule_product *p)
{
	if (!batch_aligned(p, p->b_batch))
		return B_ANY;
	if (p->b_col == 1 && p->b_row % 4 == 0)
		return B_COLUMNS;
	return p->b_row == 1 && p->b_col % 4 == 0 ? B_DEPTH : B_ANY;
}

int joule_product_tile_launch(const struct joule_node *node, const struct joule_product *product,
			      const char *dtype, const struct joule_product_places *at,
			      int axis, struct joule_binder *b)
{
	struct joule_product p = *product;
	/* Operands inside a buffer may start between two vec4s. */
	uint64_t vec = !strcmp(dtype, "f16") ? 8 : 16;
	bool a_vec = p.a_col == 1 && p.a_row % 4 == 0 && batch_aligned(&p, p.a_batch) &&
		     at->a.offset % vec == 0;
	enum b_mode mode = at->b.offset % vec ? B_ANY : mode_of(&p);
	int64_t a_stride = 0, b_stride = 0;
	bool regular = joule_product_regular(&p, &a_stride, &b_stride);
	int rows = p.m >= 8 ? 8 : p.m >= 3 ? 4 : 1;
	struct joule_dispatch *d = joule_bind(b, "product_tile%d_%s", rows, dtype);

	joule_bind_read(d, at->a);
	joule_bind_read(d, at->b);
	joule_bind_read(d, p.c ? at->c : at->a);
	joule_bind_read(d, regular ? at->a : joule_product_table(&p, b));
	joule_bind_write(d, at->y);
	joule_bind_u32(d, (uint32_t)p.m);
	joule_bind_u32(d, (uint32_t)p.n);
	joule_bind_u32(d, (uint32_t)p.k);
	joule_bind_u32(d, (uint32_t)p.a_row);
	joule_bind_u32(d, (uint32_t)p.a_col);
	joule_bind_u32(d, (uint32_t)p.b_row);
	joule_bind_u32(d, (uint32_t)p.b_col);
	joule_bind_u32(d, (uint32_t)a_stride);
	joule_bind_u32(d, (uint32_t)b_stride);
	joule_bind_u32(d, (uint32_t)p.c_row);
	joule_bind_u32(d, (uint32_t)p.c_col);
	joule_bind_f32(d, p.alpha);
	joule_bind_f32(d, p.beta);
	joule_bind_spec(d, a_vec);
	joule_bind_spec(d, mode);
	joule_bind_spec(d, p.c != NULL);
	joule_bind_spec(d, regular);
	joule_epilogue_bind(b, d, node, axis);
	joule_bind_local(d, LOCAL, 1, 1);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(p.n, LOCAL * 4),
			  (uint64_t)JOULE_DIV_UP(p.m, rows), (uint64_t)joule_product_batch(&p));
	return b->err;
}

static int bind(const struct joule_node *node, const struct joule_product *product,
		const char *dtype, struct joule_binder *b)
{
	struct joule_product p = *product;
	bool flip = p.n == 1 && p.m > 1;
	int axis = node->out[0]->shape.rank - 1;
	struct joule_product_places at = {
		.a = JOULE_IN(flip), .b = JOULE_IN(!flip), .c = JOULE_IN(2), .y = JOULE_OUT(0),
	};

	/* The output axis that the kernel's columns run along. */
	if (flip && !p.scalar_col)
		axis--;
	if (flip)
		transpose(&p);
	else if (p.scalar_col)
		axis = -1;
	if (joule_tensor_is_const(node->in[!flip]) && !p.batch.rank && p.k &&
	    mode_of(&p) != B_COLUMNS)
		at.b = pack_b(node->in[!flip], &p, b);
	joule_product_tile_launch(node, &p, dtype, &at, axis, b);
	return joule_bind_end(b);
}

const struct joule_product_kernel joule_product_tile = {
	.name = "tile", .usable = usable, .bind = bind,
};
