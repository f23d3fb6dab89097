// SPDX-License-Identifier: MIT
/*
 * The smallest useful program: runs a model with one float input on zeros and
 * prints the first outputs.
 *
 *	cc run.c $(pkg-config --cflags --libs joule) -o run && ./run model.onnx
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <joule/joule.h>

static void on_log(void *user, enum joule_log_level level, const char *msg)
{
	fprintf(stderr, "%s\n", msg);
}

int main(int argc, char **argv)
{
	struct joule_context_params params = { .log = { .fn = on_log, .level = JOULE_LOG_WARN } };
	struct joule_context *context = NULL;
	struct joule_device *device = NULL;
	struct joule_model *model = NULL;
	struct joule_session *session = NULL;
	struct joule_value_info info;
	struct joule_view in = { .dtype = JOULE_F32 }, out;
	int ret;

	if (argc != 2)
		return 2;
	ret = joule_context_create(&params, &context);
	if (!ret)
		ret = joule_device_open(context, "vulkan", &device);
	if (!ret)
		ret = joule_model_load(context, argv[1], &model);
	if (!ret)
		ret = joule_session_create(model, device, NULL, &session);
	if (!ret)
		ret = joule_model_input(model, 0, &info);
	if (!ret) {
		in.shape = info.shape;
		in.bytes = (size_t)joule_array_bytes(in.dtype, &in.shape);
		in.data = calloc(1, in.bytes);
		ret = joule_session_set_input(session, 0, &in);
	}
	if (!ret)
		ret = joule_session_run(session, 0);
	if (!ret)
		ret = joule_session_output(session, 0, &out);
	for (int64_t i = 0; !ret && i < 5 && i < joule_shape_count(&out.shape); i++)
		printf("%g\n", ((const float *)out.data)[i]);
	free(in.data);
	joule_session_destroy(session);
	joule_model_destroy(model);
	joule_device_close(device);
	joule_context_destroy(context);
	return ret ? 1 : 0;
}
