/* SPDX-License-Identifier: MIT */
/*
 * lib/epilogue.glsl for kernels in the style of lib/lavapipe.glsl: a call
 * works on eight results at once, i and c being those of lane 0, uniform.
 * Before including this define
 *
 *   LANE_STEP     elements of the output from one lane to the next
 *   LANE_CHANNEL  whether c counts up from lane to lane
 *   LANES_USED    how many lanes hold a result (reads stay below it)
 *
 * and set ep_a and ep_b from the push constants at the start of main().
 */
uint64_t ep_a, ep_b;

#define JOULE_EPILOGUE_OPERAND
float joule_ep_operand(uint where, uint i, uint c);

#include "lib/epilogue.glsl"

/* Elements at + k * step of lanes k. */
float joule_ep_lanes(uint64_t p, uint at, uint step)
{
	if (step == 0)
		return float(Buf(p + uint64_t(at) * T_BYTES).v[0]);
	if (step == 1 && LANES_USED == LANES)
		return lane8t(p + uint64_t(at) * T_BYTES);
	return float(Buf(p).v[at + min(gl_SubgroupInvocationID, LANES_USED - 1) * step]);
}

float joule_ep_operand(uint where, uint i, uint c)
{
	bool b = (where & 1u) != 0u;
	uint64_t p = b ? ep_b : ep_a;
	uint lane = min(gl_SubgroupInvocationID, LANES_USED - 1);

	switch (where >> 1) {
	case JOULE_EP_SAME:
		return joule_ep_lanes(p, i, LANE_STEP);
	case JOULE_EP_SCALAR:
		return joule_ep_lanes(p, 0, 0);
	case JOULE_EP_CHANNEL:
		return joule_ep_lanes(p, c, LANE_CHANNEL ? 1 : 0);
	case JOULE_EP_VECTOR:
		i += lane * LANE_STEP;
		i = b ? i / joule_ep_inner_b % joule_ep_period_b :
			i / joule_ep_inner_a % joule_ep_period_a;
		return float(Buf(p).v[i]);
	}
	return 0.0;
}
