// SPDX-License-Identifier: MIT
/* joule run: a model on real inputs, and what it says. */
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "utf8.h"

/* ---- options ---- */

enum { OPT_INPUT = 1, OPT_SIZE, OPT_FIT, OPT_CROP, OPT_DIVIDE, OPT_MEAN, OPT_STD, OPT_LAYOUT,
       OPT_COLOUR, OPT_PAD, OPT_LABELS, OPT_TOP, OPT_SHOW, OPT_JSON, OPT_OUTPUT, OPT_DUMP,
       OPT_STATE, OPT_TIME, OPT_THRESHOLD, OPT_OVERLAP, OPT_DRAW, OPT_FORMAT_IN,
       OPT_SIZE_IN, OPT_PIX_FMT, OPT_YUV, OPT_FRAMES, OPT_FPS,
       OPT_FORMAT };

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
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "output-dir", required_argument, NULL, OPT_OUTPUT },
	{ "dump-tensor", required_argument, NULL, OPT_DUMP },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "time", no_argument, NULL, OPT_TIME },
	{ "threshold", required_argument, NULL, OPT_THRESHOLD },
	{ "overlap", required_argument, NULL, OPT_OVERLAP },
	{ "draw", required_argument, NULL, OPT_DRAW },
	{ "format-in", required_argument, NULL, OPT_FORMAT_IN },
	{ "size-in", required_argument, NULL, OPT_SIZE_IN },
	{ "pix-fmt", required_argument, NULL, OPT_PIX_FMT },
	{ "yuv", required_argument, NULL, OPT_YUV },
	{ "frames", required_argument, NULL, OPT_FRAMES },
	{ "fps", required_argument, NULL, OPT_FPS },
	{ 0 },
};

/* "a" for all three channels, or "a,b,c". */
static int parse_triple(const char *text, double *out)
{
	int end = 0;

	if (sscanf(text, "%lf,%lf,%lf%n", &out[0], &out[1], &out[2], &end) == 3)
		return text[end] ? -1 : 0;
	if (sscanf(text, "%lf%n", &out[0], &end) != 1 || text[end])
		return -1;
	out[1] = out[2] = out[0];
	return 0;
}

static int parse_word(const char *text, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return -1;
}

/* "114" or "114,corner" */
static int parse_pad(struct prep *prep, const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	prep->pad = (int)v;
	prep->pad_corner = !strcmp(end, ",corner");
	return end == text || (*end && !prep->pad_corner) || v < 0 || v > 255 ? -1 : 0;
}

/* The whole of "640x480", each at most 65536. */
static int parse_size(const char *text, int *width, int *height)
{
	int end = 0;

	return sscanf(text, "%dx%d%n", width, height, &end) == 2 && !text[end] && *width > 0 &&
			       *height > 0 && *width <= 65536 && *height <= 65536 ?
		       0 :
		       -1;
}

static int parse_number(const char *text, double least, double most, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end == text || *end || !(*out >= least && *out <= most) ? -1 : 0;
}

/* Options of streams. */
static int parse_stream_option(struct run *r, int opt)
{
	static const char *const kinds[] = { "y4m", "rawvideo", "v4l2", NULL };
	static const char *const yuvs[] = { "bt601", "bt709", "bt601-full", "bt709-full", NULL };
	double number;
	int v;

	switch (opt) {
	case OPT_FORMAT_IN:
		v = parse_word(optarg, kinds);
		r->source.kind = (enum source_kind)(SOURCE_Y4M + v);
		return v;
	case OPT_SIZE_IN:
		return parse_size(optarg, &r->source.width, &r->source.height);
	case OPT_PIX_FMT:
		return r->source.format = pixels_parse(optarg);
	case OPT_YUV:
		v = parse_word(optarg, yuvs);
		r->source.matrix = v & 1 ? PIXELS_BT709 : PIXELS_BT601;
		r->source.range = v & 2 ? PIXELS_FULL : PIXELS_LIMITED;
		return v;
	case OPT_FRAMES:
		v = parse_number(optarg, 1, 1e15, &number);
		r->frames = (long)number;
		return v;
	default:
		return parse_number(optarg, 0.001, 1e6, &r->source.fps);
	}
}

static int parse_option(struct run *r, int opt)
{
	static const char *const fits[] = { "stretch", "crop", "letterbox", NULL };
	static const char *const layouts[] = { "nchw", "nhwc", NULL };
	static const char *const formats[] = { "text", "json", NULL };
	static const char *const colours[] = { "rgb", "bgr", "grey", NULL };
	double number;
	int v = 0;

	switch (opt) {
	case OPT_INPUT:
		if (r->n_inputs == RUN_MAX_INPUTS)
			return tool_usage(&tool_run, "too many inputs");
		r->inputs[r->n_inputs++] = optarg;
		return 0;
	case OPT_SIZE:
		v = parse_size(optarg, &r->prep.width, &r->prep.height);
		break;
	case OPT_FIT:
		v = parse_word(optarg, fits);
		r->prep.fit = (enum prep_fit)v;
		break;
	case OPT_CROP:
		r->prep.fit = PREP_CROP;
		v = parse_number(optarg, 1e-3, 1, &r->prep.crop);
		break;
	case OPT_DIVIDE:
		v = parse_number(optarg, 1e-12, 1e12, &r->prep.divide);
		break;
	case OPT_MEAN:
		v = parse_triple(optarg, r->prep.mean);
		break;
	case OPT_STD:
		v = parse_triple(optarg, r->prep.std);
		v = r->prep.std[0] && r->prep.std[1] && r->prep.std[2] ? v : -1;
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
		v = parse_pad(&r->prep, optarg);
		break;
	case OPT_LABELS:
		r->show.labels_path = optarg;
		return 0;
	case OPT_TOP:
		v = parse_number(optarg, 1, 1e6, &number);
		r->show.top = (int)number;
		r->top_given = true;
		break;
	case OPT_SHOW:
		r->show.kind = optarg;
		return 0;
	case OPT_JSON:
		r->json = true;
		return 0;
	case OPT_FORMAT:
		v = parse_word(optarg, formats);
		r->json = v == 1;
		break;
	case OPT_OUTPUT:
		r->output_dir = optarg;
		return 0;
	case OPT_DUMP:
		if (r->n_dumps == RUN_MAX_DUMPS)
			return tool_usage(&tool_run, "too many --dump-tensor options");
		r->dumps[r->n_dumps++] = optarg;
		return 0;
	case OPT_STATE:
		if (r->n_states == RUN_MAX_STATES)
			return tool_usage(&tool_run, "too many --state options");
		r->states[r->n_states++] = optarg;
		return 0;
	case OPT_TIME:
		r->timing = true;
		return 0;
	case OPT_THRESHOLD:
		v = parse_number(optarg, -1e30, 1e30, &r->show.threshold);
		break;
	case OPT_OVERLAP:
		v = parse_number(optarg, 0, 1, &r->show.overlap);
		break;
	case OPT_DRAW:
		r->show.draw_path = optarg;
		return 0;
	case OPT_FORMAT_IN:
	case OPT_SIZE_IN:
	case OPT_PIX_FMT:
	case OPT_YUV:
	case OPT_FRAMES:
	case OPT_FPS:
		v = parse_stream_option(r, opt);
		break;
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
	return ret ? ret : run_set_states(r);
}

/* The input that is a stream, or -1. */
static int find_stream(const struct run *r)
{
	for (int i = 0; i < r->n_inputs; i++) {
		const char *eq = strrchr(r->inputs[i], '=');

		if (source_is_stream(r->inputs[i]) || (eq && source_is_stream(eq + 1)))
			return i;
	}
	/* Raw video in a file is known by its option alone. */
	return r->source.kind != SOURCE_ANY || r->source.format >= 0 ? 0 : -1;
}

static int run_all(struct run *r)
{
	int stream = find_stream(r), ret = 0;

	if (stream >= 0) {
		if (!r->top_given)
			r->show.top = 1;
		return run_stream(r, stream);
	}
	if (r->frames || r->source.fps > 0 || r->source.width)
		return tool_usage(&tool_run, "--frames, --fps and --size-in are for streams");
	if (r->json) {
		r->results = json_array();
		ret = r->results ? 0 : TOOL_NO_MEMORY;
	}
	if (!ret)
		ret = run_files(r);
	if (!ret && r->json) {
		json_t *root = json_pack("{s:s, s:o, s:O}", "schema", "joule.run/1", "model",
					 utf8_json(r->model_path), "results", r->results);

		ret = !root ? TOOL_NO_MEMORY :
		      json_dumpf(root, stdout, JSON_INDENT(2)) ? TOOL_IO : 0;
		printf("\n");
		json_decref(root);
	}
	return ret;
}

static int run(int argc, char **argv)
{
	struct run r = { .show = { .top = 5, .threshold = 0.3, .overlap = 0.45 },
			 .source = { .format = -1 } };
	char *storage = NULL;
	int ret;

	prep_defaults(&r.prep);
	ret = parse_options(&r, argc, argv);
	if (ret)
		return ret;
	if (optind + 1 > argc)
		return tool_usage(&tool_run, "no model given");

	r.model_path = argv[optind];
	/* MODEL FILE... is the same as MODEL --input FILE... */
	for (int i = optind + 1; i < argc && r.n_inputs < RUN_MAX_INPUTS; i++)
		r.inputs[r.n_inputs++] = argv[i];
	if (!r.n_inputs)
		return tool_usage(&tool_run, "no input given");
	ret = run_catch_signals();
	if (!ret)
		ret = tool_model_open(&r.options, r.model_path, &r.m);
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
	if (!ret && run_stopped()) {
		tool_error("%s: interrupted", r.model_path);
		ret = TOOL_TIMEOUT;
	}
	if (!ret)
		ret = run_all(&r);
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
	.help = "Inputs:\n"
		"  [NAME=]FILE        a picture (.jpg .png), tensor (.npy .pb) or sound (.wav), a\n"
		"                     folder of them, or a stream of frames: - (standard input),\n"
		"                     a FIFO, a .y4m file, a camera /dev/videoN; in the order of the\n"
		"                     model's inputs where no NAME is given (--input FILE: the same)\n"
		"  --state OUT=IN     feed an output back into an input on the next frame\n"
		"\nFrom a picture to the model's input, (pixel / D - M) / S:\n"
		"  --divide D --mean M[,M,M] --std S[,S,S]   (1, 0, 1)\n"
		"  --size WxH         of the model's picture, where the file leaves it open\n"
		"  --fit F            stretch (default), crop, letterbox\n"
		"  --crop SHARE       cover, then keep that share of the middle, e.g. 0.875\n"
		"  --pad N[,corner]   letterbox value (114), picture in the corner\n"
		"  --layout L         nchw, nhwc (default: by the input's shape)\n"
		"  --colour C         rgb (default), bgr, grey\n"
		"\nAnswers:\n"
		"  --show KIND        reading, classes, yolox, ssd, mask, tensors\n"
		"                     (default: by the shapes of the outputs)\n"
		"  --labels FILE      names of the classes, one a line\n"
		"  --top K            classes shown (5; of a stream's frames 1)\n"
		"  --threshold S      least score of a detection (0.3)\n"
		"  --overlap IOU      boxes of a class that overlap more are one (0.45)\n"
		"  --draw FILE.png    the picture with its boxes, or the mask in colours\n"
		"  --format F         text (default), json; --json is the same\n"
		"  --output-dir DIR   every output as DIR/NAME.npy\n"
		"  --dump-tensor NAME a node's or tensor's value as .npy there, else here\n"
		"  --time             time of each frame\n"
		"\nStreams:\n"
		"  --format-in F      y4m (found by itself), rawvideo, v4l2\n"
		"  --size-in WxH      of raw frames; asked of a camera\n"
		"  --pix-fmt F        rgb24 bgr24 gray yuv420p yuv422p yuv444p nv12 nv21 yuyv uyvy\n"
		"  --yuv MATRIX       bt601, bt709, bt601-full, bt709-full (default: what the\n"
		"                     stream says, else limited bt601 up to 576 lines, then bt709)\n"
		"  --frames N         end after N frames\n"
		"  --fps N            a pipe or file is read as a camera of that rate would give\n"
		"                     it, late frames dropped; a camera is asked for that rate.\n"
		"                     Without it every frame of a pipe is used, and of a camera\n"
		"                     the newest each time\n" TOOL_HELP_OPTIONS
		"\nExamples:\n"
		"  joule run mobilenet.onnx cat.jpg --crop 0.875 --divide 128 --mean 1 --labels l.txt\n"
		"  joule run yolox.onnx street.jpg --fit letterbox --draw boxes.png\n"
		"  ffmpeg -v error -i film.mp4 -f yuv4mpegpipe - | joule run yolox.onnx -\n",
	.run = run,
};
