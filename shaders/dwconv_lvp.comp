#version 460
// SPDX-License-Identifier: MIT
//! variant dwconv_lvp_f32
//! variant dwconv_lvp_f16 -DT_F16
// Depthwise convolution for lavapipe: a subgroup computes eight neighbouring
// output pixels of CHANNELS channels, one after the other; why there is no loop:
// lib/lavapipe.glsl.
//
// Workgroups: (ceil(ceil(P / 8) / WAVES), ceil(C / CHANNELS), batch). The WAVES
// subgroups of one take neighbouring pixels of the same channels: planes of
// other channels often lie a multiple of the page size apart and would evict
// each other from the first-level cache. P >= 8 (see USED) and C >= CHANNELS; the
// last tiles overlap their neighbours, so y must be neither x nor an operand of
// the epilogue. GATHER, MASK and what may be read of x: see conv_lvp.comp.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "elementwise.glsl"

layout(constant_id = 3) const uint WAVES = 1;
layout(constant_id = 4) const uint CHANNELS = 4;
layout(constant_id = 5) const uint R = 3;
layout(constant_id = 6) const uint S = 3;
layout(constant_id = 7) const uint PAD_Y = 1;
layout(constant_id = 8) const uint PAD_X = 1;
layout(constant_id = 9) const uint GATHER = 0;
layout(constant_id = 10) const uint STRIDE_Y = 1;
layout(constant_id = 11) const uint STRIDE_X = 1;
layout(constant_id = 12) const uint DIL_Y = 1;
layout(constant_id = 13) const uint DIL_X = 1;
layout(constant_id = 14) const uint MASK = 0;
layout(constant_id = 15) const uint USED = 8;

layout(push_constant, scalar) uniform Push {
	Buf x;
	BufF32 w; /* [channel][row][column], as in the file */
	BufF32 bias;
	Buf y;
	Buf ep_a, ep_b;
	uint iota[8];
	uint C, P;
	uint HW; /* rows, columns << 16 */
	uint OW;
	uint plane; /* of y */
} push;

#include "lib/lavapipe.glsl"

#define LANE_STEP 1
#define LANE_CHANNEL false
#define LANES_USED USED
#define JOULE_EPILOGUE_SPEC 16
#include "lib/lavapipe_epilogue.glsl"

const uint TAPS = R * S;

void main()
{
	/* Every push constant is read here, before the arithmetic. */
	uint lane = gl_SubgroupInvocationID;
	uint C = push.C, P = push.P, OW = push.OW, out_plane = push.plane;
	uint H = push.HW & 0xffff, W = push.HW >> 16;
	uint64_t plane = uint64_t(H * W) * T_BYTES, row = uint64_t(W) * T_BYTES;
	uint64_t w = uint64_t(push.w), x = uint64_t(push.x), y = uint64_t(push.y);
	uint64_t bias = uint64_t(push.bias);
	uint z = UNIFORM4096(gl_WorkGroupID.z);
	uint pt = UNIFORM262144(gl_WorkGroupID.x) * WAVES + UNIFORM64(gl_SubgroupID);
	uint p0 = min(pt * LANES, P - LANES);
	uint c0 = min(UNIFORM262144(gl_WorkGroupID.y) * CHANNELS, C - CHANNELS);
	uint y0 = (z * C + c0) * out_plane + p0;

	ep_a = uint64_t(push.ep_a);
	ep_b = uint64_t(push.ep_b);
	x += uint64_t(z * C + c0) * plane;
	w += uint64_t(c0 * TAPS) * 4;
	bias += uint64_t(c0) * 4;
	if (GATHER == 0)
		x += uint64_t(p0) * T_BYTES - uint64_t((W * PAD_Y + PAD_X) * T_BYTES);

	/* Opaque offsets of the columns, see conv_lvp.comp. */
	uint64_t column[S];
	[[unroll]] for (uint j = 0; j < S; j++)
		column[j] = uint64_t((push.iota[j & 7] + (j & ~7u)) * (DIL_X * T_BYTES));

	float per_row = 1.0 / float(OW);
	uint p = p0 + lane;
	uint oy = uint((float(p) + 0.5) * per_row), ox = p - oy * OW;
	int iy = int(oy * STRIDE_Y) - int(PAD_Y), ix = int(ox * STRIDE_X) - int(PAD_X);
	uint inside[TAPS];
	uint64_t row_at[R], column_at[S];
	if (GATHER != 0 && MASK == 0)
		x += uint64_t(uint(iy) * W + uint(ix)) * T_BYTES;
	[[unroll]] for (uint i = 0; i < R; i++)
		row_at[i] = uint64_t(uint(clamp(iy + int(i * DIL_Y), 0, int(H) - 1)) * W) * T_BYTES;
	[[unroll]] for (uint j = 0; j < S; j++)
		column_at[j] = uint64_t(uint(clamp(ix + int(j * DIL_X), 0, int(W) - 1))) * T_BYTES;
	[[unroll]] for (uint i = 0; i < R; i++)
		[[unroll]] for (uint j = 0; j < S; j++) {
			bool ok = uint(iy + int(i * DIL_Y)) < H && uint(ix + int(j * DIL_X)) < W;

			inside[i * S + j] = mix(0u, 0xffffffffu, ok);
		}

	float sum[CHANNELS];
	[[unroll]] for (uint c = 0; c < CHANNELS; c++) {
		float r = BufF32(bias).v[c];

		[[unroll]] for (uint i = 0; i < R; i++) {
			[[unroll]] for (uint j = 0; j < S; j++) {
				float t;

				if (GATHER == 0)
					t = lane8t(x + uint64_t(i * DIL_Y) * row + column[j]);
				else if (MASK == 0)
					t = float(Buf(x + uint64_t(i * DIL_Y) * row + column[j]).v[0]);
				else
					t = float(Buf(x + row_at[i] + column_at[j]).v[0]);
				if (MASK != 0)
					t = uintBitsToFloat(floatBitsToUint(t) & inside[i * S + j]);
				r += t * BufF32(w).v[c * TAPS + i * S + j];
			}
		}
		sum[c] = joule_epilogue(r, y0 + c * out_plane, c0 + c);
		x += plane;
	}
	uint64_t to = y + uint64_t(y0 + lane) * T_BYTES;
	[[unroll]] for (uint c = 0; c < CHANNELS; c++) {
		if (USED == LANES || lane < USED)
			Buf(to).v[0] = T(sum[c]);
		to += uint64_t(out_plane) * T_BYTES;
	}
}
