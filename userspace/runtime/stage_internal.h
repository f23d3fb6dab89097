/* SPDX-License-Identifier: MIT */
#ifndef JOULE_RUNTIME_STAGE_INTERNAL_H
#define JOULE_RUNTIME_STAGE_INTERNAL_H

#include "runtime/stage.h"

struct joule_slot joule_stage_slot(const struct joule_stage *stage,
				   const struct joule_place *place);

/* Takes over where externals are now; records again if they moved or nothing is recorded. */
int joule_stage_bind(struct joule_stage *stage, const struct joule_slot *slots, bool timed);

#endif
