# SPDX-License-Identifier: MIT
# The joule command: public headers and the shared library only.

TOOL_SRC  := $(sort $(wildcard tools/joule/*.c))
TOOL_PKGS := smartcols jansson libpng libturbojpeg sndfile cairo
TOOL_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(TOOL_PKGS))
TOOL_LIBS = $(shell $(PKG_CONFIG) --libs $(TOOL_PKGS)) -lm -lpthread

.PHONY: tools
tools: $(O)/joule

$(O)/tools/joule/%.o: tools/joule/%.c
	$(call quiet,CC)mkdir -p $(@D) && $(CC) -D_GNU_SOURCE -Iuserspace/include $(CPPFLAGS) \
		$(TOOL_CFLAGS) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# $ORIGIN, so that the build runs in place; make install links it anew.
$(O)/joule: $(TOOL_SRC:%.c=$(O)/%.o) $(O)/libjoule.so
	$(call quiet,LD)$(CC) $(SANFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN' -o $@ \
		$(TOOL_SRC:%.c=$(O)/%.o) -L$(O) -ljoule $(TOOL_LIBS)

.PHONY: run-demo
run-demo: all
	@sh tools/demo/demo.sh $(O)/joule $(O)/demo

-include $(TOOL_SRC:%.c=$(O)/%.d)
