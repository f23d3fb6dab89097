#version 460
// SPDX-License-Identifier: MIT
//! variant causal_conv_f32
//! variant causal_conv_f16 -DT_F16
// Depthwise causal convolution: one output column an invocation, then the
// columns kept as state.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(constant_id = 3) const uint KERNEL = 1;
layout(constant_id = 4) const bool BIAS = false;
layout(constant_id = 5) const bool PAST = false;
layout(constant_id = 6) const bool SILU = false;

layout(push_constant, scalar) uniform Push {
	Buf x, w, bias, past, y, state;
	uint n, per_row, columns, channels;
} push;

/* Column l of past state and input side by side. */
float padded(uint row, uint l)
{
	if (l >= KERNEL - 1)
		return float(push.x.v[row * push.columns + l - (KERNEL - 1)]);
	return PAST ? float(push.past.v[row * (KERNEL - 1) + l]) : 0.0;
}

void main()
{
	uint i = joule_global_index();

	if (i >= push.n)
		return;
	uint row = i / push.per_row, l = i % push.per_row, c = row % push.channels;

	if (l >= push.columns) {
		push.state.v[row * (KERNEL - 1) + l - push.columns] = T(padded(row, l));
		return;
	}
	float v = BIAS ? float(push.bias.v[c]) : 0.0;

	for (uint k = 0; k < KERNEL; k++)
		v += float(push.w.v[c * KERNEL + k]) * padded(row, l + k);
	if (SILU)
		v /= 1.0 + exp(-v);
	push.y.v[row * push.columns + l] = T(v);
}
