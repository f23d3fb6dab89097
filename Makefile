# SPDX-License-Identifier: MIT
#
#   make            build everything into build/
#   make demo       install what is missing, build, read a meter
#   make check      install what the tests need, build, run all tests
#   make help       all targets
#
# CC=clang, O=DIR (default build), SAN=address,undefined|thread, V=1 for full commands;
# SPV_DIR=DIR: compiled shaders, which builds may share (default O/spv).

O      ?= build
spv_dir := $(O)/spv
SPV_DIR ?= $(spv_dir)
V      ?= 0
CC     ?= gcc
AR     ?= ar
PREFIX ?= /usr/local
DESTDIR ?=
PKG_CONFIG ?= pkg-config
GLSLANG ?= glslangValidator
ONNX_PROTO ?= /usr/include/onnx/onnx.proto

VERSION := 0.1.0
SOVERSION := 0

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help

ifeq ($(V),0)
quiet = @printf '  %-8s %s\n' $(1) $(patsubst $(O)/%,%,$@);
else
quiet =
endif

all: lib tools

# What follows needs tools that may not be there yet: demo and check install
# them first and start make again.
BOOTSTRAP := demo check
ifneq ($(filter $(BOOTSTRAP),$(MAKECMDGOALS)),)

.PHONY: demo check
demo:
	@sh tools/setup/install.sh build demo
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@$(MAKE) --no-print-directory run-demo

check:
	@sh tools/setup/install.sh build demo check
	@$(MAKE) --no-print-directory -j$$(nproc) all test-programs
	@-$(MAKE) --no-print-directory mesa25 >/dev/null 2>&1
	@$(MAKE) --no-print-directory run-check

else

include userspace/userspace.mk
include shaders/shaders.mk
include tools/tools.mk
include tools/install.mk
include tests/tests.mk

# Checks run side by side, so whatever two of them need is built before; the
# longest start first.
LONGEST := check-ops check-accuracy check-sanitize check-models
.PHONY: run-check
run-check: all test-programs
	@O=$(O) sh tests/check.sh "$(MAKE) --no-print-directory" \
		$(filter $(LONGEST),$(CHECKS)) $(filter-out $(LONGEST),$(CHECKS))

endif

help:
	@sed -n 's/^#   /  /p' $(firstword $(MAKEFILE_LIST))
	@sed -n 's/^## /  /p' $(MAKEFILE_LIST)

## make clean      remove build/
.PHONY: clean
clean:
	rm -rf $(O)
