#version 460
// SPDX-License-Identifier: MIT
//! variant batch_norm_stats_f32
//! variant batch_norm_stats_f16 -DT_F16
// Scale, bias, mean and variance of each channel as one factor and one summand.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(push_constant, scalar) uniform Push {
	Buf scale;
	Buf bias;
	Buf mean;
	Buf var;
	BufF32 stats; /* all factors, then all summands */
	uint channels;
	float epsilon;
} push;

void main()
{
	uint c = joule_global_index();
	float p;

	if (c >= push.channels)
		return;
	p = float(push.scale.v[c]) / sqrt(float(push.var.v[c]) + push.epsilon);
	push.stats.v[c] = p;
	push.stats.v[push.channels + c] = float(push.bias.v[c]) - float(push.mean.v[c]) * p;
}
