#version 460
// SPDX-License-Identifier: MIT
//! variant gather_1 -DBYTES=1
//! variant gather_2 -DBYTES=2
//! variant gather_4 -DBYTES=4
//! variant gather_8 -DBYTES=8
//! variant gather_16 -DBYTES=16
// Gather along an axis: one unit of a slice an invocation. Indices are wrapped
// and clamped; the reference reports bad ones.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint WORDS = 1; // of an index

layout(push_constant, scalar) uniform Push {
	BufE x;
	BufI32 idx;
	BufE y;
	uint n;
	uint inner, inner_magic; // units of a slice
	uint count, count_magic; // of indices
	int dim;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	uvec2 q = joule_divmod(i, push.inner, push.inner_magic);
	uvec2 p = joule_divmod(q.x, push.count, push.count_magic);
	int k = JOULE_INDEX(push.idx, p.y, WORDS);

	k = clamp(k < 0 ? k + push.dim : k, 0, push.dim - 1);
	push.y.v[i] = push.x.v[(p.x * push.dim + k) * push.inner + q.y];
}
