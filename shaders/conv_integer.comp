#version 460
// SPDX-License-Identifier: MIT
//! variant conv_integer_i32
//! variant conv_integer_q -DQUANTIZED
// Convolution of 8-bit integers with int32 sums, any case: four output channels
// by four output positions an invocation. Bytes are read unsigned and sign
// extended where the type is signed, so that one variant serves all types.
#extension GL_GOOGLE_include_directive : require
#define T_U8
#include "lib/common.glsl"
#include "lib/quotient.glsl"

layout(constant_id = 3) const uint KD = 1;
layout(constant_id = 4) const uint KH = 1;
layout(constant_id = 5) const uint KW = 1;
layout(constant_id = 6) const uint SD = 1;
layout(constant_id = 7) const uint SH = 1;
layout(constant_id = 8) const uint SW = 1;
layout(constant_id = 9) const uint DD = 1;
layout(constant_id = 10) const uint DH = 1;
layout(constant_id = 11) const uint DW = 1;
layout(constant_id = 12) const bool PACKED = true; /* weights of four channels in a word */
layout(constant_id = 13) const bool X_SIGNED = false;
layout(constant_id = 14) const bool W_SIGNED = false;
layout(constant_id = 15) const bool X_ZERO = false;
layout(constant_id = 16) const uint W_ZERO = 0; /* 0: none, 1: one, 2: one a channel */
layout(constant_id = 17) const uint W_SCALE = 1;
layout(constant_id = 18) const bool BIAS = false;
layout(constant_id = 19) const bool Y_SIGNED = false;

layout(push_constant, scalar) uniform Push {
	Buf x, w, x_zero, w_zero;
#ifdef QUANTIZED
	Buf y;
	BufF32 x_scale, w_scale, y_scale;
	Buf y_zero;
	BufI32 bias;
#else
	BufI32 y;
#endif
	uvec3 size, out_size;
	ivec3 begin;
	uint in_group, out_group, groups;
} push;

#define TC 4
#define TP 4
const uint TAPS = KD * KH * KW;

int byte_of(uint v, bool is_signed)
{
	return is_signed ? bitfieldExtract(int(v), 0, 8) : int(v);
}

void main()
{
	uint plane = push.size.x * push.size.y * push.size.z;
	uint out_plane = push.out_size.x * push.out_size.y * push.out_size.z;
	uint panels = (push.out_group + TC - 1) / TC;
	uint group = gl_WorkGroupID.y / panels, panel = gl_WorkGroupID.y % panels;
	uint n = gl_WorkGroupID.z;
	uint pos = gl_WorkGroupID.x * gl_WorkGroupSize.x * TP + gl_LocalInvocationID.x;
	uint x_base = (n * push.groups + group) * push.in_group * plane;
	uint first = group * push.out_group + panel * TC;
	uint last = group * push.out_group + push.out_group - 1;
	uint per_channel = push.in_group * TAPS;
	uint wi = PACKED ? gl_WorkGroupID.y * per_channel : 0;
	int x_zero = X_ZERO ? byte_of(uint(push.x_zero.v[0]), X_SIGNED) : 0;
	ivec4 w_zero = ivec4(0), acc[TP];
	ivec3 at[TP];
	int base[TP];

	for (uint k = 0; W_ZERO != 0 && k < TC; k++)
		w_zero[k] = byte_of(uint(push.w_zero.v[W_ZERO == 2 ? min(first + k, last) : 0]), W_SIGNED);
	for (uint t = 0; t < TP; t++) {
		uint p = min(pos + t * gl_WorkGroupSize.x, out_plane - 1);
		uint row = p / push.out_size.z;

		at[t] = ivec3(row / push.out_size.y * SD, row % push.out_size.y * SH,
			      p % push.out_size.z * SW) - push.begin;
		base[t] = (at[t].x * int(push.size.y) + at[t].y) * int(push.size.z) + at[t].z;
		acc[t] = ivec4(0);
	}
	for (uint c = 0; c < push.in_group; c++) {
		for (uint kd = 0; kd < KD; kd++)
		for (uint kh = 0; kh < KH; kh++)
		for (uint kw = 0; kw < KW; kw++, wi++) {
			ivec3 tap = ivec3(kd * DD, kh * DH, kw * DW);
			int tap_offset = (tap.x * int(push.size.y) + tap.y) * int(push.size.z) + tap.z;
			ivec4 w;

			if (PACKED) {
				uint word = BufU32(push.w).v[wi];

				for (uint k = 0; k < TC; k++)
					w[k] = byte_of(word >> (8 * k) & 255u, W_SIGNED);
			} else {
				for (uint k = 0; k < TC; k++)
					w[k] = byte_of(uint(push.w.v[min(first + k, last) * per_channel + wi]), W_SIGNED);
			}
			w -= w_zero;
			[[unroll]] for (uint t = 0; t < TP; t++) {
				bool inside = all(lessThan(uvec3(at[t] + tap), push.size));
				uint v = uint(push.x.v[x_base + (inside ? base[t] + tap_offset : 0)]);

				acc[t] += (inside ? byte_of(v, X_SIGNED) - x_zero : 0) * w;
			}
		}
		x_base += plane;
	}
	for (uint k = 0; k < TC && first + k <= last; k++) {
		uint m = first + k, y_base = (n * push.groups * push.out_group + m) * out_plane;
#ifdef QUANTIZED
		int bias = BIAS ? push.bias.v[m] : 0;
		float scale = joule_quotient(push.x_scale.v[0] * push.w_scale.v[W_SCALE == 2 ? m : 0],
					     push.y_scale.v[0]);
		int y_zero = byte_of(uint(push.y_zero.v[0]), Y_SIGNED);
#endif

		for (uint t = 0; t < TP; t++) {
			uint p = pos + t * gl_WorkGroupSize.x;

			if (p >= out_plane)
				continue;
#ifdef QUANTIZED
			/* Clamped as a float, so that the conversion cannot overflow. */
			float v = roundEven(float(acc[t][k] + bias) * scale) + float(y_zero);

			v = clamp(v, Y_SIGNED ? -128.0 : 0.0, Y_SIGNED ? 127.0 : 255.0);
			push.y.v[y_base + p] = T(int(v) & 255);
#else
			push.y.v[y_base + p] = acc[t][k];
#endif
		}
	}
}
