#version 460
// SPDX-License-Identifier: MIT
//! variant dft_f32
//! variant dft_f16 -DT_F16
// One pass of a Fourier transform of length n = s * radix * m (Stockham): an
// invocation computes one element
//	y[q + s * (radix * p + u)] = sum over v < radix of x[q + s * (p + m * v)] * w(u, v, p)
// where w is the root of unity of order n to the power u * (v * n / radix + s * p).
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(constant_id = 3) const bool FIRST = true; /* reads the signal */
layout(constant_id = 4) const bool LAST = true;  /* writes the result */
layout(constant_id = 5) const bool IN_COMPLEX = true;
layout(constant_id = 6) const bool OUT_COMPLEX = true;
layout(constant_id = 7) const bool INVERSE = false;
layout(constant_id = 8) const bool HALF = false;
layout(constant_id = 9) const bool WINDOW = false;

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer BufComplex { vec2 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Params {
	uint lines_b, in_len, out_len;
	uint a_step, b_step, step, a_out, b_out, out_step;
};

layout(push_constant, scalar) uniform Push {
	Buf x, window;
	BufComplex roots;
	Params p;
	BufComplex in_work, out_work;
	Buf y;
	uint n, total, radix, s;
} push;

vec2 sample_at(uint start, uint t)
{
	bool mirrored = HALF && t > push.n / 2;
	uint i = mirrored ? push.n - t : t;
	vec2 v;

	if (i >= push.p.in_len)
		return vec2(0.0);
	v.x = float(push.x.v[start + i * push.p.step]);
	v.y = IN_COMPLEX ? float(push.x.v[start + i * push.p.step + 1]) : 0.0;
	if (WINDOW)
		v *= float(push.window.v[i]);
	return mirrored ? vec2(v.x, -v.y) : v;
}

void main()
{
	uint id = joule_global_index();

	if (id >= push.total)
		return;
	uint line = id / push.n, i = id % push.n;
	uint a = line / push.p.lines_b, b = line % push.p.lines_b;
	uint start = a * push.p.a_step + b * push.p.b_step;
	uint q = i % push.s, u = i / push.s % push.radix, p = i / push.s / push.radix;
	uint m = push.n / push.s / push.radix;
	uint w = u * push.s * p % push.n, w_step = u * (push.n / push.radix) % push.n;
	vec2 sum = vec2(0.0);

	/* Not stored, so not computed. */
	if (LAST && i >= push.p.out_len)
		return;
	for (uint v = 0; v < push.radix; v++) {
		uint at = q + push.s * (p + m * v);
		vec2 x = FIRST ? sample_at(start, at) : push.in_work.v[line * push.n + at];
		vec2 r = push.roots.v[w];

		if (INVERSE)
			r.y = -r.y;
		sum += vec2(x.x * r.x - x.y * r.y, x.x * r.y + x.y * r.x);
		w += w_step;
		w = w >= push.n ? w - push.n : w;
	}
	if (!LAST) {
		push.out_work.v[line * push.n + i] = sum;
		return;
	}
	uint y = a * push.p.a_out + b * push.p.b_out + i * push.p.out_step;

	if (INVERSE)
		sum /= float(push.n);
	push.y.v[y] = T(sum.x);
	if (OUT_COMPLEX)
		push.y.v[y + 1] = T(sum.y);
}
