// SPDX-License-Identifier: MIT
/*
 * Random graphs: no two values alive at once may share memory, and what a
 * device computes from the plan must be what the reference computes. Joins,
 * parts, views and in-place results all occur by chance.
 */
#include "graphs.h"
#include "plan/plan.h"
#include "runtime/objects.h"
#include "test.h"

#define MAX_VALUES 64

/* All values are [1, c, 4, 4]. */
struct pool {
	struct joule_graph *g;
	int n;
	struct joule_tensor *v[MAX_VALUES];
	int c[MAX_VALUES];
};

static void add(struct pool *p, struct joule_tensor *t, int c)
{
	CHECK(p->n < MAX_VALUES);
	p->v[p->n] = t;
	p->c[p->n++] = c;
}

/* Mostly one of the last few, so that lives are short as in real networks. */
static int any(const struct pool *p)
{
	if (test_rnd(4))
		return p->n - 1 - (int)test_rnd((uint32_t)(p->n < 4 ? p->n : 4));
	return (int)test_rnd((uint32_t)p->n);
}

static int same_size(const struct pool *p, int c)
{
	int at = (int)test_rnd((uint32_t)p->n);

	for (int i = 0; i < p->n; i++)
		if (p->c[(at + i) % p->n] == c)
			return (at + i) % p->n;
	return -1;
}

static void grow(struct pool *p)
{
	static const char *const unary[] = { "Relu", "Neg", "Abs", "Tanh" };
	int x = any(p), y;
	struct joule_node *node;
	struct joule_tensor *t;

	switch (test_rnd(7)) {
	case 0:
	case 1:
		add(p, test_op(p->g, unary[test_rnd(4)], IN(p->v[x])), p->c[x]);
		break;
	case 2:
		y = same_size(p, p->c[x]);
		add(p, test_op(p->g, "Add", IN(p->v[x], p->v[y])), p->c[x]);
		break;
	case 3:
		y = any(p);
		if (p->c[x] + p->c[y] > 24)
			break;
		node = test_node(p->g, "Concat", 1, IN(p->v[x], p->v[y]));
		test_attr_int(node, "axis", 1);
		add(p, node->out[0], p->c[x] + p->c[y]);
		break;
	case 4:
		if (p->c[x] < 2)
			break;
		y = 1 + (int)test_rnd((uint32_t)p->c[x] - 1);
		t = test_ints(p->g, 2, (const int64_t[]){ y, p->c[x] - y });
		node = test_node(p->g, "Split", 2, IN(p->v[x], t));
		test_attr_int(node, "axis", 1);
		add(p, node->out[0], y);
		if (p->n < MAX_VALUES)
			add(p, node->out[1], p->c[x] - y);
		break;
	case 5:
		t = test_op(p->g, "Reshape",
			    IN(p->v[x], test_ints(p->g, 3, (const int64_t[]){ 1, p->c[x], 16 })));
		t = test_op(p->g, "Relu", IN(t));
		t = test_op(p->g, "Reshape",
			    IN(t, test_ints(p->g, 4, (const int64_t[]){ 1, p->c[x], 4, 4 })));
		add(p, t, p->c[x]);
		break;
	case 6:
		y = 1 + (int)test_rnd(9);
		t = test_const(p->g, JOULE_F32, DIMS(y, p->c[x], 1, 1));
		add(p, test_op(p->g, "Conv", IN(p->v[x], t)), y);
		break;
	}
}

static struct joule_graph *random_graph(int nodes)
{
	struct pool p = { .g = test_graph() };

	add(&p, test_input(p.g, "a", JOULE_F32, DIMS(1, 4, 4, 4)), 4);
	add(&p, test_input(p.g, "b", JOULE_F32, DIMS(1, 5, 4, 4)), 5);
	for (int i = 0; i < nodes && p.n < MAX_VALUES - 1; i++)
		grow(&p);
	for (int i = 2; i < p.n; i++)
		if (i == p.n - 1 || !test_rnd(6))
			if (!(p.v[i]->flags & JOULE_TENSOR_OUTPUT))
				test_output(p.g, p.v[i]);
	return p.g;
}

static void check_plan(const struct joule_graph *original, bool unified, bool keep_all)
{
	struct joule_caps caps = {
		.kind = JOULE_DEVICE_VULKAN_DISCRETE,
		.subgroup_size = 32,
		.max_push_bytes = 128,
		.max_local = { 256, 256, 64 },
		.max_invocations = 256,
		.max_groups = { 65535, 65535, 65535 },
		.shared_bytes = 32768,
		.max_buffer_bytes = 1 << 30,
	};
	struct joule_plan_params params = { .caps = &caps,
					    .unified = unified,
					    .keep_all = keep_all };
	struct joule_graph *g;
	struct joule_plan *plan;

	CHECK_EQ(joule_graph_clone(original, &g), 0);
	CHECK_EQ(joule_graph_infer(g, 0), 0);
	CHECK_EQ(joule_plan_create(g, &params, &plan), 0);
	if (joule_plan_check(plan)) {
		joule_plan_dump(plan, stderr);
		exit(1);
	}
	CHECK(plan->device_bytes + plan->host_bytes >= plan->lower_bound_bytes);
	for (int i = 0; i < g->n_outputs; i++)
		if (!joule_tensor_is_const(g->outputs[i]))
			CHECK(joule_plan_place(plan, g->outputs[i]));
	joule_plan_destroy(plan);
	joule_graph_destroy(g);
}

int main(void)
{
	struct joule_context *context = test_context();
	struct joule_device *cpu = test_device(context, "cpu"), *vulkan;

	test_log_quiet = true;
	vulkan = test_device(context, NULL);
	test_log_quiet = false;
	for (int i = 0; i < 60; i++) {
		struct joule_graph *g = random_graph(5 + i);
		struct joule_session_params keep = { .keep_all = true };
		struct joule_model *model;

		check_plan(g, true, false);
		check_plan(g, false, false);
		check_plan(g, false, true);
		CHECK_EQ(joule_model_from_graph(context, g, &model), 0);
		if (vulkan && i % 6 == 0)
			test_same(model, vulkan, cpu, i % 4 ? &keep : NULL, 1e-5);
		joule_model_destroy(model);
	}
	if (!vulkan)
		printf("no Vulkan device: plans were checked, not run\n");
	joule_device_close(vulkan);
	joule_device_close(cpu);
	joule_context_destroy(context);
	return 0;
}
