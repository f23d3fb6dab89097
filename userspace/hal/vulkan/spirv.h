/* SPDX-License-Identifier: MIT */
/* As much of SPIR-V as trimming needs: opcodes by number, and where ids stand. */
#ifndef JOULE_HAL_VULKAN_SPIRV_H
#define JOULE_HAL_VULKAN_SPIRV_H

#include <stdbool.h>
#include <stdint.h>

#define SPIRV_MAGIC	   0x07230203u
#define SPIRV_HEADER_WORDS 5

enum spirv_op {
	OP_NOP = 0,
	OP_NAME = 5,
	OP_MEMBER_NAME = 6,
	OP_ENTRY_POINT = 15,
	OP_TYPE_BOOL = 20,
	OP_TYPE_INT = 21,
	OP_TYPE_POINTER = 32,
	OP_CONSTANT_TRUE = 41,
	OP_CONSTANT_FALSE = 42,
	OP_CONSTANT = 43,
	OP_SPEC_CONSTANT_TRUE = 48,
	OP_SPEC_CONSTANT_FALSE = 49,
	OP_SPEC_CONSTANT = 50,
	OP_SPEC_CONSTANT_OP = 52,
	OP_FUNCTION = 54,
	OP_FUNCTION_PARAMETER = 55,
	OP_FUNCTION_END = 56,
	OP_FUNCTION_CALL = 57,
	OP_VARIABLE = 59,
	OP_LOAD = 61,
	OP_STORE = 62,
	OP_DECORATE = 71,
	OP_GROUP_DECORATE = 74,
	OP_GROUP_MEMBER_DECORATE = 75,
	OP_COPY_OBJECT = 83,
	OP_BITCAST = 124,
	OP_S_NEGATE = 126,
	OP_I_ADD = 128,
	OP_I_SUB = 130,
	OP_I_MUL = 132,
	OP_U_DIV = 134,
	OP_S_DIV = 135,
	OP_U_MOD = 137,
	OP_S_REM = 138,
	OP_LOGICAL_EQUAL = 164,
	OP_LOGICAL_NOT_EQUAL = 165,
	OP_LOGICAL_OR = 166,
	OP_LOGICAL_AND = 167,
	OP_LOGICAL_NOT = 168,
	OP_SELECT = 169,
	OP_I_EQUAL = 170,
	OP_I_NOT_EQUAL = 171,
	OP_U_GREATER_THAN = 172,
	OP_S_GREATER_THAN = 173,
	OP_U_GREATER_THAN_EQUAL = 174,
	OP_S_GREATER_THAN_EQUAL = 175,
	OP_U_LESS_THAN = 176,
	OP_S_LESS_THAN = 177,
	OP_U_LESS_THAN_EQUAL = 178,
	OP_S_LESS_THAN_EQUAL = 179,
	OP_SHIFT_RIGHT_LOGICAL = 194,
	OP_SHIFT_RIGHT_ARITHMETIC = 195,
	OP_SHIFT_LEFT_LOGICAL = 196,
	OP_BITWISE_OR = 197,
	OP_BITWISE_XOR = 198,
	OP_BITWISE_AND = 199,
	OP_NOT = 200,
	OP_PHI = 245,
	OP_LOOP_MERGE = 246,
	OP_SELECTION_MERGE = 247,
	OP_LABEL = 248,
	OP_BRANCH = 249,
	OP_BRANCH_CONDITIONAL = 250,
	OP_SWITCH = 251,
	OP_KILL = 252,
	OP_RETURN = 253,
	OP_RETURN_VALUE = 254,
	OP_UNREACHABLE = 255,
};

static inline uint32_t spirv_op(uint32_t word)
{
	return word & 0xffff;
}

static inline uint32_t spirv_length(uint32_t word)
{
	return word >> 16;
}

/*
 * The words of an instruction within a function: t type, r result, i id,
 * l literal, * ids to the end, # literals to the end, s pairs of a literal and
 * an id to the end. NULL for an instruction not known here.
 */
const char *spirv_layout(uint32_t op);

/* The kind of word k (from 1) in that layout: one of t r i l, or 0 past its end. */
char spirv_word_kind(const char *layout, uint32_t k);

/*
 * The result of an operation on 32-bit integers and booleans (0 or 1), known
 * for those operands that are. False if it stays unknown.
 */
bool spirv_fold(uint32_t op, const bool *known, const uint32_t *v, uint32_t n, uint32_t *result);

#endif
