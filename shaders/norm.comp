#version 460
// SPDX-License-Identifier: MIT
//! variant norm_f32
//! variant norm_f32_wide -DJOULE_WIDE
//! variant norm_f16 -DT_F16
//! variant norm_f16_wide -DT_F16 -DJOULE_WIDE
//! variant norm_group_f32 -DGROUP
//! variant norm_group_f16 -DGROUP -DT_F16
// Normalization of sets of n elements (ops/norm.c): one invocation a set, or
// with GROUP one workgroup a set. The variance is taken around the mean in a
// pass of its own: E(x^2) - E(x)^2 loses all digits when the mean is large.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "lib/load4.glsl"
#include "elementwise.glsl"
#ifdef GROUP
#include "lib/group.glsl"
#endif

/* enum kind of ops/norm.c */
#define LAYER 0u /* (x - mean) / sqrt(var + eps) */
#define RMS   1u /* x / sqrt(mean(x^2) + eps) */
#define MVN   2u /* (x - mean) / (sqrt(var) + eps) */
#define L1    3u /* x / sum |x| */
#define L2    4u /* x / sqrt(sum x^2) */

#define KEPT 3

layout(constant_id = 3) const uint KIND = 0;
layout(constant_id = 4) const uint KEPT_RANK = 1;    /* merged axes outside the sets */
layout(constant_id = 5) const uint REDUCED_RANK = 1; /* and in them, 1 or 2 */
layout(constant_id = 6) const uint VEC = 0;          /* 1: sets read by fours */
layout(constant_id = 7) const uint SCALE_VEC = 0;    /* 1: scale and bias too */
layout(constant_id = 8) const uint OPERANDS = 0;     /* bits: scale, bias, mean, inverse */

/* Offsets of x (and y), scale and bias. */
layout(buffer_reference, scalar, buffer_reference_align = 16) readonly buffer Params {
	uint sets;
	uint n;
	float eps;
	float inv_n;
	uint kept_dim[KEPT];       /* outermost first, the last KEPT_RANK */
	uvec3 kept_stride[KEPT];
	uint inner;                /* length of the innermost reduced axis */
	uvec3 reduced_stride[2];   /* outer, inner */
};

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf scale;
	Buf bias;
	Buf y;
	BufF32 mean;
	BufF32 inverse;
	Params params;
	Buf ep_a;
	Buf ep_b;
} push;

#define JOULE_EPILOGUE_SPEC 9
#include "lib/epilogue.glsl"

#ifdef GROUP
#define SUM(v) joule_group_sum(v)
#else
#define SUM(v) (v)
#endif

/* Takes the innermost kept axis left off o: its part of the offsets. */
uvec3 peel(inout uint o, const uint i, const bool last)
{
	uint dim = push.params.kept_dim[i], pos = last ? o : o % dim;

	o = last ? 0 : o / dim;
	return pos * push.params.kept_stride[i];
}

uvec3 set_start(uint o)
{
	uvec3 at = peel(o, 2, KEPT_RANK == 1);

	if (KEPT_RANK > 1)
		at += peel(o, 1, KEPT_RANK == 2);
	if (KEPT_RANK > 2)
		at += peel(o, 0, true);
	return at;
}

/* A set: where it starts, and how its elements follow one another. */
struct Set {
	uvec3 start;
	uvec3 outer, inner; /* strides */
	uint len;           /* of the inner axis */
	uint n;
};

uvec3 element(Set s, uint j)
{
	if (REDUCED_RANK == 1)
		return s.start + j * s.inner;
	return s.start + j / s.len * s.outer + j % s.len * s.inner;
}

/* Elements j, j + step, j + 2 step, j + 3 step of the set; those beyond it are `pad`. */
vec4 load(Set s, uint j, const uint step_, float pad)
{
	vec4 v = vec4(pad);

	if (VEC == 1)
		return joule_load4(push.x, element(s, j).x / 4);
	if (j < s.n)
		v.x = float(push.x.v[element(s, j).x]);
	if (j + step_ < s.n)
		v.y = float(push.x.v[element(s, j + step_).x]);
	if (j + 2 * step_ < s.n)
		v.z = float(push.x.v[element(s, j + 2 * step_).x]);
	if (j + 3 * step_ < s.n)
		v.w = float(push.x.v[element(s, j + 3 * step_).x]);
	return v;
}

void main()
{
#ifdef GROUP
	uint o = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
	uint lane = gl_LocalInvocationID.x;
	const uint lanes = gl_WorkGroupSize.x;
#else
	uint o = joule_global_index();
	const uint lane = 0, lanes = 1;
#endif
	/*
	 * Those beyond the end go along with the last set and store nothing: for
	 * the barriers, and so that what is uniform is loaded once.
	 */
	bool mine = o < push.params.sets;
	const uint step_ = VEC == 1 ? 1 : lanes;
	uint first = VEC == 1 ? lane * 4 : lane;
	float eps = push.params.eps, inv_n = push.params.inv_n, mean = 0.0, inv;
	vec4 sum = vec4(0.0);
	Set s;

	o = min(o, push.params.sets - 1);
	s = Set(set_start(o), push.params.reduced_stride[0], push.params.reduced_stride[1],
		push.params.inner, push.params.n);
	if (KIND == LAYER || KIND == MVN) {
		for (uint j = first; j < s.n; j += 4 * lanes)
			sum += load(s, j, step_, 0.0);
		mean = SUM(sum.x + sum.y + (sum.z + sum.w)) * inv_n;
	}
	sum = vec4(0.0);
	for (uint j = first; j < s.n; j += 4 * lanes) {
		vec4 v = load(s, j, step_, mean) - mean;

		sum += KIND == L1 ? abs(v) : v * v;
	}
	inv = SUM(sum.x + sum.y + (sum.z + sum.w));
	if (KIND == LAYER || KIND == RMS)
		inv = 1.0 / sqrt(inv * inv_n + eps);
	else if (KIND == MVN)
		inv = 1.0 / (sqrt(inv * inv_n) + eps);
	else
		inv = 1.0 / (KIND == L1 ? inv : sqrt(inv));
	if (lane == 0 && mine && (OPERANDS & 4u) != 0u)
		push.mean.v[o] = mean;
	if (lane == 0 && mine && (OPERANDS & 8u) != 0u)
		push.inverse.v[o] = inv;
	if (!mine)
		return;
	for (uint j = first; j < s.n; j += 4 * lanes) {
		vec4 v = (load(s, j, step_, mean) - mean) * inv;

		if (SCALE_VEC == 1) {
			uvec3 at = element(s, j);

			if ((OPERANDS & 1u) != 0u)
				v *= joule_load4(push.scale, at.y / 4);
			if ((OPERANDS & 2u) != 0u)
				v += joule_load4(push.bias, at.z / 4);
		}
		[[unroll]] for (uint k = 0; k < 4; k++) {
			uvec3 at;

			if (VEC == 0 && j + k * step_ >= s.n)
				continue;
			at = element(s, j + k * step_);
			if (SCALE_VEC == 0 && (OPERANDS & 1u) != 0u)
				v[k] *= float(push.scale.v[at.y]);
			if (SCALE_VEC == 0 && (OPERANDS & 2u) != 0u)
				v[k] += float(push.bias.v[at.z]);
			v[k] = joule_epilogue(v[k], at.x, 0);
			if (VEC == 0)
				push.y.v[at.x] = T(v[k]);
		}
		if (VEC == 1)
			joule_store4(push.y, element(s, j).x / 4, v);
	}
}
