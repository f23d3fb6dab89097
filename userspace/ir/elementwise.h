/* SPDX-License-Identifier: MIT */
/* Element-wise steps as data: what chains and epilogues consist of. */
#ifndef JOULE_IR_ELEMENTWISE_H
#define JOULE_IR_ELEMENTWISE_H

#include <stdint.h>

enum joule_ew_code {
#define JOULE_EW1(name, c, glsl) JOULE_EW_##name,
#define JOULE_EW2(name, c, glsl) JOULE_EW_##name,
#include "ir/elementwise.def"
#undef JOULE_EW1
#undef JOULE_EW2
	JOULE_EW_COUNT
};

#define JOULE_EW_MAX_STEPS 8

/* One step: value = code(value, operand, p, q). operand is -1 for one-operand codes. */
struct joule_ew_step {
	uint16_t code;   /* enum joule_ew_code */
	int16_t operand; /* index of the node input that is the second operand, broadcast */
	float p, q;
};

struct joule_epilogue {
	int n;
	int first_in; /* node inputs from here on are the epilogue's operands */
	struct joule_ew_step step[JOULE_EW_MAX_STEPS];
};

/* 1 or 2. */
int joule_ew_arity(enum joule_ew_code code);

/* The code that gives the same with x and y exchanged, or JOULE_EW_COUNT. */
enum joule_ew_code joule_ew_swapped(enum joule_ew_code code);

/* Lower-case name for dumps, "leaky_relu". */
const char *joule_ew_name(enum joule_ew_code code);

/* The reference formula, in double. */
double joule_ew_eval(enum joule_ew_code code, double x, double y, double p, double q);

#endif
