#version 460
// SPDX-License-Identifier: MIT
//! variant dynamic_quantize_range -DRANGE
//! variant dynamic_quantize_range_wide -DRANGE -DJOULE_WIDE
//! variant dynamic_quantize
//! variant dynamic_quantize_wide -DJOULE_WIDE
// DynamicQuantizeLinear (ops/dynamic_quantize.c): first the ranges of parts of
// the tensor, one workgroup each, then scale, zero point and u8 from those.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/load4.glsl"
#include "lib/quotient.glsl"

#ifdef RANGE

layout(push_constant, scalar) uniform Push {
	Buf x;
	BufF32 ranges; /* lowest and highest of each part, 0 among them */
	uint n;
	uint part;     /* a multiple of 8 */
	uint parts;
} push;

/* Invocations beyond the last part repeat it. */
void main()
{
	uint t = min(joule_global_index(), push.parts - 1);
	uint i = min(t * push.part, push.n), end = min(i + push.part, push.n);
	vec4 lo = vec4(0.0), hi = vec4(0.0);

	for (; i + 8 <= end; i += 8) {
		vec4 v = joule_load4(push.x, i / 4), w = joule_load4(push.x, i / 4 + 1);

		lo = min(lo, min(v, w));
		hi = max(hi, max(v, w));
	}
	for (; i < end; i++) {
		lo.x = min(lo.x, push.x.v[i]);
		hi.x = max(hi.x, push.x.v[i]);
	}
	push.ranges.v[2 * t] = min(min(lo.x, lo.y), min(lo.z, lo.w));
	push.ranges.v[2 * t + 1] = max(max(hi.x, hi.y), max(hi.z, hi.w));
}

#else

#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#include "lib/group.glsl"

layout(buffer_reference, scalar, buffer_reference_align = 1) buffer BufU8 { uint8_t v[]; };

layout(constant_id = 3) const uint PER = 1;    /* fours an invocation, a workgroup's width apart */
layout(constant_id = 4) const uint ALL_16 = 0; /* 1: there are 16 parts, each invocation joins them */

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
	uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
	uint lane = gl_LocalInvocationID.x, i = (group * PER * gl_WorkGroupSize.x + lane) * 4;
	float lo = 0.0, hi = 0.0, scale, zero;

	if (ALL_16 == 1) {
#define JOIN(k) \
	r = BufF32x4(push.ranges).v[k]; \
	lo = min(lo, min(r.x, r.z)); \
	hi = max(hi, max(r.y, r.w));
		vec4 r;

		JOIN(0) JOIN(1) JOIN(2) JOIN(3) JOIN(4) JOIN(5) JOIN(6) JOIN(7)
	} else {
		for (uint k = lane; k < push.parts; k += gl_WorkGroupSize.x) {
			lo = min(lo, push.ranges.v[2 * k]);
			hi = max(hi, push.ranges.v[2 * k + 1]);
		}
		lo = -joule_group_max(-lo);
		hi = joule_group_max(hi);
	}
	scale = lo == hi ? 1.0 : joule_quotient(hi - lo, 255.0);
	zero = clamp(joule_round_quotient(-lo, scale), 0.0, 255.0);
	if (i == 0) {
		push.scale.v[0] = scale;
		push.zero.v[0] = uint8_t(uint(zero));
	}
	for (uint c = 0; c < PER; c++, i += gl_WorkGroupSize.x * 4) {
		if (i + 4 <= push.n) {
			vec4 x = joule_load4(push.x, i / 4), q;

			[[unroll]] for (uint e = 0; e < 4; e++)
				q[e] = joule_round_quotient(x[e], scale);
			joule_store4_u8(BufU32(push.y), i / 4, uvec4(clamp(q + zero, 0.0, 255.0)));
		} else {
			for (uint k = i; k < push.n; k++)
				push.y.v[k] = uint8_t(uint(clamp(
					joule_round_quotient(push.x.v[k], scale) + zero, 0.0, 255.0)));
		}
	}
}

#endif
