/* SPDX-License-Identifier: MIT */
/*
 * What all stages of one session share on its device: memory with an account,
 * weights uploaded once, and how a run is to be watched.
 */
#ifndef JOULE_RUNTIME_ENGINE_H
#define JOULE_RUNTIME_ENGINE_H

#include "hal/device.h"
#include "plan/plan.h"

struct joule_trace;

/* A range of device memory. host is NULL where the host cannot reach it. */
struct joule_slot {
	struct joule_hal_memory *memory; /* NULL: nowhere */
	uint64_t offset;
	uint64_t address;
	unsigned char *host;
};

/* Memory that only grows: a value whose size is known at run time. */
struct joule_block {
	struct joule_slot slot;
	size_t bytes;
};

struct joule_weight_entry {
	uint64_t key[2]; /* of the bytes */
	uint64_t bytes;
	struct joule_slot slot;
};

struct joule_engine {
	struct joule_hal_device *hal;
	const struct joule_log *log;
	bool unified;      /* the host reaches all memory */
	bool f16_arithmetic, deterministic, keep_all;
	int64_t split_work;
	const char *const *disabled_passes;
	bool random_weights;
	bool f16_storage;
	const char **keep_f32; /* nodes that stay fp32, NULL-terminated, or NULL */
	/* Weights: entries in a hash table, memories that hold them. */
	struct joule_weight_entry *weights;
	int n_weights, cap_weights;
	struct joule_hal_memory **weight_memory;
	int n_weight_memory;
	uint64_t weight_bytes;
	uint64_t bytes;      /* all device memory of the session now */
	uint64_t compile_ns; /* spent in making programs */
	/* Set during a run: */
	int (*check)(void *user); /* nonzero stops the run between two submissions */
	void *check_user;
	uint64_t deadline_ns;     /* CLOCK_MONOTONIC, 0: none */
	struct joule_trace *trace; /* NULL: plain run */
};

void joule_engine_init(struct joule_engine *engine, struct joule_hal_device *hal);
void joule_engine_finish(struct joule_engine *engine);

/* Inference and passes, before a graph whose inputs' shapes are set is planned. */
int joule_engine_rewrite(struct joule_engine *engine, struct joule_graph *graph);

/* Device memory on the session's account. */
int joule_engine_alloc(struct joule_engine *engine, size_t bytes, enum joule_memory_use use,
		       struct joule_hal_memory **out);
void joule_engine_free(struct joule_engine *engine, struct joule_hal_memory *memory);

/* At least bytes that host and kernels reach; what it held is lost when it moves. */
int joule_block_reserve(struct joule_engine *engine, struct joule_block *block, size_t bytes);
void joule_block_free(struct joule_engine *engine, struct joule_block *block);

/* slots[i] for each of the plan's weights; uploads those not there yet. */
int joule_engine_upload(struct joule_engine *engine, const struct joule_plan *plan,
			struct joule_slot *slots);

static inline struct joule_slot joule_slot_at(struct joule_hal_memory *memory, uint64_t offset)
{
	return (struct joule_slot){
		.memory = memory,
		.offset = offset,
		.address = memory->address + offset,
		.host = memory->host ? (unsigned char *)memory->host + offset : NULL,
	};
}

/* Between host writes and kernels, kernels and host reads; no-ops on coherent memory. */
int joule_slot_flush(const struct joule_slot *slot, size_t bytes);
int joule_slot_invalidate(const struct joule_slot *slot, size_t bytes);

#endif
