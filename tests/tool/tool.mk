# SPDX-License-Identifier: MIT
# The joule command as a user meets it: streams, errors, formats.

TOOL_TEST_OBJ := $(O)/tools/joule/image.o $(O)/tools/joule/pixels.o $(O)/tools/joule/source.o \
	$(O)/tools/joule/source_pipe.o $(O)/tools/joule/source_v4l2.o $(O)/tools/joule/options.o \
	$(O)/tools/joule/utf8.o $(O)/tools/joule/output.o
TOOL_TEST_BIN := $(patsubst tests/tool/%.c,$(O)/tests/tool/%,$(wildcard tests/tool/*.c))

$(TOOL_TEST_BIN): $(O)/tests/tool/%: $(O)/tests/tool/%.o $(TOOL_TEST_OBJ) \
		$(O)/tests/onnx/model_writer.o $(O)/libjoule.a
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) $(TOOL_TEST_LDFLAGS) -o $@ $^ $(TOOL_LIBS) $(LIBS)

$(O)/tests/tool/test_v4l2: TOOL_TEST_LDFLAGS := $(addprefix -Wl$(comma)--wrap=,\
	open close ioctl mmap munmap ppoll)

## make check-tool  the command: streams, bad input, faults, formats
.PHONY: check-tool
check-tool: $(O)/joule $(TOOL_TEST_BIN)
	@sh tests/unit/run.sh $(filter $(O)/tests/tool/test_%,$(TOOL_TEST_BIN))
	@rm -rf $(O)/check/tool && mkdir -p $(O)/check/tool/models $(O)/check/tool/frames
	@$(O)/tests/tool/make_models $(O)/check/tool/models
	@$(O)/tests/tool/make_frames $(O)/check/tool/frames
	@failed=0; for t in tests/tool/check_*.sh; do \
		sh $$t $(O)/joule $(O)/check/tool || failed=1; done; exit $$failed

CHECKS += check-tool

-include $(TOOL_TEST_BIN:=.d)
