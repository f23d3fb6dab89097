# SPDX-License-Identifier: MIT
# Operator rows: every operator and kernel against the plain C reference.

OPS_SRC  := $(wildcard tests/ops/*.c)
OPS_ROWS := $(sort $(wildcard tests/ops/*.rows))

$(O)/tests/run_ops: $(OPS_SRC:%.c=$(O)/%.o) $(O)/libjoule.a
	$(call quiet,LD)mkdir -p $(@D) && $(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

## make check-ops   operator rows on the newer Mesa (where it can be had) and on the
##                  system's, then coverage of operators and shaders over both
.PHONY: check-ops bench-ops
check-ops: $(O)/tests/run_ops
	@mkdir -p $(O)/check && rm -f $(O)/check/shaders_used
	@$(MAKE) mesa25 >$(O)/check/mesa25.log 2>&1 || { \
		echo "SKIP operator rows on the newer Mesa: skipped: it cannot be had here:"; \
		tail -n 1 $(O)/check/mesa25.log; }
	@[ ! -f build/mesa25/env ] || { . ./build/mesa25/env; \
		$(O)/tests/run_ops --used $(O)/check/shaders_used $(OPS_ROWS); }
	@$(O)/tests/run_ops --used $(O)/check/shaders_used --coverage $(OPS_ROWS)

## make bench-ops   the same rows as a benchmark
bench-ops: $(O)/tests/run_ops
	$(O)/tests/run_ops --bench $(OPS_ROWS)

CHECKS += check-ops

-include $(patsubst %.c,$(O)/%.d,$(OPS_SRC))
