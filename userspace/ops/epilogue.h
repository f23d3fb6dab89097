/* SPDX-License-Identifier: MIT */
/*
 * The C side of shaders/lib/epilogue.glsl: binds node->epilogue to a dispatch
 * of an operator with the trait JOULE_OP_EPILOGUE.
 */
#ifndef JOULE_OPS_EPILOGUE_H
#define JOULE_OPS_EPILOGUE_H

#include "hal/binder.h"
#include "ir/graph.h"

#define JOULE_EPILOGUE_MAX_STEPS   4
#define JOULE_EPILOGUE_MAX_TENSORS 2
#define JOULE_EPILOGUE_N_SPEC	   14

/* How a step's operand is indexed by the output's linear index. */
enum joule_epilogue_class {
	JOULE_EPILOGUE_NONE,    /* no operand */
	JOULE_EPILOGUE_SAME,    /* the output's shape */
	JOULE_EPILOGUE_SCALAR,  /* one element */
	JOULE_EPILOGUE_CHANNEL, /* varies along the kernel's axis alone */
	JOULE_EPILOGUE_VECTOR,  /* varies along one run of neighbouring axes */
	JOULE_EPILOGUE_UNFIT,   /* anything else */
};

/*
 * The class of an operand of that shape against an output; for VECTOR,
 * element (i / *inner) % *period. axis as for joule_epilogue_bind().
 */
enum joule_epilogue_class joule_epilogue_classify(const struct joule_shape *operand,
						  const struct joule_shape *out, int axis,
						  uint32_t *inner, uint32_t *period);

/*
 * Could the kernels take these steps (operands are inputs of node) behind an
 * operator that makes `out`? For fusion passes: number of steps, number of
 * tensors, types, shapes.
 */
bool joule_epilogue_fits(const struct joule_node *node, const struct joule_ew_step *steps, int n,
			 const struct joule_tensor *out);

/*
 * Adds the epilogue to a dispatch: call it once, after the kernel's own
 * operands and own specialization constants (push words may come before or
 * after). axis: the output axis whose index the kernel passes as c, -1 if it
 * passes none. Without an epilogue it adds inert values, so always call it.
 */
int joule_epilogue_bind(struct joule_binder *b, struct joule_dispatch *d,
			const struct joule_node *node, int axis);

#endif
