// SPDX-License-Identifier: MIT
#include "hal/vulkan/trim_module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/vulkan/spirv.h"

#define MAX_BOUND     (1u << 20)
#define MAX_FUNCTIONS 4096 /* trim_read_only() calls itself along calls */
#define DECORATION_SPEC_ID 1

/* Instructions outside functions that give an id a value, type or meaning. */
static int read_global(struct trim_module *m, const uint32_t *w, uint32_t len,
		       const uint32_t *values, uint32_t n_values)
{
	uint32_t op = spirv_op(w[0]), v;
	struct trim_id *r;

	switch (op) {
	case OP_GROUP_DECORATE:
	case OP_GROUP_MEMBER_DECORATE:
		return -ENOTSUP;
	case OP_ENTRY_POINT:
		if (len < 4 || w[2] >= m->bound)
			return -EINVAL;
		if (m->entry && m->entry != w[2])
			return -ENOTSUP;
		m->entry = w[2];
		return 0;
	case OP_DECORATE:
		if (len < 3 || w[1] >= m->bound)
			return -EINVAL;
		if (len == 4 && w[2] == DECORATION_SPEC_ID)
			m->id[w[1]].spec = w[3] + 1;
		return 0;
	case OP_TYPE_BOOL:
	case OP_TYPE_INT:
		if (len < 2 || w[1] >= m->bound)
			return -EINVAL;
		m->id[w[1]].word = op == OP_TYPE_BOOL || (len == 4 && w[2] == 32);
		return 0;
	case OP_CONSTANT_TRUE:
	case OP_CONSTANT_FALSE:
	case OP_CONSTANT:
	case OP_SPEC_CONSTANT_TRUE:
	case OP_SPEC_CONSTANT_FALSE:
	case OP_SPEC_CONSTANT:
	case OP_SPEC_CONSTANT_OP:
		break;
	default:
		return 0;
	}
	if (len < 3 || w[1] >= m->bound || w[2] >= m->bound)
		return -EINVAL;
	r = &m->id[w[2]];
	if (!m->id[w[1]].word)
		return 0;
	if (op == OP_SPEC_CONSTANT_OP) {
		bool known[3];
		uint32_t in[3];

		if (len < 5 || len > 7)
			return 0;
		for (uint32_t i = 4; i < len; i++) {
			if (w[i] >= m->bound)
				return -EINVAL;
			known[i - 4] = m->id[w[i]].known;
			in[i - 4] = m->id[w[i]].value;
		}
		r->known = spirv_fold(w[3], known, in, len - 4, &r->value);
		return 0;
	}
	if (op == OP_CONSTANT || op == OP_SPEC_CONSTANT)
		v = len == 4 ? w[3] : 0;
	else
		v = op == OP_CONSTANT_TRUE || op == OP_SPEC_CONSTANT_TRUE;
	if (r->spec && r->spec <= n_values)
		v = op == OP_SPEC_CONSTANT ? values[r->spec - 1] : values[r->spec - 1] != 0;
	r->known = true;
	r->value = v;
	return 0;
}

/* Notes an instruction of a function; every operand must be an id that can be. */
static int read_local(struct trim_module *m, struct trim_function *f, size_t at)
{
	const uint32_t *w = m->w + at;
	uint32_t op = spirv_op(w[0]), len = spirv_length(w[0]);
	const char *layout = spirv_layout(op);
	char kind;

	if (!layout)
		return -ENOTSUP;
	for (uint32_t k = 1; k < len; k++) {
		kind = spirv_word_kind(layout, k);
		if (!kind)
			return -EINVAL;
		if (kind == 'l')
			continue;
		if (!w[k] || w[k] >= m->bound)
			return -EINVAL;
		if (kind != 'r' || op == OP_FUNCTION)
			continue;
		m->id[w[k]].function = (uint32_t)(f - m->function) + 1;
		m->id[w[k]].local = f->n_locals++;
	}
	/* The fixed part is there. */
	if (len <= strcspn(layout, "*#s"))
		return -EINVAL;
	if (op == OP_FUNCTION_PARAMETER) {
		if (f->n_params == TRIM_MAX_PARAMS)
			return -ENOTSUP;
		f->param[f->n_params++] = w[2];
	}
	if (op == OP_SWITCH && len % 2 == 0)
		return -ENOTSUP; /* a selector that is not of 32 bits */
	return 0;
}

static int read_functions(struct trim_module *m)
{
	struct trim_function *f = NULL;
	uint32_t n = 0;

	for (size_t at = m->functions_at; at < m->n; at += spirv_length(m->w[at]))
		n += spirv_op(m->w[at]) == OP_FUNCTION;
	if (n > MAX_FUNCTIONS)
		return -ENOTSUP;
	m->function = calloc(n ? n : 1, sizeof(*m->function));
	if (!m->function)
		return -ENOMEM;
	for (size_t at = m->functions_at; at < m->n; at += spirv_length(m->w[at])) {
		uint32_t op = spirv_op(m->w[at]);
		int err;

		if ((op == OP_FUNCTION) == (f != NULL))
			return -EINVAL;
		if (op == OP_FUNCTION) {
			f = &m->function[m->n_functions++];
			f->begin = at;
		}
		err = read_local(m, f, at);
		if (err)
			return err;
		if (op == OP_FUNCTION) {
			f->id = m->w[at + 2];
			m->id[f->id].is_function = m->n_functions;
		}
		if (op == OP_FUNCTION_END) {
			f->end = at + 1;
			f = NULL;
		}
	}
	return f ? -EINVAL : 0;
}

int trim_module_read(struct trim_module *m, const uint32_t *w, size_t n, const uint32_t *values,
		     uint32_t n_values)
{
	memset(m, 0, sizeof(*m));
	if (n < SPIRV_HEADER_WORDS || w[0] != SPIRV_MAGIC || !w[3])
		return -EINVAL;
	if (w[3] > MAX_BOUND)
		return -ENOTSUP;
	m->w = w;
	m->n = n;
	m->bound = w[3];
	m->functions_at = n;
	m->id = calloc(m->bound, sizeof(*m->id));
	if (!m->id)
		return -ENOMEM;
	for (size_t at = SPIRV_HEADER_WORDS; at < n;) {
		uint32_t len = spirv_length(w[at]);
		int err = 0;

		if (!len || len > n - at)
			return -EINVAL;
		if (spirv_op(w[at]) == OP_FUNCTION && m->functions_at == n)
			m->functions_at = at;
		if (m->functions_at == n)
			err = read_global(m, w + at, len, values, n_values);
		if (err)
			return err;
		at += len;
	}
	if (!m->entry)
		return -ENOTSUP;
	return read_functions(m);
}

void trim_module_finish(struct trim_module *m)
{
	free(m->function);
	free(m->id);
}

bool trim_read_only(struct trim_module *m, uint32_t function, uint32_t param)
{
	struct trim_function *f = &m->function[function];
	uint32_t id;

	if (param >= f->n_params)
		return false;
	if (f->read_only[param] != TRIM_NOT_ASKED)
		return f->read_only[param] == TRIM_YES;
	f->read_only[param] = TRIM_NO; /* should it be asked again from below */
	id = f->param[param];
	for (size_t at = f->begin; at < f->end; at += spirv_length(m->w[at])) {
		const uint32_t *w = m->w + at;
		uint32_t op = spirv_op(w[0]), len = spirv_length(w[0]);
		const char *layout = spirv_layout(op);

		if (op == OP_FUNCTION_PARAMETER)
			continue;
		for (uint32_t k = 1; k < len; k++) {
			if (w[k] != id || spirv_word_kind(layout, k) != 'i')
				continue;
			if (op == OP_LOAD && k == 3)
				continue;
			if (op == OP_FUNCTION_CALL && k >= 4 && m->id[w[3]].is_function &&
			    trim_read_only(m, m->id[w[3]].is_function - 1, k - 4))
				continue;
			return false;
		}
	}
	f->read_only[param] = TRIM_YES;
	return true;
}
