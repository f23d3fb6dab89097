/* SPDX-License-Identifier: MIT */
/*
 * Functions whose GLSL built-in is missing, imprecise or undefined in places
 * that ONNX defines. Vulkan's precision rules allow exp and log about 3 ULP,
 * but tanh, sinh and the inverse functions may lose all digits near 0 or
 * overflow for large x.
 */
#include "lib/quotient.glsl"

/* x clamped to [0, 1]; NaN stays NaN, which clamp() does not promise. */
float joule_ew_unit(float x)
{
	return x < 0.0 ? 0.0 : (x > 1.0 ? 1.0 : x);
}

float joule_expm1(float x)
{
	/* Taylor near 0, where exp(x) - 1 cancels. */
	if (abs(x) < 0.25)
		return x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0 + x / 5040.0))))));
	return exp(x) - 1.0;
}

float joule_log1p(float x)
{
	/*
	 * Near 0 by the series of atanh, since log() may be off by 2^-21 around
	 * 1: log(1 + x) = 2 atanh(x / (2 + x)), of which |s| < 0.21 here.
	 */
	float s = x / (2.0 + x), z = s * s;
	float r = s * (2.0 + z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0 + z * (2.0 / 9.0 + z * (2.0 / 11.0))))));

	return x > -0.34 && x < 0.52 ? r : log(1.0 + x);
}

float joule_log(float x)
{
	return x > 0.66 && x < 1.52 ? joule_log1p(x - 1.0) : log(x);
}

float joule_tanh(float x)
{
	float e = joule_expm1(-2.0 * abs(x));
	float t = -e / (2.0 + e);

	return isnan(x) ? x : (x < 0.0 ? -t : t);
}

float joule_sinh(float x)
{
	float e = joule_expm1(abs(x)), r = 0.5 * (e + e / (e + 1.0));

	/* Beyond exp's range both halves are taken by squaring. */
	if (abs(x) > 80.0) {
		float h = exp(0.5 * abs(x));

		r = 0.5 * h * h;
	}
	return x < 0.0 ? -r : r;
}

float joule_cosh(float x)
{
	float h = exp(0.5 * abs(x));

	return abs(x) > 80.0 ? 0.5 * h * h : 0.5 * (h * h + 1.0 / (h * h));
}

float joule_atan(float x)
{
	/* Odd polynomial on [0, tan(pi/8)] after two range reductions. */
	float a = abs(x), base = 0.0;

	if (a > 2.414213562) {
		base = 1.5707963267948966;
		a = -1.0 / a;
	} else if (a > 0.4142135624) {
		base = 0.7853981633974483;
		a = (a - 1.0) / (a + 1.0);
	}
	float z = a * a;
	float r = a * (1.0 + z * (-1.0 / 3.0 + z * (1.0 / 5.0 + z * (-1.0 / 7.0 + z * (1.0 / 9.0 + z * (-1.0 / 11.0 + z * (1.0 / 13.0 - z / 15.0)))))));

	r += base;
	return x < 0.0 ? -r : r;
}

float joule_atan2(float y, float x)
{
	float a = x == 0.0 && y == 0.0 ? 0.0 : (abs(x) >= abs(y) ? joule_atan(abs(y / x)) : 1.5707963267948966 - joule_atan(abs(x / y)));

	if (x < 0.0)
		a = 3.141592653589793 - a;
	return y < 0.0 ? -a : a;
}

float joule_asin(float x)
{
	if (abs(x) > 1.0)
		return uintBitsToFloat(0x7fc00000u);
	return joule_atan2(x, sqrt((1.0 - x) * (1.0 + x)));
}

float joule_acos(float x)
{
	if (abs(x) > 1.0)
		return uintBitsToFloat(0x7fc00000u);
	return joule_atan2(sqrt((1.0 - x) * (1.0 + x)), x);
}

float joule_asinh(float x)
{
	float a = abs(x);
	float r = a > 1e18 ? log(a) + 0.6931471805599453 : joule_log1p(a + a * a / (1.0 + sqrt(1.0 + a * a)));

	return x < 0.0 ? -r : r;
}

float joule_acosh(float x)
{
	float t = x - 1.0;

	if (x < 1.0)
		return uintBitsToFloat(0x7fc00000u);
	return x > 1e18 ? log(x) + 0.6931471805599453 : joule_log1p(t + sqrt(2.0 * t + t * t));
}

float joule_atanh(float x)
{
	float a = abs(x), r = 0.5 * joule_log1p(2.0 * a / (1.0 - a));

	if (a > 1.0)
		return uintBitsToFloat(0x7fc00000u);
	return x < 0.0 ? -r : r;
}

/*
 * x less the nearest multiple k of pi/2, which is taken off in parts so short
 * that k times each is exact; the built-in functions may be off by 2^-11. Good
 * to |x| of about 10^4, where the built-in ones take over.
 */
float joule_quadrant(float x, out int k)
{
	float n = roundEven(x * 0.63661977236758134);
	precise float r = x - n * 1.5703125;

	r -= n * 4.837512969970703125e-4;
	r -= n * 7.549789954891882e-8;
	k = int(n) & 3;
	return r;
}

float joule_sin_quadrant(float r, int k)
{
	float z = r * r;
	float s = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
	float c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
	float v = (k & 1) == 0 ? s : c;

	return (k & 2) == 0 ? v : -v;
}

float joule_sin(float x)
{
	int k;
	float r = joule_quadrant(x, k);

	return abs(x) < 1e4 ? joule_sin_quadrant(r, k) : sin(x);
}

float joule_cos(float x)
{
	int k;
	float r = joule_quadrant(x, k);

	return abs(x) < 1e4 ? joule_sin_quadrant(r, (k + 1) & 3) : cos(x);
}

float joule_tan(float x)
{
	int k;
	float r = joule_quadrant(x, k);

	return abs(x) < 1e4 ? joule_sin_quadrant(r, k) / joule_sin_quadrant(r, (k + 1) & 3) : tan(x);
}

/*
 * Series near 0, where 1 - erfc(x) cancels; elsewhere erfc as exp(-x^2) times
 * a polynomial in t = 1/(1 + x/2) (the Chebyshev fit of Numerical Recipes'
 * erfcc has a fractional error below 1.2e-7).
 */
float joule_erf(float x)
{
	float a = abs(x), r;

	if (a < 0.5) {
		float z = a * a;

		r = a * (1.1283791671 + z * (-0.3761263890 + z * (0.1128379167 + z * (-0.0268661706 + z * (0.0052239776 - z * (0.0008548327 - z * 0.0001205533))))));
	} else {
		float t = 1.0 / (1.0 + 0.5 * a);

		r = 1.0 - t * exp(-a * a - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));
	}
	return x < 0.0 ? -r : r;
}

/* pow with the signs and zeros of C: negative bases with integer exponents. */
float joule_pow(float x, float y)
{
	if (y == 0.0 || x == 1.0)
		return 1.0;
	if (isnan(x) || isnan(y))
		return x + y;
	if (y == 2.0)
		return x * x;
	if (y == 0.5 && x >= 0.0)
		return sqrt(x);
	if (y == 3.0)
		return x * x * x;
	if (y == 1.0)
		return x;
	if (y == -1.0)
		return 1.0 / x;
	if (x == 0.0)
		return y < 0.0 ? uintBitsToFloat(0x7f800000u) : 0.0;
	if (x > 0.0)
		return exp2(y * log2(x));
	if (y != floor(y) && !isinf(x))
		return uintBitsToFloat(0x7fc00000u);
	float r = exp2(y * log2(-x));

	/* From 2^24 on every float is even. */
	return y == floor(y) && abs(y) < 16777216.0 && (int(y) & 1) == 1 ? -r : r;
}

/* Long division: every subtraction is exact, so the remainder is. */
float joule_fmod(float x, float y)
{
	float a = abs(x), b = abs(y);
	int ea, eb;

	if (isnan(x) || isnan(y) || isinf(x) || b == 0.0)
		return uintBitsToFloat(0x7fc00000u);
	frexp(a, ea);
	frexp(b, eb);
	for (int e = isinf(y) ? -1 : ea - eb; e >= 0; e--) {
		float t = ldexp(b, e);

		if (a >= t)
			a -= t;
	}
	return x < 0.0 ? -a : a;
}
