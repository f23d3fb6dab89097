#version 460
// SPDX-License-Identifier: MIT
//! variant range_f32
//! variant range_f16 -DT_F16
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(push_constant, scalar) uniform Push {
	Buf start;
	Buf delta;
	Buf y;
	uint n;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);

	push.y.v[i] = T(fma(float(i), float(push.delta.v[0]), float(push.start.v[0])));
}
