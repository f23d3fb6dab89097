#version 460
// SPDX-License-Identifier: MIT
//! variant grid_sample_f32
//! variant grid_sample_f16 -DT_F16
// An image read at given places: an invocation works out the taps of one place
// and goes through some channels with them (ops/grid_sample.c).
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(constant_id = 3) const int DIMS = 2;
layout(constant_id = 4) const uint MODE = 0;    // linear, nearest, cubic
layout(constant_id = 5) const uint PADDING = 0; // zeros, border, reflection
layout(constant_id = 6) const bool ALIGN = false;

const int TAPS = MODE == 0 ? 2 : MODE == 1 ? 1 : 4;

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf grid;
	Buf y;
	uint places, c;
	uint channels; // of an invocation
	ivec3 len;     // outermost first, 1 for missing ones
} push;

float reflect_(float x, float lo, float hi)
{
	float range = hi - lo, d = x < lo ? lo - x : x - hi;

	if (!(range > 0.0))
		return lo;
	if (x >= lo && x <= hi)
		return x;
	float n = trunc(d / range), r = d - n * range;

	return (mod(n, 2.0) == 0.0) == (x < lo) ? lo + r : hi - r;
}

// Offsets in elements of the axis and weights; outside: offset 0, weight 0.
void make_taps(float g, int len, out ivec4 index, out vec4 weight)
{
	float n = float(len), lo = ALIGN ? 0.0 : -0.5, hi = n - (ALIGN ? 1.0 : 0.5);
	precise float x = ALIGN ? (g + 1.0) / 2.0 * (n - 1.0) : ((g + 1.0) * n - 1.0) / 2.0;

	if (MODE == 1)
		x = DIMS == 3 ? sign(x) * floor(abs(x) + 0.5) : roundEven(x);
	if (PADDING == 1 && (x < lo || x > hi))
		x = clamp(x, 0.0, n - 1.0);
	else if (PADDING == 2)
		x = reflect_(x, lo, hi);
	if (!(x >= -2e9 && x <= 2e9))
		x = -2e9;
	float base = floor(x), t = x - base;
	const float a = -0.75;

	weight = vec4(1.0 - t, t, 0.0, 0.0);
	if (MODE == 1)
		weight = vec4(1.0, 0.0, 0.0, 0.0);
	if (MODE == 2)
		weight = vec4(((a * (t + 1.0) - 5.0 * a) * (t + 1.0) + 8.0 * a) * (t + 1.0) - 4.0 * a,
			      ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0,
			      ((a + 2.0) * (1.0 - t) - (a + 3.0)) * (1.0 - t) * (1.0 - t) + 1.0,
			      ((a * (2.0 - t) - 5.0 * a) * (2.0 - t) + 8.0 * a) * (2.0 - t) - 4.0 * a);
	for (int k = 0; k < TAPS; k++) {
		int i = int(base) + k - (MODE == 2 ? 1 : 0);

		if (PADDING == 2)
			i = int(reflect_(float(i), lo, hi));
		if (PADDING == 0 && (i < 0 || i >= len))
			weight[k] = 0.0;
		index[k] = clamp(i, 0, len - 1);
	}
}

void main()
{
	uint place = min(gl_GlobalInvocationID.x, push.places - 1), n = gl_GlobalInvocationID.z;
	uint first = gl_GlobalInvocationID.y * push.channels;
	uint at = (n * push.places + place) * DIMS;
	ivec4 i0 = ivec4(0), i1 = ivec4(0), i2 = ivec4(0);
	vec4 w0, w1 = vec4(1.0), w2 = vec4(1.0);
	// The first number of a grid entry is the innermost coordinate.
	make_taps(float(push.grid.v[at]), push.len.z, i0, w0);
	if (DIMS > 1)
		make_taps(float(push.grid.v[at + 1]), push.len.y, i1, w1);
	if (DIMS > 2)
		make_taps(float(push.grid.v[at + 2]), push.len.x, i2, w2);
	i1 *= push.len.z;
	i2 *= push.len.z * push.len.y;
	uint image = uint(push.len.x * push.len.y * push.len.z);

	for (uint c = first; c < min(first + push.channels, push.c); c++) {
		int from = int((n * push.c + c) * image);
		float sum = 0.0;

		for (int z = 0; z < (DIMS > 2 ? TAPS : 1); z++)
			for (int y = 0; y < (DIMS > 1 ? TAPS : 1); y++)
				for (int x = 0; x < TAPS; x++)
					sum += w2[z] * w1[y] * w0[x] *
					       float(push.x.v[from + i2[z] + i1[y] + i0[x]]);
		push.y.v[(n * push.c + c) * push.places + place] = T(sum);
	}
}
