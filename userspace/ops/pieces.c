// SPDX-License-Identifier: MIT
#include "ops/pieces.h"

#include "ops/copy.h"

/* Pieces of one launch: as many as 128 bytes of push constants have room for. */
#define PIECES 8

void joule_pieces_ref(const struct joule_pieces *p, void *whole, void *const *piece, bool join)
{
	int64_t at = 0;

	for (int64_t o = 0; o < p->outer; o++)
		for (int i = 0; i < p->n; i++) {
			int64_t n = p->row[i];

			if (!piece[i])
				;
			else if (join)
				joule_move_run(p->dtype, whole, at, piece[i], o * n, n);
			else
				joule_move_run(p->dtype, piece[i], o * n, whole, at, n);
			at += n;
		}
}

/* One launch for the n pieces, their rows in bytes, that start at byte `at` of a row. */
static void bind_group(struct joule_binder *b, const struct joule_pieces *p, bool join,
		       const struct joule_operand *op, const int64_t *bytes, int n, int64_t at,
		       int64_t row)
{
	unsigned int unit, per = 4, chunk;
	uint64_t all = (uint64_t)at | (uint64_t)row;
	struct joule_operand whole = join ? JOULE_OUT(0) : JOULE_IN(0);
	struct joule_dispatch *d;
	int64_t start = 0;

	for (int i = 0; i < n; i++)
		all |= (uint64_t)bytes[i];
	unit = joule_move_unit(b, all);
	if (all % (unit * per))
		per = 1;
	chunk = unit * per;
	if (!joule_bind_can_store(b, unit))
		return;
	d = joule_bind(b, "%s_%u", join ? "concat" : "split", unit);
	if (join)
		joule_bind_write(d, whole);
	else
		joule_bind_read(d, whole);
	/* Slots left over name a piece again; the kernel does not reach them. */
	for (int i = 0; i < PIECES; i++) {
		if (join)
			joule_bind_read(d, op[i < n ? i : 0]);
		else
			joule_bind_write(d, op[i < n ? i : 0]);
	}
	for (int i = 0; i < n; i++)
		start += bytes[i];
	joule_bind_u32(d, (uint32_t)(p->outer * (start / chunk)));
	joule_bind_u32(d, (uint32_t)(start / chunk));
	joule_bind_u32(d, joule_magic((uint32_t)(start / chunk)));
	joule_bind_u32(d, (uint32_t)(row / chunk));
	joule_bind_u32(d, (uint32_t)(at / chunk));
	start = 0;
	for (int i = 0; i <= PIECES; i++) {
		joule_bind_u32(d, (uint32_t)(start / chunk));
		start += i < n ? bytes[i] : 0;
	}
	joule_bind_spec(d, (uint32_t)n);
	joule_bind_spec(d, per);
	joule_bind_grid(b, d, 64, (uint64_t)(p->outer * (start / chunk)));
}

void joule_pieces_bind(struct joule_binder *b, const struct joule_pieces *p, const int *index,
		       bool join)
{
	unsigned int bits = joule_dtype_bits(p->dtype);
	struct joule_operand op[PIECES];
	int64_t bytes[PIECES], row = 0, at = 0, start = 0, total;
	int n = 0;

	for (int i = 0; i < p->n; i++)
		row += p->row[i];
	if (!joule_mul_i64(row, p->outer, &total) || total > INT32_MAX) {
		joule_bind_refuse(b, "2^31 elements or more");
		return;
	}
	if (!total)
		return;
	for (int i = 0; i < p->n; i++) {
		int64_t len = p->row[i] * bits / 8;

		if (p->row[i] * bits % 8) {
			joule_bind_refuse(b, "rows of %s do not move in whole bytes",
					  joule_dtype_name(p->dtype));
			return;
		}
		/* A group is an unbroken run of the row, so a skipped piece ends it. */
		if (n && (n == PIECES || index[i] < 0)) {
			bind_group(b, p, join, op, bytes, n, start, row * bits / 8);
			n = 0;
		}
		if (len && index[i] >= 0) {
			if (!n)
				start = at;
			op[n] = join ? JOULE_IN((uint16_t)index[i]) : JOULE_OUT((uint16_t)index[i]);
			bytes[n++] = len;
		}
		at += len;
	}
	if (n)
		bind_group(b, p, join, op, bytes, n, start, row * bits / 8);
}
