// SPDX-License-Identifier: MIT
/* The chain kernel's binding, and the internal operator made of it. */
#include "ops/chain.h"

#include <errno.h>
#include <string.h>

#include "ops/common.h"
#include "ops/walk.h"

void joule_chain_begin(struct joule_chain_launch *c, const struct joule_node *node, int out)
{
	memset(c, 0, sizeof(*c));
	c->space = node->out[out]->shape;
	c->out = JOULE_OUT((uint16_t)out);
	c->out_dtype = node->out[out]->dtype;
}

int joule_chain_operand(struct joule_chain_launch *c, struct joule_operand place,
			enum joule_dtype dtype, const struct joule_shape *shape)
{
	struct joule_chain_arg *arg = &c->arg[c->n_args];

	if (c->n_args == JOULE_CHAIN_MAX_ARGS)
		return -1;
	arg->place = place;
	arg->dtype = dtype;
	joule_broadcast_strides(shape, &c->space, arg->strides);
	return c->n_args++;
}

int joule_chain_input(struct joule_chain_launch *c, const struct joule_node *node, int in)
{
	return joule_chain_operand(c, JOULE_IN((uint16_t)in), node->in[in]->dtype,
				   &node->in[in]->shape);
}

int joule_chain_step(struct joule_chain_launch *c, enum joule_ew_code code, int operand, float p,
		     float q)
{
	if (c->n_steps == JOULE_EW_MAX_STEPS)
		return -1;
	c->step[c->n_steps++] = (struct joule_ew_step){
		.code = (uint16_t)code, .operand = (int16_t)operand, .p = p, .q = q
	};
	return 0;
}

int joule_chain_epilogue(struct joule_binder *b, struct joule_chain_launch *c,
			 const struct joule_node *node)
{
	for (int i = 0; i < node->epilogue.n; i++) {
		const struct joule_ew_step *s = &node->epilogue.step[i];
		int operand = s->operand < 0 ? -1 : joule_chain_input(c, node, s->operand);

		if ((s->operand >= 0 && operand < 0) ||
		    joule_chain_step(c, s->code, operand, s->p, s->q))
			return joule_bind_refuse(b, "no room for %d fused steps", node->epilogue.n);
	}
	return 0;
}

/* The variant for the types: storage of the args, then of the output. */
static const char *variant(struct joule_binder *b, const struct joule_chain_launch *c)
{
	enum joule_dtype in = c->arg[0].dtype, out = c->out_dtype;

	if (joule_shape_count(&c->space) > INT32_MAX)
		joule_bind_refuse(b, "output has 2^31 elements or more");
	else if (in == JOULE_F32 && out == JOULE_F32)
		return "chain_f32";
	else if (in == JOULE_F16 && out == JOULE_F16 && b->caps->storage_16bit)
		return "chain_f16";
	else if (out == JOULE_BOOL && !b->caps->storage_8bit)
		joule_bind_refuse(b, "the device has no 8-bit storage");
	else if (in == JOULE_F32 && out == JOULE_BOOL)
		return "chain_f32_bool";
	else if (in == JOULE_F16 && out == JOULE_BOOL && b->caps->storage_16bit)
		return "chain_f16_bool";
	else if (in == JOULE_BOOL && out == JOULE_BOOL)
		return "chain_bool";
	else if (joule_dtype_is_float(in))
		joule_bind_refuse(b, "no kernel for element type %s", joule_dtype_name(in));
	else
		joule_bind_refuse(b, "integer work on the host");
	return NULL;
}

/* What the shader reads besides its push constants (shaders/chain.comp). */
struct params {
	float p[JOULE_EW_MAX_STEPS], q[JOULE_EW_MAX_STEPS];
	uint32_t dims[JOULE_MAX_RANK];
	uint32_t strides[JOULE_CHAIN_MAX_ARGS][JOULE_MAX_RANK];
};

/* Four neighbours at a time: rows and every operand's place in them must be multiples of 4. */
static bool by_four(const struct joule_walk *w)
{
	int last = w->rank - 1;

	for (int k = 0; k < w->n; k++) {
		if (w->strides[k][last] > 1)
			return false;
		for (int i = 0; w->strides[k][last] && i < last; i++)
			if (w->strides[k][i] % 4)
				return false;
	}
	return !last || w->dims[last] % 4 == 0;
}

static struct joule_operand bind_params(struct joule_binder *b, const struct joule_chain_launch *c,
					const struct joule_walk *w)
{
	struct params *params;
	struct joule_operand place = joule_bind_const(b, sizeof(*params), (void **)&params);

	if (!params)
		return place;
	for (int i = 0; i < c->n_steps; i++) {
		params->p[i] = c->step[i].p;
		params->q[i] = c->step[i].q;
	}
	for (int i = 0; i < w->rank - 1; i++) {
		params->dims[i] = (uint32_t)w->dims[i];
		for (int k = 0; k < w->n; k++)
			params->strides[k][i] = (uint32_t)w->strides[k][i];
	}
	return place;
}

int joule_chain_bind(struct joule_binder *b, const struct joule_chain_launch *c)
{
	const char *name = variant(b, c);
	uint32_t modes = 0, wide = 0, vec;
	struct joule_rows shared;
	struct joule_operand params;
	struct joule_dispatch *d;
	struct joule_walk w;
	int64_t rows = 1, len;

	if (!name || !joule_shape_count(&c->space))
		return b->err;
	joule_walk_init(&w, &c->space);
	for (int k = 0; k < c->n_args; k++) {
		if (c->arg[k].dtype == JOULE_F32 && c->arg[0].dtype == JOULE_F16)
			wide |= 1u << k;
		else if (c->arg[k].dtype != c->arg[0].dtype)
			return joule_bind_refuse(b, "operands of types %s and %s",
						 joule_dtype_name(c->arg[0].dtype),
						 joule_dtype_name(c->arg[k].dtype));
		joule_walk_add_strides(&w, c->arg[k].strides);
	}
	/* One more that is dense, so that the output's rows are what is walked. */
	joule_walk_add(&w, &c->space);
	joule_walk_merge(&w);
	w.n--;
	for (int i = 0; i < w.rank - 1; i++)
		rows *= w.dims[i];
	len = w.dims[w.rank - 1];
	vec = by_four(&w) ? 4 : 1;
	/* Stride along the row: 0, 1 (a vector load), or 2 for anything else. */
	for (int k = 0; k < w.n; k++)
		modes |= (uint32_t)JOULE_MIN(w.strides[k][w.rank - 1], 2) << (2 * k);
	params = bind_params(b, c, &w);

	d = joule_bind(b, "%s%s", name, joule_dtype_is_float(c->out_dtype) ? joule_bind_wide(b) : "");
	joule_bind_write(d, c->out);
	for (int k = 0; k < JOULE_CHAIN_MAX_ARGS; k++)
		joule_bind_read(d, c->arg[k < c->n_args ? k : 0].place);
	joule_bind_read(d, params);
	shared = joule_bind_rows(b, d, (uint64_t)JOULE_DIV_UP(len, vec), (uint64_t)rows, 8);
	joule_bind_u32(d, (uint32_t)len);
	joule_bind_u32(d, (uint32_t)rows);
	for (int k = 0; k < JOULE_CHAIN_MAX_ARGS; k++)
		joule_bind_u32(d, k < w.n ? (uint32_t)w.strides[k][w.rank - 1] : 0);
	joule_bind_spec(d, vec);
	joule_bind_spec(d, (uint32_t)w.rank - 1);
	joule_bind_spec(d, (uint32_t)w.n);
	joule_bind_spec(d, modes);
	joule_bind_spec(d, wide);
	joule_bind_spec(d, (uint32_t)c->n_steps);
	joule_bind_spec(d, shared.per);
	joule_bind_spec(d, shared.exact);
	joule_bind_spec(d, (uint32_t)(len % vec));
	for (int i = 0; i < JOULE_EW_MAX_STEPS; i++) {
		const struct joule_ew_step *s = &c->step[i];

		joule_bind_spec(d, i >= c->n_steps ? 0 :
						     s->code | (uint32_t)JOULE_MAX(s->operand, 0) << 8);
	}
	return b->err;
}

/* What comes behind the chain's own inputs, perhaps after a gap, belongs to fused steps. */
static int own_inputs(const struct joule_node *node)
{
	int most = node->epilogue.n ? node->epilogue.first_in : node->n_in, n = 0;

	while (n < most && node->in[n])
		n++;
	return n;
}

static int chain_infer(struct joule_node *node)
{
	const struct joule_chain *a = node->attrs;
	struct joule_shape shape = node->in[0]->shape;
	int n = own_inputs(node);

	for (int i = 0; i < a->n; i++)
		if (a->step[i].operand >= n)
			return joule_node_err(node, -EINVAL, "step %d has no operand", i);
	for (int i = 1; i < n; i++)
		if (joule_shape_broadcast(&shape, &node->in[i]->shape, &shape))
			return joule_node_err(node, -EINVAL, "%s does not broadcast",
					      node->in[i]->name);
	joule_set_out(node, 0, node->in[0]->dtype, &shape);
	return 0;
}

static int chain_ref(struct joule_node *node)
{
	const struct joule_chain *a = node->attrs;
	double x[JOULE_ROW_CHUNK], y[JOULE_ROW_CHUNK];
	int64_t pos[JOULE_MAX_RANK], at[JOULE_WALK_OPERANDS];
	struct joule_tensor *out = node->out[0];

	/* Step by step over the output, rounded each time, as separate nodes would do. */
	for (int s = -1; s < a->n; s++) {
		int operand = s < 0 ? 0 : a->step[s].operand;
		struct joule_walk w;

		joule_walk_init(&w, &out->shape);
		joule_walk_add(&w, operand < 0 ? &out->shape : &node->in[operand]->shape);
		joule_walk_add(&w, &out->shape);
		joule_walk_merge(&w);
		for (bool more = joule_walk_begin(&w, pos, at); more;
		     more = joule_walk_next(&w, pos, at)) {
			int64_t len = w.dims[w.rank - 1], stride = w.strides[0][w.rank - 1];

			for (int64_t i = 0; i < len; i += JOULE_ROW_CHUNK) {
				int n = (int)JOULE_MIN(len - i, JOULE_ROW_CHUNK);

				memset(y, 0, sizeof(y));
				if (operand >= 0)
					joule_row_get_f64(node->in[operand], at[0] + i * stride,
							  stride, n, y);
				if (s >= 0)
					joule_row_get_f64(out, at[1] + i, 1, n, x);
				for (int k = 0; k < n; k++)
					x[k] = s < 0 ? y[k] :
						       joule_ew_eval(a->step[s].code, x[k], y[k],
								     a->step[s].p, a->step[s].q);
				joule_row_set_f64(out, at[1] + i, n, x);
			}
		}
	}
	return 0;
}

static int chain_op_bind(const struct joule_node *node, struct joule_binder *b)
{
	const struct joule_chain *a = node->attrs;
	struct joule_chain_launch c;

	joule_chain_begin(&c, node, 0);
	for (int i = 0; i < own_inputs(node); i++)
		if (joule_chain_input(&c, node, i) < 0)
			return joule_bind_refuse(b, "%d operands, the chain kernel takes %d",
						 node->n_in, JOULE_CHAIN_MAX_ARGS);
	for (int i = 0; i < a->n; i++)
		joule_chain_step(&c, a->step[i].code, a->step[i].operand, a->step[i].p,
				 a->step[i].q);
	joule_chain_epilogue(b, &c, node);
	joule_chain_bind(b, &c);
	return joule_bind_end(b);
}

JOULE_OPS(chain) = {
	{
		.name = "Chain", .domain = "joule", .since = 1, .min_in = 1,
		.max_in = JOULE_CHAIN_MAX_ARGS, .min_out = 1, .max_out = 1,
		.traits = JOULE_OP_INTERNAL | JOULE_OP_ELEMENTWISE | JOULE_OP_IN_PLACE |
			  JOULE_OP_EPILOGUE,
		.attrs_bytes = sizeof(struct joule_chain), .infer = chain_infer, .ref = chain_ref,
		.bind = chain_op_bind,
	},
	JOULE_OPS_END,
};
