#version 460
// SPDX-License-Identifier: MIT
//! variant concat_1 -DBYTES=1
//! variant concat_2 -DBYTES=2
//! variant concat_4 -DBYTES=4
//! variant concat_8 -DBYTES=8
//! variant concat_16 -DBYTES=16
//! variant split_1 -DBYTES=1 -DSPLIT
//! variant split_2 -DBYTES=2 -DSPLIT
//! variant split_4 -DBYTES=4 -DSPLIT
//! variant split_8 -DBYTES=8 -DSPLIT
//! variant split_16 -DBYTES=16 -DSPLIT
// Up to eight pieces side by side in rows of the whole, all in one launch.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint N = 1;
layout(constant_id = 4) const uint PER = 1; // units in a chunk; pieces are of whole chunks

layout(push_constant, scalar) uniform Push {
	BufE whole;
	BufE piece[8];
	uint n;            // chunks in all
	uint group, magic; // chunks of these pieces in a row
	uint row, at;      // chunks in a row of the whole, and where these start
	uint start[9];     // of each piece among the group, and the end
} push;

void main()
{
	uvec2 q = joule_divmod(JOULE_CLAMPED_INDEX(push.n), push.group, push.magic);
	BufE piece = push.piece[0];
	uint start = 0, len = push.start[1], w = (q.x * push.row + push.at + q.y) * PER, p;

	[[unroll]] for (int k = 1; k < 8; k++)
		if (k < N && q.y >= push.start[k]) {
			piece = push.piece[k];
			start = push.start[k];
			len = push.start[k + 1] - start;
		}
	p = (q.x * len + (q.y - start)) * PER;
	U u[PER];

	[[unroll]] for (uint k = 0; k < PER; k++)
#ifdef SPLIT
		u[k] = U(push.whole.v[w + k]);
	[[unroll]] for (uint k = 0; k < PER; k++)
		piece.v[p + k] = E(u[k]);
#else
		u[k] = U(piece.v[p + k]);
	[[unroll]] for (uint k = 0; k < PER; k++)
		push.whole.v[w + k] = E(u[k]);
#endif
}
