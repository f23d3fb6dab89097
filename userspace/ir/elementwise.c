// SPDX-License-Identifier: MIT
#include "ir/elementwise.h"

#include <math.h>

static const struct {
	const char *name;
	int arity;
} codes[JOULE_EW_COUNT] = {
#define JOULE_EW1(name, c, glsl) { #name, 1 },
#define JOULE_EW2(name, c, glsl) { #name, 2 },
#include "ir/elementwise.def"
#undef JOULE_EW1
#undef JOULE_EW2
};

int joule_ew_arity(enum joule_ew_code code)
{
	return codes[code].arity;
}

const char *joule_ew_name(enum joule_ew_code code)
{
	return codes[code].name;
}

enum joule_ew_code joule_ew_swapped(enum joule_ew_code code)
{
	switch (code) {
	case JOULE_EW_ADD:
	case JOULE_EW_MUL:
	case JOULE_EW_MIN:
	case JOULE_EW_MAX:
	case JOULE_EW_EQUAL:
	case JOULE_EW_AND:
	case JOULE_EW_OR:
	case JOULE_EW_XOR:
		return code;
	case JOULE_EW_SUB:
		return JOULE_EW_RSUB;
	case JOULE_EW_RSUB:
		return JOULE_EW_SUB;
	case JOULE_EW_DIV:
		return JOULE_EW_RDIV;
	case JOULE_EW_RDIV:
		return JOULE_EW_DIV;
	case JOULE_EW_LESS:
		return JOULE_EW_GREATER;
	case JOULE_EW_GREATER:
		return JOULE_EW_LESS;
	case JOULE_EW_LESS_EQUAL:
		return JOULE_EW_GREATER_EQUAL;
	case JOULE_EW_GREATER_EQUAL:
		return JOULE_EW_LESS_EQUAL;
	default:
		return JOULE_EW_COUNT;
	}
}

/* x clamped to [0, 1]; NaN stays NaN. */
static double joule_ew_unit(double x)
{
	return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* The nearest of the 256 integers from q on; NaN becomes 0. */
static double joule_ew_steps(double x, double q)
{
	double n = nearbyint(x);

	return isnan(n) ? 0 : n < q ? q : n > q + 255 ? q + 255 : n;
}

/* The quotient is fp32's, since which step it rounds to depends on its last bit. */
static double joule_ew_fake_quant(double x, double p, double q)
{
	return joule_ew_steps((double)((float)x / (float)p), q) * p;
}

double joule_ew_eval(enum joule_ew_code code, double x, double y, double p, double q)
{
	(void)y;
	(void)p;
	(void)q;
	switch (code) {
#define JOULE_EW1(name, c, glsl) \
	case JOULE_EW_##name:    \
		return c;
#define JOULE_EW2(name, c, glsl) \
	case JOULE_EW_##name:    \
		return c;
#include "ir/elementwise.def"
#undef JOULE_EW1
#undef JOULE_EW2
	case JOULE_EW_COUNT:
		break;
	}
	return NAN;
}
