#version 460
// SPDX-License-Identifier: MIT
//! variant quantize_f32
//! variant quantize_f16 -DT_F16
//! variant dequantize_f32 -DDEQUANTIZE
//! variant dequantize_f16 -DDEQUANTIZE -DT_F16
// Between floats and quantized integers of 4, 8, 16 (and, to floats, 32) bits;
// rows and the scale's place as in chain.comp. Integers are moved as bytes.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/rows.glsl"
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require

#define MAX_OUTER 4

layout(constant_id = 3) const uint VEC = 1;      /* elements an invocation: 4 or 1 */
layout(constant_id = 4) const uint RANK = 0;     /* axes outside the rows */
layout(constant_id = 5) const uint ALONG = 0;    /* 1: the scale varies along the row */
layout(constant_id = 6) const uint BITS = 8;
layout(constant_id = 7) const uint SIGNED = 0;
layout(constant_id = 8) const uint HAS_ZERO = 0;

layout(buffer_reference, scalar, buffer_reference_align = 1) buffer BufBytes { uint8_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer BufBytes4 { u8vec4 v[]; };

layout(push_constant, scalar) uniform Push {
#ifdef DEQUANTIZE
	BufBytes x;
#else
	Buf x;
#endif
	Buf scale;
	BufBytes zero;
#ifdef DEQUANTIZE
	Buf y;
#else
	BufBytes y;
#endif
	uint spill;
	uint len;
	uint rows;
	uint stride; /* of the scale along the row */
	uvec2 outer[MAX_OUTER]; /* dimension and the scale's stride, outermost first */
} push;

int widen(uint v)
{
	return SIGNED == 1 ? bitfieldExtract(int(v), 0, int(BITS)) : int(v);
}

int load(BufBytes b, uint i)
{
	if (BITS == 4)
		return widen((uint(b.v[i / 2]) >> (i % 2 * 4)) & 15u);
	if (BITS == 8)
		return widen(uint(b.v[i]));
	if (BITS == 16)
		return widen(uint(b.v[2 * i]) | uint(b.v[2 * i + 1]) << 8);
	return BufI32(b).v[i];
}

#ifdef DEQUANTIZE

void work(uint i, uint n, uint s)
{
	vec4 v;

	if (BITS == 8 && VEC == 4 && n == 4) {
		uvec4 u = uvec4(BufBytes4(push.x).v[i / 4]);

		[[unroll]] for (uint e = 0; e < 4; e++)
			v[e] = float(widen(u[e]) - (HAS_ZERO == 1 ? load(push.zero, s + e * push.stride * ALONG) : 0)) *
			       float(push.scale.v[s + e * push.stride * ALONG]);
		Buf4(push.y).v[i / 4] = T4(v);
		return;
	}
	for (uint e = 0; e < n; e++) {
		uint k = s + e * push.stride * ALONG;
		int z = HAS_ZERO == 1 ? load(push.zero, k) : 0;

		push.y.v[i + e] = T(float(load(push.x, i + e) - z) * float(push.scale.v[k]));
	}
}

#else

int quantize(float x, uint k)
{
	const float lo = SIGNED == 1 ? -float(1u << (BITS - 1)) : 0.0;
	const float hi = SIGNED == 1 ? float(1u << (BITS - 1)) - 1.0 : float(1u << BITS) - 1.0;
	int z = HAS_ZERO == 1 ? load(push.zero, k) : 0;
	float q = x / float(push.scale.v[k]);

#ifdef T_F16
	/* The standard divides in the scale's precision. */
	q = unpackHalf2x16(packHalf2x16(vec2(q, 0.0))).x;
#endif
	q = isnan(q) ? 0.0 : roundEven(q);
	return int(clamp(q + float(z), lo, hi));
}

void work(uint i, uint n, uint s)
{
	ivec4 q = ivec4(0);

	[[unroll]] for (uint e = 0; e < VEC; e++)
		if (e < n)
			q[e] = quantize(float(push.x.v[i + e]), s + e * push.stride * ALONG);
	if (BITS == 8 && VEC == 4 && n == 4) {
		BufBytes4(push.y).v[i / 4] = u8vec4(uvec4(q) & 255u);
		return;
	}
	if (BITS == 4) {
		for (uint e = 0; e < n; e += 2)
			push.y.v[(i + e) / 2] = uint8_t((q[e] & 15) | (q[e + 1] & 15) << 4);
		return;
	}
	for (uint e = 0; e < n; e++) {
		if (BITS == 8) {
			push.y.v[i + e] = uint8_t(q[e] & 255);
		} else {
			push.y.v[2 * (i + e)] = uint8_t(q[e] & 255);
			push.y.v[2 * (i + e) + 1] = uint8_t((q[e] >> 8) & 255);
		}
	}
}

#endif

void main()
{
	uvec2 id = joule_row_index(push.spill, 1);
	uint i = id.x * VEC, rest = id.y, s = i * push.stride;

	if (i >= push.len || id.y >= push.rows)
		return;
	[[unroll]] for (uint d = MAX_OUTER; d > MAX_OUTER - RANK; d--) {
		uvec2 axis = push.outer[d - 1];
		bool last = d - 1 == MAX_OUTER - RANK;

		s += (last ? rest : rest % axis.x) * axis.y;
		rest = last ? 0 : rest / axis.x;
	}
	work(id.y * push.len + i, min(push.len - i, VEC), s);
}
