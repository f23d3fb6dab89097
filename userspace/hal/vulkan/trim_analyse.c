// SPDX-License-Identifier: MIT
#include <string.h>

#include "hal/vulkan/spirv.h"
#include "hal/vulkan/trim_module.h"

/*
 * A variable that is stored to in one place and whose address goes nowhere it
 * could be written through holds that place's value wherever it is loaded.
 * (Before the store it holds nothing, so that no load can tell.)
 */
static void scan_variables(struct trim_module *m, const struct trim_function *f)
{
	for (size_t at = f->begin; at < f->end; at += spirv_length(m->w[at])) {
		const uint32_t *w = m->w + at;
		uint32_t op = spirv_op(w[0]), len = spirv_length(w[0]);
		const char *layout = spirv_layout(op);

		if (op == OP_VARIABLE) {
			m->id[w[2]].variable = true;
			m->id[w[2]].escapes = len > 4;
			continue;
		}
		for (uint32_t k = 1; k < len; k++) {
			struct trim_id *v;

			if (spirv_word_kind(layout, k) != 'i')
				continue;
			v = &m->id[w[k]];
			if (!v->variable || (op == OP_LOAD && k == 3))
				continue;
			if (op == OP_STORE && k == 1) {
				v->stores++;
				v->stored = w[2];
			} else if (op != OP_FUNCTION_CALL || k < 4 || !m->id[w[3]].is_function ||
				   !trim_read_only(m, m->id[w[3]].is_function - 1, k - 4)) {
				v->escapes = true;
			}
		}
	}
}

static bool learn(struct trim_id *r, uint32_t value)
{
	if (r->known)
		return false;
	r->known = true;
	r->value = value;
	return true;
}

/* True if the instruction's value became known. */
static bool evaluate(struct trim_module *m, const uint32_t *w)
{
	uint32_t op = spirv_op(w[0]), len = spirv_length(w[0]), value;
	bool known[3];
	uint32_t in[3];
	struct trim_id *r;

	if (op == OP_STORE) {
		struct trim_id *v = &m->id[w[1]], *s = &m->id[w[2]];

		if (!v->variable || v->escapes || v->stores != 1 || v->pointee_known || !s->known)
			return false;
		v->pointee_known = true;
		v->value = s->value;
		return true;
	}
	if (op == OP_LOAD) {
		struct trim_id *v = &m->id[w[3]];

		/* Memory operands: a volatile load is left alone. */
		return v->pointee_known && len == 4 && m->id[w[1]].word &&
		       learn(&m->id[w[2]], v->value);
	}
	if ((op < OP_COPY_OBJECT || op > OP_NOT) || len < 4 || len > 6 || !m->id[w[1]].word)
		return false;
	r = &m->id[w[2]];
	for (uint32_t i = 3; i < len; i++) {
		known[i - 3] = m->id[w[i]].known;
		in[i - 3] = m->id[w[i]].value;
	}
	return !r->known && spirv_fold(op, known, in, len - 3, &value) && learn(r, value);
}

static bool reach(struct trim_module *m, uint32_t label)
{
	bool first = !m->id[label].reached;

	m->id[label].reached = true;
	return first;
}

/* The only way a two- or many-way branch goes, or 0. merge: has a selection merge. */
static uint32_t only_target(const struct trim_module *m, const uint32_t *w, bool merge)
{
	const struct trim_id *selector = &m->id[w[1]];

	if (!merge || !selector->known)
		return 0;
	if (spirv_op(w[0]) == OP_BRANCH_CONDITIONAL)
		return w[selector->value ? 2 : 3];
	for (uint32_t k = 3; k + 1 < spirv_length(w[0]); k += 2)
		if (w[k] == selector->value)
			return w[k + 1];
	return w[2];
}

/* Marks where a reached block leads. */
static bool follow(struct trim_module *m, uint32_t label, size_t at, bool merge)
{
	const uint32_t *w = m->w + at;
	bool more = false;

	m->id[label].terminator = at;
	switch (spirv_op(w[0])) {
	case OP_BRANCH:
		return reach(m, w[1]);
	case OP_BRANCH_CONDITIONAL:
	case OP_SWITCH:
		m->id[label].target = only_target(m, w, merge);
		if (m->id[label].target)
			return reach(m, m->id[label].target);
		for (uint32_t k = 2; k < spirv_length(w[0]); k++)
			/* Weights of a conditional branch are literals, as are cases. */
			if (spirv_word_kind(spirv_layout(spirv_op(w[0])), k) == 'i')
				more |= reach(m, w[k]);
		return more;
	default:
		return false;
	}
}

static bool terminates(uint32_t op)
{
	return op >= OP_BRANCH && op <= OP_UNREACHABLE;
}

/* One walk over the blocks reached so far; true if there is more to learn. */
static bool walk(struct trim_module *m, const struct trim_function *f)
{
	bool more = false, merge = false, live = false;
	uint32_t label = 0;

	for (size_t at = f->begin; at < f->end; at += spirv_length(m->w[at])) {
		const uint32_t *w = m->w + at;
		uint32_t op = spirv_op(w[0]);

		if (op == OP_LABEL) {
			if (!label)
				more |= reach(m, w[1]); /* the function's first block */
			label = w[1];
			live = m->id[label].reached;
			merge = false;
		}
		if (!live)
			continue;
		if (op == OP_SELECTION_MERGE) {
			merge = true;
		} else if (op == OP_LOOP_MERGE) {
			/* A loop's exit and continue block have to be there, used or not. */
			more |= reach(m, w[1]);
			more |= reach(m, w[2]);
		} else if (terminates(op)) {
			more |= follow(m, label, at, merge);
			live = false;
		} else {
			more |= evaluate(m, w);
		}
	}
	return more;
}

void trim_analyse(struct trim_module *m, uint32_t function, const struct trim_param *params)
{
	const struct trim_function *f = &m->function[function];

	for (uint32_t i = 1; i < m->bound; i++) {
		struct trim_id *id = &m->id[i];

		if (id->function != function + 1)
			continue;
		*id = (struct trim_id){ .function = id->function, .local = id->local };
	}
	for (uint32_t i = 0; i < f->n_params; i++) {
		struct trim_id *id = &m->id[f->param[i]];

		id->known = params[i].known;
		id->pointee_known = params[i].pointee_known;
		id->value = params[i].value;
	}
	scan_variables(m, f);
	while (walk(m, f))
		;
}

bool trim_edge(const struct trim_module *m, uint32_t from, uint32_t to)
{
	const struct trim_id *b = &m->id[from];
	const uint32_t *w;

	if (!b->reached || !b->terminator)
		return false;
	if (b->target)
		return b->target == to;
	w = m->w + b->terminator;
	for (uint32_t k = 1; k < spirv_length(w[0]); k++)
		if (spirv_word_kind(spirv_layout(spirv_op(w[0])), k) == 'i' && w[k] == to)
			return true;
	return false;
}
