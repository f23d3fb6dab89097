# SPDX-License-Identifier: MIT
# make install: library, headers, command, pkg-config file, man pages.

BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man

$(O)/joule.pc: Makefile tools/install.mk
	$(call quiet,GEN)printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' \
		'includedir=$(INCLUDEDIR)' '' 'Name: joule' \
		'Description: ONNX models as Vulkan compute' 'Version: $(VERSION)' \
		'Libs: -L$${libdir} -ljoule' 'Libs.private: $(LIB_DEPS) -lm -lpthread' \
		'Cflags: -I$${includedir}' >$@

# Without the run path of the build folder.
$(O)/install/joule: $(TOOL_SRC:%.c=$(O)/%.o) $(O)/libjoule.so
	$(call quiet,LD)mkdir -p $(@D) && $(CC) $(SANFLAGS) $(LDFLAGS) -o $@ \
		$(TOOL_SRC:%.c=$(O)/%.o) -L$(O) -ljoule $(TOOL_LIBS)

## make install    below PREFIX (/usr/local), DESTDIR honoured
.PHONY: install uninstall
install: lib $(O)/install/joule $(O)/joule.pc
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(INCLUDEDIR)/joule $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man3
	install -m 755 $(O)/install/joule $(DESTDIR)$(BINDIR)/joule
	install -m 644 $(O)/libjoule.so.$(SOVERSION) $(O)/libjoule.a $(DESTDIR)$(LIBDIR)
	ln -sf libjoule.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libjoule.so
	install -m 644 $(O)/joule.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 userspace/include/joule/*.h $(DESTDIR)$(INCLUDEDIR)/joule
	install -m 644 docs/man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 docs/man/*.3 $(DESTDIR)$(MANDIR)/man3
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/joule $(DESTDIR)$(LIBDIR)/libjoule.* \
		$(DESTDIR)$(LIBDIR)/pkgconfig/joule.pc $(DESTDIR)$(MANDIR)/man1/joule*.1 \
		$(DESTDIR)$(MANDIR)/man3/libjoule.3
	rm -rf $(DESTDIR)$(INCLUDEDIR)/joule
