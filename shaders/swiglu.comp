#version 460
// SPDX-License-Identifier: MIT
//! variant swiglu_f32
//! variant swiglu_f16 -DT_F16
// a * sigmoid(alpha * a) * b, four elements an invocation.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(push_constant, scalar) uniform Push {
	Buf a, b, y;
	uint n;
	float alpha;
} push;

void main()
{
	uint i = joule_global_index() * 4;

	if (i + 4 <= push.n) {
		vec4 a = vec4(Buf4(push.a).v[i / 4]), b = vec4(Buf4(push.b).v[i / 4]);

		Buf4(push.y).v[i / 4] = T4(a / (1.0 + exp(-push.alpha * a)) * b);
		return;
	}
	for (; i < push.n; i++) {
		float a = float(push.a.v[i]);

		push.y.v[i] = T(a / (1.0 + exp(-push.alpha * a)) * float(push.b.v[i]));
	}
}
