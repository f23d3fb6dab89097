// SPDX-License-Identifier: MIT
/* What a device can do at best, measured: arithmetic in registers, and memory. */
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "runtime/objects.h"

#define LOCAL		   64
#define FLOPS_A_TURN	   (2 * 12 * 16) /* shaders/peak_multiply_add.comp */
#define COPY_BYTES	   (64u << 20)   /* each way; beyond any cache of these devices */
#define RUNS		   5
#define TARGET_NS	   30000000
#define MAX_TURNS	   (1u << 20)

struct peak {
	struct joule_hal_device *hal;
	struct joule_hal_memory *x, *y;
};

/* The least device time of several runs of one launch. */
static int time_launch(struct peak *p, const char *shader, const void *push, uint32_t push_bytes,
		       uint64_t groups, int runs, uint64_t *best)
{
	const struct joule_hal_ops *ops = p->hal->ops;
	uint64_t rows = JOULE_DIV_UP(groups, (uint64_t)p->hal->caps.max_groups[0]);
	struct joule_hal_cmd cmd = {
		.shader = shader,
		.local = { LOCAL, 1, 1 },
		.groups = { (uint32_t)JOULE_DIV_UP(groups, rows), (uint32_t)rows, 1 },
		.push = push,
		.push_bytes = push_bytes,
		.label = "peak",
	};
	struct joule_hal_program_params params = { .cmds = &cmd, .n_cmds = 1, .timestamps = true };
	struct joule_hal_program *program;
	int ret = ops->program_create(p->hal, &params, &program);

	*best = UINT64_MAX;
	if (ret)
		return ret;
	for (int i = 0; !ret && i < runs; i++) {
		uint64_t stamps[2];

		ret = ops->program_submit(program);
		if (!ret)
			ret = ops->program_wait(program, 30000000000ull);
		if (!ret)
			ret = ops->program_timestamps(program, stamps, 2);
		if (!ret && stamps[1] > stamps[0])
			*best = JOULE_MIN(*best, stamps[1] - stamps[0]);
	}
	ops->program_destroy(program);
	if (!ret && *best == UINT64_MAX)
		ret = -ENOTSUP;
	return ret;
}

/* Turns of the loop grow until a run takes long enough to time well. */
static int arithmetic(struct peak *p, const char *shader, int lanes, double *gflops)
{
	bool cpu = p->hal->caps.kind == JOULE_DEVICE_VULKAN_CPU;
	uint64_t groups = cpu ? 4 * JOULE_MAX(p->hal->caps.compute_threads, 1u) : 2048;
	struct {
		uint64_t y;
		uint32_t turns;
		float a, b;
	} push = { .y = p->y->address, .turns = 256, .a = 0.999f, .b = 0.001f };
	uint64_t ns;
	int ret;

	for (;;) {
		ret = time_launch(p, shader, &push, 20, groups, 1, &ns);
		if (ret || ns >= TARGET_NS / 2 || push.turns >= MAX_TURNS)
			break;
		push.turns = ns < TARGET_NS / 64 ? push.turns * 16 :
						   (uint32_t)((double)push.turns * TARGET_NS /
							      (double)ns);
		push.turns = JOULE_MIN(push.turns, MAX_TURNS);
	}
	if (!ret)
		ret = time_launch(p, shader, &push, 20, groups, RUNS, &ns);
	if (!ret)
		*gflops = (double)push.turns * FLOPS_A_TURN * lanes * LOCAL * (double)groups /
			  (double)ns;
	return ret;
}

static int bandwidth(struct peak *p, double *gbytes)
{
	struct {
		uint64_t x, y;
		uint32_t n;
	} push = { p->x->address, p->y->address, COPY_BYTES / 16 };
	uint64_t ns;
	int ret = time_launch(p, "peak_copy", &push, 20, JOULE_DIV_UP(push.n, LOCAL), RUNS, &ns);

	if (!ret)
		*gbytes = 2.0 * COPY_BYTES / (double)ns;
	return ret;
}

int joule_device_measure_peak(struct joule_device *device, struct joule_device_peak *out)
{
	struct peak p = { .hal = device->hal };
	int ret;

	memset(out, 0, sizeof(*out));
	if (!p.hal)
		return joule_err(&device->context->log, -ENOTSUP,
				 "%s: the reference has no kernels to measure", device->info.id);
	ret = p.hal->ops->memory_alloc(p.hal, COPY_BYTES, JOULE_MEMORY_DEVICE, &p.x);
	if (!ret)
		ret = p.hal->ops->memory_alloc(p.hal, COPY_BYTES, JOULE_MEMORY_DEVICE, &p.y);
	if (!ret)
		ret = arithmetic(&p, "peak_fma_f32", 1, &out->fma_gflops);
	if (!ret)
		ret = arithmetic(&p, "peak_mul_add_f32", 1, &out->mul_add_gflops);
	if (!ret && p.hal->caps.arithmetic_f16)
		ret = arithmetic(&p, "peak_fma_f16", 2, &out->f16_gflops);
	if (!ret)
		ret = bandwidth(&p, &out->bandwidth_gbytes);
	if (p.x)
		p.hal->ops->memory_free(p.x);
	if (p.y)
		p.hal->ops->memory_free(p.y);
	if (ret)
		memset(out, 0, sizeof(*out));
	return ret;
}
