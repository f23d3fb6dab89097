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
