#version 460
// SPDX-License-Identifier: MIT
//! variant arg_f32
//! variant arg_f16 -DT_F16
//! variant hardmax_f32 -DHARDMAX
//! variant hardmax_f16 -DHARDMAX -DT_F16
// Where along a line the extreme is: an invocation a line, or a workgroup of
// 64 (GROUP). Output is the index as int64, or 1 and 0 (HARDMAX).
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(constant_id = 3) const bool GROUP = false;
layout(constant_id = 4) const bool MIN = false;
layout(constant_id = 5) const bool LAST = false;

layout(push_constant, scalar) uniform Push {
	Buf x;
#ifdef HARDMAX
	Buf y;
#else
	BufI64 y;
#endif
	uint lines, n;
	uint inner, inner_magic;
} push;

shared float best_v[64];
shared uint best_i[64];

bool better(float v, uint i, float w, uint j)
{
	if (v == w)
		return LAST ? i > j : i < j;
	return MIN ? v < w : v > w;
}

void main()
{
	uint line = GROUP ? gl_WorkGroupID.x : joule_global_index();
	uint t = GROUP ? gl_LocalInvocationID.x : 0, step = GROUP ? 64 : 1;

	if (!GROUP && line >= push.lines)
		return;
	uvec2 q = joule_divmod(line, push.inner, push.inner_magic);
	uint base = q.x * push.n * push.inner + q.y, best = min(t, push.n - 1);
	float v = float(push.x.v[base + best * push.inner]);

	for (uint k = t + step; k < push.n; k += step) {
		float w = float(push.x.v[base + k * push.inner]);

		if (LAST ? (MIN ? w <= v : w >= v) : (MIN ? w < v : w > v)) {
			v = w;
			best = k;
		}
	}
	if (GROUP) {
		best_v[t] = v;
		best_i[t] = best;
		barrier();
		for (uint half_ = 32; half_ > 0; half_ /= 2) {
			if (t < half_ && better(best_v[t + half_], best_i[t + half_], best_v[t], best_i[t])) {
				best_v[t] = best_v[t + half_];
				best_i[t] = best_i[t + half_];
			}
			barrier();
		}
		best = best_i[0];
	}
#ifdef HARDMAX
	for (uint k = t; k < push.n; k += step)
		push.y.v[base + k * push.inner] = T(k == best ? 1.0 : 0.0);
#else
	if (t == 0)
		push.y.v[line] = ivec2(best, 0);
#endif
}
