#version 460
// SPDX-License-Identifier: MIT
//! variant attention_shared_f32
//! variant attention_shared_f16 -DT_F16
//! variant attention_scratch_f32 -DSCRATCH
//! variant attention_scratch_f16 -DT_F16 -DSCRATCH
// Attention of four queries of one head: scores (invocations over keys),
// softmax, then the weighted sum (invocations over the values' columns). The
// four queries' scores for a key are one vec4.
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#include "lib/common.glsl"
#include "lib/math.glsl"

layout(constant_id = 3) const uint SCORES = 1; /* keys held in shared memory */
layout(constant_id = 4) const uint MASK = 0;   /* 0: none, 1: added, 2: bool */
layout(constant_id = 5) const bool NONPAD = false;
layout(constant_id = 6) const uint QK_MODE = 4; /* what goes to qk; 4: nothing */
layout(constant_id = 7) const bool VEC = false; /* q and k can be read four at a time */

#define QK_RAW     0
#define QK_CAPPED  1
#define QK_BIASED  2
#define QK_SOFTMAX 3

layout(buffer_reference, scalar, buffer_reference_align = 1) buffer BufBool { uint8_t v[]; };

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Params {
	uint rows, past, current, depth, v_depth, group;
	uvec3 q, k, v, y, past_k, past_v, mask; /* strides: batch, head, row */
	uint mask_row_len, causal, window;
	float scale, softcap;
};

layout(push_constant, scalar) uniform Push {
	Buf q, k, v, mask, past_k, past_v;
	BufI64 nonpad;
	Buf y, qk;
	BufF32x4 scratch;
	Params p;
} push;

#ifdef SCRATCH
#define SCORE(j) push.scratch.v[score_base + (j)]
#else
shared vec4 scores[SCORES];
#define SCORE(j) scores[j]
#endif

/* One vec4 an invocation; the workgroup size is known when the pipeline is made. */
shared vec4 partial[gl_WorkGroupSize.x];
shared vec4 partial_sum[gl_WorkGroupSize.x];

#define INF uintBitsToFloat(0x7f800000u)

void main()
{
	uint row0 = gl_WorkGroupID.x * 4, head = gl_WorkGroupID.y, b = gl_WorkGroupID.z;
	uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x;
	uint rows = push.p.rows, past = push.p.past, keys = past + push.p.current;
	uint depth = push.p.depth, kv_head = head / push.p.group;
#ifdef SCRATCH
	uint score_base = ((b * gl_NumWorkGroups.y + head) * gl_NumWorkGroups.x +
			   gl_WorkGroupID.x) * keys;
#endif
	uint qk_base = (b * gl_NumWorkGroups.y + head) * rows;
	uint mask_base = b * push.p.mask.x + head * push.p.mask.y;
	uint q_at[4];
	ivec4 lo = ivec4(0), hi = ivec4(keys);
	vec4 top = vec4(-INF), total = vec4(0.0);

	for (uint t = 0; t < 4; t++) {
		uint row = min(row0 + t, rows - 1);
		int valid = NONPAD ? push.nonpad.v[b].x : -1;
		int at = (past > 0 || !NONPAD ? int(past) : valid - int(rows)) + int(row);

		q_at[t] = b * push.p.q.x + head * push.p.q.y + row * push.p.q.z;
		if (push.p.window != 0)
			lo[t] = at - int(push.p.window) + 1;
		if (push.p.causal != 0)
			hi[t] = min(at + 1, hi[t]);
		if (NONPAD)
			hi[t] = min(valid, hi[t]);
	}

	/* Keys that any of the four queries may see. */
	uint first = uint(max(min(min(lo.x, lo.y), min(lo.z, lo.w)), 0));
	uint last = uint(max(max(max(hi.x, hi.y), max(hi.z, hi.w)), int(first)));

	/* What is written out has all keys. */
	if (QK_MODE != 4) {
		first = 0;
		last = keys;
	}
	for (uint j = first + lane; j < last; j += lanes) {
		bool old = j < past;
		uint k_at = old ? b * push.p.past_k.x + kv_head * push.p.past_k.y + j * push.p.past_k.z :
				  b * push.p.k.x + kv_head * push.p.k.y + (j - past) * push.p.k.z;
		vec4 s = vec4(0.0);

		if (VEC) {
			for (uint d = 0; d < depth; d += 4) {
				vec4 k = old ? vec4(Buf4(push.past_k).v[(k_at + d) / 4]) :
					       vec4(Buf4(push.k).v[(k_at + d) / 4]);

				[[unroll]] for (uint t = 0; t < 4; t++)
					s[t] += dot(vec4(Buf4(push.q).v[(q_at[t] + d) / 4]), k);
			}
		} else {
			for (uint d = 0; d < depth; d++) {
				float k = old ? float(push.past_k.v[k_at + d]) : float(push.k.v[k_at + d]);

				[[unroll]] for (uint t = 0; t < 4; t++)
					s[t] += float(push.q.v[q_at[t] + d]) * k;
			}
		}
		for (uint t = 0; t < 4; t++) {
			uint row = min(row0 + t, rows - 1), qk = (qk_base + row) * keys + j;
			float v = s[t] * push.p.scale, bias = 0.0;

			if (QK_MODE == QK_RAW)
				push.qk.v[qk] = T(v);
			if (push.p.softcap > 0.0)
				v = push.p.softcap * joule_tanh(v / push.p.softcap);
			if (QK_MODE == QK_CAPPED)
				push.qk.v[qk] = T(v);
			if (MASK != 0) {
				uint at = mask_base + row * push.p.mask.z + min(j, push.p.mask_row_len - 1);

				if (MASK == 1)
					bias = float(push.mask.v[at]);
				else
					bias = uint(BufBool(push.mask).v[at]) != 0 ? 0.0 : -INF;
				bias = j < push.p.mask_row_len ? bias : -INF;
			}
			/* A masked score does not count even if it is NaN. */
			if (int(j) < lo[t] || int(j) >= hi[t] || bias == -INF)
				v = -INF;
			else
				v += bias;
			if (QK_MODE == QK_BIASED)
				push.qk.v[qk] = T(v);
			s[t] = v;
			top[t] = v > top[t] || isnan(v) ? v : top[t];
		}
		SCORE(j) = s;
	}
	partial[lane] = top;
	barrier();
	for (uint i = 0; i < lanes; i++)
		for (uint t = 0; t < 4; t++) {
			float v = partial[i][t];

			top[t] = v > top[t] || isnan(v) ? v : top[t];
		}

	for (uint j = first + lane; j < last; j += lanes) {
		vec4 s = SCORE(j);

		for (uint t = 0; t < 4; t++)
			s[t] = s[t] == -INF ? 0.0 : exp(s[t] - top[t]);
		total += s;
		SCORE(j) = s;
	}
	partial_sum[lane] = total;
#ifdef SCRATCH
	memoryBarrierBuffer();
#endif
	barrier();
	total = vec4(0.0);
	for (uint i = 0; i < lanes; i++)
		total += partial_sum[i];
	for (uint t = 0; t < 4; t++)
		total[t] = total[t] == 0.0 ? 0.0 : 1.0 / total[t];

	if (QK_MODE == QK_SOFTMAX)
		for (uint j = first + lane; j < last; j += lanes)
			for (uint t = 0; t < 4 && row0 + t < rows; t++)
				push.qk.v[(qk_base + row0 + t) * keys + j] = T(SCORE(j)[t] * total[t]);

	for (uint d = lane; d < push.p.v_depth; d += lanes) {
		uint v_at = b * push.p.v.x + kv_head * push.p.v.y + d;
		uint past_at = b * push.p.past_v.x + kv_head * push.p.past_v.y + d;
		vec4 sum = vec4(0.0);

		for (uint j = first; j < min(past, last); j++)
			sum += SCORE(j) * float(push.past_v.v[past_at + j * push.p.past_v.z]);
		for (uint j = max(past, first); j < last; j++)
			sum += SCORE(j) * float(push.v.v[v_at + (j - past) * push.p.v.z]);
		for (uint t = 0; t < 4 && row0 + t < rows; t++)
			push.y.v[b * push.p.y.x + head * push.p.y.y + (row0 + t) * push.p.y.z + d] =
				T(sum[t] * total[t]);
	}
}
