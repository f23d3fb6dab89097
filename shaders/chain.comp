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

vec4 load(const uint k, uint at, uint i, uint n)
{
	uint mode = (MODES >> (2 * k)) & 3u;
	bool wide = ((WIDE >> k) & 1u) != 0u;
	vec4 v = vec4(0.0);

	at += mode == 1u ? i : i * push.stride[k];
	if (mode == 0u)
		return vec4(wide ? BufF32(push.arg[k]).v[at] : float(push.arg[k].v[at]));
	if (mode == 1u && n == 4u)
		return wide ? BufF32x4(push.arg[k]).v[at / 4] : vec4(Buf4(push.arg[k]).v[at / 4]);
	v.x = wide ? BufF32(push.arg[k]).v[at] : float(push.arg[k].v[at]);
	for (uint e = 1; e < VEC && e < n; e++)
		v[e] = wide ? BufF32(push.arg[k]).v[at + e] : float(push.arg[k].v[at + e]);
	return v;
}

void main()
{
	uvec2 id = joule_row_index(push.spill);
	uint i = id.x * VEC, row = id.y, rest = row;
	uint n = min(push.len - i, VEC);
	uint at[MAX_ARGS] = { 0, 0, 0, 0, 0 };
	vec4 arg[MAX_ARGS];
	vec4 v;

	if (i >= push.len || row >= push.rows)
		return;
	[[unroll]] for (uint d = RANK; d > 0; d--) {
		/* The outermost axis needs no remainder. */
		uint dim = push.params.dims[d - 1];
		uint pos = d > 1 ? rest % dim : rest;

		rest /= dim;
		[[unroll]] for (uint k = 0; k < N_ARGS; k++)
			at[k] += pos * push.params.strides[k * MAX_RANK + d - 1];
	}
	[[unroll]] for (uint k = 0; k < N_ARGS; k++)
		arg[k] = load(k, at[k], i, n);
	v = arg[0];
	[[unroll]] for (uint e = 0; e < VEC; e++) {
		float x = v[e];

		/* Written out, so that each step's code is a constant before any unrolling. */
#define STEP(s) \
	if (s < N_STEPS) \
		x = joule_ew(STEP##s & 255u, x, arg[STEP##s >> 8][e], push.params.p[s], \
			     push.params.q[s]);
		STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
#undef STEP
		v[e] = x;
	}
	i += row * push.len;
	if (VEC == 4u && n == 4u) {
		Out4(push.out_).v[i / 4] = TO_OUT4(v);
		return;
	}
	[[unroll]] for (uint e = 0; e < VEC; e++)
		if (e < n)
			push.out_.v[i + e] = TO_OUT(v[e]);
}
