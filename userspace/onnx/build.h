/* SPDX-License-Identifier: MIT */
/*
 * What the importer's files share. The way of a model: scan.c (file to
 * skeleton), import.c (model level), body.c (one graph and its names),
 * declared.c (what is declared of inputs and outputs), node.c (one node), attr.c (its attributes), function.c (calls of model-local
 * functions, inlined), constant.c and external.c (values).
 */
#ifndef JOULE_ONNX_BUILD_H
#define JOULE_ONNX_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "ir/graph.h"
#include "onnx.pb-c.h"
#include "onnx/scan.h"
#include "onnx/tensor_proto.h"

struct joule_mapped_file;
struct joule_op;

/* Calls of functions from functions. */
#define JOULE_ONNX_MAX_CALLS 32

/* One import, from joule_onnx_load() to its return. */
struct joule_import {
	const struct joule_log *log;
	const char *path;   /* for messages */
	const char *folder; /* of external data, NULL: none is read */
	const uint8_t *data;
	size_t size;
	struct joule_mapped_file *file; /* NULL: data goes away, constants are copied */
	struct joule_onnx_skeleton skeleton;
	struct joule_arena scratch; /* the unpacked model and other passing things */
	const Onnx__ModelProto *model;
	struct joule_graph *root;
	struct joule_strmap functions; /* "domain\nname\noverload" to FunctionProto */
	struct joule_strmap ops;       /* default domain, model's opset: op_type to joule_op */
	struct joule_strmap files;     /* location to joule_mapped_file, held by root */
	int64_t budget; /* bytes that inlining may still take: calls of calls multiply */
	int calls;	/* depth of inlining */
	int n_unsupported;
	struct joule_strmap unsupported; /* the operators already told */
	char *unsupported_text;
	bool out_of_memory; /* protobuf-c gives no reason */
};

/* A joule_graph being filled and the names taken in it. */
struct joule_import_graph {
	struct joule_graph *graph;
	struct joule_strmap tensors; /* names taken; values are the tensors */
	struct joule_strmap nodes;
	unsigned int counter; /* for names that are made unique */
};

/* A call that is being inlined. */
struct joule_import_call {
	const Onnx__FunctionProto *function;
	const char *path; /* names of inner nodes and tensors start with it */
	const char *origin; /* the called node in the main graph */
	struct joule_strmap attrs;   /* function attribute to AttributeProto with a value */
	struct joule_strmap results; /* function output to the caller's tensor */
};

/* Where names mean something: a graph, or a function body within one. */
struct joule_import_scope {
	struct joule_import *imp;
	struct joule_import_scope *up; /* names not found here are looked up there */
	struct joule_import_graph *g;
	struct joule_strmap names;    /* the file's names to tensors of g */
	struct joule_import_call *call; /* NULL outside of functions */
	bool inlined; /* the body of call itself, not a graph within it */
	int opset;
};

/* ---- import.c ---- */

/* Version of the default domain among imports, 0 if there is none. */
int64_t joule_import_opset(const Onnx__OperatorSetIdProto *const *list, size_t n);

/* Refuses versions outside of what joule knows. what: "model" or a function's name. */
int joule_import_check_opset(const struct joule_import *imp, const char *what, int64_t version);

/* "" for NULL, "ai.onnx" is "". */
const char *joule_import_domain(const char *domain);

/*
 * Accounts for memory (or work of that size) that inlining causes. Outside of
 * calls all is proportional to the file, and free. -E2BIG when too much.
 */
int joule_import_charge(struct joule_import_scope *scope, size_t bytes);

/* The text of an extra field, "" if absent; NULL when out of memory. */
const char *joule_import_extra(struct joule_import *imp, const ProtobufCMessage *message,
			       uint32_t field);

/* protobuf-c's allocations come from the scratch arena: freed all at once. */
ProtobufCAllocator joule_import_allocator(struct joule_import *imp);

/* Logs why protobuf-c gave up: -ENOMEM or -EBADMSG. */
int joule_import_err_unpack(const struct joule_import *imp);

/* ---- body.c ---- */

/* parent NULL: the model's graph. *out is set as soon as there is something to destroy. */
int joule_import_graph(struct joule_import *imp, const Onnx__GraphProto *proto,
		       struct joule_import_scope *parent, struct joule_graph **out);

/* The tensor of that name, captured from enclosing graphs if need be; *out NULL if unknown. */
int joule_import_find(struct joule_import_scope *scope, const char *name,
		      struct joule_tensor **out);

/* A new tensor for a name of the file; a second one of that name is an error. */
int joule_import_declare(struct joule_import_scope *scope, const char *name,
			 struct joule_tensor **out);

/* name as seen from outside of inlined calls; NULL when out of memory. */
const char *joule_import_path(struct joule_import_scope *scope, const char *name);

/* A tensor flagged as a constant, its value to be set; known: other nodes may name it. */
int joule_import_add_const(struct joule_import_scope *scope, const char *name, bool known,
			   struct joule_tensor **out);

/* Nodes of a graph or function: all outputs first, then the nodes themselves. */
int joule_import_nodes(struct joule_import_scope *scope, Onnx__NodeProto *const *nodes, size_t n);

/* A name for a tensor or node of g that is not taken, in scratch memory; NULL: no memory. */
const char *joule_import_unique(struct joule_import *imp, struct joule_import_graph *g,
				const struct joule_strmap *taken, const char *name);

/* ---- declared.c ---- */

int joule_import_add_metadata(struct joule_graph *g, const char *key, const char *value);
int joule_import_note_declared(struct joule_import_scope *scope, const Onnx__GraphProto *proto);

/* ---- node.c ---- */

int joule_import_node(struct joule_import_scope *scope, const Onnx__NodeProto *proto);

/* An empty node of the scope's graph under a unique name. */
int joule_import_add_node(struct joule_import_scope *scope, const struct joule_op *op,
			  const char *name, size_t n_in, size_t n_out, struct joule_node **out);

const struct joule_op *joule_import_op(struct joule_import_scope *scope, const char *domain,
				       const char *op_type);

/* Notes an operator that joule lacks; the import goes on to find the others. */
int joule_import_unsupported(struct joule_import_scope *scope, const Onnx__NodeProto *proto);

/* ---- attr.c ---- */

/* Fills node->attrs and node->body from the file, defaults first. */
int joule_import_attrs(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
		       struct joule_node *node);

/*
 * The value of an attribute, through ref_attr_name within functions. *out is
 * NULL when the caller of the function gave none and there is no default.
 */
int joule_import_attr_value(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
			    const Onnx__AttributeProto *attr, const Onnx__AttributeProto **out);

/* Its type; files before IR version 2 do not say. */
Onnx__AttributeProto__AttributeType joule_import_attr_type(const Onnx__AttributeProto *attr);

/* ---- function.c ---- */

/* The model-local function that a node calls, or NULL. -ENOMEM through *err. */
const Onnx__FunctionProto *joule_import_function(struct joule_import *imp,
						 const Onnx__NodeProto *proto, int *err);
int joule_import_functions(struct joule_import *imp);
int joule_import_call(struct joule_import_scope *scope, const Onnx__NodeProto *proto,
		      const Onnx__FunctionProto *function);

/* ---- constant.c ---- */

/* A constant of the scope's graph from a skeleton tensor, for an attribute. */
int joule_import_tensor(struct joule_import_scope *scope, const Onnx__TensorProto *proto,
			const char *name, struct joule_tensor **out);

/* An initializer, known under its own name. */
int joule_import_initializer(struct joule_import_scope *scope, const Onnx__TensorProto *proto);

/* -ENOTSUP, naming the tensor. */
int joule_import_refuse_sparse(struct joule_import *imp, const Onnx__SparseTensorProto *proto);

bool joule_import_is_constant(const Onnx__NodeProto *proto);

/* A Constant node: its output becomes a constant at once. */
int joule_import_constant(struct joule_import_scope *scope, const Onnx__NodeProto *proto);

/* ---- external.c ---- */

/* *data points at bytes bytes of another file that stays mapped with the graph. */
int joule_import_external(struct joule_import *imp, const struct joule_onnx_tensor_proto *t,
			  size_t bytes, const uint8_t **data);

#endif
