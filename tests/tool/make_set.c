// SPDX-License-Identifier: MIT
/* make_set DIR DIFFERENCE: DIR/test_data_set_0 with x and y = x + DIFFERENCE, f32[1,3,16,24]. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../onnx/model_writer.h"

#define N (3 * 16 * 24)

static int save(const char *dir, const char *name, const float *values)
{
	/* TensorProto: dims (1), data_type (2), raw_data (9) */
	struct joule_wire_buf b;
	char path[4096];
	FILE *f;
	int bad;

	joule_wire_buf_init(&b, SIZE_MAX / 2);
	w_int(&b, 1, 1);
	w_int(&b, 1, 3);
	w_int(&b, 1, 16);
	w_int(&b, 1, 24);
	w_int(&b, 2, T_FLOAT);
	joule_wire_put_bytes(&b, 9, values, N * sizeof(*values));
	snprintf(path, sizeof(path), "%s/test_data_set_0/%s", dir, name);
	f = fopen(path, "w");
	bad = !f || fwrite(b.data, 1, b.n, f) != b.n;
	if (f)
		bad |= fclose(f);
	joule_wire_buf_finish(&b);
	return bad;
}

int main(int argc, char **argv)
{
	float x[N], y[N];
	char path[4096];

	if (argc != 3)
		return 2;
	for (int i = 0; i < N; i++) {
		x[i] = (float)(i * 37 % 101) / 8;
		y[i] = x[i] + (float)atof(argv[2]);
	}
	mkdir(argv[1], 0755);
	snprintf(path, sizeof(path), "%s/test_data_set_0", argv[1]);
	mkdir(path, 0755);
	return save(argv[1], "input_0.pb", x) | save(argv[1], "output_0.pb", y);
}
