/* SPDX-License-Identifier: MIT */
/*
 * Rows of text as a terminal table, Markdown, CSV or JSON: one description of
 * the columns for all of them. Terminal tables come from libsmartcols, JSON
 * from jansson.
 */
#ifndef TOOLS_JOULE_TABLE_H
#define TOOLS_JOULE_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum table_format { TABLE_TEXT, TABLE_MARKDOWN, TABLE_CSV, TABLE_JSON };

struct table_column {
	const char *name;  /* key in JSON and CSV: "p50_ms" */
	const char *title; /* heading for people: "p50 ms" */
	bool number;       /* right-aligned; a JSON number */
};

struct table;

/*
 * The columns that a list of names ("node,ms,percent") picks, in that order.
 * Returns how many, -EINVAL for a name that there is not.
 */
int table_pick(const struct table_column *all, int n, const char *list, struct table_column *out,
	       int max);

/* NULL when out of memory. columns are borrowed. */
struct table *table_create(const struct table_column *columns, int n);
void table_destroy(struct table *table);

/* Starts a row; cells not set stay empty (null in JSON). */
int table_row(struct table *table);

/*
 * Sets a cell of the last row, by column name. What is not UTF-8 is replaced,
 * control characters are too, so that every format stays valid.
 */
__attribute__((format(printf, 3, 4))) int table_set(struct table *table, const char *column,
						    const char *fmt, ...);

/* -EINVAL for an unknown name. */
int table_format_parse(const char *name, enum table_format *out);

/*
 * schema: name and version that JSON carries beside its rows,
 * {"schema": "joule.bench/1", "rows": [...]}. -EIO when it could not be written.
 */
int table_print(struct table *table, enum table_format format, const char *schema, FILE *to);

/* The rows as a JSON array of objects; NULL: out of memory. */
json_t *table_rows(const struct table *table);

#endif
