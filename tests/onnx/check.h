/* SPDX-License-Identifier: MIT */
/* Imports for tests: the last error is kept, and can be asked for. */
#ifndef TESTS_ONNX_CHECK_H
#define TESTS_ONNX_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <joule/log.h>

#include "ir/graph.h"
#include "onnx/import.h"
#include "model_writer.h"

static char last_error[1024];

static void keep_error(void *user, enum joule_log_level level, const char *msg)
{
	if (level == JOULE_LOG_ERROR)
		snprintf(last_error, sizeof(last_error), "%s", msg);
}

static const struct joule_log test_log = { keep_error, NULL, JOULE_LOG_DEBUG };

/* From an exact allocation, so that a sanitizer sees a read past its end. */
static inline int load_bytes(const void *data, size_t size, struct joule_graph **out)
{
	void *copy = malloc(size ? size : 1);
	int ret;

	last_error[0] = 0;
	assert_non_null(copy);
	if (size)
		memcpy(copy, data, size);
	ret = joule_onnx_load_memory(&test_log, "test", NULL, copy, size, out);
	free(copy);
	if (ret)
		assert_null(*out);
	else
		assert_int_equal(joule_graph_verify(*out), 0);
	return ret;
}

/* Takes the model's buffer. */
static inline struct joule_graph *load_good(struct joule_wire_buf *b)
{
	struct joule_graph *g;
	int ret;

	assert_int_equal(b->err, 0);
	ret = load_bytes(b->data, b->n, &g);
	joule_wire_buf_finish(b);
	if (ret)
		fail_msg("%s", last_error);
	return g;
}

/* The model must be refused with that error and a message that says so. */
static inline void load_bad(struct joule_wire_buf *b, int err, const char *says)
{
	struct joule_graph *g;
	int ret;

	assert_int_equal(b->err, 0);
	ret = load_bytes(b->data, b->n, &g);
	joule_wire_buf_finish(b);
	joule_graph_destroy(g);
	if (ret != err || !strstr(last_error, says))
		fail_msg("error %d \"%s\", expected %d \"...%s...\"", ret, last_error, err, says);
}

static inline struct joule_tensor *tensor_of(const struct joule_graph *g, const char *name)
{
	for (int i = 0; i < g->n_tensors; i++)
		if (!strcmp(g->tensors[i]->name, name))
			return g->tensors[i];
	fail_msg("no tensor %s", name);
	return NULL;
}

#endif
