/* SPDX-License-Identifier: MIT */
/* What stands behind the public handles. */
#ifndef JOULE_RUNTIME_OBJECTS_H
#define JOULE_RUNTIME_OBJECTS_H

#include <stdatomic.h>

#include <joule/joule.h>

#include "hal/device.h"
#include "ir/graph.h"

struct joule_context {
	atomic_int refs;
	struct joule_log log;
	char *cache_dir; /* NULL: no caches */
	bool validation;
};

struct joule_device {
	atomic_int refs;
	struct joule_context *context;
	struct joule_hal_device *hal; /* NULL for "cpu" */
	struct joule_device_info info;
};

struct joule_model {
	atomic_int refs;
	struct joule_context *context;
	struct joule_graph *graph; /* as imported, never changed */
	struct joule_value_info *outputs;
};

struct joule_context *joule_context_ref(struct joule_context *context);
struct joule_device *joule_device_ref(struct joule_device *device);
struct joule_model *joule_model_ref(struct joule_model *model);

/* A model of a graph made by hand, which then belongs to it; for tests. */
int joule_model_from_graph(struct joule_context *context, struct joule_graph *graph,
			   struct joule_model **out);

#endif
