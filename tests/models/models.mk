# SPDX-License-Identifier: MIT
# Whole models and ONNX's node vectors, through the joule command.

DATA ?= $(or $(JOULE_DATA),../shared/data)

## make check-models  whole models against recorded outputs, reference and Vulkan
.PHONY: check-models
check-models: $(O)/joule
	@sh tests/models/check_models.sh $(O)/joule $(DATA) cpu
	@sh tests/models/check_models.sh $(O)/joule $(DATA) vulkan

CHECKS += check-models

## make check-no-pass  a model for each pass, its answers without it
.PHONY: check-no-pass
check-no-pass: $(O)/joule
	@sh tests/models/check_passes.sh $(O)/joule $(DATA)

CHECKS += check-no-pass

$(O)/tests/each_node: $(O)/tests/models/each_node.o $(O)/tests/ops/kernel_run.o $(O)/libjoule.a
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

## make check-each-node  every node of every model by itself, fed by the reference:
##                  quantized ones within one quantum; memory within 1.15 of the bound
.PHONY: check-each-node
check-each-node: $(O)/tests/each_node
	@if [ ! -d $(DATA)/models ]; then \
		echo "SKIP each node: skipped: no data ($(DATA)/models)"; \
	else \
		$(O)/tests/each_node --float $(DATA)/models/*/ $(DATA)/models-light/*.onnx; \
	fi

CHECKS += check-each-node

## make check-nodes  ONNX's node vectors, reference and Vulkan
.PHONY: check-nodes
check-nodes: $(O)/joule
	@sh tests/models/check_nodes.sh $(O)/joule $(DATA) cpu tests/models/unsupported.tsv
	@sh tests/models/check_nodes.sh $(O)/joule $(DATA) vulkan tests/models/unsupported.tsv

CHECKS += check-nodes

## make coverage    docs/coverage.md and the list of node tests not supported, anew
.PHONY: coverage
coverage: $(O)/joule
	sh tests/models/gen_coverage.sh $(O)/joule $(DATA) tests/models/unsupported.tsv docs/coverage.md

# A user of the public headers.
$(O)/tests/models/accuracy.o $(O)/tests/models/fp16.o $(O)/tests/models/labelled.o: \
$(O)/%.o: %.c
	$(call quiet,CC)mkdir -p $(@D) && $(CC) -D_GNU_SOURCE -I. -Iuserspace/include \
		$(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(O)/tests/accuracy $(O)/tests/fp16: $(O)/tests/%: $(O)/tests/models/%.o $(O)/tests/models/labelled.o \
		$(O)/tools/joule/npy.o $(O)/tools/joule/options.o $(O)/tools/joule/utf8.o \
		$(O)/tools/joule/output.o $(O)/libjoule.so
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/..' -o $@ \
		$(filter %.o,$^) -L$(O) -ljoule -ljansson -lm

## make check-accuracy  labelled data, counted in samples, on the Vulkan device (the
##                  newer lavapipe where make mesa25 has unpacked it: it is faster)
.PHONY: check-accuracy
check-accuracy: $(O)/tests/accuracy
	@if [ ! -d $(DATA)/data ]; then \
		echo "SKIP accuracy: skipped: no data ($(DATA)/data)"; \
	else \
		[ ! -f build/mesa25/env ] || . ./build/mesa25/env; \
		$(O)/tests/accuracy tests/models/accuracy.tsv $(DATA) vulkan; \
	fi

CHECKS += check-accuracy

## make check-fp16  fp16 against fp32: the same answers on labelled data, small
##                  errors elsewhere; FP16_SAMPLES=0 takes all the data. Not part of
##                  make check: with cold shader caches it takes more than a minute
.PHONY: check-fp16
FP16_SAMPLES ?= 100
check-fp16: $(O)/tests/fp16
	@if [ ! -d $(DATA)/data ]; then \
		echo "SKIP fp16: skipped: no data ($(DATA)/data)"; \
	else \
		[ ! -f build/mesa25/env ] || . ./build/mesa25/env; \
		$(O)/tests/fp16 tests/models/accuracy.tsv $(DATA) vulkan $(FP16_SAMPLES); \
	fi

-include $(O)/tests/models/each_node.d $(O)/tests/models/accuracy.d
-include $(O)/tests/models/fp16.d $(O)/tests/models/labelled.d
