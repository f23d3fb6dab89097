#version 460
// SPDX-License-Identifier: MIT
//! variant linear_attention_f32_f32
//! variant linear_attention_f16_f16 -DT_F16 -DSTATE=float16_t
//! variant linear_attention_f16_f32 -DT_F16
//! variant linear_attention_f32_f16 -DSTATE=float16_t
// An invocation owns one column of a head's state matrix (kept in scratch
// memory, in fp32) and walks all steps: columns never meet.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#ifdef STATE
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#else
#define STATE float
#endif

layout(constant_id = 3) const uint DEPTH = 1;
layout(constant_id = 4) const uint HEADS = 1;
layout(constant_id = 5) const uint GROUP = 1; /* query heads for each state */
layout(constant_id = 6) const uint DECAY = 0; /* decays a head: none, 1 or DEPTH */
layout(constant_id = 7) const uint BETA = 0;  /* heads with a beta: none, 1 or HEADS */
layout(constant_id = 8) const bool ERASE = false;
layout(constant_id = 9) const bool PAST = false;
layout(constant_id = 10) const bool PRESENT = false;

layout(buffer_reference, scalar, buffer_reference_align = 2) buffer BufState { STATE v[]; };

layout(push_constant, scalar) uniform Push {
	Buf q, k, v;
	BufState past;
	Buf decay, beta, erase, y;
	BufState present;
	BufF32 state;
	uint columns, steps, v_depth;
	float scale;
} push;

void main()
{
	uint id = joule_global_index();

	if (id >= push.columns)
		return;
	uint m = id % push.v_depth, head = id / push.v_depth, h = head % HEADS, b = head / HEADS;
	uint cell = head * DEPTH * push.v_depth + m; /* of past and present */

	/* Scratch is laid out so that neighbouring invocations touch neighbours. */
	for (uint d = 0; d < DEPTH; d++)
		push.state.v[d * push.columns + id] =
			PAST ? float(push.past.v[cell + d * push.v_depth]) : 0.0;
	for (uint t = 0; t < push.steps; t++) {
		uint row = b * push.steps + t, key = (row * HEADS + h) * DEPTH;
		float v = float(push.v.v[(row * HEADS + h) * push.v_depth + m]), seen = 0.0;

		if (DECAY != 0 || BETA != 0)
			for (uint d = 0; d < DEPTH; d++) {
				float s = push.state.v[d * push.columns + id];

				if (DECAY != 0) {
					uint at = (row * HEADS + h) * DECAY + (DECAY == 1 ? 0 : d);

					s *= exp(float(push.decay.v[at]));
					push.state.v[d * push.columns + id] = s;
				}
				if (BETA != 0)
					seen += s * float(push.k.v[key + d]) *
						(ERASE ? float(push.erase.v[key + d]) : 1.0);
			}
		if (BETA != 0)
			v = float(push.beta.v[row * BETA + (BETA == 1 ? 0 : h)]) * (v - seen);
		for (uint d = 0; d < DEPTH; d++)
			push.state.v[d * push.columns + id] += float(push.k.v[key + d]) * v;
		for (uint g = 0; g < GROUP; g++) {
			uint at = (row * HEADS + h) * GROUP + g;
			float sum = 0.0;

			for (uint d = 0; d < DEPTH; d++)
				sum += float(push.q.v[at * DEPTH + d]) * push.state.v[d * push.columns + id];
			push.y.v[at * push.v_depth + m] = T(sum * push.scale);
		}
	}
	if (PRESENT)
		for (uint d = 0; d < DEPTH; d++)
			push.present.v[cell + d * push.v_depth] = STATE(push.state.v[d * push.columns + id]);
}
