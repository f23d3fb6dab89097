#version 460
// SPDX-License-Identifier: MIT
//! variant unary_f32
//! variant unary_f16 -DT_F16
// One element-wise step, four elements an invocation: vec4 accesses cost one
// address, and buffers start on 16 bytes, so only the tail goes one by one.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "elementwise.glsl"

layout(constant_id = 3) const uint CODE = 0;

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf y;
	uint n;
	float p, q;
} push;

void main()
{
	uint i = joule_global_index() * 4;

	if (i + 4 <= push.n) {
		vec4 v = vec4(Buf4(push.x).v[i / 4]);

		for (int k = 0; k < 4; k++)
			v[k] = joule_ew(CODE, v[k], 0.0, push.p, push.q);
		Buf4(push.y).v[i / 4] = T4(v);
		return;
	}
	for (; i < push.n; i++)
		push.y.v[i] = T(joule_ew(CODE, float(push.x.v[i]), 0.0, push.p, push.q));
}
