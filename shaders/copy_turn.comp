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
layout(constant_id = 4) const bool WIDE_IN = false;  // nj and source rows: multiples of 4
layout(constant_id = 5) const bool WIDE_OUT = false; // ni and destination rows too
layout(constant_id = 6) const int ROWS = 4;          // of a block: less where ni is

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
	int ni, nj; // nj is 4 or more
	uint outer;
	int si, dj;
} push;

void main()
{
	uvec3 id = gl_GlobalInvocationID;
	// Blocks at the edge are moved in, so that all are whole.
	int j = min(int(id.x) * 4, push.nj - 4), i = min(int(id.y) * ROWS, push.ni - ROWS);
	int s = push.src_at + i * push.si + j, t = push.dst_at + j * push.dj + i;
	uint rest = min(id.z, push.outer - 1);
	uvec4 u[4];

	[[unroll]] for (uint d = 0; d < RANK; d++) {
		CopyDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(rest, m.len, m.magic) : uvec2(0, rest);

		s += int(q.y) * m.src;
		t += int(q.y) * m.dst;
		rest = q.x;
	}
	[[unroll]] for (int a = 0; a < ROWS; a++) {
		if (WIDE_IN)
			u[a] = joule_unpack(BufW4(push.src).v[(s + a * push.si) / 4]);
		else
			[[unroll]] for (int c = 0; c < 4; c++)
				u[a][c] = U(push.src.v[s + a * push.si + c]);
	}
	[[unroll]] for (int c = 0; c < 4; c++) {
		if (WIDE_OUT)
			BufW4(push.dst).v[(t + c * push.dj) / 4] =
				joule_pack(uvec4(u[0][c], u[1][c], u[2][c], u[3][c]));
		else
			[[unroll]] for (int a = 0; a < ROWS; a++)
				push.dst.v[t + c * push.dj + a] = E(u[a][c]);
	}
}
