#version 460
// SPDX-License-Identifier: MIT
//! variant conv_direct8_f32 -DTC=8
//! variant conv_direct4_f32 -DTC=4
//! variant conv_direct1_f32 -DTC=1
//! variant conv_direct8_f16 -DT_F16 -DTC=8
//! variant conv_direct4_f16 -DT_F16 -DTC=4
//! variant conv_direct1_f16 -DT_F16 -DTC=1
// Convolution, any case: TC output channels by four output positions an
// invocation. The positions of one invocation lie a workgroup's width apart, so
// that neighbouring invocations read neighbouring elements; the weights are the
// same for the whole workgroup.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "elementwise.glsl"

layout(constant_id = 3) const uint KD = 1;
layout(constant_id = 4) const uint KH = 1;
layout(constant_id = 5) const uint KW = 1;
layout(constant_id = 6) const uint SD = 1;
layout(constant_id = 7) const uint SH = 1;
layout(constant_id = 8) const uint SW = 1;
layout(constant_id = 9) const uint DD = 1;
layout(constant_id = 10) const uint DH = 1;
layout(constant_id = 11) const uint DW = 1;
layout(constant_id = 12) const bool PACKED = true;
layout(constant_id = 13) const bool BIAS = true;
layout(constant_id = 14) const bool PADDED = true;

layout(push_constant, scalar) uniform Push {
	Buf x, w, bias, y;
	Buf ep_a, ep_b;
	uvec3 size;      /* input depth, height, width */
	uvec3 out_size;
	ivec3 begin;     /* padding before the image */
	uint in_group, out_group, groups;
} push;

#define JOULE_EPILOGUE_SPEC 15
#include "lib/epilogue.glsl"

#define TP 4
const uint TAPS = KD * KH * KW;

void main()
{
	uint plane = push.size.x * push.size.y * push.size.z;
	uint out_plane = push.out_size.x * push.out_size.y * push.out_size.z;
	uint panels = (push.out_group + TC - 1) / TC;
	uint group = gl_WorkGroupID.y / panels, panel = gl_WorkGroupID.y % panels;
	uint n = gl_WorkGroupID.z;
	uint pos = gl_WorkGroupID.x * gl_WorkGroupSize.x * TP + gl_LocalInvocationID.x;
	uint x_base = (n * push.groups + group) * push.in_group * plane;
	ivec3 at[TP];
	int base[TP];
#if TC == 8
	mat2x4 acc[TP];
#elif TC == 4
	vec4 acc[TP];
#else
	float acc[TP];
#endif

	for (uint t = 0; t < TP; t++) {
		/* Beyond the end: some valid position, whose result is not stored. */
		uint p = min(pos + t * gl_WorkGroupSize.x, out_plane - 1);
		uint row = p / push.out_size.z;

		at[t] = ivec3(row / push.out_size.y * SD, row % push.out_size.y * SH,
			      p % push.out_size.z * SW) - push.begin;
		base[t] = (at[t].x * int(push.size.y) + at[t].y) * int(push.size.z) + at[t].z;
#if TC == 8
		acc[t] = mat2x4(0.0);
#elif TC == 4
		acc[t] = vec4(0.0);
#else
		acc[t] = 0.0;
#endif
	}

	uint first = group * push.out_group + panel * TC; /* output channel */
	uint last = group * push.out_group + push.out_group - 1;
	uint per_channel = push.in_group * TAPS;
	uint wi = PACKED ? gl_WorkGroupID.y * per_channel : 0;

	for (uint c = 0; c < push.in_group; c++) {
		for (uint kd = 0; kd < KD; kd++)
		for (uint kh = 0; kh < KH; kh++)
		for (uint kw = 0; kw < KW; kw++, wi++) {
			ivec3 tap = ivec3(kd * DD, kh * DH, kw * DW);
			int tap_offset = (tap.x * int(push.size.y) + tap.y) * int(push.size.z) + tap.z;
			float v[TP];

			[[unroll]] for (uint t = 0; t < TP; t++) {
				int i = base[t] + tap_offset;

				if (PADDED) {
					bool inside = all(lessThan(uvec3(at[t] + tap), push.size));

					v[t] = float(push.x.v[x_base + (inside ? i : 0)]);
					v[t] = inside ? v[t] : 0.0;
				} else {
					v[t] = float(push.x.v[x_base + i]);
				}
			}
#if TC == 8
			mat2x4 w;

			if (PACKED)
				w = mat2x4(vec4(Buf4(push.w).v[wi * 2]), vec4(Buf4(push.w).v[wi * 2 + 1]));
			else
				for (uint k = 0; k < TC; k++)
					w[k / 4][k % 4] = float(push.w.v[min(first + k, last) * per_channel + wi]);
#elif TC == 4
			vec4 w;

			if (PACKED)
				w = vec4(Buf4(push.w).v[wi]);
			else
				for (uint k = 0; k < TC; k++)
					w[k] = float(push.w.v[min(first + k, last) * per_channel + wi]);
#else
			float w = float(push.w.v[PACKED ? wi : first * per_channel + wi]);
#endif
			[[unroll]] for (uint t = 0; t < TP; t++)
				acc[t] += v[t] * w;
		}
		x_base += plane;
	}

	for (uint k = 0; k < TC; k++) {
		uint m = first + k;

		if (m > last)
			break;
		float b = BIAS ? float(push.bias.v[m]) : 0.0;
		uint y_base = (n * push.groups * push.out_group + m) * out_plane;

		for (uint t = 0; t < TP; t++) {
			uint p = pos + t * gl_WorkGroupSize.x;
#if TC == 8
			float r = acc[t][k / 4][k % 4] + b;
#elif TC == 4
			float r = acc[t][k] + b;
#else
			float r = acc[t] + b;
#endif

			if (p < out_plane)
				push.y.v[y_base + p] = T(joule_epilogue(r, y_base + p, m));
		}
	}
}
