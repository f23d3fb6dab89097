// SPDX-License-Identifier: MIT
/*
 * Imports and exports while the n-th allocation fails, for every n: an error
 * that says so, nothing leaked, nothing written to NULL.
 */
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "check.h"
#include "../nomem/heap.h"
#include "small_models.h"

#include "onnx/export.h"

/* From a file, so that mapping, external data and in-place weights take part. */
static void load_failing(struct joule_wire_buf *b, const char *path)
{
	FILE *f = fopen(path, "w");
	struct joule_graph *g;
	long leaked;
	int ret = -1;

	assert_non_null(f);
	assert_int_equal(fwrite(b->data, 1, b->n, f), b->n);
	fclose(f);
	joule_wire_buf_finish(b);
	for (long n = 0; ret; n++) {
		last_error[0] = 0;
		heap_watch();
		heap_fail(n, false);
		ret = joule_onnx_load(&test_log, path, &g);
		joule_graph_destroy(g);
		heap_succeed();
		leaked = heap_end();
		if (ret && ret != -ENOMEM)
			fail_msg("allocation %ld failed: error %d, %s", n, ret, last_error);
		if (ret && !strstr(last_error, "memory"))
			fail_msg("allocation %ld failed: \"%s\"", n, last_error);
		if (leaked)
			fail_msg("allocation %ld failed: %ld blocks leaked", n, leaked);
		assert_true(n < 10000);
	}
	print_message("%ld allocations\n", heap_made());
	unlink(path);
}

static void importing(void **state)
{
	char dir[] = "/tmp/joule-test-XXXXXX", path[64], weights[64];
	struct joule_wire_buf b;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/model.onnx", dir);
	snprintf(weights, sizeof(weights), "%s/weights.bin", dir);
	f = fopen(weights, "w");
	assert_non_null(f);
	fwrite("0123456789abcdef", 1, 16, f);
	fclose(f);
	write_nested_if(&b);
	load_failing(&b, path);
	write_functions(&b);
	load_failing(&b, path);
	write_mixture(&b);
	load_failing(&b, path);
	unlink(weights);
	rmdir(dir);
}

static void exporting(void **state)
{
	const struct joule_onnx_save params = { .external_bytes = 1 };
	char dir[] = "/tmp/joule-test-XXXXXX", path[64], data[80];
	static const float weights[2048];
	struct joule_wire_buf b;
	struct joule_graph *g;
	long leaked;
	int ret = -1;
	size_t graph;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/model.onnx", dir);
	snprintf(data, sizeof(data), "%s.data", path);
	write_frame(&b, 13, &graph);
	w_tensor(&b, 5, "w", T_FLOAT, DIMS(2048), weights, sizeof(weights));
	w_node(&b, "Relu", "w", "v", NULL);
	w_node(&b, "Relu", "x", "y", NULL);
	model_end(&b, graph);
	g = load_good(&b);
	for (long n = 0; ret; n++) {
		last_error[0] = 0;
		heap_watch();
		heap_fail(n, false);
		ret = joule_onnx_save(g, path, &params);
		heap_succeed();
		leaked = heap_end();
		if (ret && (ret != -ENOMEM || !strstr(last_error, "emory")))
			fail_msg("allocation %ld failed: error %d, %s", n, ret, last_error);
		if (leaked)
			fail_msg("allocation %ld failed: %ld blocks leaked", n, leaked);
		if (ret && (!access(path, F_OK) || !access(data, F_OK)))
			fail_msg("allocation %ld failed: a file was left", n);
		assert_true(n < 10000);
	}
	print_message("%ld allocations\n", heap_made());
	joule_graph_destroy(g);
	unlink(path);
	unlink(data);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(importing),
		cmocka_unit_test(exporting),
	};

	return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}
