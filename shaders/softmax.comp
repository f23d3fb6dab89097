#version 460
// SPDX-License-Identifier: MIT
//! variant softmax_f32
//! variant softmax_f32_wide -DJOULE_WIDE
//! variant softmax_f16 -DT_F16
//! variant softmax_f16_wide -DT_F16 -DJOULE_WIDE
//! variant softmax_group_f32 -DGROUP
//! variant softmax_group_f16 -DGROUP -DT_F16
// Softmax, LogSoftmax and Hardmax along an axis of n elements, inner apart.
// One invocation a row, or with GROUP one workgroup a row (inner is 1 there).
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/load4.glsl"

#define SOFT   0u
#define LOG    1u
#define HARD   2u
#define ALONG  1u /* four neighbours of one row at a time */
#define ACROSS 2u /* one element of four neighbouring rows at a time */

layout(constant_id = 3) const uint KIND = 0;
layout(constant_id = 4) const uint VEC = 0;

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf y;
	uint rows;
	uint n;
	uint inner;
} push;

#ifdef GROUP
#include "lib/group.glsl"
#else
float joule_max(float a, float b)
{
	return isnan(a) || isnan(b) ? a + b : max(a, b);
}
#endif

vec4 max4(vec4 a, vec4 b)
{
	return vec4(joule_max(a.x, b.x), joule_max(a.y, b.y), joule_max(a.z, b.z),
		    joule_max(a.w, b.w));
}

#define LOWEST uintBitsToFloat(0xff800000u)

#ifdef GROUP

void main()
{
	uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
	uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x;
	uint n = row < push.rows ? push.n : 0, base = row * push.n;
	float m = LOWEST, s = 0.0;
	vec4 m4 = vec4(LOWEST), s4 = vec4(0.0);

	if (VEC == ALONG)
		for (uint j = lane * 4; j < n; j += lanes * 4)
			m4 = max4(m4, joule_load4(push.x, (base + j) / 4));
	else
		for (uint j = lane; j < n; j += lanes)
			m4.x = joule_max(m4.x, float(push.x.v[base + j]));
	m = joule_group_max(joule_max(joule_max(m4.x, m4.y), joule_max(m4.z, m4.w)));
	if (KIND == HARD) {
		/* The first that equals the maximum: the largest of the negated indices. */
		float first = LOWEST;

		for (uint j = lane; j < n; j += lanes)
			if (float(push.x.v[base + j]) == m)
				first = max(first, -float(j));
		first = joule_group_max(first);
		for (uint j = lane; j < n; j += lanes)
			push.y.v[base + j] = T(-float(j) == first ? 1.0 : 0.0);
		return;
	}
	if (VEC == ALONG)
		for (uint j = lane * 4; j < n; j += lanes * 4)
			s4 += exp(joule_load4(push.x, (base + j) / 4) - m);
	else
		for (uint j = lane; j < n; j += lanes)
			s4.x += exp(float(push.x.v[base + j]) - m);
	s = joule_group_sum(s4.x + s4.y + (s4.z + s4.w));
	s = KIND == LOG ? log(s) : 1.0 / s;
	if (VEC == ALONG)
		for (uint j = lane * 4; j < n; j += lanes * 4) {
			vec4 v = joule_load4(push.x, (base + j) / 4) - m;

			joule_store4(push.y, (base + j) / 4, KIND == LOG ? v - s : exp(v) * s);
		}
	else
		for (uint j = lane; j < n; j += lanes) {
			float v = float(push.x.v[base + j]) - m;

			push.y.v[base + j] = T(KIND == LOG ? v - s : exp(v) * s);
		}
}

#else

/* Four numbers of a step: of one row, or of four rows side by side. */
vec4 load(uint at)
{
	if (VEC != 0)
		return joule_load4(push.x, at / 4);
	return vec4(push.x.v[at], push.x.v[at + push.inner], push.x.v[at + 2 * push.inner],
		    push.x.v[at + 3 * push.inner]);
}

void store(uint at, vec4 v)
{
	if (VEC != 0) {
		joule_store4(push.y, at / 4, v);
		return;
	}
	push.y.v[at] = T(v.x);
	push.y.v[at + push.inner] = T(v.y);
	push.y.v[at + 2 * push.inner] = T(v.z);
	push.y.v[at + 3 * push.inner] = T(v.w);
}

void hard(uint base, uint step_)
{
	float m = float(push.x.v[base]);
	uint first = 0;

	for (uint j = 1; j < push.n; j++) {
		float v = float(push.x.v[base + j * step_]);

		if (v > m) {
			m = v;
			first = j;
		}
	}
	for (uint j = 0; j < push.n; j++)
		push.y.v[base + j * step_] = T(j == first ? 1.0 : 0.0);
}

void main()
{
	uint row = joule_global_index() * (VEC == ACROSS ? 4 : 1);
	const uint step_ = VEC == ALONG ? 4 : (VEC == ACROSS ? push.inner : 4 * push.inner);
	uint base = row / push.inner * push.n * push.inner + row % push.inner;
	uint end = base + push.n * push.inner, at;
	/* Where rows are not of fours, the last of them go one by one. */
	uint fours = VEC == 0 ? base + push.n / 4 * step_ : end;
	vec4 m4 = vec4(LOWEST), s4 = vec4(0.0);

	if (row >= push.rows)
		return;
	if (KIND == HARD) {
		hard(base, push.inner);
		return;
	}
	for (at = base; at < fours; at += step_)
		m4 = max4(m4, load(at));
	for (; VEC == 0 && at < end; at += push.inner)
		m4.x = joule_max(m4.x, float(push.x.v[at]));
	if (VEC != ACROSS)
		m4 = vec4(joule_max(joule_max(m4.x, m4.y), joule_max(m4.z, m4.w)));
	for (at = base; at < fours; at += step_)
		s4 += exp(load(at) - m4);
	for (; VEC == 0 && at < end; at += push.inner)
		s4.x += exp(float(push.x.v[at]) - m4.x);
	if (VEC != ACROSS)
		s4 = vec4(s4.x + s4.y + (s4.z + s4.w));
	s4 = KIND == LOG ? log(s4) : 1.0 / s4;
	for (at = base; at < fours; at += step_) {
		vec4 v = load(at) - m4;

		store(at, KIND == LOG ? v - s4 : exp(v) * s4);
	}
	for (; VEC == 0 && at < end; at += push.inner) {
		float v = float(push.x.v[at]) - m4.x;

		push.y.v[at] = T(KIND == LOG ? v - s4.x : exp(v) * s4.x);
	}
}

#endif
