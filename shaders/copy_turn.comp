#version 460
// SPDX-License-Identifier: MIT
//! variant copy_turn_1 -DBYTES=1
//! variant copy_turn_2 -DBYTES=2
//! variant copy_turn_4 -DBYTES=4
// Strided copy where rows become columns: a 4 x 4 block an invocation, read
// along j (source stride 1) and written along i (destination stride 1).
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint RANK = 0;
layout(constant_id = 4) const bool WIDE_IN = false;  // source rows start on 4 elements
layout(constant_id = 5) const bool WIDE_OUT = false; // destination rows too

struct CopyDim {
	uint len, magic;
	int src, dst;
};
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Dims { CopyDim d[]; };

layout(push_constant, scalar) uniform Push {
	BufE src;
	BufE dst;
	Dims dims; // the outer ones
	int src_at, dst_at;
	uint ni, nj, outer;
	int si, dj;
} push;

void main()
{
	uvec3 id = gl_GlobalInvocationID;
	int j = int(id.x) * 4, i = int(id.y) * 4;
	int s = push.src_at, t = push.dst_at;
	int mi = min(4, int(push.ni) - i) - 1, mj = min(4, int(push.nj) - j) - 1;
	uint rest = id.z;
	uvec4 u[4];

	if (mi < 0 || mj < 0 || rest >= push.outer)
		return;
	[[unroll]] for (uint d = 0; d < RANK; d++) {
		CopyDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(rest, m.len, m.magic) : uvec2(0, rest);

		s += int(q.y) * m.src;
		t += int(q.y) * m.dst;
		rest = q.x;
	}
	s += i * push.si + j;
	t += j * push.dj + i;
	if (WIDE_IN && mj == 3) {
		[[unroll]] for (int a = 0; a < 4; a++)
			u[a] = joule_unpack(BufW4(push.src).v[(s + min(a, mi) * push.si) / 4]);
	} else {
		[[unroll]] for (int a = 0; a < 4; a++)
			[[unroll]] for (int c = 0; c < 4; c++)
				u[a][c] = U(push.src.v[s + min(a, mi) * push.si + min(c, mj)]);
	}
	if (WIDE_OUT && mi == 3) {
		[[unroll]] for (int c = 0; c < 4; c++)
			if (c <= mj)
				BufW4(push.dst).v[(t + c * push.dj) / 4] =
					joule_pack(uvec4(u[0][c], u[1][c], u[2][c], u[3][c]));
		return;
	}
	[[unroll]] for (int c = 0; c < 4; c++)
		[[unroll]] for (int a = 0; a < 4; a++)
			if (c <= mj && a <= mi)
				push.dst.v[t + c * push.dj + a] = E(u[a][c]);
}
