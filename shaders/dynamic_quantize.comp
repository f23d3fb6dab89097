#version 460
// SPDX-License-Identifier: MIT
//! variant dynamic_quantize_range -DRANGE
//! variant dynamic_quantize
// DynamicQuantizeLinear (ops/dynamic_quantize.c): first the ranges of parts of
// the tensor, one workgroup each, then scale, zero point and u8 from those.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"

#ifdef RANGE
#include "lib/group.glsl"

layout(push_constant, scalar) uniform Push {
	Buf x;
	BufF32 ranges; /* lowest and highest of each part, 0 among them */
	uint n;
	uint part;
} push;

void main()
{
	uint lane = gl_LocalInvocationID.x;
	uint start = gl_WorkGroupID.x * push.part, end = min(start + push.part, push.n), i;
	vec4 lo = vec4(0.0), hi = vec4(0.0);
	float low, high;

	for (i = start + lane * 4; i + 4 <= end; i += gl_WorkGroupSize.x * 4) {
		vec4 v = Buf4(push.x).v[i / 4];

		lo = min(lo, v);
		hi = max(hi, v);
	}
	for (; i < end; i++) {
		lo.x = min(lo.x, push.x.v[i]);
		hi.x = max(hi.x, push.x.v[i]);
	}
	low = -joule_group_max(-min(min(lo.x, lo.y), min(lo.z, lo.w)));
	high = joule_group_max(max(max(hi.x, hi.y), max(hi.z, hi.w)));
	if (lane == 0) {
		push.ranges.v[2 * gl_WorkGroupID.x] = low;
		push.ranges.v[2 * gl_WorkGroupID.x + 1] = high;
	}
}

#else

#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require

layout(buffer_reference, scalar, buffer_reference_align = 1) buffer BufU8 { uint8_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer BufU8x4 { u8vec4 v[]; };

layout(push_constant, scalar) uniform Push {
	Buf x;
	BufF32 ranges;
	BufU8 y;
	BufF32 scale;
	BufU8 zero;
	uint n;
	uint parts;
} push;

void main()
{
	uint i = joule_global_index() * 16, end = min(i + 16, push.n);
	float lo = 0.0, hi = 0.0, scale, zero;

	for (uint k = 0; k < push.parts; k++) {
		lo = min(lo, push.ranges.v[2 * k]);
		hi = max(hi, push.ranges.v[2 * k + 1]);
	}
	scale = lo == hi ? 1.0 : (hi - lo) / 255.0;
	zero = roundEven(clamp(-lo / scale, 0.0, 255.0));
	if (i == 0) {
		push.scale.v[0] = scale;
		push.zero.v[0] = uint8_t(uint(zero));
	}
	for (; i + 4 <= end; i += 4)
		BufU8x4(push.y).v[i / 4] = u8vec4(uvec4(
			clamp(roundEven(Buf4(push.x).v[i / 4] / scale) + zero, 0.0, 255.0)));
	for (; i < end; i++)
		push.y.v[i] = uint8_t(
			uint(clamp(roundEven(push.x.v[i] / scale) + zero, 0.0, 255.0)));
}

#endif
