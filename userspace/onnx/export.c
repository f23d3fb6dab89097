// SPDX-License-Identifier: MIT
#include "onnx/export.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "onnx/import.h"
#include "onnx/pack.h"

#define DEFAULT_EXTERNAL_BYTES (1ll << 30)
#define MAX_MODEL_BYTES ((size_t)INT32_MAX)

/* The oldest IR version that has what the opset needs; old readers take old versions. */
static int64_t ir_version(int opset)
{
	return opset >= 21 ? 10 : opset >= 19 ? 9 : 8;
}

static int64_t constant_bytes(const struct joule_graph *graph)
{
	int64_t bytes = 0;

	for (int i = 0; i < graph->n_tensors; i++)
		if (joule_tensor_is_const(graph->tensors[i]) && !graph->tensors[i]->outer)
			bytes += joule_tensor_bytes(graph->tensors[i]);
	for (int i = 0; i < graph->n_nodes; i++)
		for (int j = 0; j < graph->nodes[i]->n_body; j++)
			bytes += constant_bytes(graph->nodes[i]->body[j]);
	return bytes;
}

/* The default domain, then what other domains the nodes came from. */
static int pack_opsets(struct joule_export *ex, Onnx__ModelProto *m)
{
	size_t n = 0;

	m->opset_import = joule_export_alloc(ex, ex->domains.n + 1, sizeof(*m->opset_import));
	if (!m->opset_import)
		return -ENOMEM;
	for (size_t i = 0; i <= ex->domains.cap; i++) {
		bool first = i == ex->domains.cap;
		const char *domain = first ? "" : ex->domains.slots[i].key;
		Onnx__OperatorSetIdProto *o;

		if (!domain)
			continue;
		o = joule_export_alloc(ex, 1, sizeof(*o));
		if (!o)
			return -ENOMEM;
		onnx__operator_set_id_proto__init(o);
		o->domain = (char *)(uintptr_t)domain;
		o->has_version = 1;
		o->version = first ? ex->root->opset : 1;
		m->opset_import[n++] = o;
	}
	m->n_opset_import = n;
	return 0;
}

static int pack_metadata(struct joule_export *ex, Onnx__ModelProto *m)
{
	const struct joule_graph *g = ex->root;

	m->metadata_props = joule_export_alloc(ex, (size_t)g->n_metadata / 2,
					       sizeof(*m->metadata_props));
	if (!m->metadata_props)
		return -ENOMEM;
	for (int i = 0; i + 1 < g->n_metadata; i += 2) {
		Onnx__StringStringEntryProto *e;

		if (!strncmp(g->metadata[i], JOULE_ONNX_OWN_METADATA,
			     strlen(JOULE_ONNX_OWN_METADATA)))
			continue;
		e = joule_export_alloc(ex, 1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		onnx__string_string_entry_proto__init(e);
		e->key = (char *)(uintptr_t)g->metadata[i];
		e->value = (char *)(uintptr_t)g->metadata[i + 1];
		m->metadata_props[m->n_metadata_props++] = e;
	}
	return 0;
}

static int pack_model(struct joule_export *ex, Onnx__ModelProto *m)
{
	int ret;

	onnx__model_proto__init(m);
	m->has_ir_version = 1;
	m->ir_version = ir_version(ex->root->opset);
	m->producer_name = (char *)(uintptr_t)"joule";
	ret = joule_export_graph(ex, ex->root, NULL, &m->graph);
	if (!ret)
		ret = pack_opsets(ex, m);
	return ret ? ret : pack_metadata(ex, m);
}

struct file_buffer {
	ProtobufCBuffer base;
	struct joule_atomic_file *file;
};

static void append(ProtobufCBuffer *base, size_t len, const uint8_t *data)
{
	joule_atomic_file_write(((struct file_buffer *)base)->file, data, len);
}

static int write_model(struct joule_export *ex, const char *path)
{
	struct joule_atomic_file file;
	struct file_buffer buf = { .base.append = append, .file = &file };
	Onnx__ModelProto m;
	int ret;

	ret = joule_atomic_file_open(ex->log, path, &file);
	if (ret)
		return ret;
	ret = pack_model(ex, &m);
	if (!ret && onnx__model_proto__get_packed_size(&m) > MAX_MODEL_BYTES)
		ret = joule_err(ex->log, -EFBIG, "%s: more than 2 GiB", path);
	if (!ret) {
		onnx__model_proto__pack_to_buffer(&m, &buf.base);
		ret = joule_atomic_file_sync(&file);
	}
	/* Both files are on disk before either takes its place. */
	if (!ret && ex->data)
		ret = joule_atomic_file_commit(ex->data);
	if (!ret)
		return joule_atomic_file_commit(&file);
	joule_atomic_file_abort(&file);
	return ret;
}

static int save(struct joule_export *ex, const char *path, bool external)
{
	const char *slash = strrchr(path, '/');
	struct joule_atomic_file data;
	char *data_path;
	int ret;

	if (!external)
		return write_model(ex, path);
	data_path = joule_arena_printf(&ex->scratch, "%s.data", path);
	if (!data_path)
		return joule_err_nomem(ex->log, path);
	ex->data_name = slash ? data_path + (slash + 1 - path) : data_path;
	ret = joule_atomic_file_open(ex->log, data_path, &data);
	if (ret)
		return ret;
	ex->data = &data;
	ret = write_model(ex, path);
	if (!ret)
		return 0;
	joule_atomic_file_abort(&data);
	return ret;
}

int joule_onnx_save(const struct joule_graph *graph, const char *path,
		    const struct joule_onnx_save *params)
{
	int64_t limit = params && params->external_bytes ? params->external_bytes :
							   DEFAULT_EXTERNAL_BYTES;
	struct joule_export ex = { .log = graph->log, .root = graph };
	int ret;

	joule_arena_init(&ex.scratch);
	joule_strmap_init(&ex.domains);
	ret = save(&ex, path, constant_bytes(graph) > limit);
	joule_strmap_finish(&ex.domains);
	joule_arena_finish(&ex.scratch);
	return ret;
}
