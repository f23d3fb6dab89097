// SPDX-License-Identifier: MIT
#include "ops/epilogue.h"

#include "ir/access.h"
#include "ir/elementwise.h"

/* Product of dims[from..to). */
static int64_t product(const struct joule_shape *s, int from, int to)
{
	int64_t n = 1;

	for (int i = from; i < to; i++)
		n *= s->dims[i];
	return n;
}

enum joule_epilogue_class joule_epilogue_classify(const struct joule_shape *operand,
						  const struct joule_shape *out, int axis,
						  uint32_t *inner, uint32_t *period)
{
	int lead = out->rank - operand->rank, first = out->rank, last = -1;

	*inner = *period = 1;
	if (lead < 0)
		return JOULE_EPILOGUE_UNFIT;
	for (int i = 0; i < out->rank; i++) {
		int64_t dim = i < lead ? 1 : operand->dims[i - lead];

		if (dim == 1)
			continue;
		if (dim != out->dims[i])
			return JOULE_EPILOGUE_UNFIT;
		if (first > i)
			first = i;
		last = i;
	}
	if (last < 0)
		return JOULE_EPILOGUE_SCALAR;
	/* The axes between the first and the last that varies must all vary. */
	for (int i = first; i <= last; i++)
		if (out->dims[i] != 1 && operand->dims[i - lead] == 1)
			return JOULE_EPILOGUE_UNFIT;
	if (product(out, 0, first) == 1 && product(out, last + 1, out->rank) == 1)
		return JOULE_EPILOGUE_SAME;
	if (first == axis && last == axis)
		return JOULE_EPILOGUE_CHANNEL;
	*inner = (uint32_t)product(out, last + 1, out->rank);
	*period = (uint32_t)product(out, first, last + 1);
	/* Empty outputs launch nothing, but the shader must not divide by 0. */
	*inner += !*inner;
	*period += !*period;
	return JOULE_EPILOGUE_VECTOR;
}

bool joule_epilogue_fits(const struct joule_node *node, const struct joule_ew_step *steps, int n,
			 const struct joule_tensor *out)
{
	int seen[JOULE_EPILOGUE_MAX_TENSORS], n_seen = 0;
	uint32_t inner, period;

	if (n > JOULE_EPILOGUE_MAX_STEPS)
		return false;
	for (int i = 0; i < n; i++) {
		const struct joule_tensor *t;
		int k = 0;

		if (steps[i].operand < 0)
			continue;
		t = joule_node_in(node, steps[i].operand);
		if (!t || t->dtype != out->dtype ||
		    joule_epilogue_classify(&t->shape, &out->shape, -1, &inner, &period) ==
			    JOULE_EPILOGUE_UNFIT)
			return false;
		while (k < n_seen && seen[k] != steps[i].operand)
			k++;
		if (k == JOULE_EPILOGUE_MAX_TENSORS)
			return false;
		if (k == n_seen)
			seen[n_seen++] = steps[i].operand;
	}
	return true;
}

int joule_epilogue_bind(struct joule_binder *b, struct joule_dispatch *d,
			const struct joule_node *node, int axis)
{
	const struct joule_epilogue *e = &node->epilogue;
	const struct joule_tensor *out = node->out[0];
	uint32_t codes = 0, where = 0;
	uint32_t inner[JOULE_EPILOGUE_MAX_TENSORS] = { 1, 1 };
	uint32_t period[JOULE_EPILOGUE_MAX_TENSORS] = { 1, 1 };
	int tensor[JOULE_EPILOGUE_MAX_TENSORS] = { 0, 0 }, n = 0;

	if (!joule_epilogue_fits(node, e->step, e->n, out))
		return joule_bind_refuse(b, "no kernel for an epilogue of these %d steps", e->n);
	for (int i = 0; i < e->n; i++) {
		const struct joule_ew_step *s = &e->step[i];
		enum joule_epilogue_class class;
		int k = 0;

		codes |= (uint32_t)s->code << (8 * i);
		if (s->operand < 0)
			continue;
		while (k < n && tensor[k] != s->operand)
			k++;
		tensor[k] = s->operand;
		if (k == n)
			n++;
		class = joule_epilogue_classify(&node->in[s->operand]->shape, &out->shape, axis,
						&inner[k], &period[k]);
		where |= ((uint32_t)class << 1 | (uint32_t)k) << (8 * i);
	}
	/* Places not used get an input that the kernel reads anyway. */
	for (int i = 0; i < JOULE_EPILOGUE_MAX_TENSORS; i++)
		joule_bind_read(d, JOULE_IN((uint16_t)tensor[i]));
	joule_bind_spec(d, codes);
	joule_bind_spec(d, where);
	for (int i = 0; i < JOULE_EPILOGUE_MAX_STEPS; i++) {
		joule_bind_spec_f32(d, i < e->n ? e->step[i].p : 0);
		joule_bind_spec_f32(d, i < e->n ? e->step[i].q : 0);
	}
	for (int i = 0; i < JOULE_EPILOGUE_MAX_TENSORS; i++) {
		joule_bind_spec(d, inner[i]);
		joule_bind_spec(d, period[i]);
	}
	return 0;
}
