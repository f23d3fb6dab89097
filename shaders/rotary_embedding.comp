#version 460
// SPDX-License-Identifier: MIT
//! variant rotary_embedding_f32
//! variant rotary_embedding_f16 -DT_F16
// One element an invocation: its own value and its pair's, turned.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(constant_id = 3) const bool IDS = false;
layout(constant_id = 4) const bool INTERLEAVED = false;

layout(push_constant, scalar) uniform Push {
	Buf x, cos_cache, sin_cache;
	BufI64 ids;
	Buf y;
	uint n, rows, heads, size, rotated, row_stride, cache_rows;
} push;

void main()
{
	uint i = joule_global_index();

	if (i >= push.n)
		return;
	uint d = i % push.size, image = push.rows * push.heads * push.size;
	uint line = i / image * push.rows + i % image / push.row_stride % push.rows;
	uint half_ = push.rotated / 2;

	if (d >= push.rotated) {
		push.y.v[i] = push.x.v[i];
		return;
	}
	/* A position outside the caches is an error of the caller; stay inside them. */
	if (IDS)
		line = min(uint(push.ids.v[line].x), push.cache_rows - 1);
	bool second = INTERLEAVED ? (d & 1) != 0 : d >= half_;
	uint pair = line * half_ + (INTERLEAVED ? d / 2 : d % half_);
	uint apart = INTERLEAVED ? 1 : half_;
	float v = float(push.x.v[i]), w = float(push.x.v[second ? i - apart : i + apart]);
	float c = float(push.cos_cache.v[pair]), s = float(push.sin_cache.v[pair]);

	push.y.v[i] = T(second ? s * w + c * v : c * v - s * w);
}
