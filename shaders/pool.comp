#version 460
// SPDX-License-Identifier: MIT
//! variant pool_f32
//! variant pool_f16 -DT_F16
//! variant pool_i8 -DT_I8
//! variant pool_u8 -DT_U8
// Max, average and Lp pooling: one output an invocation.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"

layout(constant_id = 3) const uint KD = 1;
layout(constant_id = 4) const uint KH = 1;
layout(constant_id = 5) const uint KW = 1;
layout(constant_id = 6) const uint SD = 1;
layout(constant_id = 7) const uint SH = 1;
layout(constant_id = 8) const uint SW = 1;
layout(constant_id = 9) const uint DD = 1;
layout(constant_id = 10) const uint DH = 1;
layout(constant_id = 11) const uint DW = 1;
layout(constant_id = 12) const uint KIND = 0;
layout(constant_id = 13) const bool COUNT_PAD = false;
layout(constant_id = 14) const bool INDICES = false;
layout(constant_id = 15) const bool BY_COLUMN = false;
layout(constant_id = 16) const bool SMALL = false; /* fewer than 2^23 outputs */

#define MAX     0
#define AVERAGE 1
#define LP      2

layout(push_constant, scalar) uniform Push {
	Buf x, y;
	BufI64 indices;
	uvec3 size, out_size;
	ivec3 begin, padded_end;
	uint n, p;
} push;

float power(float v)
{
	v = abs(v);
	return push.p == 1 ? v : push.p == 2 ? v * v : joule_pow(v, float(push.p));
}

/*
 * Integer division, which processors do lane by lane: through floats where the
 * quotient comes out at most one off.
 */
uint quotient(uint a, uint d)
{
	if (!SMALL)
		return a / d;
	uint q = uint(float(a) / float(d));
	int r = int(a - q * d);

	return r < 0 ? q - 1 : (r >= int(d) ? q + 1 : q);
}

void main()
{
	uint i = joule_global_index();

	if (i >= push.n)
		return;
	uint row = quotient(i, push.out_size.z), rows = quotient(row, push.out_size.y);
	uint image = quotient(rows, push.out_size.x);
	ivec3 at = ivec3((rows - image * push.out_size.x) * SD, (row - rows * push.out_size.y) * SH,
			 (i - row * push.out_size.z) * SW) - push.begin;
	uint base = image * push.size.x * push.size.y * push.size.z;
	float acc = KIND == MAX ? uintBitsToFloat(0xff800000u) : 0.0;
	uint best = 0, inside = 0, padded = 0;

	for (uint kd = 0; kd < KD; kd++)
	for (uint kh = 0; kh < KH; kh++)
	for (uint kw = 0; kw < KW; kw++) {
		ivec3 pos = at + ivec3(kd * DD, kh * DH, kw * DW);

		padded += uint(all(lessThan(pos, push.padded_end)));
		if (!all(lessThan(uvec3(pos), push.size)))
			continue;
		uint j = (uint(pos.x) * push.size.y + uint(pos.y)) * push.size.z + uint(pos.z);
		float v = float(push.x.v[base + j]);

		if (KIND == MAX) {
			if (inside == 0 || v > acc || isnan(v)) {
				acc = v;
				best = j;
			}
		} else {
			acc += KIND == LP ? power(v) : v;
		}
		inside++;
	}
	if (KIND == AVERAGE)
		acc /= float(COUNT_PAD ? padded : inside);
	else if (KIND == LP && push.p != 1)
		acc = push.p == 2 ? sqrt(acc) : joule_pow(acc, 1.0 / float(push.p));
	push.y.v[i] = T(acc);
	if (INDICES) {
		uint x = best % push.size.z, y = best / push.size.z % push.size.y;
		uint z = best / push.size.z / push.size.y;

		if (BY_COLUMN)
			best = (x * push.size.y + y) * push.size.x + z;
		push.indices.v[i] = ivec2(int(base + best), 0);
	}
}
