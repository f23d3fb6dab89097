// SPDX-License-Identifier: MIT
#include "row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int bad(const struct row *row, const char *why, const char *at)
{
	fprintf(stderr, "%s:%d: %s: '%s'\n", row->file, row->line, why, at);
	return -EINVAL;
}

/* "1,2,3]" up to the closing character; returns the character behind it. */
static const char *parse_list(const char *s, char close, double *out, int max, int *n)
{
	*n = 0;
	while (*s && *s != close) {
		char *end;
		double v = strtod(s, &end);

		if (end == s || *n == max)
			return NULL;
		out[(*n)++] = v;
		s = *end == ',' ? end + 1 : end;
	}
	return *s ? s + 1 : NULL;
}

static int parse_input(struct row *row, char *s)
{
	struct row_input *in = &row->in[row->n_in];
	double v[256];
	char *open;
	const char *p;
	int n;

	if (row->n_in == ROW_MAX_IN)
		return bad(row, "too many inputs", s);
	row->n_in++;
	if (!strcmp(s, "_")) {
		in->omitted = true;
		return 0;
	}
	open = strpbrk(s, "[{");
	if (!open)
		return bad(row, "input without shape", s);
	char kind = *open;

	*open = 0;
	in->dtype = joule_dtype_parse(s);
	*open = kind;
	if (!in->dtype)
		return bad(row, "unknown type", s);
	p = parse_list(open + 1, kind == '[' ? ']' : '}', v, 256, &n);
	if (!p)
		return bad(row, "bad list", s);
	if (kind == '{') {
		in->literal = in->constant = true;
		in->shape.rank = 1;
		in->shape.dims[0] = n;
		if (*p == ':') {
			v[0] = strtod(p + 1, NULL);
			n = 1;
			in->shape.rank = 0;
		}
		in->n_values = n;
		in->values = calloc((size_t)n + 1, sizeof(double));
		if (!in->values)
			return -ENOMEM;
		memcpy(in->values, v, (size_t)n * sizeof(double));
		return 0;
	}
	if (n > JOULE_MAX_RANK)
		return bad(row, "rank too high", s);
	in->shape.rank = n;
	for (int i = 0; i < n; i++)
		in->shape.dims[i] = (int64_t)v[i];
	in->lo = joule_dtype_bits(in->dtype) && strchr("iub", joule_dtype_name(in->dtype)[0]) ? 0 : -1;
	in->hi = in->lo < 0 ? 1 : in->dtype == JOULE_BOOL ? 1 : 9;
	if (in->dtype == JOULE_BF16) {
		in->lo = -1;
		in->hi = 1;
	}
	if (*p == '(') {
		char text[64], *dots;

		/* "5..9" would be read as "5." and ".9". */
		snprintf(text, sizeof(text), "%s", p + 1);
		dots = strstr(text, "..");
		if (dots)
			*dots = ' ';
		if (!dots || !strchr(p, ')') || sscanf(text, "%lf", &in->lo) != 1 ||
		    sscanf(dots + 2, "%lf", &in->hi) != 1)
			return bad(row, "bad range", s);
		p = strchr(p, ')') + 1;
	}
	if (*p == '!') {
		in->constant = true;
		p++;
	}
	return *p ? bad(row, "unexpected text", p) : 0;
}

static int parse_option(struct row *row, char *s)
{
	char *value = strchr(s, '=');

	if (value)
		*value++ = 0;
	if (!strcmp(s, "host"))
		row->host = true;
	else if (!strcmp(s, "refuse"))
		row->refuse = true;
	else if (!strcmp(s, "no16"))
		row->no16 = true;
	else if (value && !strcmp(s, "tol"))
		row->tol = atof(value);
	else if (value && !strcmp(s, "tol16"))
		row->tol16 = atof(value);
	else if (value && !strcmp(s, "out"))
		row->n_out = atoi(value);
	else if (value && !strcmp(s, "epi"))
		row->epilogue = strdup(value);
	else if (value && !strcmp(s, "domain"))
		snprintf(row->domain, sizeof(row->domain), "%s", value);
	else
		return bad(row, "unknown option", s);
	return 0;
}

int row_parse(struct row *row, const char *file, int line, const char *text)
{
	char *copy, *inputs, *attrs, *options, *save = NULL, *tok;
	int ret = 0;

	memset(row, 0, sizeof(*row));
	row->file = file;
	row->line = line;
	text += strspn(text, " \t\n");
	if (!*text || *text == '#')
		return 1;
	row->text = strdup(text);
	copy = strdup(text);
	if (!row->text || !copy)
		return -ENOMEM;
	row->text[strcspn(row->text, "\n")] = 0;
	copy[strcspn(copy, "#\n")] = 0;
	row->tol = 1e-5;
	row->tol16 = 2e-3;
	inputs = copy;
	attrs = strchr(inputs, ';');
	options = attrs ? strchr(attrs + 1, ';') : NULL;
	if (attrs)
		*attrs++ = 0;
	if (options)
		*options++ = 0;
	tok = strtok_r(inputs, " \t", &save);
	if (!tok || sscanf(tok, "%63[A-Za-z0-9].%d", row->op, &row->opset) != 2)
		ret = bad(row, "expected Op.opset", tok ? tok : "");
	while (!ret && (tok = strtok_r(NULL, " \t", &save)))
		ret = parse_input(row, tok);
	row->attrs = strdup(attrs ? attrs : "");
	for (tok = options ? strtok_r(options, " \t", &save) : NULL; !ret && tok;
	     tok = strtok_r(NULL, " \t", &save))
		ret = parse_option(row, tok);
	free(copy);
	return ret;
}

void row_finish(struct row *row)
{
	for (int i = 0; i < row->n_in; i++)
		free(row->in[i].values);
	free(row->text);
	free(row->attrs);
	free(row->epilogue);
}
