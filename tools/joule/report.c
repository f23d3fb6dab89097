// SPDX-License-Identifier: MIT
#include "report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "utf8.h"

/* The page, with a place for the data. */
__asm__(".section .rodata\n"
	"joule_report_page:\n"
	".incbin \"tools/joule/report.html\"\n"
	".byte 0\n"
	".previous\n");
extern const char joule_report_page[];

#define PLACE "/*JOULE-DATA*/null"

static json_t *step_json(const struct joule_step_profile *s)
{
	json_t *origins = json_array(), *after = json_array();

	for (int i = 0; i < s->n_origins; i++)
		json_array_append_new(origins, utf8_json(s->origins[i]));
	for (int i = 0; i < s->n_after; i++)
		json_array_append_new(after, json_integer(s->after[i]));
	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:I}", "name",
			 utf8_json(s->name), "op", s->op, "kernel", s->kernel, "device", s->device,
			 "reason", utf8_json(s->reason), "precision", s->precision,
			 "origins", origins, "after", after,
			 "start_ns", (json_int_t)s->start_ns, "ns", (json_int_t)s->ns, "bytes",
			 (json_int_t)s->bytes, "macs", (json_int_t)s->macs);
}

/* The file's name, with its folder's where the file is called model.onnx as so many are. */
static const char *short_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *p = slash;

	if (!slash || strcmp(slash, "/model.onnx"))
		return slash ? slash + 1 : path;
	while (p > path && p[-1] != '/')
		p--;
	return p;
}

static json_t *report_json(const char *model_path, const struct tool_model *m,
			   struct joule_session *session, const struct joule_profile *p,
			   const struct joule_device_peak *peak)
{
	struct joule_session_stats st;
	struct joule_device_info info;
	json_t *steps = json_array();

	joule_device_get_info(m->device, &info);
	if (joule_session_get_stats(session, &st))
		memset(&st, 0, sizeof(st));
	for (int i = 0; i < p->n_steps; i++)
		json_array_append_new(steps, step_json(&p->steps[i]));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:i, s:f}",
			 "version", joule_version(), "model", utf8_json(short_name(model_path)),
			 "device", utf8_json(info.name), "driver", utf8_json(info.driver),
			 "steps", steps, "total_ns",
			 (json_int_t)p->total_ns, "steps_ns", (json_int_t)p->steps_ns, "gaps_ns",
			 (json_int_t)p->gaps_ns, "host_ns", (json_int_t)p->host_ns, "macs",
			 (json_int_t)st.macs, "device_bytes", (json_int_t)st.device_bytes,
			 "arena_bytes", (json_int_t)st.arena_bytes, "arena_lower_bound_bytes",
			 (json_int_t)st.arena_lower_bound_bytes, "weight_bytes",
			 (json_int_t)st.weight_bytes, "launches", st.launches, "peak_gflops",
			 peak ? peak->fma_gflops : 0.0);
}

/*
 * The data stands inside a script element: a name such as "</script>" must not
 * end it, so '<' is written as an escape.
 */
static void put_script_safe(const char *json, FILE *f)
{
	for (; *json; json++)
		if (*json == '<')
			fputs("\\u003c", f);
		else
			fputc(*json, f);
}

int report_write(const char *path, const char *model_path, const struct tool_model *m,
		 struct joule_session *session, const struct joule_profile *profile,
		 const struct joule_device_peak *peak)
{
	const char *place = strstr(joule_report_page, PLACE);
	json_t *root = report_json(model_path, m, session, profile, peak);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	struct output out;
	int ret;

	json_decref(root);
	if (!text)
		return TOOL_NO_MEMORY;
	ret = output_open(path, &out);
	if (!ret) {
		fwrite(joule_report_page, 1, (size_t)(place - joule_report_page), out.file);
		put_script_safe(text, out.file);
		fputs(place + strlen(PLACE), out.file);
		ret = output_close(&out, 0);
	}
	free(text);
	return ret;
}
