# SPDX-License-Identifier: MIT
# Each shaders/NAME.comp lists its variants in lines "//! variant NAME -DX ...";
# each becomes one SPIR-V module, validated, stripped and built into libjoule.
# All below SPV_DIR depends on no compiler or option: builds may share it.

SHADER_SRC := $(sort $(wildcard shaders/*.comp))
SHADER_LIB := $(sort $(wildcard shaders/lib/*.glsl)) $(SPV_DIR)/elementwise.glsl

$(SPV_DIR)/rules.mk: shaders/gen_rules.sh $(SHADER_SRC)
	@mkdir -p $(@D) && sh shaders/gen_rules.sh $(SHADER_SRC) >$@

# Defines SPV (all modules) and a rule for each.
include $(SPV_DIR)/rules.mk

# One declaration of each element-wise formula: ir/elementwise.def.
$(SPV_DIR)/elementwise.glsl: userspace/ir/elementwise.def shaders/gen_elementwise.sh
	$(call quiet,GEN)mkdir -p $(@D) && sh shaders/gen_elementwise.sh "$(CC)" $< >$@

HOSTCC ?= cc
$(SPV_DIR)/pack: shaders/pack.c
	$(call quiet,HOSTCC)mkdir -p $(@D) && $(HOSTCC) -O2 -o $@ $<

PACKED := $(SPV:.spv=.pack)
$(PACKED): %.pack: %.spv $(SPV_DIR)/pack
	@$(SPV_DIR)/pack $< $@

$(O)/gen/shader_table.c: $(PACKED) shaders/gen_table.sh
	$(call quiet,GEN)sh shaders/gen_table.sh $(SPV) >$@
