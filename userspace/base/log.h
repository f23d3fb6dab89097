/* SPDX-License-Identifier: MIT */
#ifndef JOULE_BASE_LOG_H
#define JOULE_BASE_LOG_H

#include <joule/log.h>

/* Formats a line and hands it on if the level asks for it. log may be NULL. */
__attribute__((format(printf, 3, 4))) void
joule_logf(const struct joule_log *log, enum joule_log_level level, const char *fmt, ...);

/*
 * Logs an error and returns err (a negative errno), so that the place where an
 * error is born is one statement: return joule_err(log, -EINVAL, "...").
 */
__attribute__((format(printf, 3, 4))) int joule_err(const struct joule_log *log, int err,
						    const char *fmt, ...);

/* The same for allocation failures. Returns -ENOMEM. */
int joule_err_nomem(const struct joule_log *log, const char *what);

#endif
