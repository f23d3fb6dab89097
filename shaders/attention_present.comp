#version 460
// SPDX-License-Identifier: MIT
//! variant attention_present_f32
//! variant attention_present_f16 -DT_F16
// Past and current keys (or values) side by side, one element an invocation.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(push_constant, scalar) uniform Push {
	Buf past, now, y; /* past and y: [batch][heads][sequence][size] */
	uint n, heads, n_past, n_now, size;
	uint batch_stride, head_stride, row_stride; /* of now */
} push;

void main()
{
	uint i = joule_global_index();

	if (i >= push.n)
		return;
	uint d = i % push.size, row = i / push.size, rows = push.n_past + push.n_now;
	uint j = row % rows, h = row / rows % push.heads, b = row / rows / push.heads;

	if (j < push.n_past)
		push.y.v[i] = push.past.v[((b * push.heads + h) * push.n_past + j) * push.size + d];
	else
		push.y.v[i] = push.now.v[b * push.batch_stride + h * push.head_stride +
					 (j - push.n_past) * push.row_stride + d];
}
