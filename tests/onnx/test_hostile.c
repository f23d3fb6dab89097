// SPDX-License-Identifier: MIT
/* Models that must be refused, each with a message that says why. */
#include "check.h"
#include "small_models.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A whole model around one node's worth of difference. */
#define WITH(b, ...) \
	do { \
		size_t graph_; \
		write_frame(&(b), 13, &graph_); \
		__VA_ARGS__; \
		model_end(&(b), graph_); \
	} while (0)

static void not_onnx(void **state)
{
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
	struct joule_graph *g;

	assert_int_equal(load_bytes(NULL, 0, &g), -EBADMSG);
	assert_non_null(strstr(last_error, "is empty"));
	assert_int_equal(load_bytes("hello world", 11, &g), -EBADMSG);
	assert_non_null(strstr(last_error, "not an ONNX model"));
	assert_int_equal(load_bytes(png, sizeof(png), &g), -EBADMSG);
	assert_int_equal(load_bytes("\x08\x07", 2, &g), -EBADMSG);
	assert_non_null(strstr(last_error, "no graph"));
	assert_int_equal(joule_onnx_load(&test_log, "/", &g), -EISDIR);
	assert_int_equal(joule_onnx_load(&test_log, "/no/such/file.onnx", &g), -ENOENT);
	assert_non_null(strstr(last_error, "/no/such/file.onnx"));
	assert_int_equal(joule_onnx_load(&test_log, "/dev/zero", &g), -EINVAL);
}

static void opsets(void **state)
{
	struct joule_wire_buf b;
	size_t graph;

	write_frame(&b, 29, &graph);
	w_node(&b, "Relu", "x", "y", NULL);
	model_end(&b, graph);
	load_bad(&b, -ENOTSUP, "wants ONNX opset 29");
	write_frame(&b, INT64_MAX, &graph);
	model_end(&b, graph);
	load_bad(&b, -ENOTSUP, "opset 9223372036854775807");
	write_frame(&b, -1, &graph);
	model_end(&b, graph);
	load_bad(&b, -ENOTSUP, "opset -1");
	write_frame(&b, 0, &graph);
	model_end(&b, graph);
	load_bad(&b, -ENOTSUP, "opset 0");
}

static void operators(void **state)
{
	struct joule_wire_buf b;
	size_t node;

	WITH(b, w_node(&b, "Frobnicate", "x", "p", "one"); w_node(&b, "Defrag", "p", "q", "two");
	     w_node(&b, "Frobnicate", "q", "y", "three"));
	load_bad(&b, -ENOTSUP, "2 operators are not supported (opset 13): Frobnicate (one), Defrag");
	WITH(b, node = w_node_begin(&b, 1, "Attention", "x", "y", "attn");
	     w_str(&b, 7, "com.microsoft"); joule_wire_end(&b, node));
	load_bad(&b, -ENOTSUP, "com.microsoft.Attention (attn)");
	WITH(b, node = w_node_begin(&b, 1, "Relu", "x", "y", "x");
	     w_str(&b, 7, "ai.onnx.ml"); joule_wire_end(&b, node));
	load_bad(&b, -ENOTSUP, "ai.onnx.ml.Relu");
	/* Many missing operators make one bounded message. */
	WITH(b, for (int i = 0; i < 1000; i++) {
		char op[16];

		snprintf(op, sizeof(op), "Op%d", i);
		w_node(&b, op, "x", op, NULL);
	} w_node(&b, "Relu", "x", "y", NULL));
	load_bad(&b, -ENOTSUP, "1000 operators are not supported");
}

static void names(void **state)
{
	static const float one[6];
	struct joule_wire_buf b;
	size_t t;

	WITH(b, w_node(&b, "Relu", "x", "y", NULL); w_node(&b, "Exp", "x", "y", NULL));
	load_bad(&b, -EINVAL, "two tensors are called y");
	WITH(b, w_node(&b, "Relu", "x", "x", NULL));
	load_bad(&b, -EINVAL, "two tensors are called x");
	WITH(b, w_tensor(&b, 5, "w", T_FLOAT, DIMS(6), one, 24);
	     w_tensor(&b, 5, "w", T_FLOAT, DIMS(6), one, 24));
	load_bad(&b, -EINVAL, "two tensors are called w");
	WITH(b, w_value(&b, 11, "x", T_FLOAT, DIMS(2)));
	load_bad(&b, -EINVAL, "two tensors are called x");
	WITH(b, w_node(&b, "Relu", "nowhere", "y", "n"));
	load_bad(&b, -EINVAL, "node n (Relu): input nowhere is made by no node");
	WITH(b, (void)0);
	load_bad(&b, -EINVAL, "output y is made by no node");
	WITH(b, w_node(&b, "Relu", "x", "y", NULL); w_value(&b, 12, "y", T_FLOAT, DIMS(1)));
	load_bad(&b, -EINVAL, "output y is listed twice");
	WITH(b, t = joule_wire_begin(&b, 5); w_int(&b, 2, T_FLOAT); joule_wire_end(&b, t));
	load_bad(&b, -EINVAL, "tensor : no data");
	WITH(b, w_tensor(&b, 5, "", T_FLOAT, DIMS(6), one, 24));
	load_bad(&b, -EINVAL, "no proper name");
	/* A name that C would see cut short. */
	WITH(b, size_t n = joule_wire_begin(&b, 1); joule_wire_put_bytes(&b, 1, "x\0y", 3);
	     joule_wire_end(&b, n));
	load_bad(&b, -EBADMSG, "bad NodeProto");
}

static void cycles(void **state)
{
	struct joule_wire_buf b;

	WITH(b, w_node(&b, "Add", "x,q", "p", "first"); w_node(&b, "Relu", "p", "q", "second");
	     w_node(&b, "Relu", "q", "y", "third"));
	load_bad(&b, -ELOOP, "cycle");
	WITH(b, w_node(&b, "Add", "x,y", "y", "self"));
	load_bad(&b, -ELOOP, "self");
}

static void operands(void **state)
{
	struct joule_wire_buf b;

	WITH(b, w_node(&b, "Relu", "x,x", "y", "n"));
	load_bad(&b, -EINVAL, "node n (Relu): 2 inputs");
	WITH(b, w_node(&b, "Relu", NULL, "y", "n"));
	load_bad(&b, -EINVAL, "0 inputs");
	WITH(b, w_node(&b, "Relu", "", "y", "n"));
	load_bad(&b, -EINVAL, "input 0 is missing");
	WITH(b, w_node(&b, "Relu", "x", "y,z", "n"));
	load_bad(&b, -EINVAL, "2 outputs");
	WITH(b, w_node(&b, "Relu", "x", NULL, "n"));
	load_bad(&b, -EINVAL, "0 outputs");
}

static void bad_attributes(void **state)
{
	struct joule_wire_buf b;
	size_t n;

	WITH(b, n = w_node_begin(&b, 1, "LeakyRelu", "x", "y", "n");
	     w_attr_int(&b, "alpha", 1); joule_wire_end(&b, n));
	load_bad(&b, -EINVAL, "node n (LeakyRelu): attribute alpha is INT, FLOAT is needed");
	WITH(b, n = w_node_begin(&b, 1, "Relu", "x", "y", "n");
	     w_attr_int(&b, "speed", 1); joule_wire_end(&b, n));
	load_bad(&b, -EINVAL, "has no attribute speed");
	WITH(b, n = w_node_begin(&b, 1, "LeakyRelu", "x", "y", "n");
	     w_attr_float(&b, "alpha", 1); w_attr_float(&b, "alpha", 2); joule_wire_end(&b, n));
	load_bad(&b, -EINVAL, "alpha is given twice");
	WITH(b, n = w_node_begin(&b, 1, "Conv", "x,x", "y", "n");
	     w_attr_str(&b, "auto_pad", "SOMEHOW"); joule_wire_end(&b, n));
	load_bad(&b, -EINVAL, "attribute auto_pad is \"SOMEHOW\", not one of NOTSET");
	WITH(b, n = w_node_begin(&b, 1, "LeakyRelu", "x", "y", "n");
	     w_attr_ref(&b, "alpha", "outer", 1); joule_wire_end(&b, n));
	load_bad(&b, -EINVAL, "outside of a function");
	WITH(b, n = w_node_begin(&b, 1, "If", "x", "y", "n"); joule_wire_end(&b, n));
	load_bad(&b, -EINVAL, "attribute then_branch is missing");
	WITH(b, n = w_node_begin(&b, 1, "Constant", NULL, "y", "n");
	     w_attr_str(&b, "value_string", "hello"); joule_wire_end(&b, n));
	load_bad(&b, -ENOTSUP, "value_string is not supported");
	WITH(b, n = w_node_begin(&b, 1, "Constant", NULL, "y", "n");
	     w_attr_float(&b, "value_int", 1); joule_wire_end(&b, n));
	load_bad(&b, -ENOTSUP, "value_int");
	WITH(b, n = w_node_begin(&b, 1, "Constant", NULL, "y", "n");
	     size_t a = w_attr_begin(&b, 5, "value", 4);
	     w_tensor(&b, 5, NULL, T_STRING, SCALAR, NULL, 0); joule_wire_end(&b, a);
	     joule_wire_end(&b, n));
	load_bad(&b, -ENOTSUP, "tensor y: element type STRING");
	WITH(b, n = w_node_begin(&b, 1, "Constant", NULL, "y", "n"); joule_wire_end(&b, n));
	load_bad(&b, -EINVAL, "not one output and one value");
}

static void shapes(void **state)
{
	static const float data[6];
	struct joule_wire_buf b;

	WITH(b, w_value(&b, 11, "z", T_FLOAT, DIMS(1ll << 62, 1ll << 62)));
	load_bad(&b, -EINVAL, "input z: impossible shape [4611686018427387904,46");
	WITH(b, w_value(&b, 11, "z", T_FLOAT, DIMS(1ll << 62)));
	load_bad(&b, -EINVAL, "input z: impossible shape");
	WITH(b, w_value(&b, 11, "z", T_FLOAT, DIMS(2, -5)));
	load_bad(&b, -EINVAL, "input z: dimension 1 is -5");
	WITH(b, w_value(&b, 11, "z", T_FLOAT, DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1)));
	load_bad(&b, -ENOTSUP, "input z: more than 8 dimensions");
	WITH(b, w_tensor(&b, 5, "w", T_FLOAT, DIMS(1ll << 62), data, 24));
	load_bad(&b, -EINVAL, "tensor w: impossible shape");
	WITH(b, w_tensor(&b, 5, "w", T_FLOAT, DIMS(1ll << 32, 1ll << 32), data, 24));
	load_bad(&b, -EINVAL, "tensor w: impossible shape");
	WITH(b, w_tensor(&b, 5, "w", T_FLOAT, DIMS(-6), data, 24));
	load_bad(&b, -EINVAL, "tensor w: impossible shape");
	WITH(b, w_tensor(&b, 5, "w", T_FLOAT, DIMS(7), data, 24));
	load_bad(&b, -EINVAL, "tensor w: 24 bytes of data for f32[7], 28 needed");
	WITH(b, w_tensor(&b, 5, "w", T_FLOAT, DIMS(1, 1, 1, 1, 1, 1, 1, 1, 6), data, 24));
	load_bad(&b, -ENOTSUP, "tensor w: more than 8 dimensions");
	/* 2^61 elements of 4 bits, in nothing. */
	WITH(b, w_tensor(&b, 5, "w", T_INT4, DIMS(1ll << 61), data, 0));
	load_bad(&b, -EINVAL, "tensor w");
}

static void types(void **state)
{
	static const uint8_t data[8];
	struct joule_wire_buf b;
	size_t t;

	WITH(b, w_tensor(&b, 5, "w", T_FLOAT8, DIMS(8), data, 8));
	load_bad(&b, -ENOTSUP, "tensor w: element type FLOAT8E4M3FN (17)");
	WITH(b, w_tensor(&b, 5, "w", T_STRING, DIMS(8), data, 8));
	load_bad(&b, -ENOTSUP, "tensor w: element type STRING");
	WITH(b, w_tensor(&b, 5, "w", 1000, DIMS(8), data, 8));
	load_bad(&b, -ENOTSUP, "unknown type (1000)");
	WITH(b, w_value(&b, 11, "z", T_STRING, DIMS(1)));
	load_bad(&b, -ENOTSUP, "input z: STRING");
	WITH(b, w_value(&b, 11, "z", 0, SCALAR));
	load_bad(&b, -ENOTSUP, "input z: a missing type");
	WITH(b, t = joule_wire_begin(&b, 5); w_str(&b, 8, "w"); w_int(&b, 2, T_FLOAT);
	     w_int(&b, 1, 2); w_int(&b, 5, 1); w_int(&b, 5, 2); joule_wire_end(&b, t));
	load_bad(&b, -EINVAL, "tensor w: data in a field of another type");
	WITH(b, t = joule_wire_begin(&b, 5); w_str(&b, 8, "w"); w_int(&b, 2, T_INT32);
	     w_int(&b, 1, 2); w_int(&b, 5, 1); joule_wire_end(&b, t));
	load_bad(&b, -EINVAL, "tensor w: 1 values for i32[2]");
	WITH(b, t = joule_wire_begin(&b, 15); size_t v = joule_wire_begin(&b, 1);
	     w_str(&b, 8, "w"); w_int(&b, 2, T_FLOAT); w_int(&b, 1, 0); joule_wire_end(&b, v);
	     joule_wire_end(&b, t));
	load_bad(&b, -ENOTSUP, "tensor w is sparse");
}

/* ---- nesting ---- */

/* Length prefixes from the inside out: levels of [tag, length] around body. */
static uint8_t *nest(const uint8_t *tags, size_t n_tags, int levels, size_t *len)
{
	size_t cap = (size_t)levels * n_tags * 6 + 16;
	uint8_t *buf = malloc(cap), *p = buf + cap;

	assert_non_null(buf);
	for (int i = 0; i < levels; i++)
		for (size_t k = n_tags; k-- > 0;) {
			size_t body = (size_t)(buf + cap - p);
			uint8_t v[10];
			int n = 0;

			do {
				v[n] = (uint8_t)(body & 0x7f);
				body >>= 7;
				v[n++] |= body ? 0x80 : 0;
			} while (body);
			p -= n;
			memcpy(p, v, (size_t)n);
			*--p = tags[k];
		}
	*len = (size_t)(buf + cap - p);
	memmove(buf, p, *len);
	return buf;
}

static void nesting(void **state)
{
	/* GraphProto.node, NodeProto.attribute, AttributeProto.g; TypeProto in sequences. */
	static const uint8_t graphs[] = { 1 << 3 | 2, 5 << 3 | 2, 6 << 3 | 2 };
	static const uint8_t sequences[] = { 4 << 3 | 2, 1 << 3 | 2 };
	static const int levels[] = { 5000, 100000 };
	struct joule_wire_buf b;
	uint8_t *inner;
	size_t len, value;

	for (int i = 0; i < 2; i++) {
		inner = nest(graphs, sizeof(graphs), levels[i], &len);
		joule_wire_buf_init(&b, SIZE_MAX / 2);
		joule_wire_put_bytes(&b, 7, inner, len);
		free(inner);
		load_bad(&b, -E2BIG, "nested more than");
		inner = nest(sequences, sizeof(sequences), levels[i], &len);
		/* Contents of a sequence type do not matter, so they are not walked. */
		WITH(b, value = joule_wire_begin(&b, 11); w_str(&b, 1, "z");
		     joule_wire_put_bytes(&b, 2, inner, len); joule_wire_end(&b, value));
		free(inner);
		load_bad(&b, -ENOTSUP, "input z: a sequence");
	}
}

/* ---- functions ---- */

static void write_function(struct joule_wire_buf *b, const char *name, const char *calls,
			   int times)
{
	size_t f = joule_wire_begin(b, 25), n;

	w_str(b, 1, name);
	w_str(b, 10, "local");
	w_str(b, 4, "a");
	w_str(b, 5, "r0");
	for (int i = 0; i < times; i++) {
		char out[16];

		snprintf(out, sizeof(out), "r%d", i);
		n = w_node_begin(b, 7, calls, "a", out, NULL);
		if (calls[0] == 'f')
			w_str(b, 7, "local");
		joule_wire_end(b, n);
	}
	joule_wire_end(b, f);
}

static void call_function(struct joule_wire_buf *b, const char *name)
{
	size_t n;

	WITH(*b, n = w_node_begin(b, 1, name, "x", "y", NULL); w_str(b, 7, "local");
	     joule_wire_end(b, n));
}

static void functions(void **state)
{
	struct joule_wire_buf b;
	char name[16], next[16];

	call_function(&b, "f0");
	write_function(&b, "f0", "f0", 1);
	load_bad(&b, -E2BIG, "f0: calls nest more than 32 deep, or recurse");
	call_function(&b, "f0");
	write_function(&b, "f0", "f1", 1);
	write_function(&b, "f1", "f0", 2);
	load_bad(&b, -E2BIG, "recurse");
	call_function(&b, "f0");
	write_function(&b, "f0", "Relu", 1);
	write_function(&b, "f0", "Relu", 1);
	load_bad(&b, -EINVAL, "two functions are called f0");
	call_function(&b, "f0");
	write_function(&b, "f0", "Relu", 0);
	load_bad(&b, -EINVAL, "does not make its output r0");
	/* Ten nodes, each of them ten, and so on, ten levels down. */
	call_function(&b, "f0");
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		snprintf(next, sizeof(next), "f%d", i + 1);
		write_function(&b, name, i < 9 ? next : "Relu", 10);
	}
	load_bad(&b, -E2BIG, "expands to too much");
}

/* ---- size ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* About a megabyte each of what would be slow if anything were quadratic. */
static void large(void **state)
{
	double start = seconds();
	struct joule_wire_buf b;
	char name[32], prev[32];
	struct joule_graph *g;
	size_t n;

	WITH(b, for (int i = 0; i < 30000; i++) {
		snprintf(prev, sizeof(prev), i ? "t%d" : "x", i - 1);
		snprintf(name, sizeof(name), "t%d", i);
		w_node(&b, "Relu", prev, name, "same");
	} w_node(&b, "Relu", name, "y", "same"));
	g = load_good(&b);
	assert_int_equal(g->n_nodes, 30001);
	joule_graph_destroy(g);
	/* Backwards, so that sorting has something to do. */
	WITH(b, for (int i = 30000; i--;) {
		snprintf(prev, sizeof(prev), i ? "t%d" : "x", i - 1);
		snprintf(name, sizeof(name), i < 29999 ? "t%d" : "y", i);
		w_node(&b, "Relu", prev, name, NULL);
	});
	g = load_good(&b);
	joule_graph_destroy(g);
	WITH(b, for (int i = 0; i < 100000; i++) w_node(&b, "Relu", "", "", NULL));
	load_bad(&b, -EINVAL, "is missing");
	WITH(b, n = w_node_begin(&b, 1, "Concat", "x", "y", NULL);
	     for (int i = 0; i < 200000; i++) w_str(&b, 1, "x"); w_attr_int(&b, "axis", 0);
	     joule_wire_end(&b, n));
	g = load_good(&b);
	assert_int_equal(g->nodes[0]->n_in, 200001);
	joule_graph_destroy(g);
	WITH(b, for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "i%d", i);
		w_value(&b, 11, name, T_FLOAT, SCALAR);
	} w_node(&b, "Relu", "x", "y", NULL));
	g = load_good(&b);
	joule_graph_destroy(g);
	WITH(b, for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		n = w_node_begin(&b, 1, "If", "x", name, NULL);
		for (int k = 0; k < 2; k++) {
			size_t a = w_attr_begin(&b, 5, k ? "then_branch" : "else_branch", 5);
			size_t body = joule_wire_begin(&b, 6);

			w_value(&b, 12, "x", 0, SCALAR);
			joule_wire_end(&b, body);
			joule_wire_end(&b, a);
		}
		joule_wire_end(&b, n);
	} w_node(&b, "Relu", "x", "y", NULL));
	g = load_good(&b);
	joule_graph_destroy(g);
	assert_true(seconds() - start < 30);
}

/* ---- external data ---- */

static char dir[] = "/tmp/joule-test-XXXXXX";

static void path_in_dir(char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s/%s", dir, name);
}

static void write_file(const char *name, const void *data, size_t len)
{
	char path[256];
	FILE *f;

	path_in_dir(path, sizeof(path), name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static int setup_dir(void **state)
{
	static const float weights[] = { 1, 2, 3, 4 };
	char path[256];

	if (!mkdtemp(dir))
		return -1;
	write_file("weights.bin", weights, sizeof(weights));
	write_file("..hidden", weights, sizeof(weights));
	write_file("empty.bin", "", 0);
	path_in_dir(path, sizeof(path), "link");
	if (symlink("/etc/passwd", path))
		return -1;
	path_in_dir(path, sizeof(path), "inside");
	return symlink("weights.bin", path);
}

/* A field's tag and the length of what follows, which need not be there yet. */
static void put_head(struct joule_wire_buf *b, uint32_t field, uint64_t len)
{
	joule_wire_put_tag(b, field, JOULE_WIRE_BYTES);
	joule_wire_put_varint(b, len);
}

/* One weight of 5 GB, all a hole in the file: offsets beyond 32 bits, nothing copied. */
static void huge(void **state)
{
	const uint64_t bytes = 5ull << 30;
	struct joule_wire_buf b, tensor, graph;
	struct joule_graph *g;
	char path[256];
	FILE *f;

	joule_wire_buf_init(&tensor, 1000);
	w_int(&tensor, 1, (int64_t)bytes);
	w_int(&tensor, 2, T_UINT8);
	w_str(&tensor, 8, "w");
	put_head(&tensor, 9, bytes);
	joule_wire_buf_init(&graph, 1000);
	w_value(&graph, 12, "w", T_UINT8, DIMS((int64_t)bytes));
	put_head(&graph, 5, tensor.n + bytes);
	joule_wire_buf_init(&b, 1000);
	w_int(&b, 1, 8);
	put_head(&b, 8, 2);
	w_int(&b, 2, 13);
	put_head(&b, 7, graph.n + tensor.n + bytes);
	path_in_dir(path, sizeof(path), "model.onnx");
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite(b.data, 1, b.n, f);
	fwrite(graph.data, 1, graph.n, f);
	fwrite(tensor.data, 1, tensor.n, f);
	fclose(f);
	if (truncate(path, (off_t)(b.n + graph.n + tensor.n + bytes))) {
		unlink(path);
		skip();
	}
	if (joule_onnx_load(&test_log, path, &g))
		fail_msg("%s", last_error);
	assert_int_equal(joule_tensor_bytes(tensor_of(g, "w")), bytes);
	assert_int_equal(((uint8_t *)tensor_of(g, "w")->data)[bytes - 1], 0);
	joule_graph_destroy(g);
	/* One byte short of what it says. */
	assert_int_equal(truncate(path, (off_t)(b.n + graph.n + tensor.n + bytes - 1)), 0);
	assert_int_equal(joule_onnx_load(&test_log, path, &g), -EBADMSG);
	unlink(path);
	joule_wire_buf_finish(&b);
	joule_wire_buf_finish(&graph);
	joule_wire_buf_finish(&tensor);
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "weights.bin", "..hidden", "empty.bin",
					     "link",	    "inside",	"model.onnx" };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_in_dir(path, sizeof(path), names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

/* A model on disk whose weight w lies where the arguments say. */
static int load_external(int type, struct dims d, const char *location, const char *offset,
			 const char *length, struct joule_graph **g)
{
	struct joule_wire_buf b;
	char path[256];

	WITH(b, w_node(&b, "Relu", "x", "y", NULL);
	     w_external(&b, "w", type, d, location, offset, length));
	write_file("model.onnx", b.data, b.n);
	joule_wire_buf_finish(&b);
	path_in_dir(path, sizeof(path), "model.onnx");
	last_error[0] = 0;
	return joule_onnx_load(&test_log, path, g);
}

static void external_bad(const char *location, const char *offset, const char *length, int err,
			 const char *says)
{
	struct joule_graph *g;
	int ret = load_external(T_FLOAT, DIMS(4), location, offset, length, &g);

	if (ret != err || !strstr(last_error, says) || !strstr(last_error, "tensor w"))
		fail_msg("%s: error %d \"%s\", expected %d \"%s\"", location, ret, last_error, err,
			 says);
}

static void external(void **state)
{
	struct joule_wire_buf b;
	struct joule_graph *g;

	assert_int_equal(load_external(T_FLOAT, DIMS(4), "weights.bin", NULL, NULL, &g), 0);
	assert_true(((float *)tensor_of(g, "w")->data)[3] == 4);
	assert_int_equal(g->n_files, 2);
	joule_graph_destroy(g);
	assert_int_equal(load_external(T_FLOAT, DIMS(2), "./inside", "8", "8", &g), 0);
	assert_true(((float *)tensor_of(g, "w")->data)[0] == 3);
	joule_graph_destroy(g);
	/* Misaligned elements are copied, not read where they are. */
	assert_int_equal(load_external(T_INT32, DIMS(3), "weights.bin", "2", "12", &g), 0);
	assert_int_equal((uintptr_t)tensor_of(g, "w")->data % 4, 0);
	joule_graph_destroy(g);
	assert_int_equal(load_external(T_FLOAT, DIMS(0), "empty.bin", "0", "0", &g), 0);
	joule_graph_destroy(g);
	assert_int_equal(load_external(T_FLOAT, DIMS(4), "..hidden", NULL, NULL, &g), 0);
	joule_graph_destroy(g);

	external_bad("missing.bin", NULL, NULL, -ENOENT, "missing.bin: No such file");
	external_bad("/etc/passwd", NULL, NULL, -EACCES, "outside of the model's folder");
	external_bad("../weights.bin", NULL, NULL, -EACCES, "outside");
	external_bad("a/../../weights.bin", NULL, NULL, -EACCES, "outside");
	external_bad("..", NULL, NULL, -EACCES, "outside");
	external_bad("link", NULL, NULL, -EACCES, "link out of the model's folder");
	external_bad(".", NULL, NULL, -EACCES, "folder");
	external_bad("", NULL, NULL, -EINVAL, "without a file");
	external_bad("weights.bin", "4", NULL, -EINVAL, "16 bytes at 4 lie outside");
	external_bad("weights.bin", "9223372036854775807", NULL, -EINVAL, "lie outside");
	external_bad("weights.bin", "99999999999999999999", NULL, -EINVAL, "offset is no number");
	external_bad("weights.bin", "-4", NULL, -EINVAL, "offset is no number");
	external_bad("weights.bin", "0", "8", -EINVAL, "8 bytes of external data, 16 needed");
	external_bad("empty.bin", NULL, NULL, -EINVAL, "lie outside");

	WITH(b, w_external(&b, "w", T_FLOAT, DIMS(4), "weights.bin", NULL, NULL));
	load_bad(&b, -EACCES, "cannot be read for a model in memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_onnx),
		cmocka_unit_test(opsets),
		cmocka_unit_test(operators),
		cmocka_unit_test(names),
		cmocka_unit_test(cycles),
		cmocka_unit_test(operands),
		cmocka_unit_test(bad_attributes),
		cmocka_unit_test(shapes),
		cmocka_unit_test(types),
		cmocka_unit_test(nesting),
		cmocka_unit_test(functions),
		cmocka_unit_test(large),
		cmocka_unit_test(external),
		cmocka_unit_test(huge),
	};

	return cmocka_run_group_tests_name("hostile", tests, setup_dir, remove_dir);
}
