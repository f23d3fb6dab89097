#version 460
// SPDX-License-Identifier: MIT
//! variant where_1 -DBYTES=1
//! variant where_2 -DBYTES=2
//! variant where_4 -DBYTES=4
//! variant where_8 -DBYTES=8
// Picks from x or y by a condition, with broadcasting strides for all three:
// PER elements of a row an invocation.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint RANK = 1;
layout(constant_id = 4) const int PER = 1;

struct WhereDim {
	uint len, magic;
	int c, x, y, unused;
};
layout(buffer_reference, scalar, buffer_reference_align = 8) readonly buffer Dims { WhereDim d[]; };

layout(push_constant, scalar) uniform Push {
	BufU32 c; // bytes
	BufE x;
	BufE y;
	BufE out_;
	Dims dims;
	uint n;
	uint inner;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n), first = 0, row = 0;
	WhereDim in_dim = push.dims.d[0];
	ivec3 at = ivec3(0);

	[[unroll]] for (uint d = 0; d < RANK; d++) {
		WhereDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(i, m.len, m.magic) : uvec2(0, i);
		int c = int(q.y) * (d == 0 ? PER : 1);

		first = d == 0 ? uint(c) : first;
		row = d == 0 && RANK > 1 ? q.x : row;
		at += c * ivec3(m.c, m.x, m.y);
		i = q.x;
	}
	uint t = row * push.inner + first;
	int last = int(push.inner - first) - 1;

	[[unroll]] for (int k = 0; k < PER; k++) {
		ivec3 o = at + min(k, last) * ivec3(in_dim.c, in_dim.x, in_dim.y);
		U x = U(push.x.v[o.y]), y = U(push.y.v[o.z]);

		push.out_.v[t + min(k, last)] = E(JOULE_BYTE(push.c, o.x) != 0 ? x : y);
	}
}
