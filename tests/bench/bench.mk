# SPDX-License-Identifier: MIT

## make bench      speed and memory on the Vulkan device beside recorded peers, and
##                  what each pass is worth
.PHONY: bench
bench: $(O)/joule
	@sh tests/bench/bench.sh $(O)/joule $(DATA)
	@sh tests/bench/passes.sh $(O)/joule $(DATA)
