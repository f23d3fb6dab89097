#version 460
// SPDX-License-Identifier: MIT
//! variant tensor_scatter_1 -DBYTES=1
//! variant tensor_scatter_2 -DBYTES=2
//! variant tensor_scatter_4 -DBYTES=4
//! variant tensor_scatter_8 -DBYTES=8
//! variant tensor_scatter_16 -DBYTES=16
// Each unit of the new cache from the update, where one goes there, or from
// the old cache. What would be written past the end is dropped.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"
#include "lib/bits.glsl"

layout(constant_id = 3) const uint WORDS = 0; // of a write index; 0: all of them are 0
layout(constant_id = 4) const bool CIRCULAR = false;

layout(push_constant, scalar) uniform Push {
	BufE x;
	BufE update;
	BufI32 at;
	BufE y;
	uint n;
	uint inner, inner_magic; // units
	uint len, len_magic;     // of the cache
	uint per_batch, per_batch_magic;
	int update_len;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	uvec2 q = joule_divmod(i, push.inner, push.inner_magic);
	uvec2 p = joule_divmod(q.x, push.len, push.len_magic);
	uint batch = joule_div(p.x, push.per_batch, push.per_batch_magic);
	int start = 0, s;

	if (WORDS > 0)
		start = max(JOULE_INDEX(push.at, batch, WORDS), 0);
	if (CIRCULAR)
		start = int(joule_divmod(uint(start), push.len, push.len_magic).y);
	s = int(p.y) - start;
	s = CIRCULAR && s < 0 ? s + int(push.len) : s;
	BufE from = push.x;
	uint at = i;

	if (s >= 0 && s < push.update_len) {
		from = push.update;
		at = (p.x * push.update_len + s) * push.inner + q.y;
	}
	push.y.v[i] = from.v[at];
}
