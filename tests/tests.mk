# SPDX-License-Identifier: MIT
# Each kind of test brings its own rules; what an included file adds to CHECKS
# is run by make check.

include $(sort $(wildcard tests/*/*.mk))

TEST_BIN := $(UNIT_BIN) $(ONNX_TEST_BIN) $(O)/tests/run_ops $(O)/tests/each_node \
	$(O)/tests/accuracy $(O)/tests/run_nomem $(O)/tests/rows_nomem \
	$(O)/tests/run_passes $(TOOL_TEST_BIN)

## make test-programs  builds what the checks run, runs nothing
.PHONY: test-programs
test-programs: $(TEST_BIN)

## make mesa25      unpacks backports' newer lavapipe below build/, to test on it:
##                  . build/mesa25/env && build/joule ...
.PHONY: mesa25
mesa25: build/mesa25/env
build/mesa25/env: tools/setup/fetch-mesa.sh
	@sh $< $(@D)
