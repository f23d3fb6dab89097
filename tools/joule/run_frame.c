// SPDX-License-Identifier: MIT
/* joule run on files and folders, and what is saved of each frame. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <joule/tensor_file.h>

#include "npy.h"
#include "run.h"
#include "utf8.h"

/* ---- names ---- */

static int find_value(const struct joule_model *model, const char *name, size_t len,
		      int (*get)(const struct joule_model *, int, struct joule_value_info *))
{
	struct joule_value_info info;

	for (int i = 0; !get(model, i, &info); i++)
		if (strlen(info.name) == len && !strncmp(info.name, name, len))
			return i;
	return -1;
}

int run_parse_input(const struct run *r, const char *arg, int position, const char **path)
{
	const char *eq = strrchr(arg, '=');
	int i = eq ? find_value(r->m.model, arg, (size_t)(eq - arg), joule_model_input) : -1;

	*path = i >= 0 ? eq + 1 : arg;
	if (i < 0 && eq && access(arg, F_OK)) {
		tool_error("%s: the model has no input '%.*s'", r->model_path, (int)(eq - arg),
			   arg);
		return -1;
	}
	return i >= 0 ? i : position;
}

int run_input_info(const struct run *r, int i, const char *path, struct joule_value_info *info)
{
	if (joule_model_input(r->m.model, i, info)) {
		tool_error("%s: the model has only %d inputs", path,
			   joule_model_inputs(r->m.model));
		return TOOL_USAGE;
	}
	for (int k = 0; k < r->options.n_shapes; k++)
		if (!strcmp(r->options.shapes[k].name, info->name))
			info->shape = r->options.shapes[k].shape;
	return 0;
}

int run_set_states(struct run *r)
{
	for (int k = 0; k < r->n_states; k++) {
		const char *eq = strchr(r->states[k], '=');
		int out = -1, in = -1, ret;

		if (eq) {
			out = find_value(r->m.model, r->states[k], (size_t)(eq - r->states[k]),
					 joule_model_output);
			in = find_value(r->m.model, eq + 1, strlen(eq + 1), joule_model_input);
		}
		if (out < 0 || in < 0) {
			tool_error("--state %s: no such output or input", r->states[k]);
			return TOOL_BAD_INPUT;
		}
		ret = joule_session_loop_state(r->session, out, in);
		if (ret)
			return tool_exit_code(ret);
	}
	return 0;
}

/* ---- outputs ---- */

static int save_view(const char *dir, const char *frame, const char *name,
		     const struct joule_view *view)
{
	char *path, *safe = strdup(name);
	int ret;

	for (char *p = safe; p && *p; p++)
		if (*p == '/' || *p == ':')
			*p = '_';
	if (!safe || asprintf(&path, "%s/%s%s%s.npy", dir, frame, *frame ? "." : "", safe) < 0) {
		free(safe);
		return TOOL_NO_MEMORY;
	}
	ret = npy_save(path, view);
	free(path);
	free(safe);
	return ret;
}

static int save_outputs(struct run *r, const char *frame)
{
	int ret = 0;

	for (int i = 0; !ret && r->output_dir && i < joule_model_outputs(r->m.model); i++) {
		struct joule_value_info info;
		struct joule_view view;

		ret = tool_exit_code(joule_session_output(r->session, i, &view));
		joule_model_output(r->m.model, i, &info);
		if (!ret)
			ret = save_view(r->output_dir, frame, info.name, &view);
	}
	return ret;
}

/* --dump-tensor takes a node or a tensor; the tensors a node makes are all saved. */
static int save_dumps(struct run *r, const char *frame)
{
	int n = r->n_dumps ? joule_session_tensors(r->session, NULL, 0) : 0, ret = 0;
	struct joule_tensor_info *list = calloc((size_t)n + 1, sizeof(*list));

	if (!list)
		return TOOL_NO_MEMORY;
	n = n ? joule_session_tensors(r->session, list, n) : 0;
	for (int k = 0; !ret && k < r->n_dumps; k++) {
		bool found = false;

		for (int i = 0; !ret && i < n; i++) {
			struct joule_view view;

			if (strcmp(list[i].name, r->dumps[k]) && strcmp(list[i].node, r->dumps[k]))
				continue;
			found = true;
			ret = tool_exit_code(joule_session_tensor(r->session, list[i].name, &view));
			if (!ret)
				ret = save_view(r->output_dir ? r->output_dir : ".", frame,
						list[i].name, &view);
		}
		if (!ret && !found) {
			tool_error("--dump-tensor %s: no node or tensor of that name is left "
				   "after the passes", r->dumps[k]);
			ret = TOOL_BAD_INPUT;
		}
	}
	free(list);
	return ret;
}

int run_draw_path(const struct run *r, const char *save_as, char **out)
{
	const char *path = r->show.draw_path, *dot = path ? strrchr(path, '.') : NULL;

	*out = NULL;
	if (!path)
		return 0;
	if (!dot || strchr(dot, '/'))
		dot = path + strlen(path);
	return asprintf(out, "%.*s%s%s%s", (int)(dot - path), path, *save_as ? "-" : "", save_as,
			dot) < 0 ? TOOL_NO_MEMORY : 0;
}

int run_save(struct run *r, const char *save_as)
{
	int ret = save_outputs(r, save_as);

	return ret ? ret : save_dumps(r, save_as);
}

/* ---- one frame ---- */

int run_set_input(struct run *r, int i, const char *path, struct image *image,
		  struct show_frame *frame)
{
	struct joule_view view = { 0 };
	struct joule_value_info info;
	int ret = run_input_info(r, i, path, &info);

	if (ret)
		return ret;
	if (prep_is_image(path)) {
		image_finish(image);
		ret = image_load(path, image);
		if (!ret)
			ret = prep_image(&r->prep, path, image, &info, &view, &frame->map);
		if (!ret)
			frame->image = image;
	} else {
		ret = prep_file(r->m.context, path, &info, &view);
	}
	if (!ret)
		ret = tool_exit_code(joule_session_set_input(r->session, i, &view));
	joule_view_free(&view);
	return ret;
}

/* SIGINT cancels the run. */
static int run_session(struct run *r)
{
	struct joule_fence *fence;
	bool cancelled = false;
	int ret = joule_session_submit(r->session, &fence);

	if (ret)
		return tool_exit_code(ret);
	while ((ret = joule_fence_wait(fence, 50 * 1000 * 1000)) == -ETIME)
		if (run_stopped() && !cancelled) {
			joule_fence_cancel(fence);
			cancelled = true;
		}
	joule_fence_destroy(fence);
	/* A run that no submission could be cut from any more was in vain all the same. */
	if (!ret && cancelled)
		ret = -ECANCELED;
	if (ret == -ECANCELED)
		tool_error("%s: interrupted", r->model_path);
	return tool_exit_code(ret);
}

static int show(struct run *r, const struct show_frame *frame, json_t *json, const char *save_as)
{
	struct show_params params = r->show;
	char *draw;
	int ret = run_draw_path(r, save_as, &draw);

	params.draw_path = draw;
	if (!ret)
		ret = r->kind->show(&params, frame, json);
	free(draw);
	return ret;
}

static int run_frame(struct run *r, const char *const *paths, const int *positions, int n,
		     const char *save_as)
{
	struct show_frame frame = { .name = paths[0], .model = r->m.model,
				    .session = r->session, .labels = r->labels };
	struct image image = { 0 };
	json_t *json = r->json ? json_object() : NULL;
	double start, prepared, done;
	int ret = 0;

	start = source_now_ms();
	for (int i = 0; !ret && i < n; i++)
		ret = run_set_input(r, positions[i], paths[i], &image, &frame);
	prepared = source_now_ms();
	if (!ret)
		ret = run_session(r);
	done = source_now_ms();
	if (!ret && json)
		json_object_set_new(json, "input", utf8_json(paths[0]));
	if (!ret)
		ret = show(r, &frame, json, save_as);
	if (!ret && json) {
		json_object_set_new(json, "prepare_ms", json_real(prepared - start));
		json_object_set_new(json, "run_ms", json_real(done - prepared));
		json_array_append(r->results, json);
	} else if (!ret && r->timing) {
		printf("prepared in %.2f ms, ran in %.2f ms (measured)\n", prepared - start,
		       done - prepared);
	}
	if (!ret)
		ret = run_save(r, save_as);
	json_decref(json);
	image_finish(&image);
	return ret;
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Every picture, tensor or sound of a folder in the order of names. */
static int run_folder(struct run *r, const char *dir, int position)
{
	struct dirent **list;
	int n = scandir(dir, &list, not_hidden, alphasort), ret = 0;

	if (n < 0) {
		tool_error("%s: %s", dir, strerror(errno));
		return TOOL_IO;
	}
	for (int i = 0; i < n; i++) {
		char *path = NULL;
		struct stat st;

		if (!ret && asprintf(&path, "%s/%s", dir, list[i]->d_name) < 0)
			ret = TOOL_NO_MEMORY;
		if (!ret && !stat(path, &st) && S_ISREG(st.st_mode)) {
			const char *paths[] = { path };

			if (!r->json)
				printf("%s\n", list[i]->d_name);
			ret = run_frame(r, paths, &position, 1, list[i]->d_name);
		}
		free(path);
		free(list[i]);
	}
	free(list);
	return ret;
}

int run_files(struct run *r)
{
	const char *paths[RUN_MAX_INPUTS];
	int positions[RUN_MAX_INPUTS];
	struct stat st;

	for (int i = 0; i < r->n_inputs; i++) {
		positions[i] = run_parse_input(r, r->inputs[i], i, &paths[i]);
		if (positions[i] < 0)
			return TOOL_BAD_INPUT;
	}
	if (r->n_inputs == 1 && !stat(paths[0], &st) && S_ISDIR(st.st_mode))
		return run_folder(r, paths[0], positions[0]);
	return run_frame(r, paths, positions, r->n_inputs, "");
}
