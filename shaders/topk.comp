#version 460
// SPDX-License-Identifier: MIT
//! variant topk_f32
//! variant topk_f16 -DT_F16
// The k best of each line, best first. PICK: a workgroup of 64 goes through
// its line k times, each time for the best one below the last. Otherwise each
// element counts the better ones, which is its place.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(constant_id = 3) const bool PICK = false;
layout(constant_id = 4) const bool LARGEST = true;

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf values;
	BufI64 indices;
	uint count; // elements in all
	uint n, n_magic;
	uint inner, inner_magic;
	uint k;
} push;

shared uvec2 best[64];

// Unsigned numbers in the order of the floats, best highest. 0 is no element's.
uint key_of(float f)
{
	uint u = floatBitsToUint(f == 0.0 ? 0.0 : f);

	if (isnan(f))
		u = 0x7fffffffu;
	u = (u & 0x80000000u) != 0 ? ~u : u | 0x80000000u;
	return LARGEST ? u : ~u;
}

// (key, place): whether a comes before b.
bool before(uvec2 a, uvec2 b)
{
	return a.x > b.x || (a.x == b.x && a.y < b.y);
}

void put(uint base, uint outer, uint lane, uint rank, uint i)
{
	uint at = (outer * push.k + rank) * push.inner + lane;

	push.values.v[at] = push.x.v[base + i * push.inner];
	push.indices.v[at] = ivec2(i, 0);
}

void main()
{
	if (PICK) {
		uvec2 q = joule_divmod(gl_WorkGroupID.x, push.inner, push.inner_magic);
		uint base = q.x * push.n * push.inner + q.y, t = gl_LocalInvocationID.x;
		uvec2 last = uvec2(0xffffffffu, 0);
		bool first = true;

		for (uint rank = 0; rank < push.k; rank++) {
			uvec2 mine = uvec2(0, 0xffffffffu);

			for (uint i = t; i < push.n; i += 64) {
				uvec2 it = uvec2(key_of(float(push.x.v[base + i * push.inner])), i);

				if ((first || before(last, it)) && before(it, mine))
					mine = it;
			}
			best[t] = mine;
			barrier();
			for (uint half_ = 32; half_ > 0; half_ /= 2) {
				if (t < half_ && before(best[t + half_], best[t]))
					best[t] = best[t + half_];
				barrier();
			}
			last = best[0];
			first = false;
			barrier();
			if (t == 0)
				put(base, q.x, q.y, rank, last.y);
		}
		return;
	}
	// Numbered (line, element), so that neighbours walk the same line.
	uint id = joule_global_index();

	if (id >= push.count)
		return;
	uvec2 p = joule_divmod(id, push.n, push.n_magic);
	uvec2 q = joule_divmod(p.x, push.inner, push.inner_magic);
	uint base = q.x * push.n * push.inner + q.y, rank = 0;
	uvec2 mine = uvec2(key_of(float(push.x.v[base + p.y * push.inner])), p.y);

	for (uint i = 0; i < push.n; i++)
		rank += uint(before(uvec2(key_of(float(push.x.v[base + i * push.inner])), i), mine));
	if (rank < push.k)
		put(base, q.x, q.y, rank, p.y);
}
