#version 460
// SPDX-License-Identifier: MIT
//! variant resize_f32
//! variant resize_f16 -DT_F16
// Weighted sums of neighbours along one to three axes, from tables of offsets
// and weights (ops/resize.c): PER outputs of the innermost axis an invocation.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(constant_id = 3) const uint RANK = 1;
layout(constant_id = 4) const int PER = 1;
layout(constant_id = 5) const bool EXTRAPOLATE = false;
// The axes with taps, innermost first: which dimension, how many taps.
layout(constant_id = 6) const uint D0 = 0;
layout(constant_id = 7) const uint K0 = 1;
layout(constant_id = 8) const uint D1 = 99;
layout(constant_id = 9) const uint K1 = 1;
layout(constant_id = 10) const uint D2 = 99;
layout(constant_id = 11) const uint K2 = 1;
// Linear: the table has the first tap only; the second is its neighbour and the
// rest of the weight.
layout(constant_id = 12) const bool PAIRS = false;

struct TapDim {
	uint len, magic;
	int stride;
	uint table;
};
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Dims { TapDim d[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Ints { int v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Floats { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Ints4 { ivec4 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Floats4 { vec4 v[]; };

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf y;
	Dims dims;
	uint n;
	uint inner;
	float extrapolation;
	uint row[3];  // entries of a tap in the tables of the axes with taps
	int stride[3]; // of those axes
	int end[3];    // offset of their last element
} push;

// Offset and weight of tap k; at: the first tap's table entry, K of them.
void tap(uint axis, uint at, uint k, uint taps, out int o, out float w)
{
	if (PAIRS) {
		o = Ints(push.dims).v[at];
		w = Floats(push.dims).v[at + push.row[axis]];
		if (k == 1) {
			o = min(o + push.stride[axis], push.end[axis]);
			w = 1.0 - w;
		}
		return;
	}
	o = Ints(push.dims).v[at + k * push.row[axis]];
	w = Floats(push.dims).v[at + (k + taps) * push.row[axis]];
}

// The innermost axis, for all outputs of the invocation.
void first_axis(uint at, uint k, out ivec4 o, out vec4 w)
{
	uint to = at + k * push.row[0], tw = at + (k + (PAIRS ? 1 : K0)) * push.row[0];

	o = PER > 1 ? Ints4(push.dims).v[to / 4] : ivec4(Ints(push.dims).v[to]);
	w = PER > 1 ? Floats4(push.dims).v[tw / 4] : vec4(Floats(push.dims).v[tw]);
}

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n), row = 0, c0 = 0, at0 = 0, at1 = 0, at2 = 0;
	int s = 0;

	[[unroll]] for (uint d = 0; d < RANK; d++) {
		TapDim m = push.dims.d[d];
		uvec2 q = d + 1 < RANK ? joule_divmod(i, m.len, m.magic) : uvec2(0, i);
		uint c = d == 0 ? q.y * uint(PER) : q.y;

		if (d == 0) {
			c0 = c;
			row = RANK > 1 ? q.x : 0;
		}
		if (d == D0)
			at0 = m.table + c;
		else if (d == D1)
			at1 = m.table + c;
		else if (d == D2)
			at2 = m.table + c;
		else
			s += int(c) * m.stride;
		i = q.x;
	}
	vec4 sum = vec4(0.0), w0;
	ivec4 o0;

	if (PAIRS)
		first_axis(at0, 0, o0, w0);
	bvec4 outside = bvec4(false);

	for (uint a = 0; a < K2; a++) {
		int o2 = 0;
		float w2 = 1.0;

		if (D2 < RANK)
			tap(2, at2, a, K2, o2, w2);
		for (uint b = 0; b < K1; b++) {
			int o1 = 0;
			float w1 = w2;

			if (D1 < RANK) {
				tap(1, at1, b, K1, o1, w1);
				w1 *= w2;
			}
			for (uint c = 0; c < K0; c++) {
				ivec4 o = o0;
				vec4 w = w0;

				if (PAIRS && c == 1) {
					o = min(o + push.stride[0], ivec4(push.end[0]));
					w = 1.0 - w;
				} else if (!PAIRS) {
					first_axis(at0, c, o, w);
				}
				if (EXTRAPOLATE) {
					outside = bvec4(o1 < 0 || o2 < 0);
					[[unroll]] for (int k = 0; k < PER; k++) {
						outside[k] = outside[k] || o[k] < 0;
						o[k] = outside[k] ? 0 : o[k];
					}
				}
				int base = EXTRAPOLATE ? s + max(o1, 0) + max(o2, 0) : s + o1 + o2;

				[[unroll]] for (int k = 0; k < PER; k++)
					sum[k] = fma(w1 * w[k], float(push.x.v[base + o[k]]), sum[k]);
			}
		}
	}
	// The table's last chunk repeats the row's last entry.
	uint t = row * push.inner + c0;
	int last = PER > 1 ? int(push.inner - c0) - 1 : 0;

	[[unroll]] for (int k = 0; k < PER; k++)
		push.y.v[t + uint(min(k, last))] = T(outside[k] ? push.extrapolation : sum[k]);
}
