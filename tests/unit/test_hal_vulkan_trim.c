// SPDX-License-Identifier: MIT
/*
 * Trimming of SPIR-V: every built-in module under made-up constants stays
 * valid (spirv-val says so) and only gets smaller; damaged ones do no harm.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "hal/shader_table.h"
#include "hal/vulkan/trim.h"
#include "test.h"

#define N_VALUES 32

static uint32_t state = 1;

static uint32_t rnd(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

static void make_values(uint32_t *values)
{
	static const uint32_t likely[] = { 0, 1, 2, 3, 4, 5, 8, 16, 17, 64, 255, 0x0305, 0x01020304 };

	for (int i = 0; i < N_VALUES; i++)
		values[i] = likely[rnd(sizeof(likely) / sizeof(likely[0]))];
	values[0] = 64;
	values[1] = values[2] = 1;
}

static void check_valid(const char *name, const uint32_t *words, size_t n)
{
	char path[] = "/tmp/joule-trim-XXXXXX", command[256];
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, words, n * 4), n * 4);
	close(fd);
	snprintf(command, sizeof(command),
		 "spirv-val --target-env vulkan1.1 --scalar-block-layout %s >&2", path);
	if (system(command)) {
		fprintf(stderr, "shader %s: invalid once trimmed; see %s\n", name, path);
		exit(1);
	}
	unlink(path);
}

/* The same over copies with a few words changed, which need not be valid. */
static void check_damaged(const struct joule_shader *s)
{
	size_t n = s->bytes / 4, got;
	uint32_t values[N_VALUES], *copy = malloc(s->bytes), *spirv = joule_shader_unpack(s), *out;

	CHECK(copy && spirv);
	for (int k = 0; k < 20; k++) {
		size_t length = k % 4 ? n : rnd((uint32_t)n);

		memcpy(copy, spirv, s->bytes);
		for (int i = 0; i < 1 + k % 3; i++)
			copy[rnd((uint32_t)n)] ^= 1u << rnd(32);
		make_values(values);
		joule_spirv_trim(copy, length, values, N_VALUES, &out, &got);
		free(out);
	}
	free(copy);
	free(spirv);
}

int main(void)
{
	bool tool = !system("spirv-val --version >/dev/null 2>&1");
	size_t before = 0, after = 0;

	if (!tool)
		fprintf(stderr, "no spirv-val: results are not validated\n");
	for (int i = 0; i < joule_shader_count; i++) {
		const struct joule_shader *s = &joule_shaders[i];
		uint32_t values[N_VALUES], *spirv = joule_shader_unpack(s), *out, *again;
		size_t n, m;

		CHECK(spirv);
		make_values(values);
		if (joule_spirv_trim(spirv, s->bytes / 4, values, N_VALUES, &out, &n)) {
			fprintf(stderr, "shader %s cannot be trimmed\n", s->name);
			return 1;
		}
		if (tool)
			check_valid(s->name, out, n);
		/* What is left is all needed. */
		CHECK_EQ(joule_spirv_trim(out, n, values, N_VALUES, &again, &m), 0);
		CHECK(m <= n);
		before += s->bytes / 4;
		after += n;
		free(out);
		free(again);
		free(spirv);
		check_damaged(s);
	}
	CHECK(after < before);
	printf("  %d shaders, %zu words, %zu trimmed\n", joule_shader_count, before, after);
	return 0;
}
