// SPDX-License-Identifier: MIT
/*
 * joule run on a stream of frames. A thread reads, decodes and prepares the
 * next frame while the model runs on this one: two places, one with each side.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <joule/tensor_file.h>

#include "run.h"
#include "stream_show.h"
#include "utf8.h"

#define PLACES 2

/* A prepared frame. */
struct place {
	struct image image;
	struct joule_view view;
	struct prep_map map;
	long number;        /* in the stream, from 1; gaps are dropped frames */
	long dropped;       /* before this one, all in all */
	double captured_ms, prepare_ms;
};

struct stream {
	struct run *run;
	struct source *source;
	struct joule_value_info info;
	const char *name;
	int input;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct place places[PLACES];
	long filled, emptied; /* places so far; place i % PLACES */
	bool ended, stop;
	int result;           /* of the reader, when ended */
};

/* ---- the reader's side ---- */

static int prepare(struct stream *s, struct place *p)
{
	double before = s->source->convert_ms;
	int ret = source_next(s->source, &p->image, &p->captured_ms);
	double start = source_now_ms();

	if (ret)
		return ret;
	ret = prep_image(&s->run->prep, s->name, &p->image, &s->info, &p->view, &p->map);
	p->prepare_ms = source_now_ms() - start + s->source->convert_ms - before;
	p->number = s->source->read + s->source->dropped;
	p->dropped = s->source->dropped;
	return ret;
}

static void *reader(void *arg)
{
	struct stream *s = arg;
	int ret = 0;

	pthread_mutex_lock(&s->lock);
	while (!ret) {
		while (s->filled - s->emptied == PLACES && !s->stop)
			pthread_cond_wait(&s->changed, &s->lock);
		if (s->stop || (s->run->frames && s->filled == s->run->frames))
			break;
		pthread_mutex_unlock(&s->lock);
		ret = prepare(s, &s->places[s->filled % PLACES]);
		pthread_mutex_lock(&s->lock);
		if (!ret) {
			s->filled++;
			pthread_cond_broadcast(&s->changed);
		}
	}
	s->result = ret == SOURCE_END ? 0 : ret;
	s->ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- the model's side ---- */

/* NULL at the end, with the reader's exit code in *ret. */
static struct place *take(struct stream *s, int *ret)
{
	struct place *p = NULL;

	pthread_mutex_lock(&s->lock);
	while (s->filled == s->emptied && !s->ended)
		pthread_cond_wait(&s->changed, &s->lock);
	if (s->filled > s->emptied && !run_stopped())
		p = &s->places[s->emptied % PLACES];
	else
		*ret = s->result;
	pthread_mutex_unlock(&s->lock);
	return p;
}

static void give_back(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->emptied++;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static int answer(struct stream *s, struct place *p, struct stream_frame *out)
{
	struct run *r = s->run;
	struct show_params params = r->show;
	struct show_frame frame = { .model = r->m.model, .session = r->session,
				    .labels = r->labels, .image = &p->image, .map = p->map };
	char number[32], name[64], *draw;
	int ret;

	snprintf(number, sizeof(number), "%06ld", p->number);
	snprintf(name, sizeof(name), "frame %ld", p->number);
	frame.name = name;
	ret = run_draw_path(r, number, &draw);
	params.draw_path = draw;
	if (!ret)
		ret = r->kind->show(&params, &frame, out->answer);
	free(draw);
	return ret ? ret : run_save(r, number);
}

static int run_place(struct stream *s, struct place *p, struct stream_show *show)
{
	struct stream_frame f = { .number = p->number, .dropped = p->dropped,
				  .prepare_ms = p->prepare_ms, .answer = json_object() };
	double start, done;
	int ret;

	if (!f.answer)
		return TOOL_NO_MEMORY;
	start = source_now_ms();
	ret = tool_exit_code(joule_session_set_input(s->run->session, s->input, &p->view));
	if (!ret)
		ret = tool_exit_code(joule_session_run(s->run->session, 0));
	done = source_now_ms();
	f.run_ms = done - start;
	f.latency_ms = done - p->captured_ms;
	if (!ret)
		ret = answer(s, p, &f);
	if (!ret)
		ret = stream_show_frame(show, &f);
	json_decref(f.answer);
	return ret;
}

/* The other inputs keep what their files say; recurrent ones change by --state. */
static int set_others(struct stream *s, int stream)
{
	struct run *r = s->run;
	struct show_frame frame = { 0 };
	struct image image = { 0 };
	int ret = 0;

	for (int i = 0; !ret && i < r->n_inputs; i++) {
		const char *path;
		int k = run_parse_input(r, r->inputs[i], i, &path);

		if (k < 0)
			ret = TOOL_BAD_INPUT;
		else if (i != stream)
			ret = run_set_input(r, k, path, &image, &frame);
	}
	image_finish(&image);
	return ret;
}

static int loop(struct stream *s)
{
	struct stream_show *show = NULL;
	struct place *p;
	int ret = pthread_create(&s->thread, NULL, reader, s), saved;

	if (ret) {
		tool_error("%s: cannot start a thread", s->name);
		return TOOL_NO_MEMORY;
	}
	ret = stream_show_begin(s->run, s->source, &show);
	while (!ret && (p = take(s, &ret))) {
		ret = run_place(s, p, show);
		give_back(s);
	}
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	/* A reader that waits for its source is woken the way a signal does it. */
	run_stop();
	pthread_join(s->thread, NULL);
	/* Whoever reads our output has had enough: that is no error. */
	if (ret == STREAM_CLOSED)
		ret = 0;
	saved = ret;
	ret = show ? stream_show_end(show, s->source) : 0;
	return saved ? saved : ret;
}

int run_stream(struct run *r, int stream)
{
	struct stream s = { .run = r };
	const char *path;
	int ret;

	/* A reader of our output that goes away is seen at the next write. */
	signal(SIGPIPE, SIG_IGN);
	s.input = run_parse_input(r, r->inputs[stream], stream, &path);
	if (s.input < 0)
		return TOOL_BAD_INPUT;
	s.name = strcmp(path, "-") ? path : "standard input";
	ret = run_input_info(r, s.input, path, &s.info);
	if (!ret)
		ret = set_others(&s, stream);
	r->source.path = path;
	r->source.stop_fd = run_stop_fd();
	if (!ret)
		ret = source_open(&r->source, &s.source);
	if (ret)
		return ret == SOURCE_END ? 0 : ret;
	pthread_mutex_init(&s.lock, NULL);
	pthread_cond_init(&s.changed, NULL);
	ret = loop(&s);
	pthread_cond_destroy(&s.changed);
	pthread_mutex_destroy(&s.lock);
	for (int i = 0; i < PLACES; i++) {
		image_finish(&s.places[i].image);
		joule_view_free(&s.places[i].view);
	}
	source_close(s.source);
	return ret;
}
