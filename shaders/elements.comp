#version 460
// SPDX-License-Identifier: MIT
//! variant gather_elements_1 -DBYTES=1
//! variant gather_elements_2 -DBYTES=2
//! variant gather_elements_4 -DBYTES=4
//! variant gather_elements_8 -DBYTES=8
//! variant scatter_mark_elements -DBYTES=4 -DMARK
// Addresses by element (ops/elements.h): an index replaces one coordinate.
// Gather reads there. Mark notes for each slot the last update that goes
// there, in any order of execution.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint RANK = 1;
layout(constant_id = 4) const uint WORDS = 1; // of an index

struct AddressDim {
	uint len, magic;
	int stride, unused;
};
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Dims { AddressDim d[]; };

layout(push_constant, scalar) uniform Push {
#ifndef MARK
	BufE x;
#endif
	BufI32 idx;
	BufE y; // marks: 1 + number of the update, 0 for none
	Dims dims;
	uint n;
	int axis_dim, axis_stride;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n), rest = i;
	int k = JOULE_INDEX(push.idx, i, WORDS);

	k = k < 0 ? k + push.axis_dim : k;
	bool good = k >= 0 && k < push.axis_dim;
	int at = clamp(k, 0, push.axis_dim - 1) * push.axis_stride;

	[[unroll]] for (uint d = 0; d < RANK; d++) {
		AddressDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(rest, m.len, m.magic) : uvec2(0, rest);

		at += int(q.y) * m.stride;
		rest = q.x;
	}
#ifdef MARK
	if (good)
		atomicMax(push.y.v[at], i + 1);
#else
	push.y.v[i] = push.x.v[at];
#endif
}
