// SPDX-License-Identifier: MIT
/*
 * passes [PASS]: each case of each pass. The graph is run by the plain
 * reference before and after the pass, all others left out: outputs must agree,
 * the graph must verify, and the pass must have found what the case says.
 */
#include <string.h>

#include "../unit/test.h"
#include "case.h"
#include "ir/access.h"
#include "ir/dump.h"
#include "passes/passes.h"
#include "runtime/interp.h"

#define PASSES(_)                                                                             \
	_("fold", fold) _("if-inline", if_inline) _("identity", identity)                     \
	_("dead-code", dead_code) _("activation", activation) _("layer-norm", layer_norm)     \
	_("attention", attention) _("transpose", transpose) _("pad", pad)                     \
	_("fake-quantize", fake_quantize) _("view", view) _("affine", affine)                 \
	_("epilogue", epilogue) _("chain", chain) _("integer", integer)     \
	_("integer-product", integer_product)

#define DECLARE(name, id) extern const struct pass_case pass_cases_##id[];
PASSES(DECLARE)

static const struct {
	const char *pass;
	const struct pass_case *cases;
} tables[] = {
#define ENTRY(name, id) { name, pass_cases_##id },
	PASSES(ENTRY)
};

#define N_TABLES ((int)(sizeof(tables) / sizeof(tables[0])))
#define MAX_OUTPUTS 8

static int passed, failed;
static const char *looked_for; /* the pass's message that it did something */
static bool found;

static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	char text[64];

	if (level <= JOULE_LOG_WARN)
		fprintf(stderr, "[%d] %s\n", level, msg);
	snprintf(text, sizeof(text), "pass %s leaves", looked_for ? looked_for : "?");
	found |= strstr(msg, text) != NULL;
}

/* ---- shorthands for builders ---- */

struct joule_tensor *in_f32(struct joule_graph *g, const char *name, const int64_t *dims)
{
	return test_input(g, name, JOULE_F32, dims);
}

struct joule_tensor *const_all(struct joule_graph *g, const int64_t *dims, double v)
{
	struct joule_tensor *t = test_const(g, JOULE_F32, dims);

	for (int64_t i = 0; i < joule_tensor_count(t); i++)
		joule_set_f64(JOULE_F32, t->data, i, v);
	return t;
}

struct joule_tensor *const_byte(struct joule_graph *g, enum joule_dtype dtype, int v)
{
	struct joule_tensor *t = test_const(g, dtype, SCALAR);

	joule_set_i64(dtype, t->data, 0, v);
	return t;
}

struct joule_tensor *transpose(struct joule_graph *g, struct joule_tensor *x, int n,
			       const int64_t *perm)
{
	struct joule_node *node = test_node(g, "Transpose", 1, IN(x));

	test_attr_ints(node, "perm", n, perm);
	return node->out[0];
}

struct joule_tensor *reshape(struct joule_graph *g, struct joule_tensor *x, int n,
			     const int64_t *dims)
{
	return test_op(g, "Reshape", IN(x, test_ints(g, n, dims)));
}

struct joule_tensor *mean(struct joule_graph *g, struct joule_tensor *x, int64_t axis)
{
	struct joule_node *node = test_node(g, "ReduceMean", 1, IN(x));

	test_attr_ints(node, "axes", 1, &axis);
	return node->out[0];
}

struct joule_tensor *late(struct joule_graph *g, struct joule_tensor *x)
{
	struct joule_node *node = test_node(g, "Transpose", 1, IN(test_op(g, "NonZero", IN(x))));

	node = test_node(g, "Cast", 1, IN(node->out[0]));
	test_attr_int(node, "to", 1);
	return node->out[0];
}

/* ---- a case ---- */

static int count(const struct joule_graph *g)
{
	int n = 0;

	for (int i = 0; i < g->n_nodes; i++)
		n += g->nodes[i]->op != NULL;
	return n;
}

static void *inputs[MAX_OUTPUTS];

static void run(struct joule_graph *g)
{
	struct joule_interp interp = { 0 };

	for (int i = 0; i < g->n_inputs; i++)
		g->inputs[i]->data = inputs[i];
	CHECK_EQ(joule_interp_run(&interp, g), 0);
}

static struct joule_view view_of(const struct joule_tensor *t)
{
	return (struct joule_view){ .dtype = t->dtype, .shape = t->shape, .data = t->data };
}

static void finish(struct joule_graph *g)
{
	joule_interp_release(g);
	for (int i = 0; i < g->n_inputs; i++)
		g->inputs[i]->data = NULL;
	joule_graph_destroy(g);
}

/* NULL, or what is wrong. */
static const char *check(const char *pass, const struct pass_case *c, struct joule_graph *plain,
			 struct joule_graph *g, char *text, size_t size)
{
	const char *disabled[64];
	struct joule_passes_params params = { .disabled = disabled, .verify = true };
	int n = 0, before;

	CHECK_EQ(joule_graph_infer(g, 0), 0);
	joule_graph_compact(g);
	before = count(g);
	for (int i = 0; joule_pass_get(i); i++)
		if (strcmp(joule_pass_get(i)->name, pass) != 0)
			disabled[n++] = joule_pass_get(i)->name;
	disabled[n] = NULL;
	looked_for = pass;
	found = false;
	if (joule_passes_run(g, &params))
		return "the pass failed";
	looked_for = NULL;
	if (c->before && before != c->before) {
		snprintf(text, size, "%d nodes to begin with, not %d", before, c->before);
		return text;
	}
	if (c->before && (!found || count(g) != c->after)) {
		snprintf(text, size, "%d nodes became %d, should %d", before, count(g), c->after);
		return text;
	}
	if (!c->before && (found || count(g) != before))
		return "there was nothing to do, yet it did something";
	run(plain);
	run(g);
	for (int i = 0; i < plain->n_outputs; i++) {
		struct joule_view got = view_of(g->outputs[i]), want = view_of(plain->outputs[i]);
		double d;

		if (strcmp(g->outputs[i]->name, plain->outputs[i]->name) != 0)
			return "an output lost its name";
		d = test_difference(&got, &want);
		if (d > (c->tol > 0 ? c->tol : 1e-5)) {
			snprintf(text, size, "output %d is off by %g of its range", i, d);
			return text;
		}
	}
	return NULL;
}

static void run_case(const char *pass, const struct pass_case *c)
{
	struct joule_graph *plain = c->build(), *g;
	const char *wrong;
	char text[128];

	CHECK(plain->n_inputs <= MAX_OUTPUTS && plain->n_outputs <= MAX_OUTPUTS);
	for (int i = 0; i < plain->n_inputs; i++) {
		const struct joule_tensor *x = plain->inputs[i];

		inputs[i] = malloc((size_t)joule_tensor_bytes(x) + 1);
		CHECK(inputs[i]);
		test_fill(x->dtype, inputs[i], joule_tensor_count(x));
	}
	CHECK_EQ(joule_graph_verify(plain), 0);
	CHECK_EQ(joule_graph_clone(plain, &g), 0);
	wrong = check(pass, c, plain, g, text, sizeof(text));
	*(wrong ? &failed : &passed) += 1;
	if (wrong) {
		printf("FAIL pass %s, case %s: %s\n", pass, c->name, wrong);
		joule_graph_dump(g, stdout);
	}
	finish(g);
	for (int i = 0; i < plain->n_inputs; i++)
		free(inputs[i]);
	finish(plain);
}

/* Every pass has a case in which it works and one in which it must not. */
static void check_coverage(void)
{
	for (int i = 0; joule_pass_get(i); i++) {
		bool fires = false, refrains = false;

		for (int k = 0; k < N_TABLES; k++)
			for (const struct pass_case *c = tables[k].cases;
			     c->name && !strcmp(tables[k].pass, joule_pass_get(i)->name); c++)
				*(c->before ? &fires : &refrains) = true;
		if (fires && refrains)
			continue;
		printf("FAIL pass %s has no case in which it %s\n", joule_pass_get(i)->name,
		       fires ? "must do nothing" : "must work");
		failed++;
	}
}

int main(int argc, char **argv)
{
	test_log = (struct joule_log){ .fn = on_log, .level = JOULE_LOG_DEBUG };
	for (int i = 0; i < N_TABLES; i++)
		for (const struct pass_case *c = tables[i].cases; c->name; c++)
			if (argc < 2 || !strcmp(argv[1], tables[i].pass))
				run_case(tables[i].pass, c);
	check_coverage();
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
