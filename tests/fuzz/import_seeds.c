// SPDX-License-Identifier: MIT
/* Writes the small models of the importer's tests into a folder, as seeds. */
#include <stdio.h>

#include "../onnx/small_models.h"

static int write_seed(const char *dir, const char *name, void (*model)(struct joule_wire_buf *b))
{
	struct joule_wire_buf b;
	char path[4096];
	FILE *f;
	int ok;

	model(&b);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ok = f && fwrite(b.data, 1, b.n, f) == b.n;
	ok &= f && !fclose(f);
	joule_wire_buf_finish(&b);
	if (!ok)
		perror(path);
	return !ok;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	return write_seed(argv[1], "nested_if", write_nested_if) |
	       write_seed(argv[1], "functions", write_functions) |
	       write_seed(argv[1], "mixture", write_mixture);
}
