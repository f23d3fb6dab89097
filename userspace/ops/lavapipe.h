/* SPDX-License-Identifier: MIT */
/*
 * The C side of shaders/conv_lvp.comp and dwconv_lvp.comp: convolutions and
 * matrix products on lavapipe, Vulkan's implementation on the CPU.
 */
#ifndef JOULE_OPS_LAVAPIPE_H
#define JOULE_OPS_LAVAPIPE_H

#include "hal/binder.h"
#include "ir/graph.h"

#define JOULE_LVP_LANES 8

/*
 * y[z][m][p] = alpha * sum over channels and taps of w[m] * tap(x)[p] + bias.
 * Strides are in elements.
 */
struct joule_lvp {
	/* The caller's: */
	int64_t m, p;            /* p at least 8: rounded up where fewer are used */
	int64_t used;            /* of 8 lanes, those with a result: less than 8 when p was less */
	int64_t channels;
	int64_t kernel[2], stride[2], dilation[2], begin[2]; /* rows, columns */
	int64_t in[2], out_width;
	int64_t plane;           /* of x, from one channel to the next */
	bool gather, mask;       /* see the shader */
	int64_t groups, z;       /* z counts batch times groups; w and bias go by z % groups */
	int64_t xz, wz, yz;
	bool packed;             /* w is to be packed in tiles: joule_lvp_choose() sets its strides */
	int64_t w_row, w_step, w_tile;
	int64_t y_row, y_step;   /* y_row 0: p */
	bool by_lane;            /* bias and channel operands go by p, not m */
	float alpha;
	/* joule_lvp_choose()'s: */
	uint32_t tm, tv, split, share, overlap, waves;
};

/* Is this device one that these kernels are for? */
bool joule_lvp_device(const struct joule_binder *b);

/* Tile and split for that problem. False where the kernel cannot do it. */
bool joule_lvp_choose(struct joule_lvp *l);

/*
 * The launch. shader: variant. margin: bytes that are read around x. axis as
 * for joule_epilogue_bind().
 */
int joule_lvp_bind(const struct joule_node *node, const struct joule_lvp *l, const char *shader,
		   struct joule_operand x, uint64_t margin, struct joule_operand w,
		   struct joule_operand bias, int axis, struct joule_binder *b);

/* Where a launch's operands are, if not as joule_lvp_bind() has them. */
struct joule_lvp_places {
	struct joule_operand x, w, bias, y;
	uint64_t margin;
};

/* As joule_lvp_bind(), but for y anywhere. The binder's error. */
int joule_lvp_launch(const struct joule_node *node, const struct joule_lvp *l, const char *shader,
		     const struct joule_lvp_places *at, int axis, struct joule_binder *b);

/* The table push.iota of lib/lavapipe.glsl. */
void joule_lvp_iota(struct joule_dispatch *d);

/*
 * factor * t as constant fp32 [count], zeros behind its end; t may be NULL
 * (zeros) and must be constant, f32 or f16.
 */
struct joule_operand joule_lvp_floats(const struct joule_tensor *t, int64_t count, float factor,
				      struct joule_binder *b);

#endif
