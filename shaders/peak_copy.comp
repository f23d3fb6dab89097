#version 460
// SPDX-License-Identifier: MIT
//! variant peak_copy
// Memory read once and written once, 16 bytes an invocation.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(push_constant, scalar) uniform Push {
	BufF32x4 x;
	BufF32x4 y;
	uint n;
} push;

void main()
{
	uint i = joule_global_index();

	if (i < push.n)
		push.y.v[i] = push.x.v[i];
}
