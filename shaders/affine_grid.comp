#version 460
// SPDX-License-Identifier: MIT
//! variant affine_grid_f32
//! variant affine_grid_f16 -DT_F16
// Each output pixel's normalised coordinates times its batch's matrix.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(constant_id = 3) const uint DIMS = 2;
layout(constant_id = 4) const bool ALIGN = false;

layout(push_constant, scalar) uniform Push {
	Buf theta;
	Buf y;
	uint n;
	uvec2 len[3]; // length and its magic, x first
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n), rest = i;
	vec4 v = vec4(1.0);

	[[unroll]] for (uint d = 0; d < DIMS; d++) {
		uvec2 q = joule_divmod(rest, push.len[d].x, push.len[d].y);
		float n = float(push.len[d].x), c = float(q.y);

		v[d] = ALIGN ? (n > 1.0 ? 2.0 * c / (n - 1.0) - 1.0 : 0.0) : (2.0 * c + 1.0) / n - 1.0;
		rest = q.x;
	}
	uint m = rest * DIMS * (DIMS + 1);

	[[unroll]] for (uint r = 0; r < DIMS; r++) {
		float sum = 0.0;

		[[unroll]] for (uint k = 0; k <= DIMS; k++)
			sum += v[k] * float(push.theta.v[m + r * (DIMS + 1) + k]);
		push.y.v[i * DIMS + r] = T(sum);
	}
}
