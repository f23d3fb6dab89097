// SPDX-License-Identifier: MIT
#include "runtime/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int joule_trace_reserve(struct joule_trace *trace, int n)
{
	int first = trace->n;

	if (trace->n + n > trace->cap) {
		int cap = (trace->n + n) * 2;
		struct joule_trace_row *fresh;

		fresh = realloc(trace->rows, (size_t)cap * sizeof(*fresh));
		if (!fresh)
			return -ENOMEM;
		trace->rows = fresh;
		trace->cap = cap;
	}
	memset(&trace->rows[first], 0, (size_t)n * sizeof(*trace->rows));
	trace->n += n;
	return first;
}

void joule_trace_add(struct joule_trace *trace, int row, uint64_t start_ns, uint64_t ns,
		     int launches)
{
	struct joule_trace_row *r = &trace->rows[row];

	if (!r->runs++)
		r->start_ns = start_ns > trace->start_ns ? start_ns - trace->start_ns : 0;
	r->ns += ns;
	r->launches += launches;
}
