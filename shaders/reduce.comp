#version 460
// SPDX-License-Identifier: MIT
//! variant reduce_f32
//! variant reduce_f32_wide -DJOULE_WIDE
//! variant reduce_f16 -DT_F16 -DOUT=float16_t
//! variant reduce_f16_wide -DT_F16 -DOUT=float16_t -DJOULE_WIDE
//! variant reduce_f16_f32 -DT_F16
//! variant reduce_f16_f32_wide -DT_F16 -DJOULE_WIDE
//! variant reduce_f32_f16 -DOUT=float16_t
//! variant reduce_f32_f16_wide -DOUT=float16_t -DJOULE_WIDE
//! variant reduce_group_f32 -DGROUP
//! variant reduce_group_f16 -DGROUP -DT_F16 -DOUT=float16_t
//! variant reduce_group_f16_f32 -DGROUP -DT_F16
//! variant reduce_group_f32_f16 -DGROUP -DOUT=float16_t
// Reductions (ops/reduce_bind.c). One invocation a part of a result, or with
// GROUP one workgroup. Four partial accumulators each, joined in a
// fixed order: the same input gives the same bits on every run. An invocation's
// order is ONNX Runtime's of pools, see docs/quantized.md.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "lib/load4.glsl"
#include "lib/quotient.glsl"
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
#define POST_DIVIDE    1u
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
layout(constant_id = 9) const uint PARTS = 1; /* of a result, without GROUP; one reduced axis then */

layout(push_constant, scalar) uniform Push {
	Buf x;
	BufOut y;
	BufF32 shift;  /* of log-sum-exp: one for each result */
	uint outputs;
	uint total;    /* elements of a set */
	uint part;     /* elements of a part */
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
	if (POST == POST_DIVIDE)
		return joule_quotient(a, push.p);
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

/* Takes the innermost axis left off o: its part of the offset. */
uint peel(inout uint o, uvec2 axis, const bool last)
{
	uint at = (last ? o : o % axis.x) * axis.y;

	o = last ? 0 : o / axis.x;
	return at;
}

uint set_start(uint o)
{
	uint at = peel(o, push.kept[3], KEPT_RANK == 1);

	if (KEPT_RANK > 1)
		at += peel(o, push.kept[2], KEPT_RANK == 2);
	if (KEPT_RANK > 2)
		at += peel(o, push.kept[1], KEPT_RANK == 3);
	if (KEPT_RANK > 3)
		at += peel(o, push.kept[0], true);
	return at;
}

#ifdef GROUP

shared float partial[gl_WorkGroupSize.x];

uint element(uint r)
{
	uint at = peel(r, push.reduced[2], REDUCED_RANK == 1);

	if (REDUCED_RANK > 1)
		at += peel(r, push.reduced[1], REDUCED_RANK == 2);
	if (REDUCED_RANK > 2)
		at += peel(r, push.reduced[0], true);
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
			acc = join4(acc, joule_load4(push.x, (start + element(r)) / 4),
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
	uint t = joule_global_index() * (VEC == ACROSS ? 4 : 1);
	uint o = PARTS > 1 ? t / PARTS : t, first = PARTS > 1 ? t % PARTS * push.part : 0, at;
	uvec2 a = push.reduced[0], b = push.reduced[1], c = push.reduced[2];
	uint n = PARTS > 1 ? min(first + push.part, push.total) - min(first, push.total) : c.x;
	vec4 acc = vec4(neutral()), shift;
	uint behind = 0, behind_at = 0; /* elements of a line that are no four */
	float sum;

	/* Invocations beyond the end repeat the last one's work and store nothing. */
	o = min(o, push.outputs - (VEC == ACROSS ? 4 : 1));
	at = set_start(o) + first * c.y;
	[[unroll]] for (int i = 0; i < 4; i++)
		shift[i] = shift_of(VEC == ACROSS ? o + i : o);
	for (uint i = 0; i < (REDUCED_RANK > 2 ? a.x : 1); i++)
		for (uint j = 0; j < (REDUCED_RANK > 1 ? b.x : 1); j++) {
			uint p = at + i * a.y + j * b.y, k = 0;

			if (VEC != 0) {
				const uint step_ = VEC == ALONG ? 4 : c.y, each = VEC == ALONG ? 4 : 1;

				for (; k < n; k += each, p += step_)
					acc = join4(acc, joule_load4(push.x, p / 4), shift);
			} else {
				for (; k + 3 < n; k += 4, p += 4 * c.y)
					acc = join4(acc, vec4(push.x.v[p], push.x.v[p + c.y],
							      push.x.v[p + 2 * c.y],
							      push.x.v[p + 3 * c.y]),
						    shift);
				behind = n - k;
				behind_at = p;
				for (; REDUCED_RANK > 1 && k < n; k++, p += c.y)
					acc.x = join(acc.x, pre(float(push.x.v[p]), shift.x));
			}
		}
	if (t >= push.outputs * PARTS)
		return;
	if (VEC == ACROSS) {
		[[unroll]] for (int i = 0; i < 4; i++)
			push.y.v[t + i] = OUT(post(acc[i], shift[i]));
		return;
	}
	sum = join(join(acc.x, acc.z), join(acc.y, acc.w));
	for (uint k = 0; REDUCED_RANK == 1 && VEC == 0 && k < behind; k++, behind_at += c.y)
		sum = join(sum, pre(float(push.x.v[behind_at]), shift.x));
	push.y.v[t] = OUT(post(sum, shift.x));
}

#endif
