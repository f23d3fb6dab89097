#version 460
// SPDX-License-Identifier: MIT
//! variant lrn_f32
//! variant lrn_f32_wide -DJOULE_WIDE
//! variant lrn_f16 -DT_F16
// x / (bias + alpha / size * sum of squares over channels)^beta
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/load4.glsl"

layout(constant_id = 3) const uint VEC = 1; /* neighbours in a channel an invocation: 4 or 1 */

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf y;
	uint n;
	uint channels;
	uint inner;
	uint below, above; /* channels that count on either side */
	float alpha, beta, bias;
} push;

vec4 load(uint at)
{
	return VEC == 4 ? joule_load4(push.x, at / 4) : vec4(float(push.x.v[at]));
}

void main()
{
	uint at = joule_global_index() * VEC, c, from, to;
	vec4 sum = vec4(0.0), v;

	if (at >= push.n)
		return;
	c = at / push.inner % push.channels;
	from = c - min(c, push.below);
	to = min(c + push.above, push.channels - 1);
	for (uint k = from; k <= to; k++) {
		v = load(at - (c - k) * push.inner);
		sum += v * v;
	}
	v = load(at);
	v *= exp2(-push.beta * log2(push.bias + push.alpha * sum));
	if (VEC == 4)
		joule_store4(push.y, at / 4, v);
	else
		push.y.v[at] = T(v.x);
}
