# SPDX-License-Identifier: MIT
# Allocations that fail, one after the other.

HEAP_WRAP := $(addprefix -Wl$(comma)--wrap=,\
	malloc calloc realloc aligned_alloc strdup strndup realpath asprintf free)

$(O)/tests/run_nomem: $(O)/tests/nomem/run.o $(O)/tests/nomem/models.o $(O)/tests/nomem/heap.o \
		$(O)/tests/unit/graphs.o $(O)/libjoule.a
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) $(HEAP_WRAP) -o $@ $^ $(LIBS)

$(O)/tests/rows_nomem: $(O)/tests/nomem/rows.o $(O)/tests/nomem/heap.o $(O)/tests/ops/row.o \
		$(O)/tests/ops/build.o $(O)/libjoule.a
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) $(HEAP_WRAP) -o $@ $^ $(LIBS)

## make check-nomem  every allocation fails once, of operators and of whole sessions
.PHONY: check-nomem
check-nomem: $(O)/tests/run_nomem $(O)/tests/rows_nomem
	@$(O)/tests/rows_nomem $(OPS_ROWS)
	@$(O)/tests/run_nomem

CHECKS += check-nomem

-include $(patsubst %.c,$(O)/%.d,$(wildcard tests/nomem/*.c))
