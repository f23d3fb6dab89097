// SPDX-License-Identifier: MIT
#include "inputs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int shape_of(const struct joule_model *model, const struct tool_options *options, int i,
		    int batch, struct joule_value_info *out)
{
	char text[128];
	int ret = joule_model_input(model, i, out);

	if (ret)
		return ret;
	for (int k = 0; k < options->n_shapes; k++)
		if (!strcmp(options->shapes[k].name, out->name))
			out->shape = options->shapes[k].shape;
	if (out->shape.rank > 0 && (out->shape.dims[0] < 0 || batch))
		out->shape.dims[0] = batch ? batch : 1;
	if (joule_shape_count(&out->shape) < 0) {
		tool_error("input %s %s: give its shape with --shape %s=...", out->name,
			   joule_shape_str(&out->shape, text, sizeof(text)), out->name);
		return -EINVAL;
	}
	return 0;
}

/* xorshift32 (Marsaglia). */
static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* fp16 of k/1024, k in [-1024, 1024): a few exact bits are enough here. */
static uint16_t half_of(int k)
{
	uint16_t sign = k < 0 ? 0x8000 : 0;
	int a = abs(k), e = 15;

	if (!a)
		return sign;
	while (a < 1024) {
		a *= 2;
		e--;
	}
	return (uint16_t)(sign | e << 10 | (a & 1023));
}

static int fill(struct joule_view *v, uint32_t *state)
{
	unsigned int bits = joule_dtype_bits(v->dtype);
	int64_t n = joule_shape_count(&v->shape);

	for (int64_t i = 0; i < n; i++) {
		uint32_t r = next(state);
		double f = (double)r / 2147483648.0 - 1;

		switch (v->dtype) {
		case JOULE_F32:
			((float *)v->data)[i] = (float)f;
			break;
		case JOULE_F64:
			((double *)v->data)[i] = f;
			break;
		case JOULE_F16:
			((uint16_t *)v->data)[i] = half_of((int)(r % 2048) - 1024);
			break;
		case JOULE_BOOL:
			((uint8_t *)v->data)[i] = r >> 31;
			break;
		default:
			if (bits == 8)
				((uint8_t *)v->data)[i] = r >> 29;
			else if (bits == 16)
				((uint16_t *)v->data)[i] = r >> 29;
			else if (bits == 32)
				((uint32_t *)v->data)[i] = r >> 29;
			else if (bits == 64)
				((uint64_t *)v->data)[i] = r >> 29;
			else
				return -ENOTSUP;
		}
	}
	return 0;
}

int inputs_random(const struct joule_model *model, const struct tool_options *options, int batch,
		  struct inputs *out)
{
	uint32_t state = 2654435769u;
	int ret = 0;

	out->n = 0;
	out->views = calloc((size_t)joule_model_inputs(model) + 1, sizeof(*out->views));
	if (!out->views)
		return -ENOMEM;
	for (int i = 0; !ret && i < joule_model_inputs(model); i++) {
		struct joule_view *v = &out->views[out->n++];
		struct joule_value_info info;
		char text[128];
		int64_t bytes;

		ret = shape_of(model, options, i, batch, &info);
		if (ret)
			break;
		v->dtype = info.dtype;
		v->shape = info.shape;
		bytes = joule_array_bytes(info.dtype, &info.shape);
		if (bytes < 0) {
			tool_error("input %s: %s values are not supported", info.name,
				   joule_dtype_name(info.dtype));
			return -ENOTSUP;
		}
		v->bytes = (size_t)bytes;
		v->data = calloc(1, v->bytes + 1);
		if (!v->data)
			tool_error("input %s %s: no memory for %.1f MiB", info.name,
				   joule_shape_str(&info.shape, text, sizeof(text)),
				   (double)v->bytes / 0x1p20);
		ret = v->data ? fill(v, &state) : -ENOMEM;
	}
	return ret;
}

void inputs_finish(struct inputs *inputs)
{
	for (int i = 0; i < inputs->n; i++)
		free(inputs->views[i].data);
	free(inputs->views);
}

int inputs_set(const struct inputs *inputs, struct joule_session *session)
{
	int ret = 0;

	for (int i = 0; !ret && i < inputs->n; i++)
		ret = joule_session_set_input(session, i, &inputs->views[i]);
	return ret;
}
