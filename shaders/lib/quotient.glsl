/* SPDX-License-Identifier: MIT */
/*
 * Quotients as IEEE 754 rounds them. Vulkan lets drivers be off by 2.5 steps of
 * the last bit (lavapipe multiplies by a reciprocal), and where quantization
 * rounds a quotient that stands between two steps, one bit is a whole step.
 *
 * Both functions judge a candidate by what x leaves when s times the candidate
 * is taken off, without rounding error: the product in parts of 12 bits. (fma
 * is no help: Vulkan does not promise that it rounds once.)
 */
#ifndef JOULE_QUOTIENT_GLSL
#define JOULE_QUOTIENT_GLSL

#define JOULE_HIGH_BITS 0xfffff000u

/* x - a s, without error where a is within a few last bits of x / s. */
float joule_residual(float x, float a, float s)
{
	precise float ah = uintBitsToFloat(floatBitsToUint(a) & JOULE_HIGH_BITS), al = a - ah;
	precise float sh = uintBitsToFloat(floatBitsToUint(s) & JOULE_HIGH_BITS), sl = s - sh;
	precise float p = a * s;
	precise float e = ((ah * sh - p) + ah * sl) + al * sh;
	precise float low = e + al * sl;
	precise float r = (x - p) - low;

	return r;
}

/* Half of the step from one float to the next beyond a; 0 for those too small. */
float joule_half_step(float a)
{
	return uintBitsToFloat(floatBitsToUint(a) & 0x7f800000u) * 5.9604644775390625e-8;
}

/* x / s, rounded to nearest; as the driver has it where one of the three is near fp32's limits. */
float joule_quotient(float x, float s)
{
	precise float q = x / s;
	precise float better = q + joule_residual(x, q, s) / s;
	float r = joule_residual(x, better, s), step;

	if (isinf(q) || isnan(better))
		return q;
	/* better is one of the two neighbours of the true quotient, if not the nearest. */
	step = (r < 0.0) == (s < 0.0) ? 2.0 : -2.0;
	if (abs(r) > joule_half_step(better) * abs(s))
		better += step * joule_half_step(better);
	return better;
}

/* x / s rounded to fp32, then to the nearest integer, half to even; at most 2^18. NaN gives 0. */
float joule_round_quotient(float x, float s)
{
	float q = x / s, half_way = floor(clamp(q, -262144.0, 262144.0)) + 0.5;
	float r = joule_residual(x, half_way, s);
	bool on_it = abs(r) <= joule_half_step(half_way) * abs(s);
	float n = on_it ? roundEven(half_way) :
			  half_way + ((r < 0.0) == (s < 0.0) ? 0.5 : -0.5);

	return isnan(q) ? 0.0 : n;
}

/* x / s rounded to fp16, then to the nearest integer, half to even; at most 2^18. NaN gives 0. */
float joule_round_quotient_f16(float x, float s)
{
	float q = joule_quotient(x, s);
	uint u = floatBitsToUint(q);

	u += 0xfffu + ((u >> 13) & 1u);
	return isnan(q) ? 0.0 : clamp(roundEven(uintBitsToFloat(u & 0xffffe000u)), -262144.0, 262144.0);
}

#endif
