/* SPDX-License-Identifier: MIT */
/* IEEE half and bfloat16 <-> float, round to nearest even, NaN stays NaN. */
#ifndef JOULE_BASE_HALF_H
#define JOULE_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t joule_f32_bits(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

static inline float joule_f32_from_bits(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

static inline float joule_f32_from_bf16(uint16_t h)
{
	return joule_f32_from_bits((uint32_t)h << 16);
}

static inline uint16_t joule_bf16_from_f32(float f)
{
	uint32_t u = joule_f32_bits(f);

	if ((u & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(u >> 16) | 0x40;
	return (uint16_t)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

float joule_f32_from_f16(uint16_t h);
uint16_t joule_f16_from_f32(float f);

/*
 * Straight from double: going through float would round twice, and a value
 * just above a half-way point would end on the wrong side.
 */
uint16_t joule_f16_from_f64(double d);

#endif
