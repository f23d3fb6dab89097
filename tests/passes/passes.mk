# SPDX-License-Identifier: MIT

PASS_TEST_SRC := $(wildcard tests/passes/*.c)

$(O)/tests/run_passes: $(PASS_TEST_SRC:%.c=$(O)/%.o) $(O)/tests/unit/graphs.o $(O)/libjoule.a
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

## make check-passes  each pass by itself on graphs it must change and must not
.PHONY: check-passes
check-passes: $(O)/tests/run_passes
	@$(O)/tests/run_passes

CHECKS += check-passes

-include $(PASS_TEST_SRC:%.c=$(O)/%.d)
