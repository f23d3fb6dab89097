// SPDX-License-Identifier: MIT
/* YUV4MPEG2 and raw video through a pipe or from a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"

#define MAX_HEADER 1024
#define MAGIC      "YUV4MPEG2 "

struct pipe_source {
	struct source base;
	bool y4m;
	uint8_t *frame;
	size_t bytes;            /* of a frame */
	uint8_t buffer[4096];    /* headers are read through it */
	size_t at, held;
	long due;                /* frames since the pace began */
};

/* At least one byte unless the input has ended; -1 and an exit code in *ret on errors. */
static ssize_t read_some(struct pipe_source *p, uint8_t *to, size_t most, int *ret)
{
	for (;;) {
		ssize_t n;

		*ret = source_wait(&p->base, p->base.fd, 0);
		if (*ret)
			return -1;
		n = read(p->base.fd, to, most);
		if (n >= 0)
			return n;
		if (errno == EINTR || errno == EAGAIN)
			continue;
		tool_error("%s: %s", p->base.name, strerror(errno));
		*ret = TOOL_IO;
		return -1;
	}
}

/* Fills to; *got tells how far it came before the input ended. */
static int read_bytes(struct pipe_source *p, uint8_t *to, size_t bytes, size_t *got)
{
	int ret = 0;

	*got = p->held - p->at < bytes ? p->held - p->at : bytes;
	memcpy(to, p->buffer + p->at, *got);
	p->at += *got;
	while (*got < bytes) {
		ssize_t n = read_some(p, to + *got, bytes - *got, &ret);

		if (n < 0)
			return ret;
		if (!n)
			break;
		*got += (size_t)n;
	}
	return 0;
}

/* A line without its newline; *got is 0 when it is too long or cut. */
static int read_line(struct pipe_source *p, char *line, size_t size, size_t *got)
{
	size_t n = 0;
	int ret;

	*got = 0;
	for (;;) {
		if (p->at == p->held) {
			ssize_t k = read_some(p, p->buffer, sizeof(p->buffer), &ret);

			if (k < 0)
				return ret;
			if (!k && !n)
				return SOURCE_END;
			if (!k)
				return 0;
			p->at = 0;
			p->held = (size_t)k;
		}
		line[n] = (char)p->buffer[p->at++];
		if (line[n] == '\n') {
			line[n] = 0;
			*got = n + 1;
			return 0;
		}
		if (++n == size)
			return 0;
	}
}

/* ---- headers ---- */

static int bad_header(const struct pipe_source *p, const char *what, const char *value)
{
	tool_error("%s: YUV4MPEG2 header: %s '%s'", p->base.name, what, value);
	return TOOL_BAD_INPUT;
}

static int parse_chroma(struct pipe_source *p, const char *text)
{
	static const struct {
		const char *name;
		enum pixel_format format;
	} known[] = {
		{ "420", PIXELS_YUV420P },	{ "420jpeg", PIXELS_YUV420P },
		{ "420mpeg2", PIXELS_YUV420P }, { "420paldv", PIXELS_YUV420P },
		{ "422", PIXELS_YUV422P },	{ "444", PIXELS_YUV444P },
		{ "411", PIXELS_YUV411P },	{ "440", PIXELS_YUV440P },
		{ "mono", PIXELS_GRAY },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, text)) {
			p->base.pixels.format = known[i].format;
			return 0;
		}
	tool_error("%s: YUV4MPEG2 chroma '%s' is not supported", p->base.name, text);
	return TOOL_UNSUPPORTED;
}

static int parse_size(const char *text, int *out)
{
	char *end;
	long v = strtol(text, &end, 10);

	*out = (int)v;
	return *end || v < 1 || v > 65536 ? -1 : 0;
}

/* "YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg XCOLORRANGE=FULL" */
static int parse_y4m(struct pipe_source *p, char *line)
{
	struct pixels *px = &p->base.pixels;
	char *save = NULL;
	int ret = 0;

	px->format = PIXELS_YUV420P;
	for (char *t = strtok_r(line + sizeof(MAGIC) - 2, " ", &save); t && !ret;
	     t = strtok_r(NULL, " ", &save)) {
		if (*t == 'W' && parse_size(t + 1, &px->width))
			ret = bad_header(p, "width", t + 1);
		else if (*t == 'H' && parse_size(t + 1, &px->height))
			ret = bad_header(p, "height", t + 1);
		else if (*t == 'C')
			ret = parse_chroma(p, t + 1);
		else if (!strcmp(t, "XCOLORRANGE=FULL") && !px->range)
			px->range = PIXELS_FULL;
		else if (!strcmp(t, "XCOLORRANGE=LIMITED") && !px->range)
			px->range = PIXELS_LIMITED;
		/* Rate, interlacing and aspect do not change what is in a frame. */
	}
	if (!ret && (!px->width || !px->height))
		ret = bad_header(p, "there is no width or no height", "");
	return ret;
}

static int open_raw(struct pipe_source *p)
{
	const struct source_params *o = &p->base.params;

	if (o->kind == SOURCE_ANY && o->format < 0) {
		tool_error("%s: not YUV4MPEG2; raw video needs --size-in WxH and --pix-fmt",
			   p->base.name);
		return TOOL_BAD_INPUT;
	}
	if (!o->width || !o->height || o->format < 0) {
		tool_error("%s: raw video needs --size-in WxH and --pix-fmt", p->base.name);
		return TOOL_USAGE;
	}
	p->base.pixels.format = (enum pixel_format)o->format;
	p->base.pixels.width = o->width;
	p->base.pixels.height = o->height;
	return 0;
}

static int open_stream(struct pipe_source *p)
{
	enum source_kind kind = p->base.params.kind;
	char line[MAX_HEADER];
	size_t n = 0;
	int ret = 0;

	if (kind != SOURCE_RAW) {
		ret = read_bytes(p, p->buffer, sizeof(MAGIC) - 1, &n);
		p->at = 0;
		p->held = n;
		p->y4m = n == sizeof(MAGIC) - 1 && !memcmp(p->buffer, MAGIC, n);
	}
	if (ret)
		return ret;
	if (!n && kind != SOURCE_RAW) {
		tool_error("%s: the stream is empty", p->base.name);
		return TOOL_BAD_INPUT;
	}
	if (!p->y4m && kind == SOURCE_Y4M)
		return bad_header(p, "does not begin with", MAGIC);
	if (!p->y4m)
		return open_raw(p);
	ret = read_line(p, line, sizeof(line), &n);
	if (!ret && !n)
		ret = bad_header(p, "is cut off or longer than a", "line");
	return ret ? ret : parse_y4m(p, line);
}

/* ---- frames ---- */

static int read_frame(struct pipe_source *p)
{
	long number = p->base.read + p->base.dropped + 1;
	char line[MAX_HEADER];
	size_t n;
	int ret;

	if (p->y4m) {
		ret = read_line(p, line, sizeof(line), &n);
		if (ret)
			return ret;
		if (!n || (strcmp(line, "FRAME") && strncmp(line, "FRAME ", 6))) {
			tool_error("%s: frame %ld does not begin with FRAME", p->base.name, number);
			return TOOL_BAD_INPUT;
		}
	}
	ret = read_bytes(p, p->frame, p->bytes, &n);
	if (ret || n == p->bytes)
		return ret;
	if (!n && !p->y4m)
		return SOURCE_END;
	tool_error("%s: frame %ld is cut off after %zu of %zu bytes", p->base.name, number, n,
		   p->bytes);
	return TOOL_BAD_INPUT;
}

static int pipe_next(struct source *s, struct image *out, double *captured_ms)
{
	struct pipe_source *p = (struct pipe_source *)s;
	double period = s->params.fps > 0 ? 1e3 / s->params.fps : 0;
	int ret;

	for (;;) {
		double due;

		ret = read_frame(p);
		if (ret)
			return ret;
		*captured_ms = source_now_ms();
		if (!period || !s->read)
			break;
		due = s->start_ms + (double)++p->due * period;
		if (*captured_ms <= due + period) {
			ret = source_wait(s, -1, due);
			if (ret)
				return ret;
			*captured_ms = *captured_ms > due ? *captured_ms : due;
			break;
		}
		s->dropped++;
	}
	ret = source_fit(s, out);
	if (!ret) {
		double start = source_now_ms();

		pixels_to_rgb(&s->pixels, p->frame, out->rgb);
		s->convert_ms += source_now_ms() - start;
	}
	return ret;
}

static void pipe_close(struct source *s)
{
	struct pipe_source *p = (struct pipe_source *)s;

	if (s->fd > 0)
		close(s->fd);
	free(p->frame);
	free(p);
}

static const struct source_ops ops = { .next = pipe_next, .close = pipe_close };

int source_pipe_open(const struct source_params *params, struct source **out)
{
	struct pipe_source *p = calloc(1, sizeof(*p));
	struct source *s = &p->base;
	int ret = 0;

	if (!p)
		return TOOL_NO_MEMORY;
	s->ops = &ops;
	s->params = *params;
	s->pixels.matrix = params->matrix;
	s->pixels.range = params->range;
	s->name = strcmp(params->path, "-") ? params->path : "standard input";
	/* Not blocking: a FIFO nobody writes to must not hang in open(), but in a wait that ends. */
	s->fd = strcmp(params->path, "-") ?
			open(params->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : 0;
	if (s->fd < 0) {
		tool_error("%s: %s", s->name, strerror(errno));
		ret = TOOL_IO;
	} else {
		fcntl(s->fd, F_SETPIPE_SZ, 1 << 20);
		ret = open_stream(p);
	}
	if (!ret) {
		p->bytes = pixels_bytes(&s->pixels);
		p->frame = p->bytes ? malloc(p->bytes) : NULL;
		if (!p->frame) {
			tool_error("%s: frames of %dx%d are too large", s->name, s->pixels.width,
				   s->pixels.height);
			ret = p->bytes ? TOOL_NO_MEMORY : TOOL_BAD_INPUT;
		}
	}
	if (ret)
		pipe_close(s);
	else
		*out = s;
	return ret;
}
