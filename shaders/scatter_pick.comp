#version 460
// SPDX-License-Identifier: MIT
//! variant scatter_pick_1 -DBYTES=1
//! variant scatter_pick_2 -DBYTES=2
//! variant scatter_pick_4 -DBYTES=4
//! variant scatter_pick_8 -DBYTES=8
//! variant scatter_pick_16 -DBYTES=16
// Each unit of the output from the update that its slot is marked with, or
// from the data.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(push_constant, scalar) uniform Push {
	BufE x;
	BufE update;
	BufU32 mark;
	BufE y;
	uint n;
	uint slice, slice_magic; // units
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	uvec2 q = joule_divmod(i, push.slice, push.slice_magic);
	uint m = push.mark.v[q.x], at = i;
	BufE from = push.x;

	if (m != 0) {
		from = push.update;
		at = (m - 1) * push.slice + q.y;
	}
	push.y.v[i] = from.v[at];
}
