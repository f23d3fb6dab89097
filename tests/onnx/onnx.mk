# SPDX-License-Identifier: MIT
# Tests on ONNX files.

ONNX_TEST_SRC := $(sort $(wildcard tests/onnx/test_*.c))
ONNX_TEST_BIN := $(ONNX_TEST_SRC:%.c=$(O)/%)
ONNX_TEST_LIB := $(O)/tests/onnx/model_writer.o $(O)/tests/onnx/small_models.o

# Plain reference on folders in ONNX's backend-test layout:
#   build/tests/onnx_ref [-v] DIR...
.PHONY: onnx-ref
onnx-ref: $(O)/tests/onnx_ref

$(O)/tests/onnx_ref: $(O)/tests/onnx/ref_nodes.o $(O)/libjoule.a
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(ONNX_TEST_BIN): $(O)/%: $(O)/%.o $(ONNX_TEST_LIB) $(O)/libjoule.a
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) $(ONNX_TEST_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

# Allocations of this test, and of the library within it, fail when told to.
$(O)/tests/onnx/test_nomem: ONNX_TEST_LDFLAGS = $(HEAP_WRAP)
$(O)/tests/onnx/test_nomem: $(O)/tests/nomem/heap.o

## make check-onnx  importer and exporter
.PHONY: check-onnx
check-onnx: $(ONNX_TEST_BIN)
	@failed=0; for t in $(ONNX_TEST_BIN); do \
		$$t >$$t.log 2>&1 || { cat $$t.log; failed=1; }; \
		grep -s 'skipped: ' $$t.log; \
		printf '%d passed, %d failed, %d skipped (%s)\n' $$(grep -c '^\[       OK' $$t.log) \
			$$(grep -c '^\[  FAILED  \] [a-z_]*$$' $$t.log | awk '{ print $$1 / 2 }') \
			$$(grep -c '^\[  SKIPPED \] [a-z_]*$$' $$t.log | awk '{ print $$1 / 2 }') \
			$${t##*/}; \
	done; exit $$failed

CHECKS += check-onnx

-include $(ONNX_TEST_BIN:=.d) $(ONNX_TEST_LIB:.o=.d) $(O)/tests/onnx/ref_nodes.d
