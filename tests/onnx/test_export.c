// SPDX-License-Identifier: MIT
/* What is written is what was read, and it is written whole or not at all. */
#include "check.h"
#include "small_models.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/dump.h"
#include "ir/op.h"
#include "onnx/export.h"

static char dir[] = "/tmp/joule-test-XXXXXX";
static char path[64];
static const char *current = "small model"; /* for messages */

static char *dump(const struct joule_graph *g)
{
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	joule_graph_dump(g, f);
	fclose(f);
	return text;
}

static void compare_constants(const struct joule_graph *a, const struct joule_graph *b)
{
	assert_int_equal(a->n_metadata, b->n_metadata);
	for (int i = 0; i < a->n_tensors; i++) {
		const struct joule_tensor *t = a->tensors[i], *u;

		if (!joule_tensor_is_const(t) || t->outer || !joule_tensor_uses(a, t))
			continue;
		u = tensor_of(b, t->name);
		assert_memory_equal(t->data, u->data, (size_t)joule_tensor_bytes(t));
	}
	for (int i = 0; i < a->n_nodes; i++)
		for (int j = 0; j < a->nodes[i]->n_body; j++)
			compare_constants(a->nodes[i]->body[j], b->nodes[i]->body[j]);
}

/* Drops what nothing uses, in bodies too: it is not written. */
static void tidy(struct joule_graph *g)
{
	for (int i = 0; i < g->n_nodes; i++)
		for (int j = 0; j < g->nodes[i]->n_body; j++)
			tidy(g->nodes[i]->body[j]);
	joule_graph_compact(g);
}

/* Ends the test with the first line in which two texts differ. */
static void assert_same_text(const char *a, const char *b)
{
	const char *line_a = a, *line_b = b;

	for (; *a && *a == *b; a++, b++)
		if (*a == '\n') {
			line_a = a + 1;
			line_b = b + 1;
		}
	if (*a != *b)
		fail_msg("%s\nwas: %.*s\nis:  %.*s", current, (int)strcspn(line_a, "\n"), line_a,
			 (int)strcspn(line_b, "\n"), line_b);
}

/* Takes g. infer: g's shapes were inferred, so the copy's must be. */
static void round_trip(struct joule_graph *g, const struct joule_onnx_save *params, bool infer)
{
	char *before, *after;
	struct joule_graph *h = NULL;

	tidy(g);
	if (joule_onnx_save(g, path, params) || joule_onnx_load(&test_log, path, &h))
		fail_msg("%s: %s", current, last_error);
	assert_int_equal(joule_graph_verify(h), 0);
	if (infer)
		assert_int_equal(joule_graph_infer(h, 0), 0);
	tidy(h);
	before = dump(g);
	after = dump(h);
	assert_same_text(before, after);
	compare_constants(g, h);
	free(before);
	free(after);
	joule_graph_destroy(g);
	joule_graph_destroy(h);
	unlink(path);
}

static void small(void **state)
{
	static const float weights[4096] = { 1, 2, 3 };
	struct joule_wire_buf b;
	struct joule_graph *g;
	size_t graph;

	write_nested_if(&b);
	round_trip(load_good(&b), NULL, false);
	model_begin(&b, 8, 13, &graph);
	w_symbolic_input(&b, "x", "batch");
	w_value(&b, 12, "y", T_FLOAT, SCALAR);
	w_tensor(&b, 5, "w", T_FLOAT, DIMS(4096), weights, sizeof(weights));
	w_node(&b, "Add", "x,w", "y", NULL);
	model_end(&b, graph);
	g = load_good(&b);
	assert_string_equal(joule_onnx_dim_name(g, g->inputs[0], 0), "batch");
	round_trip(g, NULL, true);
}

/* Inlined functions are written inlined, under the names they were given. */
static void functions(void **state)
{
	struct joule_wire_buf b;
	struct joule_graph *g, *h;

	write_functions(&b);
	g = load_good(&b);
	assert_int_equal(joule_onnx_save(g, path, NULL), 0);
	assert_int_equal(joule_onnx_load(&test_log, path, &h), 0);
	assert_int_equal(h->n_nodes, g->n_nodes);
	assert_string_equal(h->outputs[0]->producer->name, g->outputs[0]->producer->name);
	joule_graph_destroy(g);
	joule_graph_destroy(h);
	unlink(path);
}

static void external(void **state)
{
	const struct joule_onnx_save params = { .external_bytes = 1000 };
	float weights[2048];
	struct joule_wire_buf b;
	char data[80];
	struct stat st;
	size_t graph;

	for (int i = 0; i < 2048; i++)
		weights[i] = (float)i;
	model_begin(&b, 8, 13, &graph);
	w_value(&b, 11, "x", T_FLOAT, DIMS(2048));
	w_value(&b, 12, "y", T_FLOAT, DIMS(2048));
	w_tensor(&b, 5, "w", T_FLOAT, DIMS(2048), weights, sizeof(weights));
	w_tensor(&b, 5, "v", T_FLOAT, DIMS(2048), weights, sizeof(weights));
	w_tensor(&b, 5, "s", T_FLOAT, DIMS(1), weights, 4);
	w_node(&b, "Sum", "x,w,v,s", "y", NULL);
	model_end(&b, graph);
	round_trip(load_good(&b), &params, false);
	snprintf(data, sizeof(data), "%s.data", path);
	assert_int_equal(stat(data, &st), 0);
	assert_int_equal(st.st_size, 2 * sizeof(weights));
	unlink(data);
}

static int files_in_dir(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void failures(void **state)
{
	struct rlimit old, small_files = { 4096, 4096 };
	static const float weights[4096];
	struct joule_graph *g, *h;
	struct joule_wire_buf b;
	size_t graph;

	write_frame(&b, 13, &graph);
	w_node(&b, "Relu", "x", "y", "act");
	model_end(&b, graph);
	g = load_good(&b);
	assert_int_equal(joule_onnx_save(g, "/no/such/folder/model.onnx", NULL), -ENOENT);
	assert_non_null(strstr(last_error, "/no/such/folder/model.onnx"));
	assert_int_equal(joule_onnx_save(g, dir, NULL), -EISDIR);
	g->nodes[0]->epilogue.n = 1;
	assert_int_equal(joule_onnx_save(g, path, NULL), -ENOTSUP);
	assert_non_null(strstr(last_error, "node act (Relu): has steps fused behind it"));
	g->nodes[0]->epilogue.n = 0;
	assert_int_equal(joule_onnx_save(g, path, NULL), 0);

	/* A disk that takes no more: the old file stays as it was. */
	model_begin(&b, 8, 13, &graph);
	w_tensor(&b, 5, "w", T_FLOAT, DIMS(4096), weights, sizeof(weights));
	w_value(&b, 12, "w", T_FLOAT, DIMS(4096));
	model_end(&b, graph);
	h = load_good(&b);
	getrlimit(RLIMIT_FSIZE, &old);
	small_files.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small_files);
	assert_int_equal(joule_onnx_save(h, path, NULL), -EFBIG);
	assert_int_equal(joule_onnx_save(h, path, &(struct joule_onnx_save){ 1 }), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(files_in_dir(), 1);
	joule_graph_destroy(h);
	assert_int_equal(joule_onnx_load(&test_log, path, &h), 0);
	assert_string_equal(h->nodes[0]->name, "act");
	joule_graph_destroy(h);
	joule_graph_destroy(g);
	unlink(path);
}

/*
 * A constant that inference made of an outer node is captured as such, but
 * once written and read it is a plain constant in the body too.
 */
static bool has_bodies(const struct joule_graph *g)
{
	for (int i = 0; i < g->n_nodes; i++)
		if (g->nodes[i]->n_body)
			return true;
	return false;
}

/* Every real model there is, as imported and with its shapes inferred. */
static void models(void **state)
{
	static const char *const patterns[] = { "models/*/model.onnx", "models-light/*.onnx",
						"onnx-node/*/*/model.onnx" };
	const char *data = getenv("JOULE_DATA");
	int done = 0, unsupported = 0;

	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		char pattern[4096];
		glob_t found;

		snprintf(pattern, sizeof(pattern), "%s/%s", data ? data : "../shared/data",
			 patterns[p]);
		if (glob(pattern, 0, NULL, &found))
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++)
			for (int infer = 0; infer < 2; infer++) {
				struct joule_graph *g;
				int ret = joule_onnx_load(&test_log, found.gl_pathv[i], &g);

				if (ret == -ENOTSUP ||
				    (!ret && infer && (has_bodies(g) || joule_graph_infer(g, 0)))) {
					joule_graph_destroy(g);
					unsupported++;
					continue;
				}
				if (ret)
					fail_msg("%s: %s", found.gl_pathv[i], last_error);
				current = found.gl_pathv[i];
				round_trip(g, NULL, infer);
				done++;
			}
		globfree(&found);
	}
	if (!done) {
		print_message("skipped: no data\n");
		skip();
	}
	print_message("%d round trips, %d not supported\n", done, unsupported);
}

static int setup_dir(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/model.onnx", dir);
	return 0;
}

static int remove_dir(void **state)
{
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small),    cmocka_unit_test(functions), cmocka_unit_test(external),
		cmocka_unit_test(failures), cmocka_unit_test(models),
	};

	return cmocka_run_group_tests_name("export", tests, setup_dir, remove_dir);
}
