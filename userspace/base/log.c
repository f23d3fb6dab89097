// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* A line longer than this is cut: names in a hostile model can be megabytes. */
#define LINE_MAX_BYTES 1024

__attribute__((format(printf, 3, 0))) static void
log_va(const struct joule_log *log, enum joule_log_level level, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];

	if (!log || !log->fn || level > log->level)
		return;
	vsnprintf(line, sizeof(line), fmt, ap);
	/* Names come from files: they must neither break the line nor steer a terminal. */
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	log->fn(log->user, level, line);
}

void joule_logf(const struct joule_log *log, enum joule_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(log, level, fmt, ap);
	va_end(ap);
}

int joule_err(const struct joule_log *log, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(log, JOULE_LOG_ERROR, fmt, ap);
	va_end(ap);
	return err;
}

int joule_err_nomem(const struct joule_log *log, const char *what)
{
	return joule_err(log, -ENOMEM, "out of memory: %s", what);
}
