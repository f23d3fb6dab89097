// SPDX-License-Identifier: MIT
#include "passes/passes.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

/*
 * Integer arithmetic is recognised by the integers, before those are folded away.
 * Branches bring weights along, so they go before what folds those.
 * Recognisers go before fusion, since a fused pattern cannot be recognised;
 * affine folding goes before epilogues, since a folded BatchNormalization
 * costs nothing and a fused one a multiply-add.
 */
static const struct joule_pass *const passes[] = {
	&joule_pass_integer,   &joule_pass_integer_product,
	&joule_pass_if_inline, &joule_pass_fold,      &joule_pass_identity,
	&joule_pass_dead_code,
	&joule_pass_activation, &joule_pass_layer_norm, &joule_pass_attention,
	&joule_pass_transpose,
	&joule_pass_pad,       &joule_pass_fake_quantize,
	&joule_pass_view,      &joule_pass_affine,    &joule_pass_epilogue,
	&joule_pass_chain,     NULL,
};

const struct joule_pass *joule_pass_get(int i)
{
	int n = (int)(sizeof(passes) / sizeof(passes[0])) - 1;

	return i >= 0 && i < n ? passes[i] : NULL;
}

static bool is_disabled(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

int joule_passes_check_names(const struct joule_log *log, const char *const *list)
{
	for (; list && *list; list++) {
		bool known = false;

		for (int i = 0; passes[i]; i++)
			known |= !strcmp(passes[i]->name, *list);
		if (!known)
			return joule_err(log, -EINVAL, "there is no pass '%s'", *list);
	}
	return 0;
}

#define MAX_ROUNDS 64

/* Rewrites leave removed nodes and new ones at the end behind. */
static int tidy(struct joule_graph *graph)
{
	joule_graph_compact(graph);
	return joule_graph_sort(graph);
}

static int run_pass(struct joule_graph *graph, const struct joule_pass *pass, bool verify)
{
	bool changed = true;
	int ret = 0;

	for (int round = 0; !ret && changed && round < (pass->repeat ? MAX_ROUNDS : 1); round++) {
		changed = false;
		ret = pass->run(graph, &changed);
		if (ret == -ENOMEM)
			joule_err_nomem(graph->log, pass->name);
		if (!ret && changed)
			ret = tidy(graph);
		if (!ret && changed) /* a rewrite may have made constants */
			ret = joule_graph_infer(graph, 0);
		if (!ret && verify)
			ret = joule_graph_verify(graph);
		if (ret)
			joule_logf(graph->log, JOULE_LOG_DEBUG, "%s: pass %s failed", graph->file,
				   pass->name);
		else if (changed)
			joule_logf(graph->log, JOULE_LOG_DEBUG, "%s: pass %s leaves %d nodes",
				   graph->file, pass->name, graph->n_nodes);
	}
	return ret;
}

int joule_passes_run(struct joule_graph *graph, const struct joule_passes_params *params)
{
	const char *const *disabled = params ? params->disabled : NULL;
	int ret = joule_passes_check_names(graph->log, disabled);

	for (int i = 0; !ret && passes[i]; i++)
		if (!is_disabled(disabled, passes[i]->name))
			ret = run_pass(graph, passes[i], params && params->verify);
	return ret;
}
