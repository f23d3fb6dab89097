# SPDX-License-Identifier: MIT
# Operator rows: every operator and kernel against the plain C reference.

OPS_SRC  := $(wildcard tests/ops/*.c)
OPS_ROWS := $(sort $(wildcard tests/ops/*.rows))

$(O)/tests/run_ops: $(OPS_SRC:%.c=$(O)/%.o) $(O)/libjoule.a
	$(call quiet,LD)mkdir -p $(@D) && $(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

## make check-ops   operator rows on the Vulkan device, coverage of operators and shaders
.PHONY: check-ops bench-ops
check-ops: $(O)/tests/run_ops
	$(O)/tests/run_ops --coverage $(OPS_ROWS)

## make bench-ops   the same rows as a benchmark
bench-ops: $(O)/tests/run_ops
	$(O)/tests/run_ops --bench $(OPS_ROWS)

CHECKS += check-ops

-include $(patsubst %.c,$(O)/%.d,$(OPS_SRC))
