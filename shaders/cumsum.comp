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
layout(constant_id = 6) const uint WORDS = 0; // of an axis that comes with the run; 0: known
layout(constant_id = 7) const int RANK = 1;

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
	BufI32 axis;
	BufU32 dims; // of the tensor, for an axis that comes with the run
	uint lines, n;
	uint inner, inner_magic;
} push;

shared ACC part[64];

void main()
{
	uint line = GROUP ? gl_WorkGroupID.x : joule_global_index();
	uint lines = push.lines, n = push.n, inner = push.inner;

	if (WORDS > 0) {
		int axis = push.axis.v[0];

		axis = clamp(axis < 0 ? axis + RANK : axis, 0, RANK - 1);
		n = push.dims.v[axis];
		lines = inner = 1;
		for (int d = 0; d < RANK; d++) {
			lines *= d == axis ? 1 : push.dims.v[d];
			inner *= d > axis ? push.dims.v[d] : 1;
		}
	}
	if (!GROUP && line >= lines)
		return;
	uvec2 q = WORDS > 0 ? uvec2(line / inner, line % inner) :
			      joule_divmod(line, push.inner, push.inner_magic);
	int step = REVERSE ? -int(inner) : int(inner);
	int base = int(q.x * n * inner + q.y) + (REVERSE ? int((n - 1) * inner) : 0);
	uint from = 0, to = n;
	ACC sum = ACC(0);

	if (GROUP) {
		uint t = gl_LocalInvocationID.x, stretch = (n + 63) / 64;

		from = min(t * stretch, n);
		to = min(from + stretch, n);
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
