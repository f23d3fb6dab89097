// SPDX-License-Identifier: MIT
/*
 * pack IN.spv OUT: SPIR-V made small for embedding, a build tool. SPIR-V is a
 * stream of 32-bit words, nearly all of them small numbers, so each becomes a
 * variable-length integer of 7 bits a byte; an instruction's first word is
 * split into opcode and length. Undone by joule_shader_unpack().
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void put(FILE *f, uint32_t v)
{
	for (; v >= 128; v >>= 7)
		fputc((int)(v & 127) | 128, f);
	fputc((int)v, f);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL, *out;
	uint32_t w, at = 0, next = 5; /* five words of header, then instructions */

	if (!in)
		die("pack");
	out = fopen(argv[2], "wb");
	if (!out)
		die(argv[2]);
	for (; fread(&w, sizeof(w), 1, in) == 1; at++) {
		if (at != next) {
			put(out, w);
			continue;
		}
		put(out, w & 0xffff);
		put(out, w >> 16);
		next += w >> 16;
	}
	if (ferror(in) || fclose(out))
		die(argv[2]);
	fclose(in);
	return 0;
}
