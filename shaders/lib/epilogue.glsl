/* SPDX-License-Identifier: MIT */
/*
 * Element-wise work that passes fused behind an operator (node->epilogue),
 * applied to each result just before it is stored. ops/epilogue.h binds it.
 *
 * A kernel takes part in it so:
 *
 *  1. #define JOULE_EPILOGUE_SPEC n  with n = 3 + its own specialization
 *     constants: the epilogue's JOULE_EPILOGUE_N_SPEC ones follow them.
 *  2. Its push-constant block is called push; behind its own addresses and
 *     before its own words stand the members  Buf ep_a; Buf ep_b;
 *  3. #include "lib/epilogue.glsl" after that block (and after lib/math.glsl
 *     and elementwise.glsl).
 *  4. v = joule_epilogue(v, i, c) with the linear index i of the result in the
 *     output, and c its index along the axis that the kernel's bind() told
 *     joule_epilogue_bind(): the channel of a convolution, the column of a
 *     matrix product. c matters only to operands that vary along that axis
 *     alone, so that those cost no division.
 *
 * Steps not used cost nothing: the constants fold. But drivers inline the call
 * before they fold, so apply it in a loop ([[unroll]]) over the results of an
 * invocation, not in lines written out for each.
 */

layout(constant_id = JOULE_EPILOGUE_SPEC) const uint joule_ep_codes = 0;    /* 8 bits a step */
layout(constant_id = JOULE_EPILOGUE_SPEC + 1) const uint joule_ep_where = 0; /* 8 bits a step */
layout(constant_id = JOULE_EPILOGUE_SPEC + 2) const float joule_ep_p0 = 0.0;
layout(constant_id = JOULE_EPILOGUE_SPEC + 3) const float joule_ep_q0 = 0.0;
layout(constant_id = JOULE_EPILOGUE_SPEC + 4) const float joule_ep_p1 = 0.0;
layout(constant_id = JOULE_EPILOGUE_SPEC + 5) const float joule_ep_q1 = 0.0;
layout(constant_id = JOULE_EPILOGUE_SPEC + 6) const float joule_ep_p2 = 0.0;
layout(constant_id = JOULE_EPILOGUE_SPEC + 7) const float joule_ep_q2 = 0.0;
layout(constant_id = JOULE_EPILOGUE_SPEC + 8) const float joule_ep_p3 = 0.0;
layout(constant_id = JOULE_EPILOGUE_SPEC + 9) const float joule_ep_q3 = 0.0;
/* For operands of class VECTOR: element (i / inner) % period. */
layout(constant_id = JOULE_EPILOGUE_SPEC + 10) const uint joule_ep_inner_a = 1;
layout(constant_id = JOULE_EPILOGUE_SPEC + 11) const uint joule_ep_period_a = 1;
layout(constant_id = JOULE_EPILOGUE_SPEC + 12) const uint joule_ep_inner_b = 1;
layout(constant_id = JOULE_EPILOGUE_SPEC + 13) const uint joule_ep_period_b = 1;

/* enum joule_epilogue_class of ops/epilogue.h, in bits 1 to 3; bit 0: ep_b. */
#define JOULE_EP_SAME    1u
#define JOULE_EP_SCALAR  2u
#define JOULE_EP_CHANNEL 3u
#define JOULE_EP_VECTOR  4u

/* lib/lavapipe_epilogue.glsl reads them its own way. */
#ifndef JOULE_EPILOGUE_OPERAND
float joule_ep_operand(uint where, uint i, uint c)
{
	bool b = (where & 1u) != 0u;
	uint at = 0;

	switch (where >> 1) {
	case 0:
		return 0.0;
	case JOULE_EP_SAME:
		at = i;
		break;
	case JOULE_EP_CHANNEL:
		at = c;
		break;
	case JOULE_EP_VECTOR:
		at = b ? i / joule_ep_inner_b % joule_ep_period_b :
			 i / joule_ep_inner_a % joule_ep_period_a;
		break;
	}
	return b ? float(push.ep_b.v[at]) : float(push.ep_a.v[at]);
}
#endif

float joule_ep_step(const uint k, float v, uint i, uint c, float p, float q)
{
	uint code = (joule_ep_codes >> (8 * k)) & 255u;

	if (code == JOULE_EW_IDENTITY)
		return v;
	return joule_ew(code, v, joule_ep_operand((joule_ep_where >> (8 * k)) & 255u, i, c), p, q);
}

float joule_epilogue(float v, uint i, uint c)
{
	v = joule_ep_step(0, v, i, c, joule_ep_p0, joule_ep_q0);
	v = joule_ep_step(1, v, i, c, joule_ep_p1, joule_ep_q1);
	v = joule_ep_step(2, v, i, c, joule_ep_p2, joule_ep_q2);
	return joule_ep_step(3, v, i, c, joule_ep_p3, joule_ep_q3);
}
