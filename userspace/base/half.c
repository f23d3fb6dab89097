// SPDX-License-Identifier: MIT
#include "base/half.h"

#include <math.h>

float joule_f32_from_f16(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t exp = (h >> 10) & 0x1f, man = h & 0x3ff;

	if (exp == 31)
		return joule_f32_from_bits(sign | 0x7f800000 | man << 13);
	if (exp == 0) {
		float f = (float)man * 0x1p-24f;

		return sign ? -f : f;
	}
	return joule_f32_from_bits(sign | (exp + 112) << 23 | man << 13);
}

uint16_t joule_f16_from_f64(double d)
{
	uint16_t sign = signbit(d) ? 0x8000 : 0;
	double a = fabs(d);
	int exp;

	if (isnan(d))
		return sign | 0x7e00;
	if (a >= 65520.0)
		return sign | 0x7c00;
	if (a < 0x1p-14) /* subnormal: a multiple of 2^-24, nearest even */
		return sign | (uint16_t)nearbyint(a * 0x1p24);
	frexp(a, &exp); /* a = m * 2^exp, m in [0.5, 1) */
	/* A mantissa that rounds up to 2048 carries into the exponent by itself. */
	return sign | (uint16_t)(((exp + 13) << 10) + (int)nearbyint(ldexp(a, 11 - exp)));
}

uint16_t joule_f16_from_f32(float f)
{
	return joule_f16_from_f64(f);
}
