#version 460
// SPDX-License-Identifier: MIT
//! variant reverse_1 -DBYTES=1
//! variant reverse_2 -DBYTES=2
//! variant reverse_4 -DBYTES=4
//! variant reverse_8 -DBYTES=8
//! variant reverse_16 -DBYTES=16
// The first so many time steps of each batch entry in reverse.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint WORDS = 1;     // of a length
layout(constant_id = 4) const uint TIME_AXIS = 0; // the other one is the batch's

layout(push_constant, scalar) uniform Push {
	BufE x;
	BufI32 lens;
	BufE y;
	uint n;
	uint inner, inner_magic;
	uint second, second_magic; // dimension 1
	int steps;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	uvec2 q = joule_divmod(i, push.inner, push.inner_magic);
	uvec2 p = joule_divmod(q.x, push.second, push.second_magic);
	int len = clamp(JOULE_INDEX(push.lens, p[1 - TIME_AXIS], WORDS), 0, push.steps);
	int t = int(p[TIME_AXIS]);

	p[TIME_AXIS] = uint(t < len ? len - 1 - t : t);
	push.y.v[i] = push.x.v[(p.x * push.second + p.y) * push.inner + q.y];
}
