#version 460
// SPDX-License-Identifier: MIT
//! variant peak_fma_f32
//! variant peak_mul_add_f32 -DUNFUSED
//! variant peak_fma_f16 -DHALF
// Multiply-adds in registers: 12 chains that do not wait for one another, 16
// steps of each in a turn of the loop, so that the loop itself costs nothing.
// The sum is stored so that nothing is thrown away.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#ifdef HALF
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define V f16vec2
#else
#define V float
#endif

layout(push_constant, scalar) uniform Push {
	BufF32 y;
	uint turns;
	float a, b;
} push;

#ifdef UNFUSED
V step_(V x, V a, V b)
{
	precise V p = x * a;
	precise V s = p + b;

	return s;
}
#else
#define step_(x, a, b) fma(x, a, b)
#endif

#define ALL(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define STEP(i) v##i = step_(v##i, a, b);
#define FOUR ALL(STEP) ALL(STEP) ALL(STEP) ALL(STEP)
#define INIT(i) V v##i = V(float(gl_GlobalInvocationID.x & 7u) * 0.125 + float(i));
#define SUM(i) s += v##i;

void main()
{
	V a = V(push.a), b = V(push.b);

	ALL(INIT)
	for (uint k = 0; k < push.turns; k++) {
		FOUR FOUR FOUR FOUR
	}
	V s = V(0.0);

	ALL(SUM)
#ifdef HALF
	push.y.v[gl_GlobalInvocationID.x] = float(s.x + s.y);
#else
	push.y.v[gl_GlobalInvocationID.x] = s;
#endif
}
