#version 460
// SPDX-License-Identifier: MIT
//! variant einsum_f32
//! variant einsum_f16 -DT_F16
// A contraction of one or two operands by any strides, one output element an
// invocation. loops: the output's dimensions, then the summed ones, outermost
// first, each with its strides.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(constant_id = 3) const uint N_OUT = 1;
layout(constant_id = 4) const uint N_SUM = 1; /* at least 1 */
layout(constant_id = 5) const bool TWO = true;

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Loops { uvec3 v[]; };

layout(push_constant, scalar) uniform Push {
	Buf a, b;
	Loops loops;
	Buf y;
	uint n;
} push;

void main()
{
	uint i = joule_global_index(), outer = 1;
	uint rest = i, a0 = 0, b0 = 0;
	uvec3 inner = push.loops.v[N_OUT + N_SUM - 1];
	float sum = 0.0;

	if (i >= push.n)
		return;
	for (uint d = N_OUT; d-- > 0;) {
		uvec3 l = push.loops.v[d];

		a0 += rest % l.x * l.y;
		b0 += rest % l.x * l.z;
		rest /= l.x;
	}
	for (uint d = N_OUT; d < N_OUT + N_SUM - 1; d++)
		outer *= push.loops.v[d].x;
	for (uint s = 0; s < outer; s++) {
		uint a = a0, b = b0;

		rest = s;
		for (uint d = N_OUT + N_SUM - 1; d-- > N_OUT;) {
			uvec3 l = push.loops.v[d];

			a += rest % l.x * l.y;
			b += rest % l.x * l.z;
			rest /= l.x;
		}
		for (uint j = 0; j < inner.x; j++) {
			sum += float(push.a.v[a]) * (TWO ? float(push.b.v[b]) : 1.0);
			a += inner.y;
			b += inner.z;
		}
	}
	push.y.v[i] = T(sum);
}
