#version 460
// SPDX-License-Identifier: MIT
//! variant reduce_f32
//! variant reduce_f16 -DT_F16 -DOUT=float16_t
//! variant reduce_f16_f32 -DT_F16
//! variant reduce_f32_f16 -DOUT=float16_t
//! variant reduce_group_f32 -DGROUP
//! variant reduce_group_f16 -DGROUP -DT_F16 -DOUT=float16_t
//! variant reduce_group_f16_f32 -DGROUP -DT_F16
//! variant reduce_group_f32_f16 -DGROUP -DOUT=float16_t
// Reductions (ops/reduce_bind.c). One invocation a result, or with GROUP one
// workgroup a part of a result. Four partial accumulators each, joined in a
// fixed order: the same input gives the same bits on every run.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

#ifndef OUT
#define OUT float
#endif
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer BufOut { OUT v[]; };

#define PRE_ABS	       1u
#define PRE_SQUARE     2u
#define PRE_EXP	       3u
#define PRE_POW	       4u
#define JOIN_ADD       0u
#define JOIN_MUL       1u
#define JOIN_MIN       2u
#define POST_SCALE     1u
#define POST_SQRT      2u
#define POST_LOG       3u
#define POST_LOG_SHIFT 4u
#define POST_POW       5u
#define ALONG	       1u /* four neighbours of one set at a time */
#define ACROSS	       2u /* one element of four neighbouring sets at a time */

#define KEPT	4
#define REDUCED 3

layout(constant_id = 3) const uint PRE = 0;
layout(constant_id = 4) const uint JOIN = 0;
layout(constant_id = 5) const uint POST = 0;
layout(constant_id = 6) const uint KEPT_RANK = 1;
layout(constant_id = 7) const uint REDUCED_RANK = 1;
layout(constant_id = 8) const uint VEC = 0;

layout(push_constant, scalar) uniform Push {
	Buf x;
	BufOut y;
	BufF32 shift;  /* of log-sum-exp: one for each result */
	uint outputs;
	uint total;    /* elements of a set */
	uint part;     /* of those, a workgroup's share */
	float p;
	uvec2 kept[KEPT];       /* dimension and stride, outermost first */
	uvec2 reduced[REDUCED]; /* the same */
} push;

float neutral()
{
	if (JOIN == JOIN_ADD)
		return 0.0;
	if (JOIN == JOIN_MUL)
		return 1.0;
	return uintBitsToFloat(JOIN == JOIN_MIN ? 0x7f800000u : 0xff800000u);
}

float pre(float x, float shift)
{
	if (PRE == PRE_ABS)
		return abs(x);
	if (PRE == PRE_SQUARE)
		return x * x;
	if (PRE == PRE_EXP)
		return exp(x - shift);
	if (PRE == PRE_POW)
		return joule_pow(abs(x), push.p);
	return x;
}

float join(float a, float b)
{
	if (JOIN == JOIN_ADD)
		return a + b;
	if (JOIN == JOIN_MUL)
		return a * b;
	if (isnan(a) || isnan(b))
		return a + b;
	return JOIN == JOIN_MIN ? min(a, b) : max(a, b);
}

vec4 join4(vec4 a, vec4 v, vec4 shift)
{
	[[unroll]] for (int i = 0; i < 4; i++)
		a[i] = join(a[i], pre(v[i], shift[i]));
	return a;
}

float post(float a, float shift)
{
	if (POST == POST_SCALE)
		return a * push.p;
	if (POST == POST_SQRT)
		return sqrt(a);
	if (POST == POST_LOG)
		return log(a);
	if (POST == POST_LOG_SHIFT)
		return log(a) + shift;
	if (POST == POST_POW)
		return joule_pow(a, 1.0 / push.p);
	return a;
}

/* The largest element, unless it is infinite: then exp() shows that by itself. */
float shift_of(uint o)
{
	float s = PRE == PRE_EXP || POST == POST_LOG_SHIFT ? push.shift.v[o] : 0.0;

	return isinf(s) ? 0.0 : s;
}

uint set_start(uint o)
{
	uint at = 0;

	[[unroll]] for (uint i = KEPT; i > KEPT - KEPT_RANK; i--) {
		uvec2 axis = push.kept[i - 1];

		if (i - 1 == KEPT - KEPT_RANK)
			return at + o * axis.y;
		at += o % axis.x * axis.y;
		o /= axis.x;
	}
	return at;
}

#ifdef GROUP

shared float partial[gl_WorkGroupSize.x];

uint element(uint r)
{
	uint at = 0;

	[[unroll]] for (uint i = REDUCED; i > REDUCED - REDUCED_RANK; i--) {
		uvec2 axis = push.reduced[i - 1];

		if (i - 1 == REDUCED - REDUCED_RANK)
			return at + r * axis.y;
		at += r % axis.x * axis.y;
		r /= axis.x;
	}
	return at;
}

void main()
{
	uint o = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
	uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x;
	bool mine = o < push.outputs;
	uint start = mine ? set_start(o) : 0;
	uint r = gl_WorkGroupID.z * push.part;
	uint end = mine ? min(r + push.part, push.total) : 0;
	float shift = mine ? shift_of(o) : 0.0;
	vec4 acc = vec4(neutral());
	float a;

	if (VEC == ALONG) {
		for (r += lane * 4; r < end; r += lanes * 4)
			acc = join4(acc, vec4(Buf4(push.x).v[(start + element(r)) / 4]),
				    vec4(shift));
	} else {
		r += lane;
		for (; r + 3 * lanes < end; r += 4 * lanes)
			acc = join4(acc, vec4(push.x.v[start + element(r)],
					      push.x.v[start + element(r + lanes)],
					      push.x.v[start + element(r + 2 * lanes)],
					      push.x.v[start + element(r + 3 * lanes)]),
				    vec4(shift));
		for (; r < end; r += lanes)
			acc.x = join(acc.x, pre(float(push.x.v[start + element(r)]), shift));
	}
	partial[lane] = join(join(acc.x, acc.y), join(acc.z, acc.w));
	barrier();
	for (uint half_ = lanes / 2; half_ > 0; half_ /= 2) {
		if (lane < half_)
			partial[lane] = join(partial[lane], partial[lane + half_]);
		barrier();
	}
	if (lane == 0 && mine)
		push.y.v[o * gl_NumWorkGroups.z + gl_WorkGroupID.z] = OUT(post(partial[0], shift));
}

#else

void main()
{
	uint o = joule_global_index() * (VEC == ACROSS ? 4 : 1), start;
	uvec2 a = push.reduced[0], b = push.reduced[1], c = push.reduced[2];
	vec4 acc = vec4(neutral()), more = acc, shift;

	if (o >= push.outputs)
		return;
	start = set_start(o);
	[[unroll]] for (int i = 0; i < 4; i++)
		shift[i] = shift_of(VEC == ACROSS ? o + i : o);
	for (uint i = 0; i < (REDUCED_RANK > 2 ? a.x : 1); i++)
		for (uint j = 0; j < (REDUCED_RANK > 1 ? b.x : 1); j++) {
			uint at = start + i * a.y + j * b.y, k = 0;

			if (VEC == ACROSS) {
				for (; k + 1 < c.x; k += 2) {
					acc = join4(acc, vec4(Buf4(push.x).v[(at + k * c.y) / 4]),
						    shift);
					more = join4(more,
						     vec4(Buf4(push.x).v[(at + k * c.y + c.y) / 4]),
						     shift);
				}
				if (k < c.x)
					acc = join4(acc, vec4(Buf4(push.x).v[(at + k * c.y) / 4]),
						    shift);
			} else if (VEC == ALONG) {
				for (; k < c.x; k += 4)
					acc = join4(acc, vec4(Buf4(push.x).v[(at + k) / 4]), shift);
			} else {
				for (; k + 3 < c.x; k += 4)
					acc = join4(acc, vec4(push.x.v[at + k * c.y],
							      push.x.v[at + (k + 1) * c.y],
							      push.x.v[at + (k + 2) * c.y],
							      push.x.v[at + (k + 3) * c.y]),
						    shift);
				for (; k < c.x; k++)
					acc.x = join(acc.x, pre(float(push.x.v[at + k * c.y]),
								shift.x));
			}
		}
	if (VEC == ACROSS) {
		[[unroll]] for (int i = 0; i < 4; i++)
			push.y.v[o + i] = OUT(post(join(acc[i], more[i]), shift[i]));
		return;
	}
	push.y.v[o] = OUT(post(join(join(acc.x, acc.y), join(acc.z, acc.w)), shift.x));
}

#endif
