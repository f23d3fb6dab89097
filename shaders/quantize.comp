#version 460
// SPDX-License-Identifier: MIT
//! variant quantize_f32
//! variant quantize_f32_wide -DJOULE_WIDE
//! variant quantize_f16 -DT_F16
//! variant quantize_f16_wide -DT_F16 -DJOULE_WIDE
//! variant dequantize_f32 -DDEQUANTIZE
//! variant dequantize_f32_wide -DDEQUANTIZE -DJOULE_WIDE
//! variant dequantize_f16 -DDEQUANTIZE -DT_F16
//! variant dequantize_f16_wide -DDEQUANTIZE -DT_F16 -DJOULE_WIDE
// Between floats and quantized integers of 4, 8, 16 (and, to floats, 32) bits;
// rows and the scale's place as in chain.comp. Integers are moved as bytes.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/load4.glsl"
#include "lib/quotient.glsl"
#include "lib/rows.glsl"
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require

#define MAX_OUTER 4

layout(constant_id = 3) const uint VEC = 1;      /* elements of a chunk: 4 or 1 */
layout(constant_id = 4) const uint RANK = 0;     /* axes outside the rows */
layout(constant_id = 5) const uint ALONG = 0;    /* 1: the scale varies along the row */
layout(constant_id = 6) const uint BITS = 8;
layout(constant_id = 7) const uint SIGNED = 0;
layout(constant_id = 8) const uint HAS_ZERO = 0;
layout(constant_id = 9) const uint PER = 1;      /* chunks an invocation */
layout(constant_id = 10) const uint EXACT = 0;   /* 1: no invocation has work beyond the end */
layout(constant_id = 11) const uint TAIL = 0;    /* elements of the last chunk, 0: all */

layout(buffer_reference, scalar, buffer_reference_align = 1) buffer BufBytes { uint8_t v[]; };

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

/* The scale and zero point of element e of a chunk; s0, z0 where all have the same. */
float scale_of(uint s, uint e, float s0)
{
	return ALONG == 1 ? float(push.scale.v[s + e * push.stride]) : s0;
}

int zero_of(uint s, uint e, int z0)
{
	return HAS_ZERO == 0 ? 0 : (ALONG == 1 ? load(push.zero, s + e * push.stride) : z0);
}

#ifdef DEQUANTIZE

/* Elements i to i + n - 1; s: their first scale. */
void work(uint i, uint n, uint s, float s0, int z0, bool mine)
{
	vec4 v = vec4(0.0);

	if (BITS == 8 && VEC == 4 && (TAIL == 0 || n == 4)) {
		uint u = BufU32(push.x).v[i / 4];

		[[unroll]] for (uint e = 0; e < 4; e++)
			v[e] = float(widen((u >> (8 * e)) & 255u) - zero_of(s, e, z0)) *
			       scale_of(s, e, s0);
		if (mine)
			joule_store4(push.y, i / 4, v);
		return;
	}
	[[unroll]] for (uint e = 0; e < VEC; e++)
		if (e < n)
			v[e] = float(load(push.x, i + e) - zero_of(s, e, z0)) * scale_of(s, e, s0);
	if (!mine)
		return;
	[[unroll]] for (uint e = 0; e < VEC; e++)
		if (e < n)
			push.y.v[i + e] = T(v[e]);
}

#else

int quantize(float x, float scale, int z)
{
	const float lo = SIGNED == 1 ? -float(1u << (BITS - 1)) : 0.0;
	const float hi = SIGNED == 1 ? float(1u << (BITS - 1)) - 1.0 : float(1u << BITS) - 1.0;
	/* The standard divides in the scale's precision. */
#ifdef T_F16
	float q = joule_round_quotient_f16(x, scale);
#else
	float q = joule_round_quotient(x, scale);
#endif

	return int(clamp(q + float(z), lo, hi));
}

void store(uint i, uint n, ivec4 q)
{
	if (BITS == 8 && VEC == 4 && (TAIL == 0 || n == 4)) {
		joule_store4_u8(BufU32(push.y), i / 4, uvec4(q));
		return;
	}
	[[unroll]] for (uint e = 0; e < VEC; e++) {
		if (e >= n || (BITS == 4 && e % 2 == 1))
			continue;
		if (BITS == 4) {
			push.y.v[(i + e) / 2] = uint8_t((q[e] & 15) | (e + 1 < VEC ? q[e + 1] & 15 : 0) << 4);
		} else if (BITS == 8) {
			push.y.v[i + e] = uint8_t(q[e] & 255);
		} else {
			push.y.v[2 * (i + e)] = uint8_t(q[e] & 255);
			push.y.v[2 * (i + e) + 1] = uint8_t((q[e] >> 8) & 255);
		}
	}
}

void work(uint i, uint n, uint s, float s0, int z0, bool mine)
{
	vec4 x = vec4(0.0);
	ivec4 q = ivec4(0);

	if (VEC == 4 && (TAIL == 0 || n == 4))
		x = joule_load4(push.x, i / 4);
	else
		[[unroll]] for (uint e = 0; e < VEC; e++)
			if (e < n)
				x[e] = float(push.x.v[i + e]);
	[[unroll]] for (uint e = 0; e < VEC; e++)
		if (ALONG == 0 || TAIL == 0 || e < n)
			q[e] = quantize(x[e], scale_of(s, e, s0), zero_of(s, e, z0));
	/* Beyond the end of a packed tensor are zeros. */
	[[unroll]] for (uint e = 0; e < VEC; e++)
		if (TAIL != 0 && e >= n)
			q[e] = 0;
	if (mine)
		store(i, n, q);
}

#endif

/* Takes the innermost axis left off the row's number: its part of the scale's place. */
uint peel(inout uint rest, uvec2 axis, const bool last)
{
	uint at = (last ? rest : rest % axis.x) * axis.y;

	rest = last ? 0 : rest / axis.x;
	return at;
}

void main()
{
	uvec2 id = joule_row_index(push.spill, PER);
	uint chunks = (push.len + VEC - 1) / VEC, rest, row, s = 0;
	float s0 = 0.0;
	int z0 = 0;

	row = rest = EXACT == 1 ? id.y : min(id.y, push.rows - 1);
	if (RANK > 0)
		s += peel(rest, push.outer[3], RANK == 1);
	if (RANK > 1)
		s += peel(rest, push.outer[2], RANK == 2);
	if (RANK > 2)
		s += peel(rest, push.outer[1], RANK == 3);
	if (RANK > 3)
		s += peel(rest, push.outer[0], true);
	if (ALONG == 0) {
		s0 = float(push.scale.v[s]);
		z0 = HAS_ZERO == 1 ? load(push.zero, s) : 0;
	}
	for (uint c = 0; c < PER; c++) {
		uint chunk = id.x + c * gl_WorkGroupSize.x;
		uint i = (EXACT == 1 ? chunk : min(chunk, chunks - 1)) * VEC;
		uint n = TAIL != 0 && i + VEC > push.len ? TAIL : VEC;

		work(row * push.len + i, n, s + i * push.stride, s0, z0,
		     EXACT == 1 || (chunk < chunks && id.y < push.rows));
	}
}
