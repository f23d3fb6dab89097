// SPDX-License-Identifier: MIT
#include "ops/copy.h"


void joule_copy_simplify(struct joule_copy *copy)
{
	struct joule_copy s = { .src_at = copy->src_at, .dst_at = copy->dst_at };

	for (int d = 0; d < copy->rank; d++) {
		int64_t n = copy->dims[d], src = copy->src[d], dst = copy->dst[d];
		int last = s.rank - 1;

		if (!n) {
			s.rank = 0;
			joule_copy_dim(&s, 0, 1, 1);
			break;
		}
		if (n == 1)
			continue;
		if (s.rank && s.src[last] == src * n && s.dst[last] == dst * n) {
			s.dims[last] *= n;
			s.src[last] = src;
			s.dst[last] = dst;
		} else {
			joule_copy_dim(&s, n, src, dst);
		}
	}
	if (!s.rank)
		joule_copy_dim(&s, 1, 1, 1);
	*copy = s;
}

/* Regroups elements of that many bits into the largest unit up to `most` that moves whole. */
static unsigned int widen(struct joule_copy *c, unsigned int bits, unsigned int most)
{
	int in = c->rank - 1;

	while (bits < most && c->src[in] == 1 && c->dst[in] == 1) {
		bool even = !(c->dims[in] & 1 || c->src_at & 1 || c->dst_at & 1);

		for (int d = 0; d < in; d++)
			even = even && !(c->src[d] & 1) && !(c->dst[d] & 1);
		if (!even)
			break;
		for (int d = 0; d < in; d++) {
			c->src[d] /= 2;
			c->dst[d] /= 2;
		}
		c->dims[in] /= 2;
		c->src_at /= 2;
		c->dst_at /= 2;
		bits *= 2;
	}
	return bits;
}

struct bytes16 {
	uint64_t v[2];
};

#define COPY_ROW(type) \
	do { \
		const type *from = (const type *)src + s; \
		type *to = (type *)dst + t; \
		for (int64_t i = 0; i < n; i++) \
			to[i * dd] = from[i * ds]; \
	} while (0)

/* One row of units; strides in units. */
static void copy_row(unsigned int bytes, const void *src, int64_t s, int64_t ds, void *dst,
		     int64_t t, int64_t dd, int64_t n)
{
	if (ds == 1 && dd == 1) {
		memcpy((char *)dst + (size_t)t * bytes, (const char *)src + (size_t)s * bytes,
		       (size_t)n * bytes);
		return;
	}
	switch (bytes) {
	case 1:
		COPY_ROW(uint8_t);
		break;
	case 2:
		COPY_ROW(uint16_t);
		break;
	case 4:
		COPY_ROW(uint32_t);
		break;
	case 8:
		COPY_ROW(uint64_t);
		break;
	default:
		COPY_ROW(struct bytes16);
	}
}

void joule_copy_ref(enum joule_dtype dtype, const struct joule_copy *copy, const void *src,
		    void *dst)
{
	struct joule_copy c = *copy;
	int64_t at[JOULE_COPY_RANK] = { 0 };
	unsigned int bits;
	int in, d;

	joule_copy_simplify(&c);
	if (!c.dims[0])
		return;
	bits = widen(&c, joule_dtype_bits(dtype), 128);
	in = c.rank - 1;
	do {
		if (bits >= 8)
			copy_row(bits / 8, src, c.src_at, c.src[in], dst, c.dst_at, c.dst[in],
				 c.dims[in]);
		for (int64_t i = 0; bits < 8 && i < c.dims[in]; i++)
			joule_move(dtype, dst, c.dst_at + i * c.dst[in], src,
				   c.src_at + i * c.src[in]);
		for (d = in - 1; d >= 0; d--) {
			c.src_at += c.src[d];
			c.dst_at += c.dst[d];
			if (++at[d] < c.dims[d])
				break;
			c.src_at -= c.src[d] * c.dims[d];
			c.dst_at -= c.dst[d] * c.dims[d];
			at[d] = 0;
		}
	} while (d >= 0);
}

/* As the shaders have it: struct CopyDim of lib/index.glsl. */
struct copy_dim {
	uint32_t len, magic;
	int32_t src, dst;
};

/* The parameters of dimensions first .. rank - 1, innermost first. */
static struct joule_operand bind_dims(struct joule_binder *b, const struct joule_copy *c, int rank)
{
	struct copy_dim *dim;
	struct joule_operand o =
		joule_bind_const(b, sizeof(*dim) * (size_t)(rank ? rank : 1), (void **)&dim);

	for (int i = 0; dim && i < rank; i++) {
		int d = rank - 1 - i;

		dim[i].len = (uint32_t)c->dims[d];
		dim[i].magic = joule_magic(dim[i].len);
		dim[i].src = (int32_t)c->src[d];
		dim[i].dst = (int32_t)c->dst[d];
	}
	return o;
}

static uint32_t pow2_up(int64_t n, uint32_t most)
{
	uint32_t p = 1;

	while (p < n && p < most)
		p *= 2;
	return p;
}

/*
 * Where the innermost dimension of the source (j) is another than that of the
 * destination (i), each invocation turns a 4 x 4 block. False if it is not so.
 */
static bool bind_turn(struct joule_binder *b, const struct joule_copy *copy, unsigned int bytes,
		      struct joule_operand src, struct joule_operand dst)
{
	struct joule_copy c = *copy;
	int64_t ni, nj = 0, si, dj = 0, outer = 1, rows;
	uint32_t x, y, z;
	struct joule_dispatch *d;
	int in = c.rank - 1, n = 0;
	bool wide_in, wide_out;

	if (bytes > 4 || in < 1 || c.dst[in] != 1 || c.src[in] == 1 || !c.src[in])
		return false;
	ni = c.dims[in];
	si = c.src[in];
	wide_in = !(c.src_at % 4) && !(si % 4);
	wide_out = !(c.dst_at % 4);
	for (int i = 0; i < in; i++) {
		if (!nj && c.src[i] == 1 && c.dims[i] >= 4) {
			nj = c.dims[i];
			dj = c.dst[i];
			wide_out = wide_out && !(dj % 4);
			continue;
		}
		wide_in = wide_in && !(c.src[i] % 4);
		wide_out = wide_out && !(c.dst[i] % 4);
		outer *= c.dims[i];
		c.dims[n] = c.dims[i];
		c.src[n] = c.src[i];
		c.dst[n++] = c.dst[i];
	}
	if (!nj)
		return false;
	rows = ni < 4 ? ni : 4;
	wide_in = wide_in && !(nj % 4);
	wide_out = wide_out && !(ni % 4);
	y = pow2_up(JOULE_DIV_UP(ni, rows), 8);
	x = pow2_up(JOULE_DIV_UP(nj, 4), 64 / y);
	z = pow2_up(outer, 64 / (x * y));
	if (outer / z >= b->caps->max_groups[2] || z > b->caps->max_local[2] ||
	    JOULE_DIV_UP(ni, rows * y) > b->caps->max_groups[1])
		return false;
	d = joule_bind(b, "copy_turn_%u", bytes);
	joule_bind_read(d, src);
	joule_bind_write(d, dst);
	joule_bind_read(d, bind_dims(b, &c, n));
	joule_bind_i32(d, (int32_t)c.src_at);
	joule_bind_i32(d, (int32_t)c.dst_at);
	joule_bind_u32(d, (uint32_t)ni);
	joule_bind_u32(d, (uint32_t)nj);
	joule_bind_u32(d, (uint32_t)outer);
	joule_bind_i32(d, (int32_t)si);
	joule_bind_i32(d, (int32_t)dj);
	joule_bind_spec(d, (uint32_t)n);
	joule_bind_spec(d, wide_in);
	joule_bind_spec(d, wide_out);
	joule_bind_spec(d, (uint32_t)rows);
	joule_bind_local(d, x, y, z);
	joule_bind_groups(d, (uint64_t)JOULE_DIV_UP(nj, 4 * x),
			  (uint64_t)JOULE_DIV_UP(ni, rows * y),
			  (uint64_t)JOULE_DIV_UP(outer, z));
	return true;
}

/* Whether 32 bits hold every index, and the number of units. */
static bool indexable(const struct joule_copy *c)
{
	int64_t src = c->src_at, dst = c->dst_at, count = 1;

	for (int d = 0; d < c->rank; d++) {
		src += c->src[d] > 0 ? c->src[d] * (c->dims[d] - 1) : 0;
		dst += c->dst[d] > 0 ? c->dst[d] * (c->dims[d] - 1) : 0;
		if (!joule_mul_i64(count, c->dims[d], &count))
			return false;
	}
	return src <= INT32_MAX && dst <= INT32_MAX && count <= INT32_MAX;
}

static void bind_units(struct joule_binder *b, unsigned int bits, const struct joule_copy *copy,
		       struct joule_operand src, struct joule_operand dst)
{
	struct joule_copy c = *copy;
	struct joule_dispatch *d;
	unsigned int bytes;
	int64_t inner, count = 1;
	int in, per;

	joule_copy_simplify(&c);
	if (!c.dims[0])
		return;
	bytes = widen(&c, bits, 8 * joule_move_unit(b, 16)) / 8;
	in = c.rank - 1;
	if (!bytes)
		joule_bind_refuse(b, "elements of %u bits do not move in whole bytes", bits);
	else if (!indexable(&c))
		joule_bind_refuse(b, "copies 2^31 elements or more");
	if (b->err || !joule_bind_can_store(b, bytes) || bind_turn(b, &c, bytes, src, dst))
		return;
	inner = c.dims[in];
	per = inner >= 3 ? 4 : 1;
	d = joule_bind(b, "copy_%u", bytes);
	joule_bind_read(d, src);
	joule_bind_write(d, dst);
	/* The kernel walks the innermost dimension in chunks. */
	c.dims[in] = JOULE_DIV_UP(inner, per);
	c.src[in] *= per;
	c.dst[in] *= per;
	joule_bind_read(d, bind_dims(b, &c, c.rank));
	for (int i = 0; i < c.rank; i++)
		count *= c.dims[i];
	joule_bind_u32(d, (uint32_t)count);
	joule_bind_i32(d, (int32_t)c.src_at);
	joule_bind_i32(d, (int32_t)c.dst_at);
	joule_bind_u32(d, (uint32_t)inner);
	joule_bind_i32(d, (int32_t)(c.src[in] / per));
	joule_bind_i32(d, (int32_t)(c.dst[in] / per));
	joule_bind_spec(d, (uint32_t)c.rank);
	joule_bind_spec(d, (uint32_t)per);
	joule_bind_grid(b, d, 64, (uint64_t)count);
}

void joule_copy_bind(struct joule_binder *b, enum joule_dtype dtype,
		     const struct joule_copy *copy, struct joule_operand src,
		     struct joule_operand dst)
{
	bind_units(b, joule_dtype_bits(dtype), copy, src, dst);
}

void joule_fill_bind(struct joule_binder *b, enum joule_dtype dtype, const void *value,
		     int64_t count, struct joule_operand dst)
{
	unsigned int bytes = joule_dtype_bits(dtype) / 8, unit;
	struct joule_copy c = { 0 };

	if (!bytes) {
		joule_bind_refuse(b, "no kernel for packed element type %s",
				  joule_dtype_name(dtype));
		return;
	}
	unit = joule_move_unit(b, (uint64_t)count * bytes);
	joule_copy_dim(&c, count * bytes / unit, 0, 1);
	bind_units(b, unit * 8, &c, joule_remap_fill(b, dtype, value), dst);
}

void joule_copy_bytes_bind(struct joule_binder *b, int64_t bytes, struct joule_operand src,
			   struct joule_operand dst)
{
	struct joule_copy c = { 0 };

	joule_copy_dim(&c, bytes, 1, 1);
	joule_copy_bind(b, JOULE_U8, &c, src, dst);
}
