# SPDX-License-Identifier: MIT
# Unit tests: each test_NAME.c is a program; exit code 77 means skipped.

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(O)/tests/unit/%)
UNIT_LIB := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))

$(UNIT_BIN): $(O)/tests/unit/%: $(O)/tests/unit/%.o $(UNIT_LIB:%.c=$(O)/%.o) $(O)/libjoule.a
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

## make check-unit  unit tests
.PHONY: check-unit
check-unit: $(UNIT_BIN)
	@sh tests/unit/run.sh $(UNIT_BIN)

CHECKS += check-unit

-include $(UNIT_SRC:%.c=$(O)/%.d) $(UNIT_LIB:%.c=$(O)/%.d)
