/* SPDX-License-Identifier: MIT */
/*
 * Convolution's geometry and the table of its kernels. conv.c chooses; the
 * files conv_*.c each bring kernels of one kind.
 */
#ifndef JOULE_OPS_CONV_H
#define JOULE_OPS_CONV_H

#include "hal/binder.h"
#include "ops/ref_gemm.h"
#include "ops/window.h"

struct joule_conv_attrs {
	struct joule_window_attrs window;
	int64_t group;
};

extern const struct joule_attr joule_conv_attr_table[];

/* x [batch, in_ch, w.in...] * weights [out_ch, in_ch / group, w.kernel...] */
struct joule_conv {
	struct joule_window w;
	int64_t batch, group;
	int64_t in_ch, out_ch;     /* in all */
	int64_t in_group, out_group; /* in one group */
};

/* Checks x, weights and bias (may be NULL) against each other. -EINVAL, -ENOTSUP. */
int joule_conv_resolve(const struct joule_node *node, const struct joule_tensor *x,
		       const struct joule_tensor *weight, const struct joule_tensor *bias,
		       struct joule_conv *c);

/*
 * The reference's sum of products for one image and group: out[out_group][w.out]
 * in double. x is that image's and group's first channel, weight the group's
 * first row. -ENOMEM.
 */
int joule_conv_ref_group(const struct joule_conv *c, const float *x, const float *weight,
			 float pad, enum joule_sum sum, double *out);

int64_t joule_conv_macs(const struct joule_conv *c);

/* One way to compute a Conv node on a device. */
struct joule_conv_kernel {
	const char *name;
	/* Whether it is right for this case; speed is the tuner's question. */
	bool (*usable)(const struct joule_node *node, const struct joule_conv *c,
		       const struct joule_binder *b);
	/* dtype: "f32" or "f16", the storage type of x, weights, bias and y. */
	int (*bind)(const struct joule_node *node, const struct joule_conv *c, const char *dtype,
		    struct joule_binder *b);
};

/* conv_lavapipe.c: constant weights, two-dimensional, on lavapipe. */
extern const struct joule_conv_kernel joule_conv_lavapipe, joule_dwconv_lavapipe;

/* conv_direct.c: every case. */
extern const struct joule_conv_kernel joule_conv_direct;

/*
 * Weights packed for kernels that compute `tile` channels at once:
 * [group][out_group / tile][in_group][kernel][tile], zero beyond the last
 * channel, in the tensor's own type. t: the weights, which must be constant.
 */
struct joule_operand joule_conv_pack(const struct joule_tensor *t, const struct joule_conv *c,
				     int tile, struct joule_binder *b);

#endif
