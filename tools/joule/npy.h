/* SPDX-License-Identifier: MIT */
/* NumPy's .npy files, versions 1 to 3: C order, little-endian, joule's types. */
#ifndef TOOLS_JOULE_NPY_H
#define TOOLS_JOULE_NPY_H

#include <joule/types.h>

/* out->data is malloc'ed. Exit code, the reason printed. */
int npy_load(const char *path, struct joule_view *out);

/* Written whole or not at all. bf16 and 4-bit types have no NumPy name: refused. */
int npy_save(const char *path, const struct joule_view *view);

#endif
