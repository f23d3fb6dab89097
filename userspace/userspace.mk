# SPDX-License-Identifier: MIT
comma := ,
# libjoule: shared and static, from the rooms below userspace/.

ROOMS := base hal hal/cpu hal/vulkan ir ops onnx passes plan runtime
LIB_SRC := $(sort $(foreach r,$(ROOMS),$(wildcard userspace/$(r)/*.c)))
OP_SRC  := $(sort $(wildcard userspace/ops/*.c))

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wno-unused-parameter
OPT  ?= -O2 -g
CPPFLAGS_ALL = -D_GNU_SOURCE -Iuserspace -Iuserspace/include -I$(O)/gen $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(OPT) -fPIC -fno-semantic-interposition -ffp-contract=off -fno-math-errno \
	$(WARN) $(SANFLAGS) $(CFLAGS)
LIB_DEPS := $(shell $(PKG_CONFIG) --libs vulkan libprotobuf-c 2>/dev/null || echo -lvulkan -lprotobuf-c)
LIBS = $(LIB_DEPS) -lm -lpthread

ifneq ($(SAN),)
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
override O := $(O)/san-$(subst $(comma),-,$(SAN))
endif

GEN := $(O)/gen/onnx.pb-c.h
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o) $(O)/gen/onnx.pb-c.o $(O)/gen/op_table.o $(O)/gen/shader_table.o

.PHONY: lib
lib: $(O)/libjoule.a $(O)/libjoule.so

$(O)/%.o: %.c | $(GEN)
	$(call quiet,CC)mkdir -p $(@D) && $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(O)/gen/%.o: $(O)/gen/%.c
	$(call quiet,CC)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -Wno-error -MMD -MP -c -o $@ $<

# The importer's C view of the ONNX schema.
$(O)/gen/onnx.pb-c.c $(O)/gen/onnx.pb-c.h &: $(ONNX_PROTO)
	$(call quiet,PROTOC)mkdir -p $(O)/gen && \
		protoc-c --proto_path=$(dir $<) --c_out=$(O)/gen $(notdir $<)

# The operator table is the list of files in ops/ that end in JOULE_OPS().
$(O)/gen/op_table.c: userspace/ops/gen_table.sh $(OP_SRC)
	$(call quiet,GEN)mkdir -p $(@D) && sh userspace/ops/gen_table.sh $(OP_SRC) >$@

$(O)/libjoule.a: $(LIB_OBJ)
	$(call quiet,AR)rm -f $@ && $(AR) rcs $@ $^

$(O)/libjoule.so.$(SOVERSION): $(LIB_OBJ) userspace/libjoule.map
	$(call quiet,LD)$(CC) -shared $(SANFLAGS) -Wl,-soname,libjoule.so.$(SOVERSION) \
		-Wl,--version-script=userspace/libjoule.map -Wl,--as-needed \
		$(if $(SANFLAGS),,-Wl,-z,defs) $(LDFLAGS) -o $@ $(LIB_OBJ) $(LIBS)

$(O)/libjoule.so: $(O)/libjoule.so.$(SOVERSION)
	@ln -sf $(notdir $<) $@

-include $(LIB_OBJ:.o=.d)

# The reference's matrix product: whole models have to run on it in seconds.
$(O)/userspace/ops/ref_gemm.o: OPT := -O3 -g
