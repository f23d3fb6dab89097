// SPDX-License-Identifier: MIT
#include "onnx/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mapped_file.h"
#include "onnx/build.h"

/* What inlining may take: so many times the file without weights, and so much on top. */
#define MULTIPLE 64
#define ALLOWANCE_BYTES (64ll << 20)

static void *scratch_alloc(void *user, size_t bytes)
{
	struct joule_import *imp = user;
	void *p = joule_arena_alloc(&imp->scratch, bytes);

	imp->out_of_memory |= !p;
	return p;
}

static void scratch_free(void *user, void *p)
{
}

int joule_import_err_unpack(const struct joule_import *imp)
{
	if (imp->out_of_memory)
		return joule_err_nomem(imp->log, imp->path);
	return joule_err(imp->log, -EBADMSG, "%s: not an ONNX model", imp->path);
}

ProtobufCAllocator joule_import_allocator(struct joule_import *imp)
{
	return (ProtobufCAllocator){ scratch_alloc, scratch_free, imp };
}

const char *joule_import_domain(const char *domain)
{
	return !domain || !strcmp(domain, "ai.onnx") ? "" : domain;
}

int64_t joule_import_opset(const Onnx__OperatorSetIdProto *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!*joule_import_domain(list[i]->domain))
			return list[i]->version;
	return 0;
}

int joule_import_check_opset(const struct joule_import *imp, const char *what, int64_t version)
{
	if (version >= JOULE_ONNX_MIN_OPSET && version <= JOULE_ONNX_MAX_OPSET)
		return 0;
	return joule_err(imp->log, -ENOTSUP, "%s: %.200s wants ONNX opset %lld, joule knows %d to %d",
			 imp->path, what, (long long)version, JOULE_ONNX_MIN_OPSET,
			 JOULE_ONNX_MAX_OPSET);
}

int joule_import_charge(struct joule_import_scope *scope, size_t bytes)
{
	struct joule_import *imp = scope->imp;

	if (!scope->call)
		return 0;
	imp->budget -= (int64_t)bytes;
	if (imp->budget >= 0)
		return 0;
	return joule_err(imp->log, -E2BIG, "%s: function %.200s: expands to too much", imp->path,
			 scope->call->function->name ? scope->call->function->name : "");
}

const char *joule_import_extra(struct joule_import *imp, const ProtobufCMessage *message,
			       uint32_t field)
{
	for (unsigned int i = 0; i < message->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *f = &message->unknown_fields[i];
		struct joule_wire w = { f->data, f->data + f->len };
		uint64_t len;

		/* Data of a length-prefixed unknown field starts with its length. */
		if (f->tag == field && joule_wire_varint(&w, &len) &&
		    len == (size_t)(w.end - w.at))
			return joule_arena_strndup(&imp->scratch, (const char *)w.at, (size_t)len);
	}
	return "";
}

static int model_opset(struct joule_import *imp, int *out)
{
	const Onnx__ModelProto *m = imp->model;
	int64_t v = joule_import_opset((const Onnx__OperatorSetIdProto *const *)m->opset_import,
				       m->n_opset_import);
	int ret;

	/* Before IR version 3 there was one operator set, and no field for it. */
	if (!m->n_opset_import && m->ir_version < 3)
		v = 1;
	/* Models may consist of functions and operators of other domains alone. */
	else if (m->n_opset_import && !v)
		v = JOULE_ONNX_MAX_OPSET;
	ret = joule_import_check_opset(imp, "model", v);
	*out = (int)v;
	return ret;
}

static int model_metadata(struct joule_import *imp)
{
	const Onnx__ModelProto *m = imp->model;
	int ret = 0;

	for (size_t i = 0; !ret && i < m->n_metadata_props; i++) {
		const Onnx__StringStringEntryProto *e = m->metadata_props[i];

		if (e->key && strncmp(e->key, JOULE_ONNX_OWN_METADATA,
				      sizeof(JOULE_ONNX_OWN_METADATA) - 1))
			ret = joule_import_add_metadata(imp->root, e->key,
							e->value ? e->value : "");
	}
	return ret;
}

static int unpack(struct joule_import *imp)
{
	ProtobufCAllocator allocator = joule_import_allocator(imp);

	imp->model = onnx__model_proto__unpack(&allocator, imp->skeleton.model.n,
					       imp->skeleton.model.data);
	if (!imp->model)
		return joule_import_err_unpack(imp);
	if (!imp->model->graph)
		return joule_err(imp->log, -EBADMSG, "%s: not an ONNX model: no graph in it",
				 imp->path);
	if (!imp->model->graph->n_output)
		return joule_err(imp->log, -EINVAL, "%s: the model has no outputs", imp->path);
	imp->budget = (int64_t)imp->skeleton.model.n * MULTIPLE + ALLOWANCE_BYTES;
	return 0;
}

static int build(struct joule_import *imp)
{
	int ret = joule_onnx_scan(imp->log, imp->path, imp->data, imp->size, &imp->skeleton);

	if (!ret)
		ret = unpack(imp);
	if (!ret)
		ret = joule_import_functions(imp);
	if (!ret)
		ret = joule_graph_create(imp->log, imp->path, &imp->root);
	if (!ret && imp->file)
		ret = joule_graph_hold_file(imp->root, imp->file);
	if (!ret)
		ret = model_opset(imp, &imp->root->opset);
	if (!ret)
		ret = joule_import_graph(imp, imp->model->graph, NULL, &imp->root);
	if (!ret)
		ret = model_metadata(imp);
	if (!ret && imp->n_unsupported)
		ret = joule_err(imp->log, -ENOTSUP, "%s: %d operator%s not supported (opset %d):%s",
				imp->path, imp->n_unsupported,
				imp->n_unsupported > 1 ? "s are" : " is", imp->root->opset,
				imp->unsupported_text);
	return ret ? ret : joule_graph_verify(imp->root);
}

static int load(struct joule_import *imp, struct joule_graph **out)
{
	int ret;

	*out = NULL;
	joule_arena_init(&imp->scratch);
	joule_strmap_init(&imp->functions);
	joule_strmap_init(&imp->ops);
	joule_strmap_init(&imp->files);
	joule_strmap_init(&imp->unsupported);
	ret = build(imp);
	joule_strmap_finish(&imp->unsupported);
	joule_strmap_finish(&imp->files);
	joule_strmap_finish(&imp->ops);
	joule_strmap_finish(&imp->functions);
	joule_onnx_skeleton_finish(&imp->skeleton);
	joule_arena_finish(&imp->scratch);
	if (ret)
		joule_graph_destroy(imp->root);
	else
		*out = imp->root;
	return ret;
}

int joule_onnx_load(const struct joule_log *log, const char *path, struct joule_graph **out)
{
	struct joule_import imp = { .log = log, .path = path };
	const char *slash = strrchr(path, '/');
	char *folder;
	int ret;

	*out = NULL;
	ret = joule_mapped_file_open(log, path, &imp.file);
	if (ret)
		return ret;
	folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (folder) {
		imp.folder = folder;
		imp.data = imp.file->data;
		imp.size = imp.file->size;
		ret = load(&imp, out);
	} else {
		ret = joule_err_nomem(log, path);
	}
	free(folder);
	joule_mapped_file_unref(imp.file);
	return ret;
}

int joule_onnx_load_memory(const struct joule_log *log, const char *name, const char *folder,
			   const void *data, size_t size, struct joule_graph **out)
{
	struct joule_import imp = {
		.log = log, .path = name, .folder = folder, .data = data, .size = size,
	};

	return load(&imp, out);
}
