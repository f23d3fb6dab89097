// SPDX-License-Identifier: MIT
#include "source.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

double source_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

bool source_is_stream(const char *path)
{
	size_t n = strlen(path);
	struct stat st;

	if (!strcmp(path, "-") || (n > 4 && !strcasecmp(path + n - 4, ".y4m")))
		return true;
	return !stat(path, &st) && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode));
}

int source_open(const struct source_params *params, struct source **out)
{
	struct stat st;

	*out = NULL;
	if (params->kind == SOURCE_V4L2 ||
	    (params->kind == SOURCE_ANY && strcmp(params->path, "-") &&
	     !stat(params->path, &st) && S_ISCHR(st.st_mode)))
		return source_v4l2_open(params, out);
	return source_pipe_open(params, out);
}

int source_next(struct source *s, struct image *out, double *captured_ms)
{
	int ret = s->ops->next(s, out, captured_ms);

	if (!ret && !s->read++)
		s->start_ms = *captured_ms;
	return ret;
}

void source_close(struct source *s)
{
	if (s)
		s->ops->close(s);
}

int source_wait(const struct source *s, int fd, double until_ms)
{
	struct pollfd p[2] = { { .fd = s->params.stop_fd, .events = POLLIN },
			       { .fd = fd, .events = POLLIN } };

	for (;;) {
		double left = until_ms ? until_ms - source_now_ms() : 0;
		struct timespec ts = { 0 };
		int n;

		if (left > 0) {
			ts.tv_sec = (time_t)(left / 1e3);
			ts.tv_nsec = (long)((left - (double)ts.tv_sec * 1e3) * 1e6);
		}
		n = ppoll(p, 2, until_ms ? &ts : NULL, NULL);
		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			tool_error("%s: %s", s->name, strerror(errno));
			return TOOL_IO;
		}
		if (n > 0 && p[0].revents)
			return SOURCE_END;
		if (!n || (n > 0 && p[1].revents))
			return 0;
	}
}

int source_fit(const struct source *s, struct image *out)
{
	if (out->rgb && out->width == s->pixels.width && out->height == s->pixels.height)
		return 0;
	image_finish(out);
	if (!image_create(s->pixels.width, s->pixels.height, out))
		return 0;
	tool_error("%s: no memory for frames of %dx%d", s->name, s->pixels.width,
		   s->pixels.height);
	return TOOL_NO_MEMORY;
}
