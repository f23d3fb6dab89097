#version 460
// SPDX-License-Identifier: MIT
//! variant matmul_integer_i32
//! variant matmul_integer_q_f32 -DQUANTIZED
//! variant matmul_integer_q_f16 -DQUANTIZED -DSCALE_F16
// Product of 8-bit integers with int32 sums: four rows by one column an
// invocation. Bytes are read unsigned and sign extended where the type is signed.
#extension GL_GOOGLE_include_directive : require
#define T_U8
#include "lib/common.glsl"
#include "lib/quotient.glsl"
#ifdef SCALE_F16
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer BufScale { float16_t v[]; };
#else
#define BufScale BufF32
#endif

layout(constant_id = 3) const bool A_SIGNED = false;
layout(constant_id = 4) const bool B_SIGNED = false;
layout(constant_id = 5) const uint B_ZERO = 0; /* 0: none, 1: one, 2: one a column */
layout(constant_id = 6) const uint B_SCALE = 0;
layout(constant_id = 7) const bool Y_SIGNED = false;
layout(constant_id = 8) const bool REGULAR = true;

layout(push_constant, scalar) uniform Push {
	Buf a, b, a_zero, b_zero;
	BufU32 table; /* offsets of a and b for each batch entry, unless REGULAR */
#ifdef QUANTIZED
	Buf y;
	BufScale a_scale, b_scale, y_scale;
	Buf y_zero;
#else
	BufI32 y;
#endif
	uint m, n, k, a_row, a_batch, b_batch;
	uint n_a_zero, n_a_scale; /* 0: none, 1: one, else one a row */
} push;

#define ROWS 4

int byte_of(uint v, bool is_signed)
{
	return is_signed ? bitfieldExtract(int(v), 0, 8) : int(v);
}

void main()
{
	uint col = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	uint row = gl_WorkGroupID.y * ROWS, g = gl_WorkGroupID.z;
	uint a0 = REGULAR ? g * push.a_batch : push.table.v[2 * g];
	uint b0 = (REGULAR ? g * push.b_batch : push.table.v[2 * g + 1]) + col;
	uint at[ROWS];
	ivec4 acc = ivec4(0), a_zero = ivec4(0);
	int b_zero = 0;

	if (col >= push.n)
		return;
	if (B_ZERO != 0)
		b_zero = byte_of(uint(push.b_zero.v[B_ZERO == 2 ? col : 0]), B_SIGNED);
	for (uint i = 0; i < ROWS; i++) {
		uint r = min(row + i, push.m - 1);

		at[i] = a0 + r * push.a_row;
		if (push.n_a_zero != 0)
			a_zero[i] = byte_of(uint(push.a_zero.v[r % push.n_a_zero]), A_SIGNED);
	}
	for (uint k = 0; k < push.k; k++) {
		int b = byte_of(uint(push.b.v[b0 + k * push.n]), B_SIGNED) - b_zero;

		[[unroll]] for (uint i = 0; i < ROWS; i++)
			acc[i] += (byte_of(uint(push.a.v[at[i] + k]), A_SIGNED) - a_zero[i]) * b;
	}
	for (uint i = 0; i < ROWS && row + i < push.m; i++) {
		uint y = (g * push.m + row + i) * push.n + col;
#ifdef QUANTIZED
		float scale = joule_quotient(float(push.a_scale.v[(row + i) % push.n_a_scale]) *
						     float(push.b_scale.v[B_SCALE == 2 ? col : 0]),
					     float(push.y_scale.v[0]));
		int y_zero = byte_of(uint(push.y_zero.v[0]), Y_SIGNED);
		/* Clamped as a float, so that the conversion cannot overflow. */
		float v = roundEven(float(acc[i]) * scale) + float(y_zero);

		v = clamp(v, Y_SIGNED ? -128.0 : 0.0, Y_SIGNED ? 127.0 : 255.0);
		push.y.v[y] = T(int(v) & 255);
#else
		push.y.v[y] = acc[i];
#endif
	}
}
