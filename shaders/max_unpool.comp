#version 460
// SPDX-License-Identifier: MIT
//! variant max_unpool_1 -DBYTES=1
//! variant max_unpool_2 -DBYTES=2
//! variant max_unpool_4 -DBYTES=4
//! variant max_unpool_8 -DBYTES=8
// Elements to where their index, counted in another shape, says. Windows that
// share a maximum write the same value there. Bad indices are passed over.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint RANK = 1;
layout(constant_id = 4) const uint WORDS = 1; // of an index

struct UnpoolDim {
	uint len, magic;
	int stride, unused;
};
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Dims { UnpoolDim d[]; };

layout(push_constant, scalar) uniform Push {
	BufE x;
	BufI32 idx;
	BufE y;
	Dims dims; // innermost first
	uint n;
	int count; // of the shape that the indices count in
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	int at = JOULE_INDEX(push.idx, i, WORDS);

	at = at < 0 ? at + push.count : at;
	uint rest = uint(clamp(at, 0, push.count - 1)), to = 0;

	[[unroll]] for (uint d = 0; d < RANK; d++) {
		UnpoolDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(rest, m.len, m.magic) : uvec2(0, rest);

		to += q.y * uint(m.stride);
		rest = q.x;
	}
	if (at >= 0 && at < push.count)
		push.y.v[to] = push.x.v[i];
}
