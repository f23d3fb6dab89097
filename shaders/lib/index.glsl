/* SPDX-License-Identifier: MIT */
/* Walking tensors by number, without the integer division many devices lack. */

/*
 * The invocation's number, or the last one's where there are more than n. Work
 * that may be done twice over needs no bounds check then, and a kernel without
 * branches has its uniform loads done once for all lanes on lavapipe.
 */
#define JOULE_CLAMPED_INDEX(n) min(joule_global_index(), (n) - 1u)

/* n / d for n < 2^31; magic is joule_magic(d) of ops/move.h. */
uint joule_div(uint n, uint d, uint magic)
{
	uint hi, lo;

	umulExtended(n, magic, hi, lo);
	return d > 1 ? hi >> uint(findMSB(d - 1) & 31) : n;
}

/* n / d and n % d. */
uvec2 joule_divmod(uint n, uint d, uint magic)
{
	uint q = joule_div(n, d, magic);

	return uvec2(q, n - q * d);
}

/* Byte i of an array, for devices and variants without 8-bit storage. */
#define JOULE_BYTE(words, i) (((words).v[(i) >> 2] >> (((i) & 3) * 8)) & 0xffu)

/*
 * Element i of an index tensor as int: words is 1 for int32 and 2 for int64,
 * whose low word is all that a number below 2^31 needs, negative ones too.
 */
#define JOULE_INDEX(ints, i, words) ((ints).v[(i) * (words)])
