#version 460
// SPDX-License-Identifier: MIT
//! variant recurrent_rnn_f32 -DRNN
//! variant recurrent_gru_f32 -DGRU
//! variant recurrent_lstm_f32 -DLSTM
//! variant recurrent_rnn_f16 -DT_F16 -DRNN
//! variant recurrent_gru_f16 -DT_F16 -DGRU
//! variant recurrent_lstm_f16 -DT_F16 -DLSTM
// A whole sequence of one batch entry and direction in one workgroup: the state
// stays in shared memory, so a step costs a barrier and not a launch. Each
// invocation owns the hidden units j, j + workgroup size, ...
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "elementwise.glsl"

layout(constant_id = 3) const uint H = 1;
layout(constant_id = 4) const uint FLAGS = 0;
layout(constant_id = 5) const float CLIP = 0.0;
layout(constant_id = 6) const uint ACT0 = 0; /* codes of f, g, h, 8 bits each */
layout(constant_id = 7) const uint ACT1 = 0; /* the second direction's */
layout(constant_id = 8) const float P00 = 0.0;
layout(constant_id = 9) const float Q00 = 0.0;
layout(constant_id = 10) const float P01 = 0.0;
layout(constant_id = 11) const float Q01 = 0.0;
layout(constant_id = 12) const float P02 = 0.0;
layout(constant_id = 13) const float Q02 = 0.0;
layout(constant_id = 14) const float P10 = 0.0;
layout(constant_id = 15) const float Q10 = 0.0;
layout(constant_id = 16) const float P11 = 0.0;
layout(constant_id = 17) const float Q11 = 0.0;
layout(constant_id = 18) const float P12 = 0.0;
layout(constant_id = 19) const float Q12 = 0.0;

/* The same as in ops/recurrent_bind.c. */
const bool HAS_B = (FLAGS & 1u) != 0;
const bool HAS_LENS = (FLAGS & 2u) != 0;
const bool HAS_H0 = (FLAGS & 4u) != 0;
const bool HAS_C0 = (FLAGS & 8u) != 0;
const bool HAS_P = (FLAGS & 16u) != 0;
const bool HAS_Y = (FLAGS & 32u) != 0;
const bool HAS_YH = (FLAGS & 64u) != 0;
const bool HAS_YC = (FLAGS & 128u) != 0;
const bool W_PACKED = (FLAGS & 256u) != 0;
const bool R_PACKED = (FLAGS & 512u) != 0;
const bool PROJECTED = (FLAGS & 1024u) != 0; /* xw holds the input's part */
const bool REVERSE = (FLAGS & 2048u) != 0;
const bool BATCH_FIRST = (FLAGS & 4096u) != 0;
const bool OPTION = (FLAGS & 8192u) != 0; /* input_forget or linear_before_reset */

layout(push_constant, scalar) uniform Push {
	Buf x, w, r, b;
	BufI32 lens;
	Buf h0, c0, p, y, yh, yc;
	BufF32 xw;
	uint steps, batch, input_size;
} push;

/* One weight of every gate, gates in the file's order. */
#ifdef RNN
#define GATES 1
#define GATE_BUF Buf
#define G float
#else
#define GATE_BUF Buf4
#define G vec4
#ifdef GRU
#define GATES 3
#else
#define GATES 4
#endif
#endif

shared float h[2 * H]; /* this step's and the next */
#ifdef LSTM
shared float c[H];
#endif
#ifdef GRU
shared float reset_h[H], update[H], candidate[H];
#endif

float act(uint dir, uint k, float v)
{
	uint code = ((dir == 0 ? ACT0 : ACT1) >> (8 * k)) & 255u;
	float p = dir == 0 ? (k == 0 ? P00 : k == 1 ? P01 : P02) : (k == 0 ? P10 : k == 1 ? P11 : P12);
	float q = dir == 0 ? (k == 0 ? Q00 : k == 1 ? Q01 : Q02) : (k == 0 ? Q10 : k == 1 ? Q11 : Q12);

	if (CLIP > 0.0)
		v = clamp(v, -CLIP, CLIP);
	return joule_ew(code, v, 0.0, p, q);
}

G gates_of(Buf w, bool packed, uint dir, uint k, uint depth, uint j)
{
	if (packed)
		return G(GATE_BUF(w).v[(dir * depth + k) * H + j]);
#ifdef RNN
	return float(w.v[(dir * H + j) * depth + k]);
#else
	vec4 s = vec4(0.0);

	for (uint g = 0; g < GATES; g++)
		s[g] = float(w.v[((dir * GATES + g) * H + j) * depth + k]);
	return s;
#endif
}

G bias_of(uint dir, uint half_, uint j)
{
	uint at = (dir * 2 + half_) * GATES * H + j;

	if (!HAS_B)
		return G(0.0);
#ifdef RNN
	return float(push.b.v[at]);
#else
	vec4 s = vec4(0.0);

	for (uint g = 0; g < GATES; g++)
		s[g] = float(push.b.v[at + g * H]);
	return s;
#endif
}

/* The input's part of all gates of unit j, with its bias. */
G input_part(uint dir, uint row, uint j)
{
	G s = bias_of(dir, 0, j);
	uint x = row * push.input_size, k = 0;

	if (PROJECTED) {
		uint at = (dir * push.steps * push.batch + row) * H + j;
#ifdef RNN
		return s + push.xw.v[at];
#else
		return s + BufF32x4(push.xw).v[at];
#endif
	}
	for (; k + 4 <= push.input_size; k += 4)
		[[unroll]] for (uint i = 0; i < 4; i++)
			s += float(push.x.v[x + k + i]) *
			     gates_of(push.w, W_PACKED, dir, k + i, push.input_size, j);
	for (; k < push.input_size; k++)
		s += float(push.x.v[x + k]) *
		     gates_of(push.w, W_PACKED, dir, k, push.input_size, j);
	return s;
}

/* The recurrence on h[at...], with its bias. */
G state_part(uint dir, uint at, uint j)
{
	G s = bias_of(dir, 1, j);
	uint k = 0;

	for (; k + 4 <= H; k += 4)
		[[unroll]] for (uint i = 0; i < 4; i++)
			s += h[at + k + i] * gates_of(push.r, R_PACKED, dir, k + i, H, j);
	for (; k < H; k++)
		s += h[at + k] * gates_of(push.r, R_PACKED, dir, k, H, j);
	return s;
}

#ifdef RNN
void unit(uint dir, uint row, uint now, uint next, uint j)
{
	h[next + j] = act(dir, 0, input_part(dir, row, j) + state_part(dir, now, j));
}
#endif

#ifdef LSTM
float peephole(uint dir, uint which, uint j)
{
	return HAS_P ? float(push.p.v[(dir * 3 + which) * H + j]) : 0.0;
}

void unit(uint dir, uint row, uint now, uint next, uint j)
{
	vec4 s = input_part(dir, row, j) + state_part(dir, now, j);
	float i = act(dir, 0, s[0] + peephole(dir, 0, j) * c[j]);
	float f = OPTION ? 1.0 - i : act(dir, 0, s[2] + peephole(dir, 2, j) * c[j]);
	float cell = f * c[j] + i * act(dir, 1, s[3]);

	c[j] = cell;
	h[next + j] = act(dir, 0, s[1] + peephole(dir, 1, j) * cell) * act(dir, 2, cell);
}
#endif

#ifdef GRU
void unit(uint dir, uint row, uint now, uint next, uint j)
{
	vec4 s = input_part(dir, row, j), t = state_part(dir, now, j);
	float z = act(dir, 0, s[0] + t[0]), r = act(dir, 0, s[1] + t[1]);

	if (OPTION) {
		h[next + j] = mix(act(dir, 1, s[2] + r * t[2]), h[now + j], z);
	} else {
		reset_h[j] = r * h[now + j];
		update[j] = z;
		candidate[j] = s[2];
	}
}

/* The second half of a step when the reset comes before the product. */
void finish_unit(uint dir, uint now, uint next, uint j)
{
	float s = candidate[j] + bias_of(dir, 1, j)[2];

	for (uint k = 0; k < H; k++)
		s += reset_h[k] * (R_PACKED ? float(Buf4(push.r).v[(dir * H + k) * H + j][2]) :
				   float(push.r.v[((dir * 3 + 2) * H + j) * H + k]));
	h[next + j] = mix(act(dir, 1, s), h[now + j], update[j]);
}
#endif

uint y_row(uint t, uint dir, uint b)
{
	uint dirs = gl_NumWorkGroups.y;

	return (BATCH_FIRST ? (b * push.steps + t) * dirs + dir :
			      (t * dirs + dir) * push.batch + b) * H;
}

void main()
{
	uint b = gl_WorkGroupID.x, dir = gl_WorkGroupID.y;
	uint first = gl_LocalInvocationID.x, stride = gl_WorkGroupSize.x;
	uint state = (BATCH_FIRST ? b * gl_NumWorkGroups.y + dir : dir * push.batch + b) * H;
	uint len = HAS_LENS ? uint(clamp(push.lens.v[b], 0, int(push.steps))) : push.steps;
	bool backwards = REVERSE || dir == 1;
	uint now = 0;

	for (uint j = first; j < H; j += stride) {
		h[j] = HAS_H0 ? float(push.h0.v[state + j]) : 0.0;
#ifdef LSTM
		c[j] = HAS_C0 ? float(push.c0.v[state + j]) : 0.0;
#endif
	}
	barrier();
	for (uint k = 0; k < len; k++) {
		uint t = backwards ? len - 1 - k : k;
		uint row = BATCH_FIRST ? b * push.steps + t : t * push.batch + b;
		uint next = H - now, y = y_row(t, dir, b);

		for (uint j = first; j < H; j += stride)
			unit(dir, row, now, next, j);
#ifdef GRU
		if (!OPTION) {
			barrier();
			for (uint j = first; j < H; j += stride)
				finish_unit(dir, now, next, j);
		}
#endif
		if (HAS_Y)
			for (uint j = first; j < H; j += stride)
				push.y.v[y + j] = T(h[next + j]);
		barrier();
		now = next;
	}
	for (uint t = len; HAS_Y && t < push.steps; t++)
		for (uint j = first; j < H; j += stride)
			push.y.v[y_row(t, dir, b) + j] = T(0.0);
	for (uint j = first; j < H; j += stride) {
		if (HAS_YH)
			push.yh.v[state + j] = T(h[now + j]);
#ifdef LSTM
		if (HAS_YC)
			push.yc.v[state + j] = T(c[j]);
#endif
	}
}
