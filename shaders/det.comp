#version 460
// SPDX-License-Identifier: MIT
//! variant det_f32
//! variant det_f16 -DT_F16
// Determinants (ops/det.c): one invocation a matrix.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf y;
	BufF32 a; /* where the matrices are taken apart */
	uint n;
	uint m;
} push;

void main()
{
	uint matrix = joule_global_index(), m = push.m, base = matrix * m * m;
	float r = 1.0;

	if (matrix >= push.n)
		return;
	for (uint i = 0; i < m * m; i++)
		push.a.v[base + i] = float(push.x.v[base + i]);
	for (uint k = 0; k < m; k++) {
		uint p = k;
		float pivot;

		for (uint i = k + 1; i < m; i++)
			if (abs(push.a.v[base + i * m + k]) > abs(push.a.v[base + p * m + k]))
				p = i;
		for (uint j = k; j < m; j++) {
			float v = push.a.v[base + k * m + j];

			push.a.v[base + k * m + j] = push.a.v[base + p * m + j];
			push.a.v[base + p * m + j] = v;
		}
		pivot = push.a.v[base + k * m + k];
		r *= p == k ? pivot : -pivot;
		if (pivot == 0.0) {
			r = 0.0;
			break;
		}
		for (uint i = k + 1; i < m; i++) {
			float f = push.a.v[base + i * m + k] / pivot;

			for (uint j = k + 1; j < m; j++)
				push.a.v[base + i * m + j] -= f * push.a.v[base + k * m + j];
		}
	}
	push.y.v[matrix] = T(r);
}
