#version 460
// SPDX-License-Identifier: MIT
//! variant remap_1 -DBYTES=1
//! variant remap_2 -DBYTES=2
//! variant remap_4 -DBYTES=4
//! variant remap_8 -DBYTES=8
//! variant remap_16 -DBYTES=16
// Copy through one table of source offsets for each dimension (ops/copy.h);
// a negative sum of offsets stands for the fill value.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint RANK = 1;
layout(constant_id = 4) const uint PER = 1;

struct RemapDim {
	uint len, magic;
	int stride;
	uint table; // start of its entries in the block, 0: none
};
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Dims { RemapDim d[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Table { int v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Table4 { ivec4 v[]; };

layout(push_constant, scalar) uniform Push {
	BufE src;
	BufE fill;
	Dims dims;
	BufE dst;
	uint n;
	uint inner; // units in a row
} push;

void main()
{
	uint i = joule_global_index(), row = 0, c = 0;
	int s = 0;

	if (i >= push.n)
		return;
	[[unroll]] for (uint d = 0; d < RANK; d++) {
		RemapDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(i, m.len, m.magic) : uvec2(0, i);

		if (d == 0) {
			c = q.y * PER;
			row = RANK > 1 ? q.x : 0;
		} else {
			int o = m.table != 0 ? Table(push.dims).v[m.table + q.y] : int(q.y) * m.stride;

			// Two fill entries would add up to 0.
			s = s < 0 ? s : s + o;
		}
		i = q.x;
	}
	RemapDim m = push.dims.d[0];
	uint t = row * push.inner + c;

	if (PER == 1) {
		int o = m.table != 0 ? Table(push.dims).v[m.table + c] : int(c) * m.stride;

		o = s < 0 ? s : s + o;
		push.dst.v[t] = E(o < 0 ? U(push.fill.v[0]) : U(push.src.v[o]));
		return;
	}
	int last = int(min(4, push.inner - c)) - 1;
	ivec4 o = m.table != 0 ? Table4(push.dims).v[(m.table + c) / 4] :
				 (int(c) + min(ivec4(0, 1, 2, 3), ivec4(last))) * m.stride;
	U fill = U(push.fill.v[0]), u[4];

	o = s < 0 ? ivec4(s) : s + o;
	[[unroll]] for (int k = 0; k < 4; k++) {
		u[k] = fill;
		if (o[k] >= 0)
			u[k] = U(push.src.v[o[k]]);
	}
	[[unroll]] for (int k = 0; k < 4; k++)
		if (k <= last)
			push.dst.v[t + uint(k)] = E(u[k]);
}
