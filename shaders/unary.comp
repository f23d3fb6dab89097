#version 460
// SPDX-License-Identifier: MIT
//! variant unary_f32
//! variant unary_f32_wide -DJOULE_WIDE
//! variant unary_f16 -DT_F16
//! variant unary_f16_wide -DT_F16 -DJOULE_WIDE
// One element-wise step on a dense tensor, PER times four elements an
// invocation, a workgroup's width apart.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "lib/load4.glsl"
#include "elementwise.glsl"

layout(constant_id = 3) const uint CODE = 0;
layout(constant_id = 4) const uint PER = 1;

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf y;
	uint n;
	float p, q;
} push;

void main()
{
	uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
	uint i = (group * PER * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * 4;

	for (uint c = 0; c < PER; c++, i += gl_WorkGroupSize.x * 4) {
		if (i + 4 <= push.n) {
			vec4 v = joule_load4(push.x, i / 4);

			[[unroll]] for (int k = 0; k < 4; k++)
				v[k] = joule_ew(CODE, v[k], 0.0, push.p, push.q);
			joule_store4(push.y, i / 4, v);
		} else {
			for (uint k = i; k < push.n; k++)
				push.y.v[k] = T(joule_ew(CODE, float(push.x.v[k]), 0.0, push.p, push.q));
		}
	}
}
