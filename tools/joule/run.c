// SPDX-License-Identifier: MIT
/* joule run: a model on real inputs, and what it says. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <joule/tensor_file.h>

#include "inputs.h"
#include "npy.h"
#include "prep.h"
#include "show.h"
#include "tool.h"

#define MAX_INPUTS 64
#define MAX_STATES 16
#define MAX_DUMPS  16

struct run {
	struct tool_options options;
	struct prep prep;
	struct show_params show;
	const struct show_kind *kind;
	struct labels *labels;
	struct tool_model m;
	struct joule_session *session;
	int n_inputs;
	const char *inputs[MAX_INPUTS]; /* [NAME=]FILE or folder */
	int n_states;
	const char *states[MAX_STATES]; /* OUTPUT=INPUT */
	int n_dumps;
	const char *dumps[MAX_DUMPS];
	const char *output_dir;
	bool json, timing;
	json_t *results;
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

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

/* Which input "NAME=FILE" means; a plain FILE takes the next position. */
static int parse_input(struct run *r, const char *arg, int position, const char **path)
{
	const char *eq = strrchr(arg, '=');
	int i = eq ? find_value(r->m.model, arg, (size_t)(eq - arg), joule_model_input) : -1;

	*path = i >= 0 ? eq + 1 : arg;
	return i >= 0 ? i : position;
}

static int set_states(struct run *r)
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

/* ---- one frame ---- */

static int set_input(struct run *r, int i, const char *path, struct image *image,
		     struct show_frame *frame)
{
	struct joule_value_info info;
	struct joule_view view;
	int ret;

	if (joule_model_input(r->m.model, i, &info)) {
		tool_error("%s: the model has only %d inputs", path,
			   joule_model_inputs(r->m.model));
		return TOOL_USAGE;
	}
	for (int k = 0; k < r->options.n_shapes; k++)
		if (!strcmp(r->options.shapes[k].name, info.name))
			info.shape = r->options.shapes[k].shape;
	if (prep_is_image(path)) {
		ret = image_load(path, image);
		if (!ret)
			ret = prep_image(&r->prep, path, image, &info, &view, &frame->map);
		if (!ret)
			frame->image = image;
	} else {
		ret = prep_file(r->m.context, path, &info, &view);
	}
	if (ret)
		return ret;
	ret = tool_exit_code(joule_session_set_input(r->session, i, &view));
	joule_view_free(&view);
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

	start = now_ms();
	for (int i = 0; !ret && i < n; i++)
		ret = set_input(r, positions[i], paths[i], &image, &frame);
	prepared = now_ms();
	if (!ret)
		ret = tool_exit_code(joule_session_run(r->session, 0));
	done = now_ms();
	if (!ret && json)
		json_object_set_new(json, "input", json_string(paths[0]));
	if (!ret)
		ret = r->kind->show(&r->show, &frame, json);
	if (!ret && json) {
		json_object_set_new(json, "prepare_ms", json_real(prepared - start));
		json_object_set_new(json, "run_ms", json_real(done - prepared));
		json_array_append(r->results, json);
	} else if (!ret && r->timing) {
		printf("prepared in %.2f ms, ran in %.2f ms (measured)\n", prepared - start,
		       done - prepared);
	}
	if (!ret)
		ret = save_outputs(r, save_as);
	if (!ret)
		ret = save_dumps(r, save_as);
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

static int run_all(struct run *r)
{
	const char *paths[MAX_INPUTS];
	int positions[MAX_INPUTS];
	struct stat st;

	for (int i = 0; i < r->n_inputs; i++)
		positions[i] = parse_input(r, r->inputs[i], i, &paths[i]);
	if (r->n_inputs == 1 && !stat(paths[0], &st) && S_ISDIR(st.st_mode))
		return run_folder(r, paths[0], positions[0]);
	return run_frame(r, paths, positions, r->n_inputs, "");
}

/* ---- options ---- */

enum { OPT_INPUT = 1, OPT_SIZE, OPT_FIT, OPT_CROP, OPT_DIVIDE, OPT_MEAN, OPT_STD, OPT_LAYOUT,
       OPT_COLOUR, OPT_PAD, OPT_LABELS, OPT_TOP, OPT_SHOW, OPT_JSON, OPT_OUTPUT, OPT_DUMP,
       OPT_STATE, OPT_TIME, OPT_THRESHOLD, OPT_OVERLAP, OPT_DRAW };

static const struct option longs[] = {
	TOOL_LONG_OPTIONS,
	{ "input", required_argument, NULL, OPT_INPUT },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "fit", required_argument, NULL, OPT_FIT },
	{ "crop", required_argument, NULL, OPT_CROP },
	{ "divide", required_argument, NULL, OPT_DIVIDE },
	{ "mean", required_argument, NULL, OPT_MEAN },
	{ "std", required_argument, NULL, OPT_STD },
	{ "layout", required_argument, NULL, OPT_LAYOUT },
	{ "colour", required_argument, NULL, OPT_COLOUR },
	{ "color", required_argument, NULL, OPT_COLOUR },
	{ "pad", required_argument, NULL, OPT_PAD },
	{ "labels", required_argument, NULL, OPT_LABELS },
	{ "top", required_argument, NULL, OPT_TOP },
	{ "show", required_argument, NULL, OPT_SHOW },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "output-dir", required_argument, NULL, OPT_OUTPUT },
	{ "dump-tensor", required_argument, NULL, OPT_DUMP },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "time", no_argument, NULL, OPT_TIME },
	{ "threshold", required_argument, NULL, OPT_THRESHOLD },
	{ "overlap", required_argument, NULL, OPT_OVERLAP },
	{ "draw", required_argument, NULL, OPT_DRAW },
	{ 0 },
};

/* "a" for all three channels, or "a,b,c". */
static int parse_triple(const char *text, double *out)
{
	int n = sscanf(text, "%lf,%lf,%lf", &out[0], &out[1], &out[2]);

	if (n == 1)
		out[1] = out[2] = out[0];
	return n == 1 || n == 3 ? 0 : -1;
}

static int parse_word(const char *text, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return -1;
}

static int parse_option(struct run *r, int opt)
{
	static const char *const fits[] = { "stretch", "crop", "letterbox", NULL };
	static const char *const layouts[] = { "nchw", "nhwc", NULL };
	static const char *const colours[] = { "rgb", "bgr", "grey", NULL };
	int v = 0;

	switch (opt) {
	case OPT_INPUT:
		if (r->n_inputs == MAX_INPUTS)
			return tool_usage(&tool_run, "too many inputs");
		r->inputs[r->n_inputs++] = optarg;
		return 0;
	case OPT_SIZE:
		v = sscanf(optarg, "%dx%d", &r->prep.width, &r->prep.height) == 2 ? 0 : -1;
		break;
	case OPT_FIT:
		v = parse_word(optarg, fits);
		r->prep.fit = (enum prep_fit)v;
		break;
	case OPT_CROP:
		r->prep.fit = PREP_CROP;
		r->prep.crop = atof(optarg);
		v = r->prep.crop > 0 && r->prep.crop <= 1 ? 0 : -1;
		break;
	case OPT_DIVIDE:
		r->prep.divide = atof(optarg);
		v = r->prep.divide ? 0 : -1;
		break;
	case OPT_MEAN:
		v = parse_triple(optarg, r->prep.mean);
		break;
	case OPT_STD:
		v = parse_triple(optarg, r->prep.std);
		break;
	case OPT_LAYOUT:
		v = parse_word(optarg, layouts);
		r->prep.nhwc = v == 1;
		r->prep.layout_given = true;
		break;
	case OPT_COLOUR:
		v = parse_word(optarg, colours);
		r->prep.colour = (enum prep_colour)v;
		break;
	case OPT_PAD:
		r->prep.pad_corner = strstr(optarg, ",corner") != NULL;
		r->prep.pad = atoi(optarg);
		v = r->prep.pad >= 0 && r->prep.pad < 256 ? 0 : -1;
		break;
	case OPT_LABELS:
		r->show.labels_path = optarg;
		return 0;
	case OPT_TOP:
		r->show.top = atoi(optarg);
		return 0;
	case OPT_SHOW:
		r->show.kind = optarg;
		return 0;
	case OPT_JSON:
		r->json = true;
		return 0;
	case OPT_OUTPUT:
		r->output_dir = optarg;
		return 0;
	case OPT_DUMP:
		if (r->n_dumps == MAX_DUMPS)
			return tool_usage(&tool_run, "too many --dump-tensor options");
		r->dumps[r->n_dumps++] = optarg;
		return 0;
	case OPT_STATE:
		if (r->n_states == MAX_STATES)
			return tool_usage(&tool_run, "too many --state options");
		r->states[r->n_states++] = optarg;
		return 0;
	case OPT_TIME:
		r->timing = true;
		return 0;
	case OPT_THRESHOLD:
		r->show.threshold = atof(optarg);
		return 0;
	case OPT_OVERLAP:
		r->show.overlap = atof(optarg);
		return 0;
	case OPT_DRAW:
		r->show.draw_path = optarg;
		return 0;
	default:
		return tool_option(&tool_run, &r->options, opt);
	}
	return v < 0 ? tool_usage(&tool_run, "'%s' is not understood", optarg) : 0;
}

static int parse_options(struct run *r, int argc, char **argv)
{
	int opt, ret = 0;

	optind = 1;
	while (!ret && (opt = getopt_long(argc, argv, "", longs, NULL)) >= 0)
		ret = parse_option(r, opt);
	return ret;
}

/*
 * A model may carry its own preprocessing in metadata: options of this command
 * under joule.run. They come first, so that the command line overrides them.
 */
static int model_options(struct run *r, char **storage)
{
	const char *text = joule_model_metadata(r->m.model, "joule.run");
	char name[] = "joule run", *argv[64] = { name }, *save = NULL;
	int argc = 1;

	if (!text)
		return 0;
	*storage = strdup(text);
	if (!*storage)
		return TOOL_NO_MEMORY;
	for (char *p = strtok_r(*storage, " ", &save); p && argc < 63;
	     p = strtok_r(NULL, " ", &save))
		argv[argc++] = p;
	return parse_options(r, argc, argv);
}

static int open_session(struct run *r)
{
	const char *labels = joule_model_metadata(r->m.model, "joule.labels");
	struct joule_session_params params;
	int ret;

	ret = r->show.labels_path || !labels ? labels_load(r->show.labels_path, &r->labels) :
					       labels_parse(labels, &r->labels);
	if (ret)
		return ret;
	r->kind = show_find(r->show.kind, r->m.model);
	if (!r->kind)
		return TOOL_USAGE;
	tool_session_params(&r->options, &params);
	params.keep_all = r->n_dumps > 0;
	ret = tool_exit_code(joule_session_create(r->m.model, r->m.device, &params, &r->session));
	return ret ? ret : set_states(r);
}

static int run(int argc, char **argv)
{
	struct run r = { .show = { .top = 5, .threshold = 0.3, .overlap = 0.45 } };
	char *storage = NULL;
	int ret;

	prep_defaults(&r.prep);
	ret = parse_options(&r, argc, argv);
	if (ret)
		return ret;
	if (optind + 1 > argc)
		return tool_usage(&tool_run, "no model given");

	const char *model = argv[optind];

	/* MODEL FILE... is the same as MODEL --input FILE... */
	for (int i = optind + 1; i < argc && r.n_inputs < MAX_INPUTS; i++)
		r.inputs[r.n_inputs++] = argv[i];
	if (!r.n_inputs)
		return tool_usage(&tool_run, "no input given");
	ret = tool_model_open(&r.options, model, &r.m);
	if (!ret && joule_model_metadata(r.m.model, "joule.run")) {
		int n = r.n_inputs;

		ret = model_options(&r, &storage);
		r.n_inputs = r.n_dumps = r.n_states = 0;
		if (!ret)
			ret = parse_options(&r, argc, argv);
		for (int i = optind + 1; i < argc && r.n_inputs < n; i++)
			r.inputs[r.n_inputs++] = argv[i];
	}
	if (!ret)
		ret = open_session(&r);
	if (!ret && r.json) {
		r.results = json_array();
		ret = r.results ? 0 : TOOL_NO_MEMORY;
	}
	if (!ret)
		ret = run_all(&r);
	if (!ret && r.json) {
		json_t *root = json_pack("{s:s, s:s, s:O}", "schema", "joule.run/1", "model",
					 model, "results", r.results);

		ret = !root ? TOOL_NO_MEMORY :
		      json_dumpf(root, stdout, JSON_INDENT(2)) ? TOOL_IO : 0;
		printf("\n");
		json_decref(root);
	}
	json_decref(r.results);
	labels_destroy(r.labels);
	joule_session_destroy(r.session);
	tool_model_close(&r.m);
	free(storage);
	return ret;
}

const struct tool_command tool_run = {
	.name = "run",
	.arguments = "[OPTION]... MODEL.onnx [NAME=]FILE...",
	.summary = "Runs a model on a picture, sound or tensor and shows the answer",
	.help = "  --input [NAME=]FILE  .jpg .png .npy .pb .wav, or a folder of them\n"
		"  --size WxH         of the model's picture, where the file leaves it open\n"
		"  --fit F            stretch (default), crop, letterbox\n"
		"  --crop SHARE       cover, then keep that share of the middle, e.g. 0.875\n"
		"  --pad N[,corner]   letterbox value (114), picture in the corner\n"
		"  --divide D --mean M[,M,M] --std S[,S,S]   (pixel / D - M) / S\n"
		"  --layout L         nchw, nhwc (default: by the input's shape)\n"
		"  --colour C         rgb (default), bgr, grey\n"
		"  --show KIND        reading, classes, yolox, ssd, mask, tensors\n"
		"                     (default: by the shapes of the outputs)\n"
		"  --threshold S      least score of a detection (0.3)\n"
		"  --overlap IOU      boxes of a class that overlap more are one (0.45)\n"
		"  --draw FILE.png    the picture with its boxes, or the mask in colours\n"
		"  --labels FILE      a label a line;  --top K (5)\n"
		"  --json             everything as JSON\n"
		"  --output-dir DIR   every output as DIR/NAME.npy\n"
		"  --dump-tensor NAME a node's or tensor's value as .npy\n"
		"  --state OUT=IN     feed an output back into an input on the next frame\n"
		"  --time             time of each frame\n" TOOL_HELP_OPTIONS,
	.run = run,
};
