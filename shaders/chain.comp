#version 460
// SPDX-License-Identifier: MIT
//! variant chain_f32
//! variant chain_f16 -DT_F16
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

#ifdef OUT_BOOL
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
layout(buffer_reference, scalar, buffer_reference_align = 1) buffer Out { uint8_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Out4 { u8vec4 v[]; };
#define TO_OUT(x)  uint8_t(uint(x))
#define TO_OUT4(x) u8vec4(uvec4(x))
#else
#define Out	   Buf
#define Out4	   Buf4
#define TO_OUT(x)  T(x)
#define TO_OUT4(x) T4(x)
#endif

#define MAX_ARGS  5
#define MAX_STEPS 8
#define MAX_RANK  8

layout(constant_id = 3) const uint VEC = 1;    /* elements an invocation: 4 or 1 */
layout(constant_id = 4) const uint RANK = 0;   /* axes outside the rows */
layout(constant_id = 5) const uint N_ARGS = 1;
layout(constant_id = 6) const uint MODES = 0;  /* 2 bits an arg: stride along the row, 2 = any */
layout(constant_id = 7) const uint WIDE = 0;   /* args stored as f32 among f16 ones */
layout(constant_id = 8) const uint N_STEPS = 1;
/* Step: code, and << 8 the arg that is its operand. */
layout(constant_id = 9) const uint STEP0 = 0;
layout(constant_id = 10) const uint STEP1 = 0;
layout(constant_id = 11) const uint STEP2 = 0;
layout(constant_id = 12) const uint STEP3 = 0;
layout(constant_id = 13) const uint STEP4 = 0;
layout(constant_id = 14) const uint STEP5 = 0;
layout(constant_id = 15) const uint STEP6 = 0;
layout(constant_id = 16) const uint STEP7 = 0;

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

vec4 load(const uint k, Buf b, uint at, uint i, uint n)
{
	uint mode = (MODES >> (2 * k)) & 3u, step_ = push.stride[k];
	bool wide = ((WIDE >> k) & 1u) != 0u;
	vec4 v = vec4(0.0);

	if (mode == 0u)
		return vec4(wide ? BufF32(b).v[at] : float(b.v[at]));
	at += mode == 1u ? i : i * step_;
	if (VEC == 4u && n == 4u)
		return wide ? BufF32x4(b).v[at / 4] : vec4(Buf4(b).v[at / 4]);
	v.x = wide ? BufF32(b).v[at] : float(b.v[at]);
	if (VEC == 4u && n > 1u)
		v.y = wide ? BufF32(b).v[at + 1] : float(b.v[at + 1]);
	if (VEC == 4u && n > 2u)
		v.z = wide ? BufF32(b).v[at + 2] : float(b.v[at + 2]);
	return v;
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
#define STEP(n) \
	if (N_STEPS > n) \
		x = joule_ew(STEP##n & 255u, x, pick(STEP##n, a0[e], a1[e], a2[e], a3[e], a4[e]), \
			     push.params.p[n], push.params.q[n]);

void main()
{
	uvec2 id = joule_row_index(push.spill);
	uint i = id.x * VEC, row = id.y, rest = row;
	uint n = min(push.len - i, VEC);
	uint at[MAX_ARGS] = { 0, 0, 0, 0, 0 };
	vec4 v = vec4(0.0), a0, a1 = v, a2 = v, a3 = v, a4 = v;

	if (i >= push.len || row >= push.rows)
		return;
	outer(6, rest, at);
	outer(5, rest, at);
	outer(4, rest, at);
	outer(3, rest, at);
	outer(2, rest, at);
	outer(1, rest, at);
	outer(0, rest, at);
	a0 = load(0, push.arg[0], at[0], i, n);
	if (N_ARGS > 1)
		a1 = load(1, push.arg[1], at[1], i, n);
	if (N_ARGS > 2)
		a2 = load(2, push.arg[2], at[2], i, n);
	if (N_ARGS > 3)
		a3 = load(3, push.arg[3], at[3], i, n);
	if (N_ARGS > 4)
		a4 = load(4, push.arg[4], at[4], i, n);
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
	i += row * push.len;
	if (VEC == 4u && n == 4u) {
		Out4(push.out_).v[i / 4] = TO_OUT4(v);
		return;
	}
	push.out_.v[i] = TO_OUT(v.x);
	if (VEC == 4u && n > 1u)
		push.out_.v[i + 1] = TO_OUT(v.y);
	if (VEC == 4u && n > 2u)
		push.out_.v[i + 2] = TO_OUT(v.z);
}
