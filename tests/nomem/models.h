/* SPDX-License-Identifier: MIT */
/* Small models that between them pass through most of the library. */
#ifndef TESTS_NOMEM_MODELS_H
#define TESTS_NOMEM_MODELS_H

#include "ir/graph.h"

/* Convolutions, spelled-out operators: something for every pass. Floats alone. */
struct joule_graph *model_vision(void);

/* Shapes and conditions that depend on values: several stages, bodies. */
struct joule_graph *model_control(void);

/* Quantized as files do it, and as it is done at run time. */
struct joule_graph *model_quantized(void);

#endif
