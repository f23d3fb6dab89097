# SPDX-License-Identifier: MIT
# Tests on ONNX files.

# Plain reference on folders in ONNX's backend-test layout:
#   build/tests/onnx_ref [-v] DIR...
.PHONY: onnx-ref
onnx-ref: $(O)/tests/onnx_ref

$(O)/tests/onnx_ref: tests/onnx/ref_nodes.c $(O)/libjoule.a
	$(call quiet,LD)mkdir -p $(@D) && $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -o $@ $< \
		$(O)/libjoule.a $(LDFLAGS) $(LIBS)
