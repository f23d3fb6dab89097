#version 460
// SPDX-License-Identifier: MIT
//! variant conv_lvp_f32
//! variant conv_lvp_x16 -DT_F16 -DX_HALF
//! variant conv_lvp_w16 -DT_F16 -DW_HALF
//! variant conv_lvp_xw16 -DT_F16 -DX_HALF -DW_HALF
// Convolution (any kernel size, stride, dilation, groups, one or two spatial
// dimensions) and matrix products as one implicit GEMM, for lavapipe:
//
//   y[z][m][p] = epilogue(bias[m] + sum over k of w[m][k] * tap_k(x)[p])
//
// with k = (c, r, s) and p the output position.
//
// A subgroup holds a tile of TM rows m times TV * 8 positions p in registers
// and takes CHANNELS * R * S steps without any loop; SPLIT subgroups of a
// workgroup share the sum over the channels and add up in shared memory. Why
// so: lib/lavapipe.glsl.
//
// Workgroups: (ceil(M / TM), ceil(ceil(P / (TV * 8)) / WAVES), batch * groups).
// WAVES neighbouring tiles of p share a workgroup when SPLIT is 1, since a
// workgroup costs about a microsecond. The last tiles overlap their
// neighbours, so y must be neither x nor an operand of the epilogue; M >= TM and
// P >= TV * 8 must hold (see USED).
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/math.glsl"
#include "elementwise.glsl"

layout(constant_id = 3) const uint SPLIT = 1;
layout(constant_id = 4) const uint CHANNELS = 64;
layout(constant_id = 5) const uint TM = 13;
layout(constant_id = 6) const uint TV = 2;
layout(constant_id = 7) const uint WAVES = 1;
layout(constant_id = 8) const uint R = 1;
layout(constant_id = 9) const uint S = 1;
layout(constant_id = 10) const uint PAD_Y = 0; /* above */
layout(constant_id = 11) const uint PAD_X = 0; /* to the left */
/*
 * GATHER 0: stride 1, rows as long as x's: eight neighbours of y come from
 * eight neighbours of x. If MASK, loads go up to PAD_Y * DIL_Y rows and PAD_X
 * elements before x and the same behind it: that must be readable.
 * GATHER 1: everything else, by one address a lane, never outside of x.
 */
layout(constant_id = 12) const uint GATHER = 0;
layout(constant_id = 13) const uint STRIDE_Y = 1;
layout(constant_id = 14) const uint STRIDE_X = 1;
layout(constant_id = 15) const uint DIL_Y = 1;
layout(constant_id = 16) const uint DIL_X = 1;
layout(constant_id = 17) const uint MASK = 0;  /* some taps lie outside of x */
layout(constant_id = 18) const uint USED = 8;  /* lanes whose results are stored */
/* Within a tile, w[m][k] is element W_ROW * m + W_STEP * k. */
layout(constant_id = 19) const uint W_ROW = 1;
layout(constant_id = 20) const uint W_STEP = 13;
/* y[m][p] is element Y_ROW * m + Y_STEP * p; Y_ROW 0 stands for P. */
layout(constant_id = 21) const uint Y_ROW = 0;
layout(constant_id = 22) const uint Y_STEP = 1;
layout(constant_id = 23) const uint BY_LANE = 0; /* bias and channel operands go by p, not m */
layout(constant_id = 24) const float ALPHA = 1.0;
/* Channels of the last subgroup that the one before has taken already. */
layout(constant_id = 25) const uint OVERLAP = 0;
layout(constant_id = 26) const uint TILED = 1; /* w is packed in tiles of TM rows */
/* Into shared memory: 1: eight stores by all lanes, 0: one by each lane (old drivers). */
layout(constant_id = 27) const uint STORE_UNIFORM = 1;

layout(push_constant, scalar) uniform Push {
	Buf x, w;
	BufF32 bias;
	Buf y;
	Buf ep_a, ep_b;
	uint iota[8];
	uint M, P;
	uint HW;       /* rows of x, columns of x << 16 */
	uint OW;       /* columns of y */
	uint plane;    /* of x, from one channel to the next */
	uint groups;
	uint xz, wz, yz; /* from one z to the next, of w from one group to the next */
	uint w_tile;     /* of w, from one tile of m to the next; from one m if not TILED */
} push;

#include "lib/lavapipe.glsl"

#define LANE_STEP Y_STEP
#define LANE_CHANNEL (BY_LANE != 0)
#define LANES_USED USED
#define JOULE_EPILOGUE_SPEC 28
#include "lib/lavapipe_epilogue.glsl"

#ifdef X_HALF
#define X_BYTES 2
#define LANE8X(at) lane8t(at)
#define BUF_X Buf
#else
#define X_BYTES 4
#define LANE8X(at) lane8(at)
#define BUF_X BufF32
#endif
#ifdef W_HALF
#define W_BYTES 2
#define BUF_W Buf
#else
#define W_BYTES 4
#define BUF_W BufF32
#endif

const uint TILE = TM * TV;
const uint TAPS = R * S;
shared float part[SPLIT == 1 ? 1 : SPLIT * TILE * LANES];

void main()
{
	/* Every push constant is read here, before the arithmetic. */
	uint lane = gl_SubgroupInvocationID;
	uint M = push.M, P = push.P, H = push.HW & 0xffff, W = push.HW >> 16, OW = push.OW;
	uint64_t plane = uint64_t(push.plane) * X_BYTES, row = uint64_t(W) * X_BYTES;
	uint64_t w = uint64_t(push.w), x = uint64_t(push.x), y = uint64_t(push.y);
	uint64_t bias = uint64_t(push.bias);
	uint z = UNIFORM4096(gl_WorkGroupID.z);
	uint s = UNIFORM512(gl_SubgroupID);
	uint mt = UNIFORM4096(gl_WorkGroupID.x);
	uint pt = UNIFORM262144(gl_WorkGroupID.y);
	float per_group = 1.0 / float(push.groups);
	uint group = z - uint((float(z) + 0.5) * per_group) * push.groups;
	uint share = SPLIT == 1 ? 0 : s;
	uint c0 = SPLIT == 1 ? 0 : min(s * CHANNELS, SPLIT * CHANNELS - OVERLAP - CHANNELS);
	uint fresh = mix(0xffffffffu, 0u, s == SPLIT - 1);
	uint m0 = min(mt * TM, M - TM);
	uint p0 = min((SPLIT == 1 ? pt * WAVES + s : pt) * (TV * LANES), P - TV * LANES);
	uint y0 = z * push.yz + m0 * (Y_ROW == 0 ? P : Y_ROW) + p0 * Y_STEP;
	uint ch0 = BY_LANE != 0 ? p0 : group * M + m0;

	ep_a = uint64_t(push.ep_a);
	ep_b = uint64_t(push.ep_b);
	x += uint64_t(z * push.xz) * X_BYTES + uint64_t(c0) * plane;
	w += uint64_t(group * push.wz + (TILED != 0 ? mt : m0) * push.w_tile + c0 * (TAPS * W_STEP)) * W_BYTES;
	bias += uint64_t(ch0) * 4;
	if (GATHER == 0)
		x -= uint64_t((W * PAD_Y + PAD_X) * X_BYTES);

	/*
	 * Offsets of the taps. Those of the columns are opaque: were they
	 * constants, overlapping loads of neighbouring columns would share
	 * elements and no longer fold into vectors.
	 */
	uint64_t column[S];
	[[unroll]] for (uint j = 0; j < S; j++)
		column[j] = uint64_t((push.iota[j & 7] + (j & ~7u)) * (DIL_X * X_BYTES));

	/*
	 * Where each lane reads, and which taps lie inside, as bit masks. Vector
	 * integer division is done lane by lane; this is exact below 2^21.
	 */
	float per_row = 1.0 / float(OW);
	uint inside[TAPS * TV];
	uint64_t from[TV], row_at[R * TV], column_at[S * TV];
	[[unroll]] for (uint v = 0; v < TV; v++) {
		uint p = p0 + v * LANES + lane;
		uint oy = uint((float(p) + 0.5) * per_row), ox = p - oy * OW;
		int iy = int(oy * STRIDE_Y) - int(PAD_Y), ix = int(ox * STRIDE_X) - int(PAD_X);

		if (GATHER == 0)
			from[v] = x + uint64_t(p0 + v * LANES) * X_BYTES;
		else if (MASK == 0)
			from[v] = x + uint64_t(uint(iy) * W + uint(ix)) * X_BYTES;
		else
			from[v] = x;
		[[unroll]] for (uint i = 0; i < R; i++)
			row_at[i * TV + v] = uint64_t(uint(clamp(iy + int(i * DIL_Y), 0,
								int(H) - 1)) * W) * X_BYTES;
		[[unroll]] for (uint j = 0; j < S; j++)
			column_at[j * TV + v] = uint64_t(uint(clamp(ix + int(j * DIL_X), 0,
								   int(W) - 1))) * X_BYTES;
		[[unroll]] for (uint i = 0; i < R; i++)
			[[unroll]] for (uint j = 0; j < S; j++) {
				bool ok = uint(iy + int(i * DIL_Y)) < H && uint(ix + int(j * DIL_X)) < W;

				inside[(i * S + j) * TV + v] = mix(0u, 0xffffffffu, ok);
			}
	}

	float acc[TILE];
	[[unroll]] for (uint j = 0; j < TILE; j++)
		acc[j] = 0.0;
	[[unroll]] for (uint c = 0; c < CHANNELS; c++) {
		[[unroll]] for (uint i = 0; i < R; i++) {
			[[unroll]] for (uint j = 0; j < S; j++) {
				uint tap = i * S + j;
				float xv[TV];

				[[unroll]] for (uint v = 0; v < TV; v++) {
					if (GATHER == 0)
						xv[v] = LANE8X(from[v] + uint64_t(i * DIL_Y) * row +
							       column[j]);
					else if (MASK == 0)
						xv[v] = float(BUF_X(from[v] + uint64_t(i * DIL_Y) * row +
								    column[j]).v[0]);
					else
						xv[v] = float(BUF_X(from[v] + row_at[i * TV + v] +
								    column_at[j * TV + v]).v[0]);
					if (MASK != 0)
						xv[v] = uintBitsToFloat(floatBitsToUint(xv[v]) &
									inside[tap * TV + v]);
					if (c < OVERLAP)
						xv[v] = uintBitsToFloat(floatBitsToUint(xv[v]) & fresh);
				}
				[[unroll]] for (uint m = 0; m < TM; m++) {
					float wv = float(BUF_W(w).v[(c * TAPS + tap) * W_STEP + m * W_ROW]);

					[[unroll]] for (uint v = 0; v < TV; v++)
						acc[m * TV + v] += wv * xv[v];
				}
			}
		}
		[[unroll]] for (uint v = 0; v < TV; v++)
			from[v] += plane;

		/*
		 * Left alone, LLVM's scheduler hoists all loads to the top and
		 * spills them (half the speed). A store that depends on every
		 * sum pins the order; the true result overwrites it below. With
		 * an operand read below or a split the later loads keep the
		 * order already.
		 */
		if (SPLIT == 1 && USED == LANES && joule_ep_where == 0 &&
		    (c + 1) * TAPS / 16 > c * TAPS / 16) {
			float all = 0.0;

			[[unroll]] for (uint j = 0; j < TILE; j++)
				all += acc[j];
			Buf(y + uint64_t(y0 + lane * Y_STEP) * T_BYTES).v[0] = T(all);
		}
	}

	/*
	 * All loads and arithmetic first, then all stores: a load after a store
	 * would tie the order of the sums to that of the stores.
	 */
	const uint ROWS = (TILE + SPLIT - 1) / SPLIT;
	float sum[ROWS];
	if (SPLIT != 1) {
		[[unroll]] for (uint j = 0; j < TILE; j++)
			if (STORE_UNIFORM != 0)
				STORE8(part, (s * TILE + j) * LANES, acc[j])
			else
				part[(s * TILE + j) * LANES + lane] = acc[j];
		barrier();
	}
	[[unroll]] for (uint k = 0; k < ROWS; k++) {
		uint j = min(share + k * SPLIT, TILE - 1), m = j / TV, v = j % TV;
		float r;

		if (SPLIT == 1) {
			r = acc[k];
		} else {
			r = LOAD8(part, j * LANES);
			[[unroll]] for (uint q = 1; q < SPLIT; q++)
				r += LOAD8(part, (q * TILE + j) * LANES);
		}
		if (ALPHA != 1.0)
			r *= ALPHA;
		if (BY_LANE != 0)
			r += lane8(bias + uint64_t(v * (LANES * 4)));
		else
			r += BufF32(bias + uint64_t(m) * 4).v[0];
		sum[k] = joule_epilogue(r, y0 + m * (Y_ROW == 0 ? P : Y_ROW) + v * (LANES * Y_STEP),
					ch0 + (BY_LANE != 0 ? v * LANES : m));
	}
	uint64_t to = y + uint64_t(y0 + lane * Y_STEP) * T_BYTES;
	[[unroll]] for (uint k = 0; k < ROWS; k++) {
		uint j = min(share + k * SPLIT, TILE - 1), m = j / TV, v = j % TV;
		Buf at = Buf(to + uint64_t(m * (Y_ROW == 0 ? P : Y_ROW) + v * (LANES * Y_STEP)) * T_BYTES);

		if (USED == LANES || lane < USED)
			at.v[0] = T(sum[k]);
	}
}
