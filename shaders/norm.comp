#version 460
// SPDX-License-Identifier: MIT
//! variant norm_f32
//! variant norm_f16 -DT_F16
//! variant norm_group_f32 -DGROUP
//! variant norm_group_f16 -DGROUP -DT_F16
// Normalization of sets of n elements (ops/norm.c): one invocation a set, or
// with GROUP one workgroup a set. The variance is taken around the mean in a
// pass of its own: E(x^2) - E(x)^2 loses all digits when the mean is large.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
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

uvec3 set_start(uint o)
{
	uvec3 at = uvec3(0);

	[[unroll]] for (uint i = KEPT; i > KEPT - KEPT_RANK; i--) {
		uint dim = push.params.kept_dim[i - 1];
		bool last = i - 1 == KEPT - KEPT_RANK;

		at += (last ? o : o % dim) * push.params.kept_stride[i - 1];
		o = last ? 0 : o / dim;
	}
	return at;
}

uvec3 element(uvec3 start, uint j)
{
	if (REDUCED_RANK == 1)
		return start + j * push.params.reduced_stride[1];
	return start + j / push.params.inner * push.params.reduced_stride[0] +
	       j % push.params.inner * push.params.reduced_stride[1];
}

/* Elements j, j + step, j + 2 step, j + 3 step of the set; those beyond it are `pad`. */
vec4 load(uvec3 start, uint j, uint step_, uint n, float pad)
{
	vec4 v = vec4(pad);

	if (VEC == 1)
		return vec4(Buf4(push.x).v[element(start, j).x / 4]);
	[[unroll]] for (uint k = 0; k < 4; k++)
		if (j + k * step_ < n)
			v[k] = float(push.x.v[element(start, j + k * step_).x]);
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
	/* Groups beyond the end go along for the barriers, with empty sets. */
	bool mine = o < push.params.sets;
	uint n = mine ? push.params.n : 0;
	const uint step_ = VEC == 1 ? 1 : lanes;
	uint first = VEC == 1 ? lane * 4 : lane;
	uvec3 start = set_start(mine ? o : 0);
	float mean = 0.0, inv, eps = push.params.eps;
	vec4 s = vec4(0.0);

	if (KIND == LAYER || KIND == MVN) {
		for (uint j = first; j < n; j += 4 * lanes)
			s += load(start, j, step_, n, 0.0);
		mean = SUM(s.x + s.y + (s.z + s.w)) * push.params.inv_n;
	}
	s = vec4(0.0);
	for (uint j = first; j < n; j += 4 * lanes) {
		vec4 v = load(start, j, step_, n, mean) - mean;

		s += KIND == L1 ? abs(v) : v * v;
	}
	inv = SUM(s.x + s.y + (s.z + s.w));
	if (KIND == LAYER || KIND == RMS)
		inv = 1.0 / sqrt(inv * push.params.inv_n + eps);
	else if (KIND == MVN)
		inv = 1.0 / (sqrt(inv * push.params.inv_n) + eps);
	else
		inv = 1.0 / (KIND == L1 ? inv : sqrt(inv));
	if (lane == 0 && mine && (OPERANDS & 4u) != 0u)
		push.mean.v[o] = mean;
	if (lane == 0 && mine && (OPERANDS & 8u) != 0u)
		push.inverse.v[o] = inv;
	for (uint j = first; j < n; j += 4 * lanes) {
		vec4 v = (load(start, j, step_, n, mean) - mean) * inv;

		if (SCALE_VEC == 1) {
			uvec3 at = element(start, j);

			if ((OPERANDS & 1u) != 0u)
				v *= vec4(Buf4(push.scale).v[at.y / 4]);
			if ((OPERANDS & 2u) != 0u)
				v += vec4(Buf4(push.bias).v[at.z / 4]);
		}
		[[unroll]] for (uint k = 0; k < 4; k++) {
			uvec3 at;

			if (VEC == 0 && j + k * step_ >= n)
				continue;
			at = element(start, j + k * step_);
			if (SCALE_VEC == 0 && (OPERANDS & 1u) != 0u)
				v[k] *= float(push.scale.v[at.y]);
			if (SCALE_VEC == 0 && (OPERANDS & 2u) != 0u)
				v[k] += float(push.bias.v[at.z]);
			v[k] = joule_epilogue(v[k], at.x, 0);
			if (VEC == 0)
				push.y.v[at.x] = T(v[k]);
		}
		if (VEC == 1)
			Buf4(push.y).v[element(start, j).x / 4] = T4(v);
	}
}
