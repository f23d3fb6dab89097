# SPDX-License-Identifier: MIT
# Checks on the source itself.

## make check-source  layers, headers that compile alone, licence lines, file sizes
.PHONY: check-source
check-source:
	@sh tests/source/layers.sh tests/source/layers.txt
	@sh tests/source/headers.sh $(CC) $(O)
	@sh tests/source/files.sh

CHECKS += check-source

## make check-clang  library, command and test programs by clang, warnings as errors
.PHONY: check-clang
check-clang:
	@$(MAKE) CC=clang O=$(O)/clang SPV_DIR=$(SPV_DIR) SAN= all test-programs
	@echo "PASS clang build"

CHECKS += check-clang
