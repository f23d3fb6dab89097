// SPDX-License-Identifier: MIT
/*
 * All the way to a plan, without a device: inference, passes, fp16, then the
 * launches, places and barriers of what can be planned at once, as one of two
 * devices would get them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ir/op.h"
#include "onnx/import.h"
#include "passes/passes.h"
#include "passes/precision.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct joule_caps devices[2] = {
	{
		.kind = JOULE_DEVICE_VULKAN_CPU,
		.subgroup_size = 8,
		.subgroup_arithmetic = true,
		.subgroup_shuffle = true,
		.max_push_bytes = 256,
		.max_local = { 1024, 1024, 1024 },
		.max_invocations = 1024,
		.max_groups = { 65535, 65535, 65535 },
		.shared_bytes = 32768,
		.storage_16bit = true,
		.storage_8bit = true,
		.arithmetic_f16 = true,
		.arithmetic_i8 = true,
		.arithmetic_i16 = true,
		.arithmetic_i64 = true,
		.max_buffer_bytes = 1u << 28,
		.compute_threads = 2,
	},
	{
		.kind = JOULE_DEVICE_VULKAN_DISCRETE,
		.subgroup_size = 32,
		.max_push_bytes = 128,
		.max_local = { 256, 256, 64 },
		.max_invocations = 256,
		.max_groups = { 65535, 65535, 65535 },
		.shared_bytes = 16384,
		.storage_16bit = true,
		.max_buffer_bytes = 1u << 24,
	},
};

static void format_only(void *user, enum joule_log_level level, const char *msg)
{
}

static bool known(struct joule_tensor *const *list, int n)
{
	for (int i = 0; i < n; i++)
		if (list[i] && (!list[i]->dtype || joule_tensor_bytes(list[i]) < 0))
			return false;
	return true;
}

static void plan(struct joule_graph *g, unsigned int choice, FILE *null)
{
	struct joule_node **picked = calloc((size_t)g->n_nodes + 1, sizeof(struct joule_node *));
	struct joule_plan_params params = {
		.caps = &devices[choice & 1],
		.unified = choice & 2,
		.keep_all = choice & 4,
		.split_work = choice & 8 ? 1000 : 0,
		.deterministic = choice & 16,
		.nodes = picked,
	};
	struct joule_plan *p;

	for (int i = 0; picked && i < g->n_nodes; i++) {
		struct joule_node *n = g->nodes[i];

		if (!(n->op->traits & (JOULE_OP_CONTROL | JOULE_OP_LATE_SHAPE)) &&
		    known(n->in, n->n_in) && known(n->out, n->n_out))
			picked[params.n_nodes++] = n;
	}
	if (picked && !joule_plan_create(g, &params, &p)) {
		if (joule_plan_check(p))
			abort();
		joule_plan_dump(p, null);
		joule_plan_drop_blobs(p);
		joule_plan_destroy(p);
	}
	free(picked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct joule_log log = { format_only, NULL, JOULE_LOG_DEBUG };
	const struct joule_passes_params passes = { .verify = true };
	unsigned int choice = 0;
	struct joule_graph *g;
	static FILE *null;
	int ret;

	if (!null)
		null = fopen("/dev/null", "w");
	/* Any function of the bytes will do: the same ones must do the same again. */
	for (size_t i = 0; i < size; i++)
		choice = choice * 31 + data[i];
	choice ^= choice >> 16;
	if (joule_onnx_load_memory(&log, "fuzz", NULL, data, size, &g))
		return 0;
	ret = joule_graph_infer(g, 0);
	if (!ret)
		ret = joule_passes_run(g, &passes);
	if (!ret && choice & 32) {
		struct joule_precision_params half = { .caps = &devices[choice & 1] };

		ret = joule_precision_f16(g, &half);
	}
	if (!ret && joule_graph_verify(g))
		abort();
	if (!ret)
		plan(g, choice, null);
	joule_graph_destroy(g);
	return 0;
}
