/* SPDX-License-Identifier: MIT */
/*
 * Concat and Split move the same rows in opposite directions: the whole has
 * `outer` rows, each the pieces' rows side by side.
 */
#ifndef JOULE_OPS_PIECES_H
#define JOULE_OPS_PIECES_H

#include "ops/move.h"

struct joule_pieces {
	enum joule_dtype dtype;
	int64_t outer;
	int n;
	/* In elements: the row of piece i; all of them make a row of the whole. */
	const int64_t *row;
};

/* whole[] and piece[i][] hold elements; joins or parts them. */
void joule_pieces_ref(const struct joule_pieces *p, void *whole, void *const *piece, bool join);

/*
 * Launches for Concat (join: whole is out[0], pieces are the inputs numbered
 * index[i]) or Split (whole is in[0], pieces are outputs). index: -1 skips a piece.
 */
void joule_pieces_bind(struct joule_binder *b, const struct joule_pieces *p, const int *index,
		       bool join);

#endif
