/* SPDX-License-Identifier: MIT */
/*
 * How an operator's bind() describes its kernels:
 *
 *	struct joule_dispatch *d = joule_bind(b, "unary_%s", joule_dtype_name(t));
 *
 *	joule_bind_read(d, JOULE_IN(0));
 *	joule_bind_write(d, JOULE_OUT(0));
 *	joule_bind_u32(d, count);
 *	joule_bind_spec(d, code);
 *	joule_bind_grid(b, d, 64, JOULE_DIV_UP(count, 4));
 *	return joule_bind_end(b);
 *
 * Errors stick: every call on a failed binder or a NULL dispatch does nothing,
 * and joule_bind_end() reports the first one.
 */
#ifndef JOULE_HAL_BINDER_H
#define JOULE_HAL_BINDER_H

#include <stddef.h>

#include "base/arena.h"
#include "hal/dispatch.h"

struct joule_bind_const {
	void *data;
	size_t bytes;
};

struct joule_binder {
	const struct joule_caps *caps;
	bool f16_arithmetic;  /* asked for by the user and there: fp16 accumulation is welcome */
	bool deterministic;   /* results must not depend on timing or driver choice */
	uint64_t no_margin;   /* bit i: nothing may be read around node->in[i] */
	struct joule_arena *arena; /* holds all that follows */
	int n_dispatches, cap_dispatches;
	struct joule_dispatch **dispatches;
	int n_scratch, cap_scratch;
	uint64_t *scratch_bytes;
	int n_consts, cap_consts;
	struct joule_bind_const *consts;
	const char *refusal;  /* why there is no kernel; set with -ENOTSUP */
	int err;
};

void joule_binder_init(struct joule_binder *b, const struct joule_caps *caps,
		       struct joule_arena *arena);

/* Starts a launch of the shader variant that the format spells. NULL after an error. */
__attribute__((format(printf, 2, 3))) struct joule_dispatch *
joule_bind(struct joule_binder *b, const char *shader_fmt, ...);

/* Operands, in the order of the shader's push-constant block. */
#define JOULE_IN(i)	 ((struct joule_operand){ .kind = JOULE_OPERAND_IN, .index = (i) })
#define JOULE_OUT(i)	 ((struct joule_operand){ .kind = JOULE_OPERAND_OUT, .index = (i) })
void joule_bind_read(struct joule_dispatch *d, struct joule_operand operand);
void joule_bind_write(struct joule_dispatch *d, struct joule_operand operand);

/*
 * A read that may go up to margin bytes beyond both ends, whose contents do not
 * matter. Only where joule_bind_margin() says so: memory of the user's has no
 * such surroundings.
 */
void joule_bind_read_around(struct joule_dispatch *d, struct joule_operand operand,
			    uint64_t margin);
bool joule_bind_margin(const struct joule_binder *b, int in);
void joule_bind_read_write(struct joule_dispatch *d, struct joule_operand operand);

/* Temporary device memory of this node. */
struct joule_operand joule_bind_scratch(struct joule_binder *b, uint64_t bytes);

/*
 * Constant device memory: *data is zeroed host memory to fill in before
 * joule_bind_end() (packed weights, tables, long parameter lists). On error
 * *data is NULL.
 */
struct joule_operand joule_bind_const(struct joule_binder *b, size_t bytes, void **data);

/* Push-constant words, 4 bytes each, in order after the addresses. */
void joule_bind_u32(struct joule_dispatch *d, uint32_t v);
void joule_bind_i32(struct joule_dispatch *d, int32_t v);
void joule_bind_f32(struct joule_dispatch *d, float v);

/* Next specialization constant (ids 3, 4, ...). */
void joule_bind_spec(struct joule_dispatch *d, uint32_t v);
void joule_bind_spec_f32(struct joule_dispatch *d, float v);

/* Workgroup size and count. */
void joule_bind_local(struct joule_dispatch *d, uint32_t x, uint32_t y, uint32_t z);
void joule_bind_groups(struct joule_dispatch *d, uint64_t x, uint64_t y, uint64_t z);

/*
 * One-dimensional launch of at least threads invocations, local ones in a
 * group; more groups than one dimension holds spill into y. Shaders take their
 * number from joule_global_index() of lib/common.glsl and must check it.
 */
void joule_bind_grid(struct joule_binder *b, struct joule_dispatch *d, uint32_t local,
		     uint64_t threads);

/* "No kernel, because": sets the reason, returns -ENOTSUP. */
__attribute__((format(printf, 2, 3))) int joule_bind_refuse(struct joule_binder *b,
							    const char *fmt, ...);

/* Checks the launches against the device's limits. 0, -ENOMEM, -ENOTSUP. */
int joule_bind_end(struct joule_binder *b);

#endif
