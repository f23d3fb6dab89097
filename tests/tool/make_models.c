// SPDX-License-Identifier: MIT
/* make_models DIR: the small models, good and bad, that the tests of the command use. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../onnx/model_writer.h"

#define X DIMS(1, 3, 16, 24)

static const char *dir;
static int failed;

static void save(struct joule_wire_buf *b, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.onnx", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(b->data, 1, b->n, f) != b->n || fclose(f)) {
		perror(path);
		failed = 1;
	}
	joule_wire_buf_finish(b);
}

/* Input x (a picture, or free dimensions where negative) and output y. */
static void begin(struct joule_wire_buf *b, size_t *graph, struct dims x, struct dims y)
{
	model_begin(b, 8, 13, graph);
	w_value(b, 11, "x", T_FLOAT, x);
	w_value(b, 12, "y", T_FLOAT, y);
}

/* ---- good ones ---- */

/* y = x + 1: outputs tell exactly what went in. */
static void write_plus_one(void)
{
	static const float one = 1;
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, X, X);
	w_tensor(&b, 5, "one", T_FLOAT, DIMS(1), &one, sizeof(one));
	w_node(&b, "Add", "x,one", "y", "plus");
	model_end(&b, graph);
	save(&b, "plus_one");
}

/* y = x + h: with --state y=h a running sum. */
static void write_sum(void)
{
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, X, X);
	w_value(&b, 11, "h", T_FLOAT, X);
	w_node(&b, "Add", "x,h", "y", "sum");
	model_end(&b, graph);
	save(&b, "sum");
}

/* The mean of each channel: as scores, the strongest colour. */
static void write_colours(void)
{
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, X, DIMS(1, 3));
	w_node(&b, "GlobalAveragePool", "x", "p", "pool");
	w_node(&b, "Flatten", "p", "y", "flat");
	model_end(&b, graph);
	save(&b, "colours");
}

/* Two boxes of class 0 that overlap, one of class 1, one too weak, whatever x is. */
static void write_ssd(void)
{
	static const float boxes[] = { 0.1f, 0.1f, 0.5f, 0.5f, 0.1f, 0.1f, 0.5f, 0.55f,
				       0.5f, 0.5f, 1, 1, 0, 0, 1, 1 };
	static const float scores[] = { 0, 0.9f, 0, 0, 0.8f, 0, 0, 0, 0.7f, 1, 0.1f, 0.1f };
	static const float zero = 0;
	struct joule_wire_buf b;
	size_t graph, node;

	model_begin(&b, 8, 13, &graph);
	w_value(&b, 11, "x", T_FLOAT, X);
	w_value(&b, 12, "scores", T_FLOAT, DIMS(1, 4, 3));
	w_value(&b, 12, "boxes", T_FLOAT, DIMS(1, 4, 4));
	w_tensor(&b, 5, "b", T_FLOAT, DIMS(1, 4, 4), boxes, sizeof(boxes));
	w_tensor(&b, 5, "s", T_FLOAT, DIMS(1, 4, 3), scores, sizeof(scores));
	w_tensor(&b, 5, "zero", T_FLOAT, DIMS(1), &zero, sizeof(zero));
	node = w_node_begin(&b, 1, "ReduceMean", "x", "mean", "mean");
	w_attr_ints(&b, "axes", DIMS(0, 1, 2, 3));
	w_attr_int(&b, "keepdims", 0);
	joule_wire_end(&b, node);
	w_node(&b, "Mul", "mean,zero", "nothing", "nothing");
	w_node(&b, "Add", "s,nothing", "scores", "scores");
	w_node(&b, "Add", "b,nothing", "boxes", "boxes");
	model_end(&b, graph);
	save(&b, "ssd");
}

/* The channels themselves as scores of three classes. */
static void write_mask(void)
{
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, X, X);
	w_node(&b, "Relu", "x", "y", "relu");
	model_end(&b, graph);
	save(&b, "mask");
}

/* Convolution, ReLU, pool, with an open batch. */
static void write_net(const char *name, bool bad_names)
{
	static const int64_t minus_one = -1;
	float w[8 * 3 * 3 * 3];
	struct joule_wire_buf b;
	size_t graph, node;

	for (size_t i = 0; i < sizeof(w) / sizeof(*w); i++)
		w[i] = (float)(i * 37 % 101) / 101 - 0.5f;
	model_begin(&b, 8, 13, &graph);
	size_t value = joule_wire_begin(&b, 11), type, tensor, shape, dim;

	w_str(&b, 1, "x");
	type = joule_wire_begin(&b, 2);
	tensor = joule_wire_begin(&b, 1);
	w_int(&b, 1, T_FLOAT);
	shape = joule_wire_begin(&b, 2);
	for (int i = 0; i < 4; i++) {
		static const int64_t dims[] = { 0, 3, 16, 24 };

		dim = joule_wire_begin(&b, 1);
		if (i)
			w_int(&b, 1, dims[i]);
		else
			w_str(&b, 2, "batch");
		joule_wire_end(&b, dim);
	}
	joule_wire_end(&b, shape);
	joule_wire_end(&b, tensor);
	joule_wire_end(&b, type);
	joule_wire_end(&b, value);
	w_value(&b, 12, "y", 0, SCALAR);
	w_tensor(&b, 5, "w", T_FLOAT, DIMS(8, 3, 3, 3), w, sizeof(w));
	w_tensor(&b, 5, "flat", T_INT64, DIMS(2), (int64_t[]){ 0, minus_one }, 16);
	node = w_node_begin(&b, 1, "Conv", "x,w", "c",
			    bad_names ? "conv \"\xff\xfe\n</script>" : "conv");
	w_attr_ints(&b, "pads", DIMS(1, 1, 1, 1));
	joule_wire_end(&b, node);
	w_node(&b, "Relu", "c", bad_names ? "\xc0\xaf" : "r", "relu");
	w_node(&b, "GlobalAveragePool", bad_names ? "\xc0\xaf" : "r", "p", "pool");
	w_node(&b, "Reshape", "p,flat", "y", "reshape");
	model_end(&b, graph);
	save(&b, name);
}

/* Hundreds of matrix products in a row: seconds on the reference. */
static void write_slow(void)
{
	struct joule_wire_buf b;
	char in[40] = "x,x", out[32];
	size_t graph;

	begin(&b, &graph, DIMS(512, 512), DIMS(512, 512));
	for (int i = 0; i < 400; i++) {
		snprintf(out, sizeof(out), i < 399 ? "t%d" : "y", i);
		w_node(&b, "MatMul", in, out, NULL);
		snprintf(in, sizeof(in), "%s,x", out);
	}
	model_end(&b, graph);
	save(&b, "slow");
}

/* ---- bad ones ---- */

static void write_unknown_op(void)
{
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, X, X);
	w_node(&b, "Frobnicate", "x", "y", "mystery");
	model_end(&b, graph);
	save(&b, "unknown_op");
}

static void write_cycle(void)
{
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, X, X);
	w_node(&b, "Add", "x,b", "a", "first");
	w_node(&b, "Relu", "a", "b", "second");
	w_node(&b, "Relu", "b", "y", "third");
	model_end(&b, graph);
	save(&b, "cycle");
}

static void write_mismatch(void)
{
	static const float w[10];
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, DIMS(2, 3), DIMS(2, 5));
	w_tensor(&b, 5, "w", T_FLOAT, DIMS(2, 5), w, sizeof(w));
	w_node(&b, "MatMul", "x,w", "y", "product");
	model_end(&b, graph);
	save(&b, "mismatch");
}

static void write_absurd(void)
{
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, DIMS(INT64_MAX, INT64_MAX), DIMS(INT64_MAX, INT64_MAX));
	w_node(&b, "Relu", "x", "y", "relu");
	model_end(&b, graph);
	save(&b, "absurd");

	/* Fits 64 bits, and no memory. */
	begin(&b, &graph, DIMS(1 << 20, 1 << 20, 64), DIMS(1 << 20, 1 << 20, 64));
	w_node(&b, "Relu", "x", "y", "relu");
	model_end(&b, graph);
	save(&b, "huge");
}

static void nest(struct joule_wire_buf *b, int levels)
{
	size_t node = w_node_begin(b, 1, "If", "cond", "y", "n"), attr, body;

	attr = w_attr_begin(b, 5, "then_branch", 5);
	body = joule_wire_begin(b, 6);
	if (levels)
		nest(b, levels - 1);
	joule_wire_end(b, body);
	joule_wire_end(b, attr);
	joule_wire_end(b, node);
}

static void write_nested(void)
{
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, X, X);
	nest(&b, 2000);
	model_end(&b, graph);
	save(&b, "nested");
}

static void write_external(void)
{
	struct joule_wire_buf b;
	size_t graph;

	begin(&b, &graph, DIMS(2, 3), DIMS(2, 3));
	w_external(&b, "w", T_FLOAT, DIMS(2, 3), "no_such_weights.bin", "0", "24");
	w_node(&b, "Add", "x,w", "y", "add");
	model_end(&b, graph);
	save(&b, "external");

	begin(&b, &graph, DIMS(2, 3), DIMS(2, 3));
	w_external(&b, "w", T_FLOAT, DIMS(2, 3), "short.bin", "0", "24");
	w_node(&b, "Add", "x,w", "y", "add");
	model_end(&b, graph);
	save(&b, "external_short");
}

/* A good model whose file goes on, all holes, to 3 GB: an unknown field of that length. */
static void write_sparse(void)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/sparse.onnx", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "\x08\x08", 2) != 2 || ftruncate(fd, 3000000000)) {
		perror(path);
		failed = 1;
	}
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	dir = argv[1];
	write_plus_one();
	write_sum();
	write_colours();
	write_ssd();
	write_mask();
	write_net("net", false);
	write_net("bad_names", true);
	write_slow();
	write_unknown_op();
	write_cycle();
	write_mismatch();
	write_absurd();
	write_nested();
	write_external();
	write_sparse();
	return failed;
}
