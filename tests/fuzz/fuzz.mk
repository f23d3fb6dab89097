# SPDX-License-Identifier: MIT
# libFuzzer targets: each tests/fuzz/NAME.c with LLVMFuzzerTestOneInput(). The
# library is built a second time, by clang, with coverage and sanitizers.
#
# Corpora live in build/fuzz/corpus/NAME and grow from run to run. Their seeds
# are the tests' small models and, if there is data, ONNX's own small ones.

FUZZ_SECONDS ?= 300
FUZZ_CC   ?= clang
FUZZ_O    := $(O)/fuzz
FUZZ_SAN  := address,undefined
FUZZ_NAMES := $(basename $(notdir $(filter-out %_seeds.c,$(wildcard tests/fuzz/*.c))))
FUZZ_BIN  := $(FUZZ_NAMES:%=$(FUZZ_O)/bin/%)
FUZZ_DATA ?= $(or $(JOULE_DATA),../shared/data)

.PHONY: fuzz-lib
fuzz-lib:
	@$(MAKE) -s CC=$(FUZZ_CC) O=$(FUZZ_O) SPV_DIR=$(SPV_DIR) OPT="-O1 -g" SAN= \
		SANFLAGS="-fsanitize=fuzzer-no-link,$(FUZZ_SAN) -fno-sanitize-recover=all" \
		$(FUZZ_O)/libjoule.a $(FUZZ_NAMES:%=$(FUZZ_O)/tests/fuzz/%.o) \
		$(FUZZ_O)/tests/fuzz/import_seeds.o $(FUZZ_O)/tests/onnx/small_models.o \
		$(FUZZ_O)/tests/onnx/model_writer.o

$(FUZZ_BIN): $(FUZZ_O)/bin/%: fuzz-lib
	$(call quiet,LD)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=fuzzer,$(FUZZ_SAN) -o $@ \
		$(FUZZ_O)/tests/fuzz/$*.o $(FUZZ_O)/libjoule.a $(LIBS)

$(FUZZ_O)/bin/seeds: fuzz-lib
	$(call quiet,LD)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=$(FUZZ_SAN) -o $@ \
		$(FUZZ_O)/tests/fuzz/import_seeds.o $(FUZZ_O)/tests/onnx/small_models.o \
		$(FUZZ_O)/tests/onnx/model_writer.o $(FUZZ_O)/libjoule.a $(LIBS)

.PHONY: fuzz-seeds
fuzz-seeds: $(FUZZ_O)/bin/seeds
	@for n in $(FUZZ_NAMES); do \
		dir=$(FUZZ_O)/corpus/$$n; mkdir -p $$dir && $< $$dir; \
		find $(FUZZ_DATA)/onnx-node -name model.onnx -size -2k 2>/dev/null | \
		while read f; do d=$${f%/*}; cp -n $$f $$dir/$${d##*/}; done; \
	done

# Names of operators and attributes, which no mutation would come upon.
$(FUZZ_O)/names.dict: $(OP_SRC)
	$(call quiet,GEN)mkdir -p $(@D) && \
		grep -oh '"[A-Za-z][A-Za-z_0-9]*"' $(OP_SRC) | sort -u >$@

## make fuzz        all fuzz targets, FUZZ_SECONDS each (300)
.PHONY: fuzz
fuzz: $(FUZZ_BIN) fuzz-seeds $(FUZZ_O)/names.dict
	@for n in $(FUZZ_NAMES); do \
		$(FUZZ_O)/bin/$$n -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 \
			-max_len=16384 -dict=$(FUZZ_O)/names.dict -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(FUZZ_O)/$$n- $(FUZZ_O)/corpus/$$n >$(FUZZ_O)/$$n.log 2>&1 || \
			{ cat $(FUZZ_O)/$$n.log; exit 1; }; \
		printf '  %-8s fuzz %s, %s inputs\n' PASS $$n \
			$$(sed -n 's/stat::number_of_executed_units: *//p' $(FUZZ_O)/$$n.log); \
	done

.PHONY: check-fuzz
check-fuzz:
	@$(MAKE) fuzz FUZZ_SECONDS=10

CHECKS += check-fuzz
