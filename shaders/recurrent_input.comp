#version 460
// SPDX-License-Identifier: MIT
//! variant recurrent_input_f32
//! variant recurrent_input_f16 -DT_F16
// The part of a recurrent layer that does not wait for its state: all steps'
// inputs times packed weights, four rows by one column an invocation.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

#define ROWS 4

layout(push_constant, scalar) uniform Push {
	Buf x, w;
	BufF32 y; /* [direction][row][column] */
	uint rows, columns, depth;
} push;

void main()
{
	uint column = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	uint row = gl_WorkGroupID.y * ROWS, dir = gl_WorkGroupID.z;
	uint w = dir * push.depth * push.columns + column;
	uint x[ROWS];
	vec4 acc = vec4(0.0);

	if (column >= push.columns)
		return;
	for (uint i = 0; i < ROWS; i++)
		x[i] = min(row + i, push.rows - 1) * push.depth;
	for (uint k = 0; k < push.depth; k++) {
		float v = float(push.w.v[w + k * push.columns]);

		[[unroll]] for (uint i = 0; i < ROWS; i++)
			acc[i] += float(push.x.v[x[i] + k]) * v;
	}
	for (uint i = 0; i < ROWS && row + i < push.rows; i++)
		push.y.v[(dir * push.rows + row + i) * push.columns + column] = acc[i];
}
