#version 460
// SPDX-License-Identifier: MIT
//! variant conv_transpose_f32
//! variant conv_transpose_f16 -DT_F16
// Transposed convolution: output positions that are equal modulo the stride
// meet the same kernel positions, so each workgroup takes one such phase and
// walks those alone; what is left is a plain convolution. Four output channels
// by four positions an invocation.
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

layout(push_constant, scalar) uniform Push {
	Buf x, w, bias, y;
	Buf ep_a, ep_b;
	uvec3 size, out_size;
	ivec3 begin;
	uint in_group, out_group, groups;
} push;

#define JOULE_EPILOGUE_SPEC 14
#include "lib/epilogue.glsl"

#define TC 4
#define TP 4
const uint TAPS = KD * KH * KW;

/*
 * Kernel positions k with (start - k * dilation) divisible by the stride:
 * first, first + step, ... up to the kernel's size.
 */
void taps_of(uint start, uint kernel, uint stride, uint dilation, out uint first, out uint step)
{
	first = kernel;
	step = stride;
	for (uint k = min(kernel, stride); k-- > 0;)
		/* -k * dilation, kept positive: % of negative numbers is not defined. */
		if ((start + k * dilation * (stride - 1)) % stride == 0)
			first = k;
	for (uint s = stride; s > 0; s--)
		if (s * dilation % stride == 0)
			step = s;
}

void main()
{
	uvec3 stride = uvec3(SD, SH, SW), dilation = uvec3(DD, DH, DW);
	uint plane = push.size.x * push.size.y * push.size.z;
	uint out_plane = push.out_size.x * push.out_size.y * push.out_size.z;
	uint panels = (push.out_group + TC - 1) / TC;
	uint group = gl_WorkGroupID.y / panels, panel = gl_WorkGroupID.y % panels;
	uint phase_index = gl_WorkGroupID.z % (SD * SH * SW), n = gl_WorkGroupID.z / (SD * SH * SW);
	uvec3 phase = uvec3(phase_index / (SH * SW), phase_index / SW % SH, phase_index % SW);
	uvec3 start = phase + uvec3(push.begin);
	/* Output positions of this phase in each dimension. */
	uvec3 count = (max(push.out_size, phase) - phase + stride - 1) / stride;
	uint total = count.x * count.y * count.z;
	uint pos = gl_WorkGroupID.x * gl_WorkGroupSize.x * TP + gl_LocalInvocationID.x;
	uint x_base = (n * push.groups + group) * push.in_group * plane;
	uint first = group * push.out_group + panel * TC;
	uint last = group * push.out_group + push.out_group - 1;
	uvec3 k0, step;
	uvec3 at[TP];
	vec4 acc[TP];

	if (total == 0)
		return;
	taps_of(start.x, KD, SD, DD, k0.x, step.x);
	taps_of(start.y, KH, SH, DH, k0.y, step.y);
	taps_of(start.z, KW, SW, DW, k0.z, step.z);
	for (uint t = 0; t < TP; t++) {
		uint p = min(pos + t * gl_WorkGroupSize.x, total - 1), row = p / count.z;

		at[t] = uvec3(row / count.y, row % count.y, p % count.z);
		acc[t] = vec4(0.0);
	}
	for (uint c = 0; c < push.in_group; c++, x_base += plane) {
		uint w_packed = (gl_WorkGroupID.y * push.in_group + c) * TAPS;
		uint w_plain = ((group * push.in_group + c) * push.out_group + panel * TC) * TAPS;

		for (uint kd = k0.x; kd < KD; kd += step.x)
		for (uint kh = k0.y; kh < KH; kh += step.y)
		for (uint kw = k0.z; kw < KW; kw += step.z) {
			/* Exact divisions, of numbers that may be negative. */
			ivec3 shift = (ivec3(start) - ivec3(kd * DD, kh * DH, kw * DW)) / ivec3(stride);
			uint tap = (kd * KH + kh) * KW + kw;
			vec4 w;

			if (PACKED)
				w = vec4(Buf4(push.w).v[w_packed + tap]);
			else
				for (uint k = 0; k < TC; k++)
					w[k] = float(push.w.v[w_plain + min(k, last - first) * TAPS + tap]);
			[[unroll]] for (uint t = 0; t < TP; t++) {
				uvec3 i = uvec3(ivec3(at[t]) + shift);
				bool inside = all(lessThan(i, push.size));
				uint j = (i.x * push.size.y + i.y) * push.size.z + i.z;
				float v = float(push.x.v[x_base + (inside ? j : 0)]);

				acc[t] += (inside ? v : 0.0) * w;
			}
		}
	}
	for (uint k = 0; k < TC && first + k <= last; k++) {
		uint m = first + k, y_base = (n * push.groups * push.out_group + m) * out_plane;
		float b = BIAS ? float(push.bias.v[m]) : 0.0;

		for (uint t = 0; t < TP; t++) {
			uvec3 o = at[t] * stride + phase;
			uint i = y_base + (o.x * push.out_size.y + o.y) * push.out_size.z + o.z;

			if (pos + t * gl_WorkGroupSize.x < total)
				push.y.v[i] = T(joule_epilogue(acc[t][k] + b, i, m));
		}
	}
}
