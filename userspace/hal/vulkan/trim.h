/* SPDX-License-Identifier: MIT */
/*
 * Cuts from a SPIR-V module what its specialization constants rule out.
 *
 * Drivers inline and unroll first and fold constants later, so that a kernel
 * whose epilogue could be any of sixty functions costs them all sixty. Here
 * each function is copied once for each set of constant arguments it is called
 * with, and of each copy only the blocks that can be reached remain.
 */
#ifndef JOULE_HAL_VULKAN_TRIM_H
#define JOULE_HAL_VULKAN_TRIM_H

#include <stddef.h>
#include <stdint.h>

/*
 * values[i] is the value of specialization constant i; those from n_values on
 * have their default. The constants stay in the module: it must still be
 * specialized with the same values. *out is the caller's to free().
 *
 * 0; -ENOMEM; -ENOTSUP for a module with something in it that is not understood
 * here (it is to be used as it is); -EINVAL for one that is broken.
 */
int joule_spirv_trim(const uint32_t *words, size_t n, const uint32_t *values, uint32_t n_values,
		     uint32_t **out, size_t *out_words);

#endif
