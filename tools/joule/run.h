/* SPDX-License-Identifier: MIT */
/* What the files of joule run share: options, the session, one frame's way through it. */
#ifndef TOOLS_JOULE_RUN_H
#define TOOLS_JOULE_RUN_H

#include "prep.h"
#include "show.h"
#include "source.h"
#include "tool.h"

#define RUN_MAX_INPUTS 64
#define RUN_MAX_STATES 16
#define RUN_MAX_DUMPS  16

struct run {
	struct tool_options options;
	struct prep prep;
	struct show_params show;
	struct source_params source;
	const struct show_kind *kind;
	struct labels *labels;
	struct tool_model m;
	struct joule_session *session;
	const char *model_path;
	int n_inputs;
	const char *inputs[RUN_MAX_INPUTS]; /* [NAME=]FILE, folder or stream */
	int n_states;
	const char *states[RUN_MAX_STATES]; /* OUTPUT=INPUT */
	int n_dumps;
	const char *dumps[RUN_MAX_DUMPS];
	const char *output_dir;
	long frames;                        /* of a stream at most, 0: all */
	bool json, timing, top_given;
	json_t *results;
};

/* Which input "NAME=FILE" means; a plain FILE takes the next position. */
int run_parse_input(const struct run *r, const char *arg, int position, const char **path);

/* Input i as the model declares it, with what --shape says. Exit code. */
int run_input_info(const struct run *r, int i, const char *path, struct joule_value_info *info);

/* Sets input i from a file; frame gets the picture, if it is one. Exit code. */
int run_set_input(struct run *r, int i, const char *path, struct image *image,
		  struct show_frame *frame);

/* Feeds outputs back as --state says. Exit code. */
int run_set_states(struct run *r);

/*
 * --draw, --output-dir and --dump-tensor of a frame that has run. save_as tells
 * files of many frames apart; "" where there is one alone. Exit code.
 */
int run_save(struct run *r, const char *save_as);

/* FILE.png of --draw for this frame; NULL where none is wanted. The caller frees it. Exit code. */
int run_draw_path(const struct run *r, const char *save_as, char **out);

/* Files and folders: everything from input to answer. Exit code. */
int run_files(struct run *r);

/* A stream on one input, files on the others. Exit code. */
int run_stream(struct run *r, int stream);

/* ---- SIGINT and SIGTERM ---- */

/*
 * From now on the first of these makes run_stop_fd() readable and run_stopped()
 * true; a second one ends the process. Exit code.
 */
int run_catch_signals(void);
int run_stop_fd(void);

/* The same as such a signal, from the program itself. */
void run_stop(void);
bool run_stopped(void);

#endif
