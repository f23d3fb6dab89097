// SPDX-License-Identifier: MIT
#include "table.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct table {
	const struct table_column *columns;
	int n_columns, n_rows, cap;
	char **cells; /* n_rows * n_columns, NULL where empty */
};

int table_pick(const struct table_column *all, int n, const char *list, struct table_column *out,
	       int max)
{
	int count = 0;

	while (*list) {
		size_t len = strcspn(list, ",");
		int i = 0;

		while (i < n && (strlen(all[i].name) != len || strncmp(all[i].name, list, len)))
			i++;
		if (i == n || count == max)
			return -EINVAL;
		out[count++] = all[i];
		list += len + (list[len] == ',');
	}
	return count ? count : -EINVAL;
}

struct table *table_create(const struct table_column *columns, int n)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = columns;
	t->n_columns = n;
	return t;
}

void table_destroy(struct table *table)
{
	if (!table)
		return;
	for (int i = 0; i < table->n_rows * table->n_columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

int table_row(struct table *t)
{
	if (t->n_rows == t->cap) {
		int cap = t->cap ? t->cap * 2 : 16;
		char **cells = realloc(t->cells, (size_t)cap * (size_t)t->n_columns *
							 sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		t->cells = cells;
		t->cap = cap;
	}
	memset(t->cells + (size_t)t->n_rows * (size_t)t->n_columns, 0,
	       (size_t)t->n_columns * sizeof(*t->cells));
	t->n_rows++;
	return 0;
}

int table_set(struct table *t, const char *column, const char *fmt, ...)
{
	va_list ap;

	for (int i = 0; i < t->n_columns; i++) {
		char **cell, *text;
		int n;

		if (strcmp(t->columns[i].name, column))
			continue;
		cell = &t->cells[(size_t)(t->n_rows - 1) * (size_t)t->n_columns + (size_t)i];
		free(*cell);
		va_start(ap, fmt);
		n = vasprintf(&text, fmt, ap);
		va_end(ap);
		/* Names come from files. */
		*cell = n < 0 ? NULL : utf8_clean(text);
		if (n >= 0)
			free(text);
		if (*cell)
			utf8_one_line(*cell);
		return *cell ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

int table_format_parse(const char *name, enum table_format *out)
{
	static const char *const names[] = { "text", "md", "csv", "json" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(names[i], name)) {
			*out = (enum table_format)i;
			return 0;
		}
	return -EINVAL;
}

static const char *cell(const struct table *t, int row, int column)
{
	return t->cells[(size_t)row * (size_t)t->n_columns + (size_t)column];
}

/* libsmartcols does not come to an end over bytes that its locale does not know. */
static void only_ascii(struct table *t)
{
	for (int i = 0; i < t->n_rows * t->n_columns; i++)
		for (char *p = t->cells[i]; p && *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
}

static int print_text(struct table *t, FILE *to)
{
	struct libscols_table *s = scols_new_table();
	int ret = s ? 0 : -ENOMEM;

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		only_ascii(t);

	if (s) {
		scols_table_set_stream(s, to);
		/* Pipes get whole cells, terminals get what fits. */
		scols_table_enable_noencoding(s, 1);
	}
	for (int i = 0; !ret && i < t->n_columns; i++)
		if (!scols_table_new_column(s, t->columns[i].title, 0.1,
					    t->columns[i].number ? SCOLS_FL_RIGHT : 0))
			ret = -ENOMEM;
	for (int r = 0; !ret && r < t->n_rows; r++) {
		struct libscols_line *line = scols_table_new_line(s, NULL);

		ret = line ? 0 : -ENOMEM;
		for (int i = 0; !ret && i < t->n_columns; i++)
			ret = scols_line_set_data(line, (size_t)i, cell(t, r, i));
	}
	if (!ret)
		ret = scols_print_table(s);
	if (!ret && t->n_rows)
		fputc('\n', to);
	scols_unref_table(s);
	return ret;
}

/* A vertical bar would end the cell. */
static void put_markdown(const char *s, FILE *to)
{
	for (; *s; s++) {
		if (*s == '|')
			fputc('\\', to);
		fputc(*s == '\n' ? ' ' : *s, to);
	}
}

static int print_markdown(const struct table *t, FILE *to)
{
	for (int i = 0; i < t->n_columns; i++)
		fprintf(to, "| %s ", t->columns[i].title);
	fprintf(to, "|\n");
	for (int i = 0; i < t->n_columns; i++)
		fprintf(to, t->columns[i].number ? "|---:" : "|---");
	fprintf(to, "|\n");
	for (int r = 0; r < t->n_rows; r++) {
		for (int i = 0; i < t->n_columns; i++) {
			fprintf(to, "| ");
			put_markdown(cell(t, r, i) ? cell(t, r, i) : "", to);
			fputc(' ', to);
		}
		fprintf(to, "|\n");
	}
	return 0;
}

/* RFC 4180: quote where a comma, quote or newline asks for it. */
static void put_csv(const char *s, FILE *to)
{
	bool quote = strpbrk(s, ",\"\n\r");

	if (quote)
		fputc('"', to);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', to);
		fputc(*s, to);
	}
	if (quote)
		fputc('"', to);
}

static int print_csv(const struct table *t, FILE *to)
{
	for (int i = 0; i < t->n_columns; i++)
		fprintf(to, "%s%s", i ? "," : "", t->columns[i].name);
	fprintf(to, "\n");
	for (int r = 0; r < t->n_rows; r++) {
		for (int i = 0; i < t->n_columns; i++) {
			if (i)
				fputc(',', to);
			put_csv(cell(t, r, i) ? cell(t, r, i) : "", to);
		}
		fputc('\n', to);
	}
	return 0;
}

static json_t *json_cell(const struct table *t, int row, int column)
{
	const char *s = cell(t, row, column);
	char *end;
	double v;

	if (!s)
		return json_null();
	if (!t->columns[column].number)
		return json_string(s);
	v = strtod(s, &end);
	if (end == s || *end)
		return json_null();
	return strpbrk(s, ".eE") ? json_real(v) : json_integer(atoll(s));
}

json_t *table_rows(const struct table *t)
{
	json_t *rows = json_array();

	for (int r = 0; rows && r < t->n_rows; r++) {
		json_t *row = json_object();

		for (int i = 0; row && i < t->n_columns; i++)
			json_object_set_new(row, t->columns[i].name, json_cell(t, r, i));
		if (!row || json_array_append_new(rows, row)) {
			json_decref(rows);
			rows = NULL;
		}
	}
	return rows;
}

static int print_json(const struct table *t, const char *schema, FILE *to)
{
	json_t *root = json_pack("{s:s, s:o}", "schema", schema, "rows", table_rows(t));
	int ret = root ? 0 : -ENOMEM;

	if (!ret)
		ret = json_dumpf(root, to, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) ? -EIO : 0;
	if (!ret)
		fputc('\n', to);
	json_decref(root);
	return ret;
}

int table_print(struct table *table, enum table_format format, const char *schema, FILE *to)
{
	int ret = 0;

	switch (format) {
	case TABLE_TEXT:
		ret = print_text(table, to);
		break;
	case TABLE_MARKDOWN:
		ret = print_markdown(table, to);
		break;
	case TABLE_CSV:
		ret = print_csv(table, to);
		break;
	case TABLE_JSON:
		ret = print_json(table, schema, to);
		break;
	}
	return ret ? ret : ferror(to) ? -EIO : 0;
}
