// SPDX-License-Identifier: MIT
#include "hal/vulkan/spirv.h"

#include <stddef.h>
#include <string.h>

struct range {
	uint16_t first, last;
	const char *layout;
};

/* Sorted; what is not in it cannot be trimmed. */
static const struct range ranges[] = {
	{ 0, 0, "" },
	{ 1, 1, "tr" },		/* Undef */
	{ 12, 12, "tril*" },	/* ExtInst */
	{ 54, 54, "trli" },	/* Function */
	{ 55, 55, "tr" },	/* FunctionParameter */
	{ 56, 56, "" },
	{ 57, 57, "tri*" },	/* FunctionCall */
	{ 59, 59, "trl*" },	/* Variable */
	{ 61, 61, "tri#" },	/* Load */
	{ 62, 63, "ii#" },	/* Store, CopyMemory */
	{ 65, 67, "tr*" },	/* AccessChain and kin */
	{ 68, 68, "tril" },	/* ArrayLength */
	{ 77, 78, "tr*" },	/* VectorExtractDynamic, VectorInsertDynamic */
	{ 79, 79, "trii#" },	/* VectorShuffle */
	{ 80, 80, "tr*" },	/* CompositeConstruct */
	{ 81, 81, "tri#" },	/* CompositeExtract */
	{ 82, 82, "trii#" },	/* CompositeInsert */
	{ 83, 84, "tri" },	/* CopyObject, Transpose */
	{ 109, 124, "tr*" },	/* conversions */
	{ 126, 152, "tr*" },	/* arithmetic */
	{ 154, 157, "tr*" },	/* Any, All, IsNan, IsInf */
	{ 164, 191, "tr*" },	/* logic, comparisons */
	{ 194, 205, "tr*" },	/* bits */
	{ 224, 225, "*" },	/* ControlBarrier, MemoryBarrier */
	{ 227, 227, "tr*" },	/* AtomicLoad */
	{ 228, 228, "*" },	/* AtomicStore */
	{ 229, 242, "tr*" },	/* other atomics */
	{ 245, 245, "tr*" },	/* Phi */
	{ 246, 246, "ii#" },	/* LoopMerge */
	{ 247, 247, "i#" },	/* SelectionMerge */
	{ 248, 248, "r" },	/* Label */
	{ 249, 249, "i" },	/* Branch */
	{ 250, 250, "iii#" },	/* BranchConditional */
	{ 251, 251, "iis" },	/* Switch */
	{ 253, 253, "" },
	{ 254, 254, "i" },	/* ReturnValue */
	{ 255, 255, "" },
	{ 333, 341, "tr*" },	/* GroupNonUniformElect ... BallotBitExtract */
	{ 342, 342, "tril*" },	/* BallotBitCount */
	{ 343, 348, "tr*" },	/* BallotFindLSB ... ShuffleDown */
	{ 349, 364, "tril*" },	/* GroupNonUniformIAdd ... LogicalXor */
	{ 365, 366, "tr*" },	/* QuadBroadcast, QuadSwap */
	{ 400, 400, "tri" },	/* CopyLogical */
	{ 4450, 4452, "trii#" }, /* dot products */
	{ 4453, 4455, "triii#" },
	{ 5614, 5615, "tr*" },	/* AtomicFMinEXT, AtomicFMaxEXT */
	{ 6035, 6035, "tr*" },	/* AtomicFAddEXT */
};

const char *spirv_layout(uint32_t op)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (op >= ranges[i].first && op <= ranges[i].last)
			return ranges[i].layout;
	return NULL;
}

char spirv_word_kind(const char *layout, uint32_t k)
{
	size_t n = strlen(layout);
	char last = n ? layout[n - 1] : 0;

	if (k <= n && !strchr("*#s", layout[k - 1]))
		return layout[k - 1];
	switch (last) {
	case '*':
		return 'i';
	case '#':
		return 'l';
	case 's':
		return (k - n) % 2 ? 'i' : 'l';
	default:
		return 0;
	}
}

static bool fold_one(uint32_t op, uint32_t a, uint32_t *result)
{
	switch (op) {
	case OP_COPY_OBJECT:
	case OP_BITCAST:
		*result = a;
		return true;
	case OP_S_NEGATE:
		*result = 0 - a;
		return true;
	case OP_NOT:
		*result = ~a;
		return true;
	case OP_LOGICAL_NOT:
		*result = !a;
		return true;
	default:
		return false;
	}
}

static bool fold_two(uint32_t op, uint32_t a, uint32_t b, uint32_t *result)
{
	int32_t sa = (int32_t)a, sb = (int32_t)b;
	bool overflow = sa == INT32_MIN && sb == -1;

	switch (op) {
#define CASE(name, formula) \
	case name: \
		*result = (uint32_t)(formula); \
		return true;
		CASE(OP_I_ADD, a + b)
		CASE(OP_I_SUB, a - b)
		CASE(OP_I_MUL, a *b)
		CASE(OP_LOGICAL_EQUAL, a == b)
		CASE(OP_LOGICAL_NOT_EQUAL, a != b)
		CASE(OP_LOGICAL_OR, a | b)
		CASE(OP_LOGICAL_AND, a &b)
		CASE(OP_I_EQUAL, a == b)
		CASE(OP_I_NOT_EQUAL, a != b)
		CASE(OP_U_GREATER_THAN, a > b)
		CASE(OP_S_GREATER_THAN, sa > sb)
		CASE(OP_U_GREATER_THAN_EQUAL, a >= b)
		CASE(OP_S_GREATER_THAN_EQUAL, sa >= sb)
		CASE(OP_U_LESS_THAN, a < b)
		CASE(OP_S_LESS_THAN, sa < sb)
		CASE(OP_U_LESS_THAN_EQUAL, a <= b)
		CASE(OP_S_LESS_THAN_EQUAL, sa <= sb)
		CASE(OP_BITWISE_OR, a | b)
		CASE(OP_BITWISE_XOR, a ^ b)
		CASE(OP_BITWISE_AND, a &b)
#undef CASE
	/* Undefined where a right operand does not fit: left to the driver. */
#define CASE(name, condition, formula) \
	case name: \
		if (!(condition)) \
			return false; \
		*result = (uint32_t)(formula); \
		return true;
		CASE(OP_U_DIV, b, a / b)
		CASE(OP_U_MOD, b, a % b)
		CASE(OP_S_DIV, sb && !overflow, sa / sb)
		CASE(OP_S_REM, sb && !overflow, sa % sb)
		CASE(OP_SHIFT_RIGHT_LOGICAL, b < 32, a >> b)
		CASE(OP_SHIFT_RIGHT_ARITHMETIC, b < 32, sa >> b)
		CASE(OP_SHIFT_LEFT_LOGICAL, b < 32, a << b)
#undef CASE
	default:
		return false;
	}
}

bool spirv_fold(uint32_t op, const bool *known, const uint32_t *v, uint32_t n, uint32_t *result)
{
	/* One side can be enough. */
	for (uint32_t i = 0; n == 2 && i < 2; i++) {
		if ((op == OP_LOGICAL_AND && known[i] && !v[i]) ||
		    (op == OP_LOGICAL_OR && known[i] && v[i])) {
			*result = v[i];
			return true;
		}
	}
	if (op == OP_SELECT && n == 3 && known[0] && known[v[0] ? 1 : 2]) {
		*result = v[v[0] ? 1 : 2];
		return true;
	}
	for (uint32_t i = 0; i < n; i++)
		if (!known[i])
			return false;
	return (n == 1 && fold_one(op, v[0], result)) ||
	       (n == 2 && fold_two(op, v[0], v[1], result));
}
