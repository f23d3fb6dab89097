#version 460
// SPDX-License-Identifier: MIT
//! variant copy_1 -DBYTES=1
//! variant copy_2 -DBYTES=2
//! variant copy_4 -DBYTES=4
//! variant copy_8 -DBYTES=8
//! variant copy_16 -DBYTES=16
// Strided copy (ops/copy.h): PER units of the innermost dimension an invocation.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint RANK = 1;
layout(constant_id = 4) const int PER = 1;

struct CopyDim {
	uint len, magic;
	int src, dst;
};
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Dims { CopyDim d[]; };

layout(push_constant, scalar) uniform Push {
	BufE src;
	BufE dst;
	Dims dims;
	uint n;
	int src_at, dst_at;
	uint inner; // units in a row
	int src_step, dst_step;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n), first = 0;
	int s = push.src_at, t = push.dst_at;

	[[unroll]] for (uint d = 0; d < RANK; d++) {
		CopyDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(i, m.len, m.magic) : uvec2(0, i);

		first = d == 0 ? q.y : first;
		s += int(q.y) * m.src;
		t += int(q.y) * m.dst;
		i = q.x;
	}
	// The last chunk of a row repeats the row's last unit.
	int last = PER > 1 ? int(push.inner) - int(first) * PER - 1 : 0;
	U u[PER];

	[[unroll]] for (int k = 0; k < PER; k++)
		u[k] = U(push.src.v[s + min(k, last) * push.src_step]);
	[[unroll]] for (int k = 0; k < PER; k++)
		push.dst.v[t + min(k, last) * push.dst_step] = E(u[k]);
}
