/* SPDX-License-Identifier: MIT */
/* Attributes of "FakeQuantize" (domain "joule"), which the pass of that name makes. */
#ifndef JOULE_OPS_FAKE_QUANTIZE_H
#define JOULE_OPS_FAKE_QUANTIZE_H

struct joule_fake_quantize {
	float scale; /* of one step; > 0 */
	float low;   /* steps from zero to the lowest of the 256: the type's least - zero point */
};

#endif
