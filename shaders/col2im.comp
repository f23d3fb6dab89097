#version 460
// SPDX-License-Identifier: MIT
//! variant col2im_f32
//! variant col2im_f16 -DT_F16
// Each pixel gathers what the blocks over it hold: sums in one order, and no
// two invocations write one place.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(constant_id = 3) const uint DIMS = 2;

struct BlockDim {
	uint image, image_magic, block, block_magic, stride_magic;
	int dilation, pad, stride, count, unused;
};
layout(buffer_reference, scalar, buffer_reference_align = 8) readonly buffer Dims { BlockDim d[]; };

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf y;
	Dims dims; // innermost first
	uint n;
	uint pixels, pixels_magic;
	uint kernel, columns;
} push;

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	uvec2 q = joule_divmod(i, push.pixels, push.pixels_magic);
	float sum = 0.0;

	for (uint k = 0; k < push.kernel; k++) {
		uint rest = k, pixel = q.y;
		int column = 0, step = 1;
		bool there = true;

		[[unroll]] for (uint d = 0; d < DIMS; d++) {
			BlockDim m = push.dims.d[d];
			uvec2 e = joule_divmod(rest, m.block, m.block_magic);
			uvec2 p = joule_divmod(pixel, m.image, m.image_magic);
			int t = int(p.y) + m.pad - int(e.y) * m.dilation;
			uvec2 s = joule_divmod(uint(max(t, 0)), uint(m.stride), m.stride_magic);

			there = there && t >= 0 && s.y == 0 && int(s.x) < m.count;
			column += int(s.x) * step;
			step *= m.count;
			rest = e.x;
			pixel = p.x;
		}
		if (there)
			sum += float(push.x.v[(q.x * push.kernel + k) * push.columns + uint(column)]);
	}
	push.y.v[i] = T(sum);
}
