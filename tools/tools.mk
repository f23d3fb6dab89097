# SPDX-License-Identifier: MIT
.PHONY: tools
tools: lib
