#version 460
// SPDX-License-Identifier: MIT
//! variant product_tile8_f32 -DROWS=8
//! variant product_tile4_f32 -DROWS=4
//! variant product_tile1_f32 -DROWS=1
//! variant product_tile8_f16 -DT_F16 -DROWS=8
//! variant product_tile4_f16 -DT_F16 -DROWS=4
//! variant product_tile1_f16 -DT_F16 -DROWS=1
// Matrix product, any strides: ROWS rows by four neighbouring columns an
// invocation. The rows are the same for the whole workgroup.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "elementwise.glsl"

layout(constant_id = 3) const bool A_VEC = false; /* a's rows can be read four at a time */
layout(constant_id = 4) const uint B_MODE = 0;
layout(constant_id = 5) const bool HAS_C = false;
layout(constant_id = 6) const bool REGULAR = true;

layout(push_constant, scalar) uniform Push {
	Buf a, b, c;
	BufU32 table; /* offsets of a and b for each batch entry, unless REGULAR */
	Buf y;
	Buf ep_a, ep_b;
	uint m, n, k;
	uint a_row, a_col, b_row, b_col;
	uint a_batch, b_batch;
	uint c_row, c_col;
	float alpha, beta;
} push;

#define JOULE_EPILOGUE_SPEC 7
#include "lib/epilogue.glsl"

#define B_ANY     0
#define B_COLUMNS 1
#define B_DEPTH   2

vec4 load_a(uint at)
{
	if (A_VEC)
		return vec4(Buf4(push.a).v[at / 4]);
	return vec4(float(push.a.v[at]), float(push.a.v[at + push.a_col]),
		    float(push.a.v[at + 2 * push.a_col]), float(push.a.v[at + 3 * push.a_col]));
}

void main()
{
	uint col = (gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * 4;
	uint row = gl_WorkGroupID.y * ROWS, g = gl_WorkGroupID.z;
	uint a0 = REGULAR ? g * push.a_batch : push.table.v[2 * g];
	uint b0 = REGULAR ? g * push.b_batch : push.table.v[2 * g + 1];
	uint a_at[ROWS], b_at[4];
	vec4 acc[ROWS];
	uint k = 0;

	if (col >= push.n)
		return;
	/* Beyond the last row or column: the last one again, not stored. */
	for (uint i = 0; i < ROWS; i++) {
		a_at[i] = a0 + min(row + i, push.m - 1) * push.a_row;
		acc[i] = vec4(0.0);
	}
	for (uint j = 0; j < 4; j++)
		b_at[j] = b0 + min(col + j, push.n - 1) * push.b_col;

	for (; k + 4 <= push.k; k += 4) {
		vec4 a[ROWS], b[4];

		[[unroll]] for (uint i = 0; i < ROWS; i++)
			a[i] = load_a(a_at[i] + k * push.a_col);
		if (B_MODE == B_DEPTH) {
			mat4 t;

			[[unroll]] for (uint j = 0; j < 4; j++)
				t[j] = vec4(Buf4(push.b).v[(b_at[j] + k) / 4]);
			t = transpose(t);
			[[unroll]] for (uint j = 0; j < 4; j++)
				b[j] = t[j];
		} else if (B_MODE == B_COLUMNS) {
			[[unroll]] for (uint j = 0; j < 4; j++)
				b[j] = vec4(Buf4(push.b).v[(b0 + (k + j) * push.b_row + col) / 4]);
		} else {
			[[unroll]] for (uint j = 0; j < 4; j++)
				[[unroll]] for (uint c = 0; c < 4; c++)
					b[j][c] = float(push.b.v[b_at[c] + (k + j) * push.b_row]);
		}
		[[unroll]] for (uint j = 0; j < 4; j++)
			[[unroll]] for (uint i = 0; i < ROWS; i++)
				acc[i] += a[i][j] * b[j];
	}
	for (; k < push.k; k++) {
		vec4 b;

		for (uint c = 0; c < 4; c++)
			b[c] = float(push.b.v[b_at[c] + k * push.b_row]);
		for (uint i = 0; i < ROWS; i++)
			acc[i] += float(push.a.v[a_at[i] + k * push.a_col]) * b;
	}

	for (uint i = 0; i < ROWS; i++)
		for (uint j = 0; j < 4; j++) {
			uint m = row + i, n = col + j, at = (g * push.m + m) * push.n + n;

			if (m >= push.m || n >= push.n)
				continue;
			float v = push.alpha * acc[i][j];

			if (HAS_C)
				v += push.beta * float(push.c.v[m * push.c_row + n * push.c_col]);
			push.y.v[at] = T(joule_epilogue(v, at, n));
		}
}
