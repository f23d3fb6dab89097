// SPDX-License-Identifier: MIT
#include "hal/vulkan/trim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/vulkan/spirv.h"
#include "hal/vulkan/trim_module.h"

/* More copies than this and functions are taken as they are, whatever the arguments. */
#define MAX_COPIES 64

struct words {
	uint32_t *w;
	size_t n, cap;
};

/* A function called with certain constants. */
struct copy {
	uint32_t function;
	uint32_t id;
	struct trim_param param[TRIM_MAX_PARAMS];
	uint32_t *renamed; /* by local number; 0: not yet */
};

struct trimmer {
	struct trim_module m;
	struct copy *copies;
	uint32_t n_copies, cap_copies;
	uint32_t bound; /* of the new module */
	struct words code, out;
	bool *named; /* functions whose own id a copy has taken */
	int err;
};

static void put(struct trimmer *t, struct words *to, uint32_t word)
{
	if (to->n == to->cap) {
		size_t cap = to->cap ? to->cap * 2 : 4096;
		uint32_t *w = realloc(to->w, cap * sizeof(*w));

		if (!w) {
			t->err = -ENOMEM;
			return;
		}
		to->w = w;
		to->cap = cap;
	}
	to->w[to->n++] = word;
}

static bool same_params(const struct copy *c, const struct trim_param *param, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (c->param[i].known != param[i].known ||
		    c->param[i].pointee_known != param[i].pointee_known ||
		    ((param[i].known || param[i].pointee_known) &&
		     c->param[i].value != param[i].value))
			return false;
	return true;
}

/* The id of a function's copy for these arguments, to be written if it is new. */
static uint32_t copy_for(struct trimmer *t, uint32_t function, const struct trim_param *param)
{
	static const struct trim_param nothing[TRIM_MAX_PARAMS];
	const struct trim_function *f = &t->m.function[function];
	struct copy *c;

	if (t->n_copies >= MAX_COPIES)
		param = nothing;
	for (uint32_t i = 0; i < t->n_copies; i++)
		if (t->copies[i].function == function &&
		    same_params(&t->copies[i], param, f->n_params))
			return t->copies[i].id;
	if (t->n_copies == t->cap_copies) {
		uint32_t cap = t->cap_copies ? t->cap_copies * 2 : 16;

		c = realloc(t->copies, cap * sizeof(*c));
		if (!c) {
			t->err = -ENOMEM;
			return f->id;
		}
		t->copies = c;
		t->cap_copies = cap;
	}
	c = &t->copies[t->n_copies];
	c->function = function;
	memcpy(c->param, param, f->n_params * sizeof(*param));
	c->renamed = calloc(f->n_locals ? f->n_locals : 1, sizeof(*c->renamed));
	if (!c->renamed) {
		t->err = -ENOMEM;
		return f->id;
	}
	t->n_copies++;
	c->id = t->named[function] ? t->bound++ : f->id;
	t->named[function] = true;
	return c->id;
}

static uint32_t rename_id(struct trimmer *t, struct copy *c, uint32_t id)
{
	const struct trim_id *i = &t->m.id[id];
	bool own_names = c->id == t->m.function[c->function].id;

	if (id == t->m.function[c->function].id)
		return c->id;
	if (!i->function)
		return id;
	if (i->function != c->function + 1) {
		t->err = -EINVAL; /* of another function */
		return id;
	}
	if (!c->renamed[i->local])
		c->renamed[i->local] = own_names ? id : t->bound++;
	return c->renamed[i->local];
}

static void put_instruction(struct trimmer *t, struct copy *c, const uint32_t *w)
{
	const char *layout = spirv_layout(spirv_op(w[0]));

	put(t, &t->code, w[0]);
	for (uint32_t k = 1; k < spirv_length(w[0]); k++)
		put(t, &t->code,
		    spirv_word_kind(layout, k) == 'l' ? w[k] : rename_id(t, c, w[k]));
}

/* copies may move: the caller's own is given by number. */
static void put_call(struct trimmer *t, uint32_t copy, const uint32_t *w)
{
	struct trim_param param[TRIM_MAX_PARAMS] = { 0 };
	uint32_t len = spirv_length(w[0]), function = t->m.id[w[3]].is_function, id;

	if (!function || len - 4 != t->m.function[function - 1].n_params) {
		t->err = -EINVAL;
		return;
	}
	for (uint32_t k = 4; k < len; k++) {
		const struct trim_id *a = &t->m.id[w[k]];

		param[k - 4].value = a->value;
		param[k - 4].known = a->known;
		param[k - 4].pointee_known =
			a->pointee_known && trim_read_only(&t->m, function - 1, k - 4);
	}
	id = copy_for(t, function - 1, param);
	put(t, &t->code, w[0]);
	for (uint32_t k = 1; k < len; k++)
		put(t, &t->code, k == 3 ? id : rename_id(t, &t->copies[copy], w[k]));
}

/* Only values from blocks that still lead here. */
static void put_phi(struct trimmer *t, struct copy *c, const uint32_t *w, uint32_t label)
{
	size_t head = t->code.n;

	put(t, &t->code, 0);
	put(t, &t->code, rename_id(t, c, w[1]));
	put(t, &t->code, rename_id(t, c, w[2]));
	for (uint32_t k = 3; k + 1 < spirv_length(w[0]); k += 2) {
		if (!trim_edge(&t->m, w[k + 1], label))
			continue;
		put(t, &t->code, rename_id(t, c, w[k]));
		put(t, &t->code, rename_id(t, c, w[k + 1]));
	}
	if (!t->err)
		t->code.w[head] = (uint32_t)(t->code.n - head) << 16 | OP_PHI;
}

static void put_branch(struct trimmer *t, struct copy *c, uint32_t target)
{
	put(t, &t->code, 2u << 16 | OP_BRANCH);
	put(t, &t->code, rename_id(t, c, target));
}

/*
 * A selection with one way left. Of an `if` nothing else refers to the merge
 * block, so that a plain branch will do. A `switch` may be left from selections
 * within it: it stays, with its default alone.
 */
static void put_decided(struct trimmer *t, struct copy *c, const uint32_t *merge,
			const uint32_t *w, uint32_t target)
{
	if (spirv_op(w[0]) == OP_BRANCH_CONDITIONAL || target == merge[1]) {
		put_branch(t, c, target);
		return;
	}
	put_instruction(t, c, merge);
	put(t, &t->code, 3u << 16 | OP_SWITCH);
	put(t, &t->code, rename_id(t, c, w[1]));
	put(t, &t->code, rename_id(t, c, target));
}

/* Merge blocks are marked afresh: only those of merges that are written. */
static void mark_kept(struct trimmer *t, const struct trim_function *f)
{
	const uint32_t *merge = NULL;
	bool live = false;
	uint32_t label = 0;

	for (size_t at = f->begin; at < f->end; at += spirv_length(t->m.w[at])) {
		const uint32_t *w = t->m.w + at;

		if (spirv_op(w[0]) == OP_LABEL) {
			label = w[1];
			live = t->m.id[label].reached;
			merge = NULL;
		} else if (live && spirv_op(w[0]) == OP_SELECTION_MERGE) {
			merge = w;
		} else if (live && merge && at == t->m.id[label].terminator) {
			uint32_t target = t->m.id[label].target;

			if (!target ||
			    (spirv_op(w[0]) == OP_SWITCH && target != merge[1]))
				t->m.id[merge[1]].kept = true;
		}
	}
}

static void put_function(struct trimmer *t, uint32_t copy)
{
	const struct trim_function *f = &t->m.function[t->copies[copy].function];
	const uint32_t *merge = NULL;
	bool live = true;
	uint32_t label = 0;

	trim_analyse(&t->m, t->copies[copy].function, t->copies[copy].param);
	mark_kept(t, f);
	for (size_t at = f->begin; at < f->end && !t->err; at += spirv_length(t->m.w[at])) {
		const uint32_t *w = t->m.w + at;
		uint32_t op = spirv_op(w[0]);
		struct copy *c = &t->copies[copy];

		if (op == OP_LABEL) {
			label = w[1];
			live = t->m.id[label].reached;
			if (!live && t->m.id[label].kept) {
				put_instruction(t, c, w);
				put(t, &t->code, 1u << 16 | OP_UNREACHABLE);
			}
		}
		if (op == OP_FUNCTION_END)
			live = true;
		if (!live)
			continue;
		if (op == OP_SELECTION_MERGE) {
			merge = w;
		} else if (op == OP_FUNCTION_CALL) {
			put_call(t, copy, w);
		} else if (op == OP_PHI) {
			put_phi(t, c, w, label);
		} else if (merge && at == t->m.id[label].terminator &&
			   t->m.id[label].target) {
			put_decided(t, c, merge, w, t->m.id[label].target);
			merge = NULL;
		} else {
			if (merge)
				put_instruction(t, c, merge);
			merge = NULL;
			put_instruction(t, c, w);
		}
	}
}

/* Decorations of what was copied apply to the copies; names are dropped. */
static void put_global(struct trimmer *t, const uint32_t *w)
{
	uint32_t op = spirv_op(w[0]), len = spirv_length(w[0]);
	const struct trim_id *id = op == OP_DECORATE ? &t->m.id[w[1]] : NULL;

	if (op == OP_NAME || op == OP_MEMBER_NAME)
		return;
	if (!id || !id->function) {
		for (uint32_t k = 0; k < len; k++)
			put(t, &t->out, w[k]);
		return;
	}
	for (uint32_t i = 0; i < t->n_copies; i++) {
		const struct copy *c = &t->copies[i];

		if (c->function + 1 != id->function || !c->renamed[id->local])
			continue;
		for (uint32_t k = 0; k < len; k++)
			put(t, &t->out, k == 1 ? c->renamed[id->local] : w[k]);
	}
}

/* Whatever went wrong above, a driver gets no use without a definition. */
static int check(struct trimmer *t)
{
	bool *defined = calloc(t->bound, sizeof(*defined));
	int err = 0;

	if (!defined)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->m.bound; i++)
		defined[i] = !t->m.id[i].function && !t->m.id[i].is_function;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t at = 0; at < t->code.n; at += spirv_length(t->code.w[at])) {
			const uint32_t *w = t->code.w + at;
			const char *layout = spirv_layout(spirv_op(w[0]));

			for (uint32_t k = 1; k < spirv_length(w[0]); k++) {
				char kind = spirv_word_kind(layout, k);

				if (kind == 'r')
					defined[w[k]] = true;
				else if (pass && kind != 'l' && !defined[w[k]])
					err = -ENOTSUP;
			}
		}
	}
	free(defined);
	return err;
}

static int trim(struct trimmer *t)
{
	static const struct trim_param none[TRIM_MAX_PARAMS];
	uint32_t entry = t->m.id[t->m.entry].is_function;

	if (!entry)
		return -EINVAL;
	t->bound = t->m.bound;
	t->named = calloc(t->m.n_functions, sizeof(*t->named));
	if (!t->named)
		return -ENOMEM;
	copy_for(t, entry - 1, none);
	/* Each call met on the way adds to the list. */
	for (uint32_t i = 0; i < t->n_copies && !t->err; i++)
		put_function(t, i);
	if (t->err)
		return t->err;
	for (size_t k = 0; k < SPIRV_HEADER_WORDS; k++)
		put(t, &t->out, k == 3 ? t->bound : t->m.w[k]);
	for (size_t at = SPIRV_HEADER_WORDS; at < t->m.functions_at;
	     at += spirv_length(t->m.w[at]))
		put_global(t, t->m.w + at);
	for (size_t k = 0; k < t->code.n; k++)
		put(t, &t->out, t->code.w[k]);
	return t->err ? t->err : check(t);
}

int joule_spirv_trim(const uint32_t *words, size_t n, const uint32_t *values, uint32_t n_values,
		     uint32_t **out, size_t *out_words)
{
	struct trimmer t = { 0 };
	int err = trim_module_read(&t.m, words, n, values, n_values);

	*out = NULL;
	*out_words = 0;
	if (!err)
		err = trim(&t);
	if (!err) {
		*out = t.out.w;
		*out_words = t.out.n;
		t.out.w = NULL;
	}
	for (uint32_t i = 0; i < t.n_copies; i++)
		free(t.copies[i].renamed);
	free(t.copies);
	free(t.named);
	free(t.code.w);
	free(t.out.w);
	trim_module_finish(&t.m);
	return err;
}
