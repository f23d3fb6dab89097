#version 460
// SPDX-License-Identifier: MIT
//! variant chain_f32
//! variant chain_f32_wide -DJOULE_WIDE
//! variant chain_f16 -DT_F16
//! variant chain_f16_wide -DT_F16 -DJOULE_WIDE
//! variant chain_f32_bool -DOUT_BOOL
//! variant chain_f16_bool -DT_F16 -DOUT_BOOL
//! variant chain_bool -DT_BOOL -DOUT_BOOL
// Element-wise steps with broadcast operands (ops/chain.h). A row is a run
// along the innermost merged axis: an operand's place in it is found once per
// invocation, with one division per outer axis, and uniform for a whole
// workgroup when rows are long.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "lib/rows.glsl"
#include "elementwise.glsl"

#include "lib/load4.glsl"

#ifdef OUT_BOOL
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
layout(buffer_reference, scalar, buffer_reference_align = 1) buffer Out { uint8_t v[]; };
#define STORE4(i, v) joule_store4_u8(BufU32(push.out_), i, uvec4(v))
#define TO_OUT(x)    uint8_t(uint(x))
#else
#define Out	     Buf
#define STORE4(i, v) joule_store4(push.out_, i, v)
#define TO_OUT(x)    T(x)
#endif

#define MAX_ARGS  5
#define MAX_STEPS 8
#define MAX_RANK  8

layout(constant_id = 3) const uint VEC = 1;    /* elements of a chunk: 4 or 1 */
layout(constant_id = 4) const uint RANK = 0;   /* axes outside the rows */
layout(constant_id = 5) const uint N_ARGS = 1;
layout(constant_id = 6) const uint MODES = 0;  /* 2 bits an arg: stride along the row, 2 = any */
layout(constant_id = 7) const uint WIDE = 0;   /* args stored as f32 among f16 ones */
layout(constant_id = 8) const uint N_STEPS = 1;
layout(constant_id = 9) const uint PER = 1;    /* chunks an invocation */
layout(constant_id = 10) const uint EXACT = 0; /* 1: no invocation has work beyond the end */
layout(constant_id = 11) const uint TAIL = 0;  /* elements of the last chunk, 0: all */
/* Step: code, and << 8 the arg that is its operand. */
layout(constant_id = 12) const uint STEP0 = 0;
layout(constant_id = 13) const uint STEP1 = 0;
layout(constant_id = 14) const uint STEP2 = 0;
layout(constant_id = 15) const uint STEP3 = 0;
layout(constant_id = 16) const uint STEP4 = 0;
layout(constant_id = 17) const uint STEP5 = 0;
layout(constant_id = 18) const uint STEP6 = 0;
layout(constant_id = 19) const uint STEP7 = 0;

layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Params {
	float p[MAX_STEPS];
	float q[MAX_STEPS];
	uint dims[MAX_RANK];
	uint strides[MAX_ARGS * MAX_RANK];
};

layout(push_constant, scalar) uniform Push {
	Out out_;
	Buf arg[MAX_ARGS];
	Params params;
	uint spill;
	uint len;  /* elements of a row */
	uint rows;
	uint stride[MAX_ARGS]; /* along the row */
} push;

/* An element of arg k, and four of them. */
float load1(const uint k, Buf b, uint at)
{
	return ((WIDE >> k) & 1u) != 0u ? BufF32(b).v[at] : float(b.v[at]);
}

vec4 load4(const uint k, Buf b, uint at)
{
	return ((WIDE >> k) & 1u) != 0u ? joule_load4_f32(BufF32(b), at / 4) :
					  joule_load4(b, at / 4);
}

/* Chunk of the row from element i on; n of its elements are there. */
vec4 load(const uint k, Buf b, uint at, float same, uint i, uint n)
{
	const uint mode = (MODES >> (2 * k)) & 3u;
	vec4 v;

	if (k >= N_ARGS)
		return vec4(0.0);
	if (mode == 0)
		return vec4(same);
	at += mode == 1 ? i : i * push.stride[k];
	if (VEC == 1)
		return vec4(load1(k, b, at));
	if (TAIL == 0)
		return load4(k, b, at);
	if (n == 4)
		return load4(k, b, at);
	v = vec4(load1(k, b, at));
	if (n > 1)
		v.y = load1(k, b, at + 1);
	if (n > 2)
		v.z = load1(k, b, at + 2);
	return v;
}

/* What is the same for the whole row is loaded once, before anything may branch. */
float load_same(const uint k, Buf b, uint at)
{
	return k < N_ARGS && ((MODES >> (2 * k)) & 3u) == 0u ? load1(k, b, at) : 0.0;
}

/* Takes axis d's position off the row's number; adds it to every arg's offset. */
void outer(const uint d, inout uint rest, inout uint at[MAX_ARGS])
{
	uint dim, pos;

	if (d >= RANK)
		return;
	/* The outermost axis needs no remainder. */
	dim = push.params.dims[d];
	pos = d > 0 ? rest % dim : rest;
	rest = d > 0 ? rest / dim : 0;
	at[0] += pos * push.params.strides[d];
	if (N_ARGS > 1)
		at[1] += pos * push.params.strides[MAX_RANK + d];
	if (N_ARGS > 2)
		at[2] += pos * push.params.strides[2 * MAX_RANK + d];
	if (N_ARGS > 3)
		at[3] += pos * push.params.strides[3 * MAX_RANK + d];
	if (N_ARGS > 4)
		at[4] += pos * push.params.strides[4 * MAX_RANK + d];
}

float pick(const uint step_, float a0, float a1, float a2, float a3, float a4)
{
	const uint k = step_ >> 8;

	return k == 0 ? a0 : (k == 1 ? a1 : (k == 2 ? a2 : (k == 3 ? a3 : a4)));
}

/*
 * Written out, not looped over: drivers fold a constant code in a call of its
 * own, but not one that is taken from an array before they unroll.
 */
#define PARAM(n) \
	float p##n = N_STEPS > n ? push.params.p[n] : 0.0; \
	float q##n = N_STEPS > n ? push.params.q[n] : 0.0;
#define STEP(n) \
	if (N_STEPS > n) \
		x = joule_ew(STEP##n & 255u, x, pick(STEP##n, a0[e], a1[e], a2[e], a3[e], a4[e]), \
			     p##n, q##n);

void main()
{
	uvec2 id = joule_row_index(push.spill, PER);
	const uint chunks = (push.len + VEC - 1) / VEC;
	uint row = EXACT == 1 ? id.y : min(id.y, push.rows - 1), rest = row;
	uint at[MAX_ARGS] = { 0, 0, 0, 0, 0 };
	float s0, s1, s2, s3, s4;

	PARAM(0) PARAM(1) PARAM(2) PARAM(3) PARAM(4) PARAM(5) PARAM(6) PARAM(7)
	outer(6, rest, at);
	outer(5, rest, at);
	outer(4, rest, at);
	outer(3, rest, at);
	outer(2, rest, at);
	outer(1, rest, at);
	outer(0, rest, at);
	s0 = load_same(0, push.arg[0], at[0]);
	s1 = load_same(1, push.arg[1], at[1]);
	s2 = load_same(2, push.arg[2], at[2]);
	s3 = load_same(3, push.arg[3], at[3]);
	s4 = load_same(4, push.arg[4], at[4]);
	for (uint c = 0; c < PER; c++) {
		uint chunk = id.x + c * gl_WorkGroupSize.x;
		uint i = (EXACT == 1 ? chunk : min(chunk, chunks - 1)) * VEC;
		uint n = TAIL != 0 && i + VEC > push.len ? TAIL : VEC, to = row * push.len + i;
		vec4 a0 = load(0, push.arg[0], at[0], s0, i, n);
		vec4 a1 = load(1, push.arg[1], at[1], s1, i, n);
		vec4 a2 = load(2, push.arg[2], at[2], s2, i, n);
		vec4 a3 = load(3, push.arg[3], at[3], s3, i, n);
		vec4 a4 = load(4, push.arg[4], at[4], s4, i, n);
		vec4 v = vec4(0.0);

		[[unroll]] for (uint e = 0; e < VEC; e++) {
			float x = a0[e];

			STEP(0)
			STEP(1)
			STEP(2)
			STEP(3)
			STEP(4)
			STEP(5)
			STEP(6)
			STEP(7)
			v[e] = x;
		}
		if (EXACT == 0 && (chunk >= chunks || id.y >= push.rows)) {
			/* Another invocation's work: in place it must not be done twice. */
		} else if (VEC == 4 && (TAIL == 0 || n == 4)) {
			STORE4(to / 4, v);
		} else {
			push.out_.v[to] = TO_OUT(v.x);
			if (VEC == 4 && n > 1)
				push.out_.v[to + 1] = TO_OUT(v.y);
			if (VEC == 4 && n > 2)
				push.out_.v[to + 2] = TO_OUT(v.z);
		}
	}
}
