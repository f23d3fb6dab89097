// SPDX-License-Identifier: MIT
/* The pipeline cache on disk: written, read back, and not believed when damaged. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal_vulkan.h"

struct file {
	uint8_t data[1 << 20];
	size_t bytes;
};

static char dir[] = "/tmp/joule-cache-XXXXXX";
static char path[4096];

static void load(struct file *f)
{
	FILE *in = fopen(path, "rb");

	CHECK(in);
	f->bytes = fread(f->data, 1, sizeof(f->data), in);
	fclose(in);
}

static void store(const struct file *f, size_t bytes)
{
	FILE *out = fopen(path, "wb");

	CHECK(out);
	CHECK_EQ(fwrite(f->data, 1, bytes, out), bytes);
	fclose(out);
}

/* Files of any name: a temporary one left behind would be counted. */
static int files(void)
{
	char pattern[64];
	glob_t g;
	int n;

	snprintf(pattern, sizeof(pattern), "%s/*", dir);
	n = glob(pattern, 0, NULL, &g) ? 0 : (int)g.gl_pathc;
	if (n)
		snprintf(path, sizeof(path), "%s", g.gl_pathv[0]);
	globfree(&g);
	return n;
}

static void run(struct joule_hal_device *d, uint32_t code)
{
	struct joule_hal_memory *m;
	struct joule_hal_cmd cmd;
	struct unary_push push;

	CHECK_EQ(d->ops->memory_alloc(d, 4096, JOULE_MEMORY_HOST, &m), 0);
	push = (struct unary_push){ m->address, m->address, 1000, 0, 0 };
	cmd = test_unary(&push, &code, false);
	CHECK_EQ(test_run(d, &cmd, 1), 0);
	d->ops->memory_free(m);
}

/* Opens with the file as it is; true if the file was refused. */
static bool refused(struct test_log *log)
{
	struct joule_hal_device *d;

	log->debug[0] = 0;
	d = test_open(log, (struct joule_vulkan_params){ .cache_dir = dir });
	run(d, JOULE_EW_NEG);
	test_close(d);
	return strstr(log->debug, "not used") && strstr(log->debug, path);
}

static void check_round_trip(struct test_log *log)
{
	struct joule_hal_device *d = test_open(log, (struct joule_vulkan_params){ .cache_dir = dir });

	CHECK_EQ(files(), 0);
	CHECK_EQ(d->ops->save_cache(d), 0); /* nothing to write yet */
	CHECK_EQ(files(), 0);
	run(d, JOULE_EW_NEG);
	CHECK_EQ(d->ops->save_cache(d), 0);
	CHECK_EQ(files(), 1);
	CHECK(strstr(path, d->key));
	run(d, JOULE_EW_ABS);
	test_close(d); /* writes too */
	CHECK_EQ(files(), 1);
	CHECK(!refused(log));
}

static void check_damage(struct test_log *log)
{
	static struct file good, bad;

	load(&good);
	CHECK(good.bytes > 24);
	/* Any byte of the file changed, any length cut: refused, then replaced by a good one. */
	for (size_t i = 0; i < good.bytes; i += 1 + good.bytes / 7) {
		bad = good;
		bad.data[i] ^= 0x10;
		store(&bad, bad.bytes);
		CHECK(refused(log));
		CHECK(!refused(log));
		store(&good, i);
		CHECK(refused(log));
	}
	store(&good, 0);
	CHECK(refused(log));
	CHECK_EQ(files(), 1);
}

static void check_no_place(struct test_log *log)
{
	struct joule_hal_device *d =
		test_open(log, (struct joule_vulkan_params){ .cache_dir = "/proc/nowhere" });

	log->quiet = true;
	run(d, JOULE_EW_NEG);
	CHECK(d->ops->save_cache(d) < 0);
	CHECK(strstr(log->error, "/proc/nowhere"));
	test_close(d);
	log->quiet = false;
}

int main(void)
{
	struct test_log log;

	test_log_init(&log);
	CHECK(mkdtemp(dir));
	check_round_trip(&log);
	check_damage(&log);
	check_no_place(&log);
	unlink(path);
	rmdir(dir);
	return 0;
}
