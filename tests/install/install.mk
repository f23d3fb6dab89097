# SPDX-License-Identifier: MIT

## make check-install  what make install makes: files, example, symbols, size
.PHONY: check-install
check-install: lib $(O)/joule
	@mkdir -p $(O)/check && sh tests/install/check_install.sh \
		"$(MAKE) --no-print-directory" "$(CC)" $(O)

CHECKS += check-install
