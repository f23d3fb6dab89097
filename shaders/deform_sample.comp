#version 460
// SPDX-License-Identifier: MIT
//! variant deform_sample_f32
//! variant deform_sample_f16 -DT_F16
// The patches of a deformable convolution: bilinear samples at shifted
// positions. An invocation takes one output position, kernel position and
// offset group, for all of the group's channels.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

layout(constant_id = 3) const uint KH = 1;
layout(constant_id = 4) const uint KW = 1;
layout(constant_id = 5) const uint SH = 1;
layout(constant_id = 6) const uint SW = 1;
layout(constant_id = 7) const uint DH = 1;
layout(constant_id = 8) const uint DW = 1;
layout(constant_id = 9) const bool MASK = false;

layout(push_constant, scalar) uniform Push {
	Buf x, offset, mask, y; /* y: [batch][channel][kernel][position] */
	uvec2 size, out_size;
	ivec2 begin;
	uint channels, groups;
} push;

void main()
{
	uint out_plane = push.out_size.x * push.out_size.y, taps = KH * KW;
	uint pos = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	uint k = gl_WorkGroupID.y % taps, group = gl_WorkGroupID.y / taps, n = gl_WorkGroupID.z;

	if (pos >= out_plane)
		return;
	uint at = (n * push.groups + group) * taps + k;
	vec2 p = vec2(ivec2(pos / push.out_size.y * SH + k / KW * DH,
			    pos % push.out_size.y * SW + k % KW * DW) - push.begin);

	p.x += float(push.offset.v[2 * at * out_plane + pos]);
	p.y += float(push.offset.v[(2 * at + 1) * out_plane + pos]);
	vec2 floor_p = floor(p), f = p - floor_p;
	float m = MASK ? float(push.mask.v[at * out_plane + pos]) : 1.0;
	/* Far outside an int would overflow; NaN compares false. */
	bool near = all(greaterThan(p, vec2(-1.0))) && all(lessThan(p, vec2(push.size)));
	ivec2 q = ivec2(near ? floor_p : vec2(-2.0));
	vec4 weight;
	uvec4 corner;

	for (uint i = 0; i < 4; i++) {
		ivec2 c = q + ivec2(i / 2, i % 2);
		bool inside = near && all(lessThan(uvec2(c), push.size));

		weight[i] = inside ? m * (i / 2 == 1 ? f.x : 1.0 - f.x) * (i % 2 == 1 ? f.y : 1.0 - f.y) : 0.0;
		corner[i] = inside ? uint(c.x) * push.size.y + uint(c.y) : 0;
	}
	uint per_group = push.channels / push.groups, plane = push.size.x * push.size.y;

	for (uint i = 0; i < per_group; i++) {
		uint c = n * push.channels + group * per_group + i, x = c * plane;
		float v = 0.0;

		for (uint j = 0; j < 4; j++)
			v += weight[j] * float(push.x.v[x + corner[j]]);
		push.y.v[(c * taps + k) * out_plane + pos] = T(v);
	}
}
