# SPDX-License-Identifier: MIT
# Tests built and run under sanitizers; compiled shaders are shared.

## make asan        unit, importer and allocation tests, operator rows and small models
##                  under AddressSanitizer, LeakSanitizer and UBSan
## make tsan        what has threads, under ThreadSanitizer
.PHONY: asan tsan check-sanitize
asan:
	@$(MAKE) SAN=address,undefined SPV_DIR=$(SPV_DIR) run-asan
tsan:
	@$(MAKE) SAN=thread SPV_DIR=$(SPV_DIR) run-tsan

$(O)/tests/keep_loaded.so: tests/sanitize/keep_loaded.c
	$(call quiet,LD)mkdir -p $(@D) && $(CC) -shared -fPIC -o $@ $<

.PHONY: run-asan run-tsan
run-asan run-tsan: run-%: all test-programs $(O)/tests/keep_loaded.so
	@sh tests/sanitize/run.sh $* $(O) $(DATA)

check-sanitize:
	@$(MAKE) asan
	@$(MAKE) tsan

CHECKS += check-sanitize
