/* SPDX-License-Identifier: MIT */
/*
 * Names come from files and may hold any bytes; JSON and HTML must be UTF-8.
 */
#ifndef TOOLS_JOULE_UTF8_H
#define TOOLS_JOULE_UTF8_H

#include <jansson.h>

/*
 * A copy with U+FFFD for each byte that is not part of valid UTF-8 (shortest
 * form, no surrogates, at most U+10FFFF). NULL: out of memory.
 */
char *utf8_clean(const char *text);

/* The same as a JSON string; JSON's null for NULL. NULL: out of memory. */
json_t *utf8_json(const char *text);

/* A JSON number; null for NaN and infinity, which JSON does not have. NULL: out of memory. */
json_t *json_finite(double v);

/* In place: control characters, which could end a line or drive a terminal, become '?'. */
void utf8_one_line(char *text);

#endif
