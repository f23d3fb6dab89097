/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands of joule share: options that mean the same everywhere,
 * the context with its log, and exit codes by class of error.
 */
#ifndef TOOLS_JOULE_TOOL_H
#define TOOLS_JOULE_TOOL_H

#include <getopt.h>
#include <stdio.h>

#include <joule/joule.h>

/* Exit codes; documented in joule(1). */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_NEGATIVE = 1,    /* it ran, and the answer is no: verify failed, a gate was missed */
	TOOL_USAGE = 2,
	TOOL_BAD_INPUT = 3,   /* damaged or inconsistent model, picture, tensor */
	TOOL_UNSUPPORTED = 4, /* operator, type, device feature */
	TOOL_NO_DEVICE = 5,   /* none found, or lost */
	TOOL_NO_MEMORY = 6,
	TOOL_IO = 7,          /* file not found, not readable, disk full */
	TOOL_TIMEOUT = 8,
};

/* The exit code for a negative errno. */
int tool_exit_code(int err);

struct tool_command {
	const char *name;
	const char *arguments; /* "MODEL.onnx [OPTION]..." */
	const char *summary;   /* one line */
	const char *help;      /* options, a line each */
	int (*run)(int argc, char **argv);
};

extern const struct tool_command tool_bench, tool_devices, tool_diverge, tool_inspect, tool_profile,
	tool_run, tool_verify;

/* Options of every command that runs a model. */
struct tool_options {
	const char *device;
	enum joule_precision precision;
	bool deterministic, verbose, quiet, validation, no_cache;
	int n_shapes;
	struct joule_value_info shapes[16];
	int n_disabled;
	const char *disabled[33]; /* pass names, NULL-terminated */
};

/* For getopt_long(): values from 1000 on, handled by tool_option(). */
#define TOOL_LONG_OPTIONS                                         \
	{ "device", required_argument, NULL, 1000 },              \
	{ "precision", required_argument, NULL, 1001 },           \
	{ "shape", required_argument, NULL, 1002 },               \
	{ "no-pass", required_argument, NULL, 1003 },             \
	{ "deterministic", no_argument, NULL, 1004 },             \
	{ "verbose", no_argument, NULL, 1005 },                   \
	{ "quiet", no_argument, NULL, 1006 },                     \
	{ "validation", no_argument, NULL, 1007 },                \
	{ "no-cache", no_argument, NULL, 1008 },                  \
	{ "help", no_argument, NULL, 1009 }

#define TOOL_HELP_OPTIONS                                                          \
	"\nCommon options:\n"                                                        \
	"  --device ID        cpu, vulkan (default), vulkan:N or part of a name\n" \
	"  --precision P      fp32 (default), fp16, fp16-math\n"                   \
	"  --shape NAME=DIMS  fixes a dynamic input, e.g. input=1,3,224,224\n"     \
	"  --no-pass NAME     leaves a pass out (joule inspect --passes lists them)\n" \
	"  --deterministic    the same bits in every run\n"                        \
	"  --validation       Vulkan validation layers\n"                          \
	"  --no-cache         neither read nor write caches\n"                     \
	"  --verbose, --quiet more or less on standard error\n"

/*
 * 0 when opt was one of TOOL_LONG_OPTIONS; otherwise an exit code that the
 * command returns (usage was printed; --help gives -1, meaning "done").
 */
int tool_option(const struct tool_command *command, struct tool_options *options, int opt);

/* Prints how the command is used to stderr and returns TOOL_USAGE. */
__attribute__((format(printf, 2, 3))) int tool_usage(const struct tool_command *command,
						     const char *fmt, ...);

/* optarg as a number from least to most; 0, or TOOL_USAGE with what is wrong with --name. */
int tool_number(const struct tool_command *command, const char *name, double least, double most,
		double *out);

/* Prints "joule: message" to stderr. */
__attribute__((format(printf, 1, 2))) void tool_error(const char *fmt, ...);

/* A context whose errors and warnings go to stderr. Exit code, 0 is success. */
int tool_context(const struct tool_options *options, struct joule_context **out);

/*
 * The model in hand: errors of a device, which knows no files, are told with it
 * in front. Borrowed; NULL: none. tool_model_open() does this.
 */
void tool_subject(const char *path);

/* Context, device and model in one go; *device may be NULL if not wanted. */
struct tool_model {
	struct joule_context *context;
	struct joule_device *device;
	struct joule_model *model;
};
int tool_model_open(const struct tool_options *options, const char *path, struct tool_model *out);
void tool_model_close(struct tool_model *m);

/* Fills session parameters from the options; they stay valid with options. */
void tool_session_params(const struct tool_options *options, struct joule_session_params *params);

#endif
