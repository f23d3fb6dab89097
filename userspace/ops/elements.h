/* SPDX-License-Identifier: MIT */
/*
 * How indices address a tensor in GatherElements / ScatterElements (an entry
 * replaces one coordinate) and in GatherND / ScatterND (a tuple stands for the
 * first coordinates). Gathering reads through the address, scattering writes.
 */
#ifndef JOULE_OPS_ELEMENTS_H
#define JOULE_OPS_ELEMENTS_H

#include "ops/move.h"

enum joule_addressing { JOULE_BY_ELEMENT, JOULE_BY_TUPLE };

struct joule_address {
	enum joule_addressing by;
	/*
	 * Addresses there are, and elements that each stands for. What they
	 * address are slots of that many elements.
	 */
	int64_t count, slice, slots;
	/* By element: */
	int rank, axis;
	int64_t dims[JOULE_MAX_RANK];   /* of the indices */
	int64_t stride[JOULE_MAX_RANK]; /* of the data, for each of them */
	int64_t axis_dim;
	/* By tuple: */
	int k;
	int64_t tuple_dim[JOULE_MAX_RANK], tuple_stride[JOULE_MAX_RANK]; /* in slots */
	int64_t per_batch, batch_stride; /* tuples of a batch, slots of a batch */
};

/*
 * From in[0] (data) and in[1] (indices) of a node. The shapes are checked and
 * errors logged. axis as in the file; batch_dims 0 for scatters.
 */
int joule_address_by_element(const struct joule_node *node, int64_t axis,
			     struct joule_address *a);
int joule_address_by_tuple(const struct joule_node *node, int64_t batch_dims,
			   struct joule_address *a);

/* The slot of address i; -EINVAL, logged, when an index is outside. Needs the data. */
int64_t joule_address_slot(const struct joule_node *node, const struct joule_address *a,
			   int64_t i);

/*
 * The parameter block of elements.comp (by element) or tuples.comp (by tuple).
 */
struct joule_operand joule_address_bind(struct joule_binder *b, const struct joule_address *a);

#endif
