// SPDX-License-Identifier: MIT
/*
 * rows_nomem FILE.rows ...: for each operator row, inference, reference and
 * bind() while the n-th allocation fails, for every n: -ENOMEM or a right end,
 * nothing left behind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../ops/row.h"
#include "hal/binder.h"
#include "heap.h"

static int passed, failed;
static long allocations;

static void drop(void *user, enum joule_log_level level, const char *msg)
{
}

static const struct joule_log quiet = { drop, NULL, JOULE_LOG_ERROR };

/* What bind() may ask of any device. */
static const struct joule_caps caps = {
	.kind = JOULE_DEVICE_VULKAN_DISCRETE,
	.subgroup_size = 32,
	.max_push_bytes = 256,
	.max_local = { 1024, 1024, 64 },
	.max_invocations = 1024,
	.max_groups = { 65535, 65535, 65535 },
	.shared_bytes = 32768,
	.storage_16bit = true,
	.storage_8bit = true,
	.max_buffer_bytes = 1u << 30,
};

/* In a session the planner binds; the reference is another's business. */
static int work(struct joule_node *node, struct joule_arena *arena)
{
	struct joule_binder b;
	int ret = joule_node_infer(node);

	if (!ret)
		ret = joule_node_ref(node);
	if (ret || !node->op->bind)
		return ret;
	joule_binder_init(&b, &caps, arena);
	ret = node->op->bind(node, &b);
	return ret == -ENOTSUP && b.refusal ? 0 : ret;
}

/* 1 when there is no n-th allocation. */
static int try_once(const struct row *row, long n)
{
	struct joule_arena arena;
	struct joule_graph *g;
	bool hit;
	long left;
	int ret;

	heap_watch();
	ret = row_build(row, false, 1, &quiet, &g);
	if (ret)
		return ret;
	joule_arena_init(&arena);
	heap_fail(n, true);
	ret = work(g->nodes[0], &arena);
	hit = heap_succeed();
	joule_arena_finish(&arena);
	joule_graph_destroy(g);
	left = heap_end();
	if (left || (ret && (!hit || ret != -ENOMEM))) {
		printf("FAIL %s:%d allocation %ld: error %d, %ld blocks left behind\n     %s\n",
		       row->file, row->line, n, ret, left, row->text);
		return -1;
	}
	return !hit;
}

static void run_row(const struct row *row)
{
	long n = 0;
	int ret = 0;

	while (!ret)
		ret = try_once(row, n++);
	heap_end();
	allocations += n - 1;
	*(ret > 0 ? &passed : &failed) += 1;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t cap = 0;

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		int n = 0;

		while (f && getline(&line, &cap, f) >= 0) {
			struct row row;
			int ok = row_parse(&row, argv[i], ++n, line);

			if (!ok && !row.refuse)
				run_row(&row);
			failed += ok < 0;
			row_finish(&row);
		}
		failed += !f;
		if (f)
			fclose(f);
	}
	free(line);
	printf("%ld allocations\n%d passed, %d failed\n", allocations, passed, failed);
	return failed != 0;
}
