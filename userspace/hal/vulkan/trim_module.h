/* SPDX-License-Identifier: MIT */
/* Between the reading and the writing half of trimming. */
#ifndef JOULE_HAL_VULKAN_TRIM_MODULE_H
#define JOULE_HAL_VULKAN_TRIM_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIM_MAX_PARAMS 32

struct trim_function {
	uint32_t id;
	size_t begin, end; /* words, OpFunction to OpFunctionEnd */
	uint32_t n_params;
	uint32_t param[TRIM_MAX_PARAMS];
	uint8_t read_only[TRIM_MAX_PARAMS]; /* enum trim_answer: a pointer only loaded from */
	uint32_t n_locals;
};

enum trim_answer { TRIM_NOT_ASKED, TRIM_YES, TRIM_NO };

/* What is known of an id. Function-local ids: within the copy being looked at. */
struct trim_id {
	uint32_t function;    /* 1 + index of the function it is local to; 0: global */
	uint32_t local;       /* its number there */
	uint32_t is_function; /* 1 + index of the function it names */
	uint32_t spec;	      /* 1 + SpecId */
	bool word;	      /* as a type: 32-bit integer or bool */
	bool known;	      /* its value is */
	bool pointee_known;   /* what it points to is always value */
	uint32_t value;
	/* Variables. */
	bool variable, escapes;
	uint32_t stores, stored; /* how many, and the id of the last */
	/* Labels. */
	bool reached;
	bool kept;	      /* a merge block still named, reached or not */
	uint32_t target;      /* the only successor left, if more were there */
	size_t terminator;    /* word of the block's last instruction */
};

struct trim_module {
	const uint32_t *w;
	size_t n;
	uint32_t bound;
	struct trim_id *id; /* bound of them */
	size_t functions_at; /* word of the first function */
	struct trim_function *function;
	uint32_t n_functions;
	uint32_t entry; /* the first entry point's function; all have to be it */
};

/* Fills *m, which holds nothing before; finish in any case. Errors as joule_spirv_trim(). */
int trim_module_read(struct trim_module *m, const uint32_t *w, size_t n, const uint32_t *values,
		     uint32_t n_values);
void trim_module_finish(struct trim_module *m);

/* Whether a function only loads through that pointer parameter. */
bool trim_read_only(struct trim_module *m, uint32_t function, uint32_t param);

struct trim_param {
	bool known, pointee_known;
	uint32_t value;
};

/*
 * Finds what a function called with these arguments can reach: leaves known,
 * reached, target and terminator in its ids.
 */
void trim_analyse(struct trim_module *m, uint32_t function, const struct trim_param *params);

/* Whether control goes from one reached block to another, after trim_analyse(). */
bool trim_edge(const struct trim_module *m, uint32_t from, uint32_t to);

#endif
