// SPDX-License-Identifier: MIT
/* Graphs, nodes and tensors as protobuf-c messages. */
#include "onnx/pack.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ir/op.h"
#include "onnx/import.h"
#include "onnx/tensor_proto.h"

/* Smaller constants are not worth a page of the second file. */
#define EXTERNAL_MIN_BYTES 4096
#define EXTERNAL_ALIGN 4096

void *joule_export_alloc(struct joule_export *ex, size_t n, size_t size)
{
	void *p = joule_arena_array(&ex->scratch, n, size);

	if (!p)
		joule_err_nomem(ex->log, "export");
	return p;
}

/* ---- names ---- */

static bool is_taken(const struct joule_export_graph *g, const char *name)
{
	for (; g; g = g->up)
		if (joule_strmap_get(&g->taken, name))
			return true;
	return false;
}

/* A body's own tensors must not hide those of the graphs around it. */
static int choose_names(struct joule_export_graph *g)
{
	struct joule_export *ex = g->ex;
	unsigned int counter = 0;

	g->names = joule_export_alloc(ex, (size_t)g->graph->n_tensors, sizeof(*g->names));
	if (!g->names)
		return -ENOMEM;
	for (int i = 0; i < g->graph->n_tensors; i++) {
		struct joule_tensor *t = g->graph->tensors[i];
		const char *name = t->name;

		if (t->outer)
			continue;
		while (name && is_taken(g, name))
			name = joule_arena_printf(&ex->scratch, "%s_%u", t->name, ++counter);
		if (!name || joule_strmap_set(&g->taken, name, t))
			return joule_err_nomem(ex->log, "names");
		g->names[i] = name;
	}
	return 0;
}

/* A capture goes by the name of what it captures. */
static char *name_of(const struct joule_export_graph *g, const struct joule_tensor *t)
{
	for (; t && t->outer && g->up; g = g->up)
		t = t->outer;
	/* Messages' strings are not const, but never written to. */
	return t ? (char *)(uintptr_t)g->names[t->index] : (char *)(uintptr_t)"";
}

/* ---- values ---- */

static int add_entry(struct joule_export *ex, Onnx__StringStringEntryProto **out, const char *key,
		     const char *value)
{
	*out = joule_export_alloc(ex, 1, sizeof(**out));
	if (!*out || !value)
		return -ENOMEM;
	onnx__string_string_entry_proto__init(*out);
	(*out)->key = (char *)(uintptr_t)key;
	(*out)->value = (char *)(uintptr_t)value;
	return 0;
}

static int put_external(struct joule_export *ex, const struct joule_tensor *t, int64_t bytes,
			Onnx__TensorProto *p)
{
	struct joule_arena *a = &ex->scratch;
	int64_t offset;

	joule_atomic_file_align(ex->data, EXTERNAL_ALIGN);
	offset = ex->data->bytes;
	joule_atomic_file_write(ex->data, t->data, (size_t)bytes);
	p->has_data_location = 1;
	p->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
	p->external_data = joule_export_alloc(ex, 3, sizeof(*p->external_data));
	if (!p->external_data)
		return -ENOMEM;
	p->n_external_data = 3;
	if (add_entry(ex, &p->external_data[0], "location", ex->data_name) ||
	    add_entry(ex, &p->external_data[1], "offset",
		      joule_arena_printf(a, "%lld", (long long)offset)) ||
	    add_entry(ex, &p->external_data[2], "length",
		      joule_arena_printf(a, "%lld", (long long)bytes)))
		return joule_err_nomem(ex->log, "export");
	return ex->data->err;
}

int joule_export_tensor(struct joule_export *ex, const struct joule_tensor *t, const char *name,
			Onnx__TensorProto **out)
{
	Onnx__TensorProto *p = joule_export_alloc(ex, 1, sizeof(*p));
	int64_t bytes = joule_tensor_bytes(t);

	if (!p)
		return -ENOMEM;
	onnx__tensor_proto__init(p);
	*out = p;
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return joule_err(ex->log, -ENOTSUP, "writing models takes a little-endian machine");
	p->name = (char *)(uintptr_t)name;
	p->has_data_type = 1;
	p->data_type = joule_onnx_data_type(t->dtype);
	p->n_dims = (size_t)t->shape.rank;
	p->dims = joule_export_alloc(ex, p->n_dims, sizeof(*p->dims));
	if (!p->dims)
		return -ENOMEM;
	memcpy(p->dims, t->shape.dims, p->n_dims * sizeof(*p->dims));
	if (ex->data && bytes >= EXTERNAL_MIN_BYTES)
		return put_external(ex, t, bytes, p);
	p->has_raw_data = 1;
	p->raw_data.len = (size_t)bytes;
	p->raw_data.data = t->data;
	return 0;
}

/* ---- inputs and outputs ---- */

static int pack_shape(struct joule_export_graph *g, const struct joule_tensor *t,
		      const struct joule_shape *shape, Onnx__TensorShapeProto **out)
{
	struct joule_export *ex = g->ex;
	Onnx__TensorShapeProto *s = joule_export_alloc(ex, 1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	onnx__tensor_shape_proto__init(s);
	*out = s;
	s->n_dim = (size_t)shape->rank;
	s->dim = joule_export_alloc(ex, s->n_dim, sizeof(*s->dim));
	for (size_t i = 0; s->dim && i < s->n_dim; i++) {
		Onnx__TensorShapeProto__Dimension *d = joule_export_alloc(ex, 1, sizeof(*d));
		const char *name;

		if (!d)
			return -ENOMEM;
		onnx__tensor_shape_proto__dimension__init(d);
		s->dim[i] = d;
		name = shape->dims[i] < 0 ? joule_onnx_dim_name(g->graph, t, (int)i) : NULL;
		if (shape->dims[i] >= 0) {
			d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
			d->dim_value = shape->dims[i];
		} else if (name) {
			d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
			d->dim_param = (char *)(uintptr_t)name;
		}
	}
	return s->dim ? 0 : -ENOMEM;
}

static int pack_value(struct joule_export_graph *g, const struct joule_tensor *t,
		      Onnx__ValueInfoProto **out)
{
	struct joule_export *ex = g->ex;
	Onnx__ValueInfoProto *v = joule_export_alloc(ex, 1, sizeof(*v));
	struct joule_shape shape = t->shape;
	enum joule_dtype dtype = t->dtype;
	Onnx__TypeProto__Tensor *tensor;

	if (!v)
		return -ENOMEM;
	onnx__value_info_proto__init(v);
	*out = v;
	v->name = name_of(g, t);
	/* What the file said is better than nothing, where inference has not come by. */
	if (!dtype || shape.rank < 0)
		joule_onnx_declared_type(g->graph, t, &dtype, &shape);
	if (!dtype)
		return 0;
	v->type = joule_export_alloc(ex, 1, sizeof(*v->type));
	tensor = joule_export_alloc(ex, 1, sizeof(*tensor));
	if (!v->type || !tensor)
		return -ENOMEM;
	onnx__type_proto__init(v->type);
	onnx__type_proto__tensor__init(tensor);
	v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	v->type->tensor_type = tensor;
	tensor->has_elem_type = 1;
	tensor->elem_type = joule_onnx_data_type(dtype);
	return shape.rank < 0 ? 0 : pack_shape(g, t, &shape, &tensor->shape);
}

static int pack_values(struct joule_export_graph *g, struct joule_tensor *const *list, int n,
		       Onnx__ValueInfoProto ***out)
{
	int ret = 0;

	*out = joule_export_alloc(g->ex, (size_t)n, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (int i = 0; !ret && i < n; i++)
		ret = pack_value(g, list[i], &(*out)[i]);
	return ret;
}

/* ---- nodes ---- */

static int check_node(const struct joule_graph *root, const struct joule_node *n)
{
	if (n->op->traits & JOULE_OP_INTERNAL)
		return joule_node_err(n, -ENOTSUP, "is not an operator of ONNX");
	if (n->epilogue.n)
		return joule_node_err(n, -ENOTSUP, "has steps fused behind it");
	if (n->opset != root->opset &&
	    joule_op_find(n->op->domain, n->op->name, root->opset) != n->op)
		return joule_node_err(n, -ENOTSUP, "is of opset %d, the model of %d", n->opset,
				      root->opset);
	return 0;
}

static int pack_operands(struct joule_export_graph *g, struct joule_tensor *const *list, int n,
			 size_t *n_out, char ***out)
{
	*out = joule_export_alloc(g->ex, (size_t)n, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		(*out)[i] = name_of(g, list[i]);
	*n_out = (size_t)n;
	return 0;
}

static int pack_node(struct joule_export_graph *g, const struct joule_node *n,
		     Onnx__NodeProto **out)
{
	Onnx__NodeProto *p = joule_export_alloc(g->ex, 1, sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	onnx__node_proto__init(p);
	*out = p;
	ret = check_node(g->ex->root, n);
	if (ret)
		return ret;
	p->name = (char *)(uintptr_t)n->name;
	p->op_type = (char *)(uintptr_t)n->op->name;
	if (n->op->domain) {
		p->domain = (char *)(uintptr_t)n->op->domain;
		if (joule_strmap_set(&g->ex->domains, n->op->domain, p->domain))
			return joule_err_nomem(g->ex->log, "domains");
	}
	ret = pack_operands(g, n->in, n->n_in, &p->n_input, &p->input);
	if (!ret)
		ret = pack_operands(g, n->out, n->n_out, &p->n_output, &p->output);
	return ret ? ret : joule_export_attrs(g, n, p);
}

/* ---- graphs ---- */

static void mark_captures(const struct joule_graph *body, bool *used)
{
	for (int i = 0; i < body->n_tensors; i++)
		if (body->tensors[i]->outer)
			used[body->tensors[i]->outer->index] = true;
}

/* Constants that some node or body reads; those of attributes go with their nodes. */
static bool *find_used(struct joule_export_graph *g)
{
	const struct joule_graph *graph = g->graph;
	bool *used = joule_export_alloc(g->ex, (size_t)graph->n_tensors, sizeof(*used));

	for (int i = 0; used && i < graph->n_nodes; i++) {
		const struct joule_node *n = graph->nodes[i];

		for (int j = 0; j < n->n_in; j++)
			if (n->in[j])
				used[n->in[j]->index] = true;
		for (int j = 0; j < n->n_body; j++)
			mark_captures(n->body[j], used);
	}
	for (int i = 0; used && i < graph->n_outputs; i++)
		used[graph->outputs[i]->index] = true;
	return used;
}

static int pack_constants(struct joule_export_graph *g, Onnx__GraphProto *p)
{
	bool *used = find_used(g);
	int ret = 0;

	p->initializer = joule_export_alloc(g->ex, (size_t)g->graph->n_tensors,
					    sizeof(*p->initializer));
	if (!used || !p->initializer)
		return -ENOMEM;
	for (int i = 0; !ret && i < g->graph->n_tensors; i++) {
		const struct joule_tensor *t = g->graph->tensors[i];

		if (used[i] && joule_tensor_is_const(t) && !t->outer)
			ret = joule_export_tensor(g->ex, t, g->names[i],
						  &p->initializer[p->n_initializer++]);
	}
	return ret;
}

static int fill_graph(struct joule_export_graph *g, Onnx__GraphProto *p)
{
	const struct joule_graph *graph = g->graph;
	int ret;

	p->name = (char *)(uintptr_t)(*graph->name ? graph->name : "graph");
	ret = choose_names(g);
	if (!ret)
		ret = pack_values(g, graph->inputs, graph->n_inputs, &p->input);
	if (ret)
		return ret;
	p->n_input = (size_t)graph->n_inputs;
	ret = pack_values(g, graph->outputs, graph->n_outputs, &p->output);
	if (ret)
		return ret;
	p->n_output = (size_t)graph->n_outputs;
	ret = pack_constants(g, p);
	if (ret)
		return ret;
	p->node = joule_export_alloc(g->ex, (size_t)graph->n_nodes, sizeof(*p->node));
	if (!p->node)
		return -ENOMEM;
	for (int i = 0; !ret && i < graph->n_nodes; i++)
		ret = pack_node(g, graph->nodes[i], &p->node[p->n_node++]);
	return ret;
}

int joule_export_graph(struct joule_export *ex, const struct joule_graph *graph,
		       struct joule_export_graph *up, Onnx__GraphProto **out)
{
	struct joule_export_graph g = { .ex = ex, .up = up, .graph = graph };
	int ret;

	*out = joule_export_alloc(ex, 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	onnx__graph_proto__init(*out);
	joule_strmap_init(&g.taken);
	ret = fill_graph(&g, *out);
	joule_strmap_finish(&g.taken);
	return ret;
}
