#version 460
// SPDX-License-Identifier: MIT
//! variant gather_tuples_1 -DBYTES=1
//! variant gather_tuples_2 -DBYTES=2
//! variant gather_tuples_4 -DBYTES=4
//! variant gather_tuples_8 -DBYTES=8
//! variant gather_tuples_16 -DBYTES=16
//! variant scatter_mark_tuples -DBYTES=4 -DMARK
// Addresses by tuple (ops/elements.h): K indices stand for a slice. Gather
// copies it, a unit an invocation. Mark notes for each slot the last update
// that goes there, in any order of execution.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint K = 1;
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
	uint slice, slice_magic; // units
	uint per_batch, per_batch_magic; // tuples
	uint batch_stride;       // slots
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	uvec2 q = joule_divmod(i, push.slice, push.slice_magic);
	int slot = int(joule_div(q.x, push.per_batch, push.per_batch_magic) * push.batch_stride);
	bool good = true;

	[[unroll]] for (uint j = 0; j < K; j++) {
		AddressDim m = push.dims.d[j];
		int k = JOULE_INDEX(push.idx, q.x * K + j, WORDS), len = int(m.len);

		k = k < 0 ? k + len : k;
		good = good && k >= 0 && k < len;
		slot += clamp(k, 0, len - 1) * m.stride;
	}
#ifdef MARK
	if (good)
		atomicMax(push.y.v[slot], i + 1);
#else
	push.y.v[i] = push.x.v[slot * push.slice + q.y];
#endif
}
