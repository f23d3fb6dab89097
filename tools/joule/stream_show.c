// SPDX-License-Identifier: MIT
#include "stream_show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* Percentiles are exact over the frames seen last, however long the stream. */
#define KEPT 65536

struct series {
	double values[KEPT];
};

struct stream_show {
	const struct run *run;
	long frames;
	double first_ms, last_ms; /* answers */
	bool closed;
	struct series run_ms, latency_ms, prepare_ms;
};

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Nearest rank; sorts in place. */
static void percentiles(struct series *s, long frames, double *p50, double *p99)
{
	long n = frames < KEPT ? frames : KEPT;

	*p50 = *p99 = 0;
	if (!n)
		return;
	qsort(s->values, (size_t)n, sizeof(*s->values), ascending);
	*p50 = s->values[(n * 50 + 99) / 100 - 1];
	*p99 = s->values[(n * 99 + 99) / 100 - 1];
}

/* ---- a frame in one line ---- */

static const char *label_of(const json_t *item, char *buf, size_t size)
{
	const char *label = json_string_value(json_object_get(item, "label"));

	if (label)
		return label;
	snprintf(buf, size, "%lld", (long long)json_integer_value(json_object_get(item, "class")));
	return buf;
}

static void put_list(const json_t *list, const char *value, const char *fmt, FILE *to)
{
	const json_t *item;
	char buf[32];
	size_t i;

	json_array_foreach(list, i, item) {
		fprintf(to, "%s%s ", i ? ", " : "", label_of(item, buf, sizeof(buf)));
		fprintf(to, strcmp(fmt, "%") ? "%.3f" : "%.1f %%",
			json_number_value(json_object_get(item, value)));
	}
}

static void put_outputs(const json_t *list, FILE *to)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		fprintf(to, "%s%s %g .. %g, mean %g", i ? "; " : "",
			json_string_value(json_object_get(item, "name")),
			json_number_value(json_object_get(item, "min")),
			json_number_value(json_object_get(item, "max")),
			json_number_value(json_object_get(item, "mean")));
}

static void put_answer(const json_t *answer, FILE *to)
{
	const json_t *v;

	if ((v = json_object_get(answer, "classes")))
		put_list(v, "score", "", to);
	else if ((v = json_object_get(answer, "detections")))
		json_array_size(v) ? put_list(v, "score", "", to) : (void)fputs("-", to);
	else if ((v = json_object_get(answer, "mask")))
		put_list(v, "percent", "%", to);
	else if ((v = json_object_get(answer, "reading")))
		fprintf(to, "%s  %.1f %%", *json_string_value(v) ? json_string_value(v) : "-",
			100 * json_number_value(json_object_get(answer, "confidence")));
	else if ((v = json_object_get(answer, "outputs")))
		put_outputs(v, to);
}

/* Each line is written at once, for whoever reads along. */
static int flush(struct stream_show *s)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	if (errno == EPIPE) {
		s->closed = true;
		/* Nothing more can be said there, and main() is not to complain of it. */
		return freopen("/dev/null", "w", stdout) ? STREAM_CLOSED : TOOL_IO;
	}
	return TOOL_IO;
}

int stream_show_begin(const struct run *r, const struct source *source, struct stream_show **out)
{
	const struct pixels *p = &source->pixels;
	const char *format = source->mjpeg ? "mjpeg" : pixels_name(p->format);
	struct stream_show *s = calloc(1, sizeof(*s));
	json_t *head;

	*out = s;
	if (!s)
		return TOOL_NO_MEMORY;
	s->run = r;
	if (!r->json) {
		printf("%s  %dx%d %s\n\n%8s %10s %10s %10s %8s  %s\n", source->name, p->width,
		       p->height, format, "FRAME", "PREPARE MS", "RUN MS", "LATENCY", "DROPPED",
		       "ANSWER");
		return flush(s);
	}
	head = json_pack("{s:s, s:o, s:o, s:i, s:i, s:s}", "schema", "joule.run-stream/1", "model",
			 utf8_json(r->model_path), "input", utf8_json(source->name), "width",
			 p->width, "height", p->height, "format", format);
	if (!head)
		return TOOL_NO_MEMORY;
	json_dumpf(head, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(head);
	return flush(s);
}

int stream_show_frame(struct stream_show *s, const struct stream_frame *f)
{
	long at = s->frames++ % KEPT;
	json_t *line;

	s->run_ms.values[at] = f->run_ms;
	s->latency_ms.values[at] = f->latency_ms;
	s->prepare_ms.values[at] = f->prepare_ms;
	s->last_ms = source_now_ms();
	if (s->frames == 1)
		s->first_ms = s->last_ms;
	if (!s->run->json) {
		printf("%8ld %10.2f %10.2f %10.2f %8ld  ", f->number, f->prepare_ms, f->run_ms,
		       f->latency_ms, f->dropped);
		put_answer(f->answer, stdout);
		printf("\n");
		return flush(s);
	}
	line = json_pack("{s:I, s:f, s:f, s:f, s:I}", "frame", (json_int_t)f->number, "prepare_ms",
			 f->prepare_ms, "run_ms", f->run_ms, "latency_ms", f->latency_ms,
			 "dropped", (json_int_t)f->dropped);
	if (!line || json_object_update(line, f->answer)) {
		json_decref(line);
		return TOOL_NO_MEMORY;
	}
	json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	printf("\n");
	json_decref(line);
	return flush(s);
}

int stream_show_end(struct stream_show *s, const struct source *source)
{
	double run50, run99, lat50, lat99, prep50, prep99;
	/* From answer to answer, so that start-up does not count. */
	double span = s->last_ms - s->first_ms;
	double fps = s->frames > 1 && span > 0 ? 1e3 * (double)(s->frames - 1) / span : 0;
	FILE *to = s->closed ? stderr : stdout;
	json_t *json;
	int ret = 0;

	percentiles(&s->run_ms, s->frames, &run50, &run99);
	percentiles(&s->latency_ms, s->frames, &lat50, &lat99);
	percentiles(&s->prepare_ms, s->frames, &prep50, &prep99);
	if (!s->run->json || s->closed) {
		fprintf(to, "\n%ld frame%s, %ld dropped", s->frames, s->frames == 1 ? "" : "s",
			source->dropped);
		if (fps > 0)
			fprintf(to, "; %.2f frames/s", fps);
		fprintf(to, " (measured)\n");
		if (s->frames)
			fprintf(to, "  run          p50 %8.2f ms   p99 %8.2f\n"
				    "  latency      p50 %8.2f ms   p99 %8.2f   frame complete to answer\n"
				    "  preparation  p50 %8.2f ms   p99 %8.2f   beside the run before\n",
				run50, run99, lat50, lat99, prep50, prep99);
	} else {
		json = json_pack("{s:{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f}}", "summary",
				 "frames", (json_int_t)s->frames, "dropped",
				 (json_int_t)source->dropped, "fps", fps, "run_p50_ms", run50,
				 "run_p99_ms", run99, "latency_p50_ms", lat50, "latency_p99_ms",
				 lat99, "prepare_p50_ms", prep50, "prepare_p99_ms", prep99);
		ret = json ? 0 : TOOL_NO_MEMORY;
		if (json)
			json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		printf("\n");
		json_decref(json);
	}
	if (!ret && !s->closed)
		ret = flush(s);
	free(s);
	return ret < 0 ? 0 : ret;
}
