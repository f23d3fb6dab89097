// SPDX-License-Identifier: MIT
#include "npy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "tool.h"

static const struct {
	enum joule_dtype dtype;
	const char *descr;
} types[] = {
	{ JOULE_F32, "<f4" }, { JOULE_F64, "<f8" }, { JOULE_F16, "<f2" }, { JOULE_I8, "|i1" },
	{ JOULE_U8, "|u1" },  { JOULE_I16, "<i2" }, { JOULE_U16, "<u2" }, { JOULE_I32, "<i4" },
	{ JOULE_U32, "<u4" }, { JOULE_I64, "<i8" }, { JOULE_U64, "<u8" }, { JOULE_BOOL, "|b1" },
};

#define N_TYPES (sizeof(types) / sizeof(types[0]))

static int bad(const char *path, const char *why)
{
	tool_error("%s: %s", path, why);
	return TOOL_BAD_INPUT;
}

/* The header is a Python dict literal in a fixed form. */
static int parse_header(const char *path, const char *h, struct joule_view *v)
{
	const char *descr = strstr(h, "'descr'"), *order = strstr(h, "'fortran_order'");
	const char *shape = strstr(h, "'shape'");
	size_t i = 0;

	if (!descr || !order || !shape)
		return bad(path, "damaged .npy header");
	descr = strchr(descr + 7, '\'');
	while (descr && i < N_TYPES && strncmp(descr + 1, types[i].descr, 3))
		i++;
	if (!descr || i == N_TYPES)
		return bad(path, "element type is not supported");
	v->dtype = types[i].dtype;
	order = strchr(order, ':');
	if (!order || strncmp(order + 1 + strspn(order + 1, " "), "False", 5))
		return bad(path, "Fortran order is not supported");
	shape = strchr(shape, '(');
	if (!shape)
		return bad(path, "damaged .npy header");
	for (shape++; *shape && *shape != ')'; shape += strspn(shape, ", ")) {
		char *end;
		long long d = strtoll(shape, &end, 10);

		if (end == shape || d < 0 || v->shape.rank == JOULE_MAX_RANK)
			return bad(path, "shape is not supported");
		v->shape.dims[v->shape.rank++] = d;
		shape = end;
	}
	return 0;
}

static int load(const char *path, FILE *f, struct joule_view *v)
{
	unsigned char magic[12];
	size_t length, prefix;
	char *header;
	int64_t bytes;
	int ret;

	if (fread(magic, 1, 10, f) != 10 || memcmp(magic, "\x93NUMPY", 6))
		return bad(path, "not a .npy file");
	length = magic[8] | (size_t)magic[9] << 8;
	if (magic[6] > 1) {
		if (fread(magic + 10, 1, 2, f) != 2)
			return bad(path, "truncated");
		length |= (size_t)magic[10] << 16 | (size_t)magic[11] << 24;
	}
	prefix = length < 65536 ? length : 65535;
	header = calloc(1, prefix + 1);
	if (!header)
		return TOOL_NO_MEMORY;
	if (prefix != length || fread(header, 1, prefix, f) != prefix)
		ret = bad(path, "damaged .npy header");
	else
		ret = parse_header(path, header, v);
	free(header);
	if (ret)
		return ret;
	bytes = joule_array_bytes(v->dtype, &v->shape);
	if (bytes < 0)
		return bad(path, "absurd shape");
	v->bytes = (size_t)bytes;
	v->data = malloc(v->bytes + 1);
	if (!v->data) {
		tool_error("%s: no memory for %zu bytes", path, v->bytes);
		return TOOL_NO_MEMORY;
	}
	if (fread(v->data, 1, v->bytes, f) != v->bytes) {
		free(v->data);
		v->data = NULL;
		return bad(path, "truncated");
	}
	return 0;
}

int npy_load(const char *path, struct joule_view *out)
{
	FILE *f = fopen(path, "rbe");
	int ret;

	memset(out, 0, sizeof(*out));
	if (!f) {
		tool_error("%s: %s", path, strerror(errno));
		return TOOL_IO;
	}
	ret = load(path, f, out);
	fclose(f);
	return ret;
}

static int put_header(FILE *f, const struct joule_view *view, const char *descr)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "{'descr': '%s', 'fortran_order': False, 'shape': (",
			 descr);

	for (int i = 0; i < view->shape.rank; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%lld, ",
			      (long long)view->shape.dims[i]);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "), }");
	/* Data starts on 64 bytes, the header ends in a newline. */
	while ((10 + n + 1) % 64)
		text[n++] = ' ';
	text[n++] = '\n';
	fwrite("\x93NUMPY\x01\x00", 1, 8, f);
	fputc(n & 255, f);
	fputc(n >> 8, f);
	return fwrite(text, 1, (size_t)n, f) == (size_t)n ? 0 : -1;
}

int npy_save(const char *path, const struct joule_view *view)
{
	struct output out;
	size_t i = 0;
	int ret;

	while (i < N_TYPES && types[i].dtype != view->dtype)
		i++;
	if (i == N_TYPES) {
		tool_error("%s: NumPy has no type for %s", path, joule_dtype_name(view->dtype));
		return TOOL_UNSUPPORTED;
	}
	ret = output_open(path, &out);
	if (ret)
		return ret;
	/* output_close() finds what could not be written. */
	if (!put_header(out.file, view, types[i].descr))
		fwrite(view->data, 1, view->bytes, out.file);
	return output_close(&out, 0);
}
