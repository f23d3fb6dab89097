// SPDX-License-Identifier: MIT
/* Plans of the parts of a frame, kept by everything they depend on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "ir/op.h"
#include "runtime/frame_internal.h"

#define STAGES_KEPT 8  /* plans of one part for different shapes */
#define STAGES_MADE 32 /* by one frame, before light work is left to the host */
#define LIGHT_WORK  ((int64_t)2 << 20) /* bytes and multiply-adds */

struct key {
	unsigned char *bytes;
	size_t n, cap;
	bool failed;
};

static void variant_destroy(struct joule_frame_variant *v)
{
	if (!v)
		return;
	joule_stage_destroy(v->stage);
	free(v->key);
	free(v);
}

void joule_frame_drop_parts(struct joule_frame *f)
{
	for (int i = 0; i < f->n_parts; i++)
		while (f->parts[i]) {
			struct joule_frame_variant *v = f->parts[i];

			f->parts[i] = v->next;
			variant_destroy(v);
		}
	f->n_parts = 0;
	f->complete = false;
}

static void key_add(struct key *k, const void *data, size_t n)
{
	if (k->failed)
		return;
	if (k->n + n > k->cap) {
		size_t cap = (k->n + n) * 2;
		unsigned char *fresh = realloc(k->bytes, cap);

		if (!fresh) {
			k->failed = true;
			return;
		}
		k->bytes = fresh;
		k->cap = cap;
	}
	memcpy(k->bytes + k->n, data, n);
	k->n += n;
}

static void key_add_tensor(const struct joule_frame *f, struct key *k,
			   const struct joule_tensor *t)
{
	if (!t || joule_tensor_is_const(t))
		return;
	key_add(k, &t->dtype, sizeof(t->dtype));
	key_add(k, &t->shape.rank, sizeof(t->shape.rank));
	key_add(k, t->shape.dims, (size_t)JOULE_MAX(t->shape.rank, 0) * sizeof(*t->shape.dims));
	/* A value that inference reads may have been baked into the plan. */
	if (f->wanted[t->index] && t->data)
		key_add(k, t->data, (size_t)joule_tensor_bytes(t));
}

/* Everything that a plan of these nodes depends on. */
static void make_key(const struct joule_frame *f, int n, struct key *k)
{
	for (int i = 0; i < n; i++) {
		const struct joule_node *node = f->picked[i];

		key_add(k, &node->index, sizeof(node->index));
		for (int j = 0; j < node->n_in; j++)
			key_add_tensor(f, k, node->in[j]);
		for (int j = 0; j < node->n_out; j++)
			key_add_tensor(f, k, node->out[j]);
	}
}

static int part_reserve(struct joule_frame *f, int part)
{
	struct joule_frame_variant **fresh;

	if (part < f->n_parts)
		return 0;
	if (part >= f->cap_parts) {
		int cap = f->cap_parts ? f->cap_parts * 2 : 4;

		fresh = realloc(f->parts, (size_t)cap * sizeof(*fresh));
		if (!fresh)
			return joule_err_nomem(f->engine->log, "stages");
		f->parts = fresh;
		f->cap_parts = cap;
	}
	f->parts[f->n_parts++] = NULL;
	return 0;
}

static int create_stage(struct joule_frame *f, int n, struct joule_stage **out)
{
	struct joule_tensor **externals = calloc((size_t)f->graph->n_tensors + 1,
						 sizeof(*externals));
	struct joule_stage_params params = { .nodes = f->picked, .n_nodes = n };
	int ret;

	if (!externals)
		return joule_err_nomem(f->engine->log, "stage");
	for (int i = 0; i < n; i++)
		for (int j = 0; j < f->picked[i]->n_out; j++)
			if (f->picked[i]->out[j] && f->given[f->picked[i]->out[j]->index])
				externals[params.n_externals++] = f->picked[i]->out[j];
	params.externals = externals;
	ret = joule_stage_create(f->engine, f->graph, &params, f->slots, out);
	free(externals);
	return ret;
}

static bool light(const struct joule_frame *f, int n)
{
	int64_t work = 0;

	for (int i = 0; i < n; i++) {
		struct joule_cost cost;

		if (!f->picked[i]->op->ref)
			return false;
		joule_node_cost(f->picked[i], &cost);
		work += cost.macs + cost.bytes;
	}
	return work < LIGHT_WORK;
}

/* The stage for the picked nodes: one of this part's variants, or a new one. */
int joule_frame_find_stage(struct joule_frame *f, int part, int n, struct joule_stage **out)
{
	struct joule_frame_variant **at, *v;
	struct key key = { 0 };
	int kept = 0, ret;

	*out = NULL;
	ret = part_reserve(f, part);
	if (ret)
		return ret;
	make_key(f, n, &key);
	if (key.failed) {
		free(key.bytes);
		return joule_err_nomem(f->engine->log, "stage");
	}
	for (at = &f->parts[part]; *at; at = &(*at)->next, kept++) {
		v = *at;
		if (v->key_bytes == key.n && !memcmp(v->key, key.bytes, key.n)) {
			*at = v->next;
			v->next = f->parts[part];
			f->parts[part] = v;
			free(key.bytes);
			*out = v->stage;
			return 0;
		}
		if (kept == STAGES_KEPT - 1 && !v->next) {
			*at = NULL;
			variant_destroy(v);
			break;
		}
	}
	if (f->made >= STAGES_MADE && light(f, n)) {
		free(key.bytes);
		return 0;
	}
	v = calloc(1, sizeof(*v));
	if (!v) {
		free(key.bytes);
		return joule_err_nomem(f->engine->log, "stage");
	}
	v->key = key.bytes;
	v->key_bytes = key.n;
	f->made++;
	ret = create_stage(f, n, &v->stage);
	if (ret) {
		variant_destroy(v);
		return ret;
	}
	v->next = f->parts[part];
	f->parts[part] = v;
	*out = v->stage;
	return 0;
}
