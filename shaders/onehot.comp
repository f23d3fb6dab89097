#version 460
// SPDX-License-Identifier: MIT
//! variant onehot_1 -DBYTES=1
//! variant onehot_2 -DBYTES=2
//! variant onehot_4 -DBYTES=4
//! variant onehot_8 -DBYTES=8
// values[1] where the coordinate along the depth axis is the index, else values[0].
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint WORDS = 1; // of an index; 0: a float

layout(push_constant, scalar) uniform Push {
	BufI32 x;
	BufE values;
	BufE y;
	uint n;
	uint depth, depth_magic;
	uint inner, inner_magic;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	U off = U(push.values.v[0]), on = U(push.values.v[1]);
	uvec2 q = joule_divmod(i, push.inner, push.inner_magic);
	uvec2 p = joule_divmod(q.x, push.depth, push.depth_magic);
	uint at = p.x * push.inner + q.y;
	int k = WORDS == 0 ? int(intBitsToFloat(push.x.v[at])) : JOULE_INDEX(push.x, at, WORDS);

	k = k < 0 ? k + int(push.depth) : k;
	push.y.v[i] = E(k == int(p.y) ? on : off);
}
