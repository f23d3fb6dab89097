/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail when told to. The linker sends those of the test and
 * of the library within it here (--wrap, see HEAP_WRAP in nomem.mk); those
 * inside shared libraries, drivers among them, are left alone.
 */
#ifndef TESTS_NOMEM_HEAP_H
#define TESTS_NOMEM_HEAP_H

#include <stdbool.h>

/* Counts allocations from now on, none fails. */
void heap_watch(void);

/* The n-th from now (0: the next) and all after it fail; once: that one alone. */
void heap_fail(long n, bool once);

/* None fails any more; did one since heap_fail()? */
bool heap_succeed(void);

/* Stops counting: how many allocated since heap_watch() were not freed. */
long heap_end(void);

/* How many there were since heap_watch(). */
long heap_made(void);

#endif
