#version 460
// SPDX-License-Identifier: MIT
//! variant cumsum_f32
//! variant cumsum_f16 -DT_F16
//! variant cumsum_f64 -DT_F64
// Running sums along lines: an invocation a line, or a workgroup of 64 (GROUP)
// whose invocations first add up their stretches of it.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(constant_id = 3) const bool GROUP = false;
layout(constant_id = 4) const bool EXCLUSIVE = false;
layout(constant_id = 5) const bool REVERSE = false;

#ifdef T_F64
#define ACC double
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer BufLine { double v[]; };
#else
#define ACC float
#define BufLine Buf
#endif

layout(push_constant, scalar) uniform Push {
	BufLine x;
	BufLine y;
	uint lines, n;
	uint inner, inner_magic;
} push;

shared ACC part[64];

void main()
{
	uint line = GROUP ? gl_WorkGroupID.x : joule_global_index();

	if (!GROUP && line >= push.lines)
		return;
	uvec2 q = joule_divmod(line, push.inner, push.inner_magic);
	int step = REVERSE ? -int(push.inner) : int(push.inner);
	int base = int(q.x * push.n * push.inner + q.y) + (REVERSE ? int((push.n - 1) * push.inner) : 0);
	uint from = 0, to = push.n;
	ACC sum = ACC(0);

	if (GROUP) {
		uint t = gl_LocalInvocationID.x, stretch = (push.n + 63) / 64;

		from = min(t * stretch, push.n);
		to = min(from + stretch, push.n);
		for (uint k = from; k < to; k++)
			sum += ACC(push.x.v[base + int(k) * step]);
		part[t] = sum;
		barrier();
		sum = ACC(0);
		for (uint k = 0; k < t; k++)
			sum += part[k];
	}
	for (uint k = from; k < to; k++) {
		int at = base + int(k) * step;
		ACC v = ACC(push.x.v[at]);

#ifdef T_F64
		push.y.v[at] = EXCLUSIVE ? sum : sum + v;
#else
		push.y.v[at] = T(EXCLUSIVE ? sum : sum + v);
#endif
		sum += v;
	}
}
