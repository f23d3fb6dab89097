// SPDX-License-Identifier: MIT
#include "runtime/engine.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "passes/passes.h"
#include "passes/precision.h"

void joule_engine_init(struct joule_engine *engine, struct joule_hal_device *hal)
{
	memset(engine, 0, sizeof(*engine));
	engine->hal = hal;
	engine->log = hal->log;
	engine->unified = hal->caps.kind == JOULE_DEVICE_VULKAN_CPU ||
			  hal->caps.kind == JOULE_DEVICE_VULKAN_INTEGRATED;
}

int joule_engine_rewrite(struct joule_engine *engine, struct joule_graph *graph)
{
	struct joule_passes_params params = {
		.disabled = engine->disabled_passes,
#ifndef NDEBUG
		.verify = true,
#endif
	};
	struct joule_precision_params precision = {
		.caps = &engine->hal->caps,
		.f16_arithmetic = engine->f16_arithmetic,
		.deterministic = engine->deterministic,
		.keep = engine->keep_f32,
	};
	int ret = joule_graph_infer(graph, 0);

	if (!ret)
		ret = joule_passes_run(graph, &params);
	if (!ret && engine->random_weights)
		joule_random_weights(graph);
	if (!ret && engine->f16_storage)
		ret = joule_precision_f16(graph, &precision);
	return ret;
}

int joule_engine_alloc(struct joule_engine *engine, size_t bytes, enum joule_memory_use use,
		       struct joule_hal_memory **out)
{
	int ret = engine->hal->ops->memory_alloc(engine->hal, bytes, use, out);

	if (!ret)
		engine->bytes += (*out)->bytes;
	return ret;
}

void joule_engine_free(struct joule_engine *engine, struct joule_hal_memory *memory)
{
	if (!memory)
		return;
	engine->bytes -= memory->bytes;
	engine->hal->ops->memory_free(memory);
}

int joule_block_reserve(struct joule_engine *engine, struct joule_block *block, size_t bytes)
{
	struct joule_hal_memory *memory;
	size_t grown;
	int ret;

	if (block->slot.memory && block->bytes >= bytes)
		return 0;
	/* Room to grow, so that a slowly growing value moves seldom. */
	grown = JOULE_ALIGN_UP(block->slot.memory ? bytes + bytes / 2 : JOULE_MAX(bytes, 1u),
			       (size_t)JOULE_PLAN_ALIGN);
	ret = joule_engine_alloc(engine, grown + JOULE_PLAN_TAIL, JOULE_MEMORY_HOST, &memory);
	if (ret)
		return ret;
	joule_block_free(engine, block);
	block->slot = joule_slot_at(memory, 0);
	block->bytes = grown;
	return 0;
}

void joule_block_free(struct joule_engine *engine, struct joule_block *block)
{
	joule_engine_free(engine, block->slot.memory);
	memset(block, 0, sizeof(*block));
}

int joule_slot_flush(const struct joule_slot *slot, size_t bytes)
{
	if (!slot->memory || slot->memory->coherent)
		return 0;
	return slot->memory->device->ops->memory_flush(slot->memory, slot->offset, bytes);
}

int joule_slot_invalidate(const struct joule_slot *slot, size_t bytes)
{
	if (!slot->memory || slot->memory->coherent)
		return 0;
	return slot->memory->device->ops->memory_invalidate(slot->memory, slot->offset, bytes);
}
