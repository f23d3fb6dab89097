#version 460
// SPDX-License-Identifier: MIT
//! variant scatter_reduce_elements_f32
//! variant scatter_reduce_elements_f16 -DT_F16
//! variant scatter_reduce_tuples_f32 -DTUPLES
//! variant scatter_reduce_tuples_f16 -DTUPLES -DT_F16
// Reduces updates into y, one invocation for all that may meet in one place,
// so that sums come out the same every time. Bad indices are passed over.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(constant_id = 3) const uint N = 1;     // entries of the block
layout(constant_id = 4) const uint WORDS = 1; // of an index
layout(constant_id = 5) const uint REDUCTION = 1; // 1 add, 2 mul, 3 max, 4 min

struct ReduceDim {
	uint len, magic;
	int stride, update;
};
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Dims { ReduceDim d[]; };

layout(push_constant, scalar) uniform Push {
	BufI32 idx;
	Buf update;
	Buf y;
	Dims dims;
	uint n, steps;
	int axis_dim, axis_stride;
	uint update_stride;
} push;

void reduce(int at, uint from)
{
	float x = float(push.y.v[at]), u = float(push.update.v[from]);

	if (REDUCTION == 1)
		x += u;
	else if (REDUCTION == 2)
		x *= u;
	else if (REDUCTION == 3)
		x = u > x || isnan(u) ? u : x;
	else
		x = u < x || isnan(u) ? u : x;
	push.y.v[at] = T(x);
}

void main()
{
	uint i = joule_global_index();

	if (i >= push.n)
		return;
#ifdef TUPLES
	for (uint s = 0; s < push.steps; s++) {
		int slot = 0;
		bool good = true;

		[[unroll]] for (uint j = 0; j < N; j++) {
			ReduceDim m = push.dims.d[j];
			int k = JOULE_INDEX(push.idx, s * N + j, WORDS), len = int(m.len);

			k = k < 0 ? k + len : k;
			good = good && k >= 0 && k < len;
			slot += k * m.stride;
		}
		if (good)
			reduce(slot * int(push.n) + int(i), s * push.n + i);
	}
#else
	uint from = 0, rest = i;
	int at = 0;

	[[unroll]] for (uint d = 0; d < N; d++) {
		ReduceDim m = push.dims.d[d];
		uvec2 q = d + 1 < N ? joule_divmod(rest, m.len, m.magic) : uvec2(0, rest);

		at += int(q.y) * m.stride;
		from += q.y * uint(m.update);
		rest = q.x;
	}
	for (uint s = 0; s < push.steps; s++, from += push.update_stride) {
		int k = JOULE_INDEX(push.idx, from, WORDS);

		k = k < 0 ? k + push.axis_dim : k;
		if (k >= 0 && k < push.axis_dim)
			reduce(at + k * push.axis_stride, from);
	}
#endif
}
