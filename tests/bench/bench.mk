# SPDX-License-Identifier: MIT

## make bench      speed and memory on the Vulkan device beside recorded peers
.PHONY: bench
bench: $(O)/joule
	@sh tests/bench/bench.sh $(O)/joule $(DATA)
