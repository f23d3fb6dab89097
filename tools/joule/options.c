// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "utf8.h"

int tool_exit_code(int err)
{
	switch (-err) {
	case 0:
		return TOOL_OK;
	case ENOTSUP:
		return TOOL_UNSUPPORTED;
	case ENODEV:
	case ENXIO:
		return TOOL_NO_DEVICE;
	case ENOMEM:
		return TOOL_NO_MEMORY;
	case ETIME:
	case ECANCELED:
		return TOOL_TIMEOUT;
	case ENOENT:
	case EACCES:
	case EPERM:
	case EISDIR:
	case ENOTDIR:
	case EIO:
	case ENOSPC:
	case EROFS:
	case EPIPE:
	case EMFILE:
	case ENFILE:
		return TOOL_IO;
	default:
		return TOOL_BAD_INPUT;
	}
}

void tool_error(const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* Names come from files: one message stays one line. */
	utf8_one_line(line);
	fprintf(stderr, "joule: %s\n", line);
}

int tool_usage(const struct tool_command *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "joule %s: ", command->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (joule %s --help tells more)\n", command->name);
	return TOOL_USAGE;
}

int tool_number(const struct tool_command *command, const char *name, double least, double most,
		double *out)
{
	char *end;

	*out = strtod(optarg, &end);
	if (end != optarg && !*end && *out >= least && *out <= most)
		return 0;
	return tool_usage(command, "--%s: '%s' is no number from %g to %g", name, optarg, least,
			  most);
}

static int parse_precision(const struct tool_command *command, struct tool_options *o)
{
	static const char *const names[] = { "fp32", "fp16", "fp16-math" };

	for (int i = 0; i < 3; i++)
		if (!strcmp(optarg, names[i])) {
			o->precision = (enum joule_precision)i;
			return 0;
		}
	return tool_usage(command, "there is no precision '%s'", optarg);
}

/* NAME=1,3,224,224; names may hold anything but the last '='. */
static int parse_shape(const struct tool_command *command, struct tool_options *o)
{
	struct joule_value_info *info = &o->shapes[o->n_shapes];
	char *eq = strrchr(optarg, '='), *p;

	if (!eq || eq == optarg)
		return tool_usage(command, "--shape wants NAME=DIMS, not '%s'", optarg);
	if (o->n_shapes == sizeof(o->shapes) / sizeof(o->shapes[0]))
		return tool_usage(command, "too many --shape options");
	memset(info, 0, sizeof(*info));
	*eq = 0;
	info->name = optarg;
	for (p = eq + 1; *p;) {
		char *end;
		long long v;

		errno = 0;
		v = strtoll(p, &end, 10);
		if (end == p || errno || v < 0 || (*end && *end != ',') ||
		    info->shape.rank == JOULE_MAX_RANK)
			return tool_usage(command, "--shape %s: bad dimension at '%s'", optarg, p);
		info->shape.dims[info->shape.rank++] = v;
		p = *end ? end + 1 : end;
	}
	o->n_shapes++;
	return 0;
}

int tool_option(const struct tool_command *command, struct tool_options *o, int opt)
{
	switch (opt) {
	case 1000:
		o->device = optarg;
		return 0;
	case 1001:
		return parse_precision(command, o);
	case 1002:
		return parse_shape(command, o);
	case 1003:
		if (o->n_disabled == sizeof(o->disabled) / sizeof(o->disabled[0]) - 1)
			return tool_usage(command, "too many --no-pass options");
		o->disabled[o->n_disabled++] = optarg;
		return 0;
	case 1004:
		o->deterministic = true;
		return 0;
	case 1005:
		o->verbose = true;
		return 0;
	case 1006:
		o->quiet = true;
		return 0;
	case 1007:
		o->validation = true;
		return 0;
	case 1008:
		o->no_cache = true;
		return 0;
	case 1009:
		printf("Usage: joule %s %s\n\n%s.\n\n%s", command->name, command->arguments,
		       command->summary, command->help);
		return -1;
	}
	/* getopt_long() has said what was wrong. */
	return TOOL_USAGE;
}

static const char *subject;

void tool_subject(const char *path)
{
	subject = path;
}

static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	const char *warning = level == JOULE_LOG_WARN ? "warning: " : "";

	if (subject && level <= JOULE_LOG_WARN && !strstr(msg, subject))
		tool_error("%s%s: %s", warning, subject, msg);
	else
		tool_error("%s%s", warning, msg);
}

int tool_context(const struct tool_options *o, struct joule_context **out)
{
	struct joule_context_params params = {
		.log = { .fn = on_log,
			 .level = o->verbose ? JOULE_LOG_DEBUG :
				  o->quiet   ? JOULE_LOG_ERROR :
					       JOULE_LOG_WARN },
		.validation = o->validation,
		.no_cache = o->no_cache,
	};

	return tool_exit_code(joule_context_create(&params, out));
}

int tool_model_open(const struct tool_options *o, const char *path, struct tool_model *out)
{
	int ret;

	memset(out, 0, sizeof(*out));
	tool_subject(path);
	ret = tool_context(o, &out->context);
	if (!ret)
		ret = tool_exit_code(joule_model_load(out->context, path, &out->model));
	if (!ret)
		ret = tool_exit_code(joule_device_open(out->context, o->device, &out->device));
	if (ret)
		tool_model_close(out);
	return ret;
}

void tool_model_close(struct tool_model *m)
{
	joule_model_destroy(m->model);
	joule_device_close(m->device);
	joule_context_destroy(m->context);
	memset(m, 0, sizeof(*m));
}

void tool_session_params(const struct tool_options *o, struct joule_session_params *params)
{
	*params = (struct joule_session_params){
		.precision = o->precision,
		.deterministic = o->deterministic,
		.n_shapes = o->n_shapes,
		.shapes = o->shapes,
		.disabled_passes = o->n_disabled ? o->disabled : NULL,
	};
}
