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
layout(constant_id = 4) const int PER = 1;
layout(constant_id = 5) const uint TABLES = 0; // bit d: dimension d has a table

struct RemapDim {
	uint len, magic;
	int stride;
	uint table; // start of its entries in the block
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
	uint i = JOULE_CLAMPED_INDEX(push.n), row = 0, c = 0;
	RemapDim in_dim = push.dims.d[0];
	U fill = U(push.fill.v[0]), u[4];
	int s = 0;
	ivec4 o;

	[[unroll]] for (uint d = 0; d < RANK; d++) {
		RemapDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(i, m.len, m.magic) : uvec2(0, i);

		if (d == 0) {
			c = q.y * uint(PER);
			row = RANK > 1 ? q.x : 0;
		} else {
			int step = int(q.y) * m.stride;

			if ((TABLES & 1u << d) != 0)
				step = Table(push.dims).v[m.table + q.y];
			// Two fill entries would add up to 0.
			s = s < 0 ? s : s + step;
		}
		i = q.x;
	}
	// The last chunk of a row repeats the row's last unit.
	uint t = row * push.inner + c;
	int last = PER > 1 ? int(push.inner - c) - 1 : 0;

	o = (int(c) + min(ivec4(0, 1, 2, 3), ivec4(last))) * in_dim.stride;
	if ((TABLES & 1u) != 0 && PER > 1)
		o = Table4(push.dims).v[(in_dim.table + c) / 4];
	else if ((TABLES & 1u) != 0)
		o = ivec4(Table(push.dims).v[in_dim.table + c]);
	o = s < 0 ? ivec4(s) : s + o;
	[[unroll]] for (int k = 0; k < PER; k++)
		u[k] = U(push.src.v[max(o[k], 0)]);
	[[unroll]] for (int k = 0; k < PER; k++)
		u[k] = o[k] < 0 ? fill : u[k];
	[[unroll]] for (int k = PER - 1; k >= 0; k--)
		push.dst.v[t + uint(min(k, last))] = E(u[k]);
}
