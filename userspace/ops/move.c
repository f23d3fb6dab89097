// SPDX-License-Identifier: MIT
#include "ops/move.h"

#include <errno.h>

void joule_move_run(enum joule_dtype dtype, void *dst, int64_t i, const void *src, int64_t j,
		    int64_t n)
{
	size_t bytes = joule_dtype_bits(dtype) / 8;

	if (bytes) {
		memcpy((char *)dst + (size_t)i * bytes, (const char *)src + (size_t)j * bytes,
		       (size_t)n * bytes);
		return;
	}
	for (int64_t k = 0; k < n; k++)
		joule_move(dtype, dst, i + k, src, j + k);
}

void joule_move_fill(enum joule_dtype dtype, void *dst, int64_t i, const void *value, int64_t n)
{
	for (int64_t k = 0; k < n; k++)
		joule_move(dtype, dst, i + k, value, 0);
}

int joule_node_ints(const struct joule_node *node, int i, int64_t *out, int max)
{
	const struct joule_tensor *t = joule_node_in(node, i);
	char buf[128];
	int n;

	if (!t)
		return 0;
	n = joule_tensor_ints(t, out, max);
	if (n == -EINVAL)
		joule_node_err(node, n, "input %s, %s %s, is no list of at most %d integers",
			       t->name, joule_dtype_name(t->dtype),
			       joule_shape_str(&t->shape, buf, sizeof(buf)), max);
	return n;
}

int joule_node_int(const struct joule_node *node, int i, int64_t *out)
{
	int64_t v;
	int n = joule_node_ints(node, i, &v, 1);

	if (n == 1)
		*out = v;
	else if (!n && joule_node_in(node, i))
		return joule_node_err(node, -EINVAL, "input %s is empty", node->in[i]->name);
	return n < 0 ? n : 0;
}

int joule_node_axes(const struct joule_node *node, const int64_t *axes, int n, int rank, int *out)
{
	unsigned int seen = 0;

	if (!n) {
		for (int i = 0; i < rank; i++)
			out[i] = i;
		return rank;
	}
	if (n > rank)
		return joule_node_err(node, -EINVAL, "%d axes for a tensor of rank %d", n, rank);
	for (int i = 0; i < n; i++) {
		int a = joule_node_axis(node, axes[i], rank);

		if (a < 0)
			return a;
		if (seen & 1u << a)
			return joule_node_err(node, -EINVAL, "axis %d is given twice", a);
		seen |= 1u << a;
		out[i] = a;
	}
	return n;
}

int64_t joule_node_index(const struct joule_node *node, const struct joule_tensor *t, int64_t i,
			 int64_t dim)
{
	int64_t v = joule_get_i64(t->dtype, t->data, i);

	if (v < -dim || v >= dim)
		return joule_node_err(node, -EINVAL, "entry %lld of %s, %lld, is outside [%lld, %lld]",
				      (long long)i, t->name, (long long)v, (long long)-dim,
				      (long long)dim - 1);
	return v < 0 ? v + dim : v;
}

unsigned int joule_bind_index_words(struct joule_binder *b, const struct joule_tensor *t)
{
	if (t->dtype == JOULE_I32 || t->dtype == JOULE_I64)
		return t->dtype == JOULE_I64 ? 2 : 1;
	joule_bind_refuse(b, "no kernel for indices %s of type %s", t->name,
			  joule_dtype_name(t->dtype));
	return 0;
}

bool joule_bind_can_store(struct joule_binder *b, unsigned int bytes)
{
	if (bytes == 1 && !b->caps->storage_8bit)
		joule_bind_refuse(b, "the device has no 8-bit storage");
	else if (bytes == 2 && !b->caps->storage_16bit)
		joule_bind_refuse(b, "the device has no 16-bit storage");
	return !b->err;
}

unsigned int joule_bind_bytes(struct joule_binder *b, const struct joule_tensor *t)
{
	unsigned int bytes = joule_dtype_bits(t->dtype) / 8;

	if (joule_tensor_count(t) > INT32_MAX)
		joule_bind_refuse(b, "%s has 2^31 elements or more", t->name);
	else if (!bytes)
		joule_bind_refuse(b, "no kernel for packed element type %s of %s",
				  joule_dtype_name(t->dtype), t->name);
	else
		joule_bind_can_store(b, bytes);
	return b->err ? 0 : bytes;
}

unsigned int joule_move_unit(const struct joule_binder *b, uint64_t bytes)
{
	unsigned int unit = b->caps->arithmetic_i64 ? 16 : 8;

	while (unit > 1 && bytes % unit)
		unit /= 2;
	return unit;
}

uint32_t joule_magic(uint32_t d)
{
	unsigned int bits = d > 1 ? 32 - (unsigned int)__builtin_clz(d - 1) : 0;

	/*
	 * ceil(2^(31 + bits) / d) is off by less than 2^-31 of a quotient step,
	 * which numbers below 2^31 cannot notice.
	 */
	return (uint32_t)(((UINT64_C(1) << (31 + bits)) + d - 1) / d);
}

struct joule_lines joule_lines_of(const struct joule_shape *shape, int axis)
{
	struct joule_lines l = { .outer = 1, .n = 1, .inner = 1 };

	for (int i = 0; i < shape->rank; i++)
		*(i < axis ? &l.outer : i == axis ? &l.n : &l.inner) *= shape->dims[i];
	return l;
}

void joule_cost_moved(const struct joule_node *node, struct joule_cost *cost)
{
	for (int i = 0; i < node->n_out; i++)
		if (node->out[i])
			cost->bytes += 2 * joule_tensor_bytes(node->out[i]);
}

enum joule_dtype joule_dtype_from_onnx(int64_t code)
{
	static const uint8_t types[] = {
		[1] = JOULE_F32,  [2] = JOULE_U8,   [3] = JOULE_I8,   [4] = JOULE_U16,
		[5] = JOULE_I16,  [6] = JOULE_I32,  [7] = JOULE_I64,  [9] = JOULE_BOOL,
		[10] = JOULE_F16, [11] = JOULE_F64, [12] = JOULE_U32, [13] = JOULE_U64,
		[16] = JOULE_BF16, [21] = JOULE_U4, [22] = JOULE_I4,
	};

	if (code < 0 || code >= (int64_t)JOULE_ARRAY_LEN(types))
		return JOULE_DTYPE_NONE;
	return (enum joule_dtype)types[code];
}
