#version 460
// SPDX-License-Identifier: MIT
//! variant trilu_1 -DBYTES=1
//! variant trilu_2 -DBYTES=2
//! variant trilu_4 -DBYTES=4
//! variant trilu_8 -DBYTES=8
// Keeps one triangle of each matrix.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const bool UPPER = true;

layout(push_constant, scalar) uniform Push {
	BufE x;
	BufE y;
	uint n;
	uint cols, cols_magic;
	uint rows, rows_magic;
	int k;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	uvec2 q = joule_divmod(i, push.cols, push.cols_magic);
	int c = int(q.y), r = int(joule_divmod(q.x, push.rows, push.rows_magic).y);
	U u = U(push.x.v[i]);

	push.y.v[i] = E((UPPER ? c - r >= push.k : c - r <= push.k) ? u : U(0));
}
